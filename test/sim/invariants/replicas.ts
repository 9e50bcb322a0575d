/**
 * Never more than was asked for: pods of a ReplicaSet, and ReplicaSets of a Deployment with what it may surge. Asked for
 * is what its controller can have known: the most since it last said that it had seen the newest wish and met it. What was
 * made and not answered its maker cannot count.
 */
import { isPodActive } from '../../../core/api/core/podstate.ts'
import { controllerOf } from '../../../core/api/meta.ts'
import type { Deployment, Pod, ReplicaSet } from '../../../core/api/schema/types.ts'
import { maxSurge } from '../../../core/controllers/deployment/plan.ts'
import type { Invariant } from '../invariant.ts'

/** The most that was wanted since what there is was last no more than what is wanted. */
class HighWater {
  readonly #most = new Map<string, number>()

  wants(uid: string, count: number): void {
    this.#most.set(uid, Math.max(count, this.#most.get(uid) ?? 0))
  }

  met(uid: string, count: number): void {
    this.#most.set(uid, count)
  }

  of(uid: string): number | undefined {
    return this.#most.get(uid)
  }
}

const isSeen = ({ metadata, status }: Readonly<ReplicaSet> | Readonly<Deployment>): boolean => (status?.observedGeneration ?? 0) >= (metadata.generation ?? 0)

export const noSurplusPods: Invariant = {
  name: 'a ReplicaSet has no more pods than it is to have',
  begin({ history, faults }) {
    const most = new HighWater()
    const countOf = (uid: string): number => {
      let count = 0
      for (const pod of history.all<Pod>('pods').values()) if (isPodActive(pod) && controllerOf(pod)?.uid === uid && !faults.unheard.has(pod.metadata.uid ?? '')) count++
      return count
    }
    return {
      after({ prefix, type, object, key }) {
        if (prefix === 'apps/replicasets' && type !== 'deleted') {
          const { uid = '' } = object.metadata
          const wanted = (object as ReplicaSet).spec?.replicas ?? 1
          most.wants(uid, wanted)
          if (isSeen(object) && countOf(uid) <= wanted) most.met(uid, wanted)
          return undefined
        }
        if (prefix !== 'pods' || type !== 'added') return undefined
        const owner = controllerOf(object)
        const allowed = owner === undefined ? undefined : most.of(owner.uid)
        if (owner === undefined || allowed === undefined) return undefined
        const count = countOf(owner.uid)
        return count > allowed ? `${key} is pod ${count} of ${owner.name}, which was to have ${allowed} at most` : undefined
      },
    }
  },
}

export const noSurplusSets: Invariant = {
  name: 'a Deployment asks for no more pods than its size and surge',
  begin({ history }) {
    const most = new HighWater()
    const sumOf = (uid: string): number => {
      let sum = 0
      for (const set of history.all<ReplicaSet>('apps/replicasets').values()) if (controllerOf(set)?.uid === uid) sum += set.spec?.replicas ?? 1
      return sum
    }
    return {
      after({ prefix, type, object, prev, key }) {
        if (type === 'deleted') return undefined
        if (prefix === 'apps/deployments') {
          const { uid = '' } = object.metadata
          const wanted = ((object as Deployment).spec?.replicas ?? 1) + maxSurge(object)
          most.wants(uid, wanted)
          if (isSeen(object) && sumOf(uid) <= wanted) most.met(uid, wanted)
          return undefined
        }
        if (prefix !== 'apps/replicasets') return undefined
        const owner = controllerOf(object)
        const allowed = owner === undefined ? undefined : most.of(owner.uid)
        const grew = ((object as ReplicaSet).spec?.replicas ?? 1) > ((prev as ReplicaSet | undefined)?.spec?.replicas ?? 0)
        if (owner === undefined || allowed === undefined || !grew) return undefined
        const sum = sumOf(owner.uid)
        return sum > allowed ? `${key} grew until the sets of ${owner.name} have ${sum}, ${allowed} at most` : undefined
      },
    }
  },
}
