/** A node has one pod of a DaemonSet, and a second only where a new one may come before the old one goes. */
import { isPodActive } from '../../../core/api/core/podstate.ts'
import { controllerOf } from '../../../core/api/meta.ts'
import type { DaemonSet, Pod } from '../../../core/api/schema/types.ts'
import type { Invariant } from '../invariant.ts'

export const oneDaemonANode: Invariant = {
  name: 'a node has one pod of a DaemonSet',
  begin: ({ history, faults }) => ({
    after({ prefix, type, object, key }) {
      if (prefix !== 'pods' || type !== 'added') return undefined
      const owner = controllerOf(object)
      if (owner?.kind !== 'DaemonSet') return undefined
      const node = nodeOf(object as Pod)
      const surge = history.all<DaemonSet>('apps/daemonsets').get(`${object.metadata.namespace ?? ''}/${owner.name}`)?.spec?.updateStrategy?.rollingUpdate?.maxSurge ?? 0
      let there = 0
      for (const pod of history.all<Pod>('pods').values()) {
        if (isPodActive(pod) && !faults.unheard.has(pod.metadata.uid ?? '') && controllerOf(pod)?.uid === owner.uid && nodeOf(pod) === node) there++
      }
      return there > (surge === 0 ? 1 : 2) ? `${key} is pod ${there} of ${owner.name} on ${node}` : undefined
    },
  }),
}

/** The node that it was made for, before it is bound. */
function nodeOf({ spec }: Readonly<Pod>): string {
  return spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms[0]?.matchFields?.[0]?.values?.[0] ?? ''
}
