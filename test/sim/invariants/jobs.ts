/**
 * Pods of Jobs are counted once: never more than there were, none forgotten, and never less than before. A surplus pod is
 * let go without being counted, also when it succeeds before its controller hears of it, as upstream's is. And as upstream,
 * an Indexed Job that has failed counts a pod it gave up as failed, and its index too where the pod succeeds after that.
 */
import { controllerOf } from '../../../core/api/meta.ts'
import type { Job, Pod } from '../../../core/api/schema/types.ts'
import type { Invariant } from '../invariant.ts'

interface Seen {
  readonly made: Set<string>
  readonly succeeded: Set<string>
  /** Let go without having been written down. */
  readonly passedOver: Set<string>
  /** Written down as failed, whatever they did after that. */
  readonly givenUp: Set<string>
}

const isHeld = (pod: Readonly<Pod> | undefined): boolean => pod?.metadata.finalizers?.includes('batch.kubernetes.io/job-tracking') === true

export const podsCountOnce: Invariant = {
  name: 'a Job counts each pod once',
  begin({ history }) {
    const seen = new Map<string, Seen>()
    const of = (uid: string): Seen => {
      let found = seen.get(uid)
      if (found === undefined) seen.set(uid, (found = { made: new Set(), succeeded: new Set(), passedOver: new Set(), givenUp: new Set() }))
      return found
    }
    const note = (pod: Readonly<Pod>, prev: Readonly<Pod> | undefined, isGone: boolean): void => {
      const owner = controllerOf(pod)
      if (owner?.kind !== 'Job') return
      const { made, succeeded, passedOver } = of(owner.uid)
      const { uid = '' } = pod.metadata
      made.add(uid)
      if (pod.status?.phase === 'Succeeded') succeeded.add(uid)
      if (!isHeld(prev) || (isHeld(pod) && !isGone)) return
      const job = history.all<Job>('batch/jobs').get(`${pod.metadata.namespace ?? ''}/${owner.name}`)
      const index = pod.metadata.annotations?.['batch.kubernetes.io/job-completion-index']
      const isWritten = index === undefined ? job?.status?.uncountedTerminatedPods?.succeeded?.includes(uid) : holds(job?.status?.completedIndexes ?? '', Number(index))
      if (isWritten !== true) passedOver.add(uid)
    }
    const judge = (key: string, job: Readonly<Job>, prev: Readonly<Job> | undefined): string | undefined => {
      const { made, succeeded, givenUp } = of(job.metadata.uid ?? '')
      const { succeeded: good = 0, failed: bad = 0, uncountedTerminatedPods } = job.status ?? {}
      for (const uid of uncountedTerminatedPods?.failed ?? []) givenUp.add(uid)
      const twice = job.spec?.completionMode === 'Indexed' ? [...givenUp].filter((uid) => succeeded.has(uid)).length : 0
      if (good > succeeded.size) return `${key} counts ${good} that succeeded, ${succeeded.size} did`
      if (good + bad > made.size + twice) return `${key} counts ${good} and ${bad}, there were ${made.size} pods`
      const before = prev?.metadata.uid === job.metadata.uid ? prev?.status : undefined
      return good < (before?.succeeded ?? 0) || bad < (before?.failed ?? 0) ? `${key} counted ${before?.succeeded ?? 0} and ${before?.failed ?? 0}, and now ${good} and ${bad}` : undefined
    }
    return {
      after({ prefix, key, object, prev, type }) {
        if (prefix === 'pods') note(object as Pod, prev as Pod | undefined, type === 'deleted')
        return prefix === 'batch/jobs' && type !== 'deleted' ? judge(key, object as Job, prev as Job | undefined) : undefined
      },
      end() {
        for (const [key, job] of history.all<Job>('batch/jobs')) {
          const { succeeded, passedOver } = of(job.metadata.uid ?? '')
          const did = [...succeeded].filter((uid) => !passedOver.has(uid)).length
          if ((job.status?.succeeded ?? 0) !== did) return `${key} counts ${job.status?.succeeded ?? 0} that succeeded, ${did} did`
        }
        return undefined
      },
    }
  },
}

export const indexesSucceedOnce: Invariant = {
  name: 'an index that has succeeded is not tried again',
  begin: ({ history }) => ({
    after({ prefix, type, key, object }) {
      if (prefix !== 'pods' || type !== 'added') return undefined
      const index = object.metadata.annotations?.['batch.kubernetes.io/job-completion-index']
      const owner = controllerOf(object)
      if (index === undefined || owner?.kind !== 'Job') return undefined
      const job = history.all<Job>('batch/jobs').get(`${object.metadata.namespace ?? ''}/${owner.name}`)
      const isDone = job?.metadata.uid === owner.uid && holds(job.status?.completedIndexes ?? '', Number(index))
      return isDone ? `${key} was made for index ${index}, and ${owner.name} has ${job.status?.completedIndexes ?? ''}` : undefined
    },
  }),
}

/** Whether `0,2-4` names the index. */
function holds(indexes: string, index: number): boolean {
  return indexes !== '' && indexes.split(',').some((range) => {
    const [from = NaN, to = from] = range.split('-').map(Number)
    return from <= index && index <= to
  })
}
