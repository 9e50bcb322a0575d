/**
 * How a Job counts pods that ended, each exactly once, whatever is interrupted: first their uids are written to
 * status.uncountedTerminatedPods, then they lose the finalizer, then the counters rise by those that have lost it. (Of an
 * Indexed Job a success needs no uid: its index says it.) Pure: job.ts writes in between.
 */
import type { Job, JobCondition, JobStatus, Pod } from '../../api/schema/types.ts'
import { conditionOf, type Condition } from '../conditions.ts'
import { judgeFailure } from './failurepolicy.ts'
import { countIndexes, formatIndexes, hasIndex } from './indexes.ts'
import { hasFailed, indexOf, isIndexed, isTracked, validIndex } from './pods.ts'
import type { Sight } from './sight.ts'
import { endOf } from './verdict.ts'

/** Pods counted in one turn at most, so that the status stays small. */
const uncountedMax = 500

export interface Account {
  /** To be written before any finalizer goes. */
  readonly status: JobStatus
  /** Pods whose finalizer may go then. */
  readonly release: readonly Readonly<Pod>[]
  /** Pods that have the finalizer, by uid. */
  readonly tracked: ReadonlySet<string>
  /** Not all that ended found room: the Job is not over yet. */
  readonly more: boolean
}

/** `status`: what else there is to say of the Job now. */
export function account(sight: Sight, verdict: JobCondition | undefined, status: Readonly<JobStatus>): Account {
  const { job } = sight
  const tracked = new Set(sight.pods.filter(isTracked).map((pod) => pod.metadata.uid ?? ''))
  const next = counted(status, tracked)
  const ended = sortedByIndex(job, sight.pods).filter((pod) => isTracked(pod) && mayRelease(sight, verdict, pod))
  const { release, more } = enter(sight, verdict, ended, next)
  if (sight.indexes !== undefined) {
    const { succeeded, failed } = sight.indexes
    Object.assign(next, { succeeded: countIndexes(succeeded), completedIndexes: formatIndexes(succeeded), failedIndexes: failed === undefined ? undefined : formatIndexes(failed) })
  }
  const interim = verdict !== undefined && verdict.type !== 'Failed' && conditionOf(next.conditions as Condition[] | undefined, verdict.type)?.status !== 'True'
  if (interim) next.conditions = [...(next.conditions ?? []).filter((c) => c.type !== verdict.type), verdict]
  return { status: next, release, tracked, more }
}

/** Counts those that were written down and have no finalizer any more. */
export function counted(status: Readonly<JobStatus>, tracked: ReadonlySet<string>): JobStatus {
  const { succeeded = [], failed = [] } = status.uncountedTerminatedPods ?? {}
  const still = { succeeded: succeeded.filter((uid) => tracked.has(uid)), failed: failed.filter((uid) => tracked.has(uid)) }
  return {
    ...status,
    succeeded: (status.succeeded ?? 0) + succeeded.length - still.succeeded.length,
    failed: (status.failed ?? 0) + failed.length - still.failed.length,
    uncountedTerminatedPods: still,
  }
}

/** The status with the Job's end; undefined while pods are not counted or not gone. */
export function ended(status: Readonly<JobStatus>, verdict: JobCondition, nowMs: number): { readonly status: JobStatus; readonly end: JobCondition } | undefined {
  const { succeeded = [], failed = [] } = status.uncountedTerminatedPods ?? {}
  if (succeeded.length + failed.length > 0 || (status.terminating ?? 0) > 0) return undefined
  const end = endOf(verdict, nowMs)
  const conditions = [...(status.conditions ?? []).filter((c) => c.type !== end.type), end]
  return { status: { ...status, conditions, ...(end.type === 'Complete' ? { completionTime: end.lastTransitionTime as string } : {}) }, end }
}

/** As it goes over the wire: what is nothing is left out, so that statuses can be compared. */
export function writtenStatus(status: Readonly<JobStatus> | undefined): JobStatus {
  const { succeeded = [], failed = [] } = status?.uncountedTerminatedPods ?? {}
  const written: Record<string, unknown> = {
    ...status,
    uncountedTerminatedPods: status?.uncountedTerminatedPods === undefined ? undefined : { ...(succeeded.length === 0 ? {} : { succeeded }), ...(failed.length === 0 ? {} : { failed }) },
  }
  for (const field of ['active', 'succeeded', 'failed']) if (written[field] === 0) delete written[field]
  for (const [field, value] of Object.entries(written)) if (value === undefined || (field === 'completedIndexes' && value === '')) delete written[field]
  return written
}

function sortedByIndex(job: Readonly<Job>, pods: readonly Readonly<Pod>[]): readonly Readonly<Pod>[] {
  return isIndexed(job) ? pods.toSorted((a, b) => (indexOf(a) ?? -1) - (indexOf(b) ?? -1)) : pods
}

/** Failed pods that another is to inherit from stay, until it is there. */
function mayRelease({ job, indexes }: Sight, verdict: JobCondition | undefined, pod: Readonly<Pod>): boolean {
  if (job.metadata.deletionTimestamp !== undefined || verdict !== undefined || pod.status?.phase === 'Succeeded') return true
  return hasFailed(job, pod) && indexes?.held.get(indexOf(pod) ?? -1)?.metadata.uid !== pod.metadata.uid
}

/** Writes ended pods down in `status`, until there is no more room. */
function enter(sight: Sight, verdict: JobCondition | undefined, ended: readonly Readonly<Pod>[], status: JobStatus): { readonly release: readonly Readonly<Pod>[]; readonly more: boolean } {
  const succeeded = [...(status.uncountedTerminatedPods?.succeeded ?? [])]
  const failed = [...(status.uncountedTerminatedPods?.failed ?? [])]
  status.uncountedTerminatedPods = { succeeded, failed }
  let newIndexes = 0
  for (const [i, pod] of ended.entries()) {
    const entry = entryOf(sight, verdict, pod, { succeeded, failed })
    if (entry === 'index') newIndexes++
    else if (entry !== undefined) (entry === 'succeeded' ? succeeded : failed).push(pod.metadata.uid ?? '')
    if (newIndexes + succeeded.length + failed.length >= uncountedMax) return { release: ended.slice(0, i + 1), more: true }
  }
  return { release: ended, more: false }
}

/** Where the pod is written down; undefined when it is already, or does not count. */
function entryOf(
  { job, indexes }: Sight, verdict: JobCondition | undefined, pod: Readonly<Pod>, listed: { readonly succeeded: readonly string[]; readonly failed: readonly string[] },
): 'index' | 'succeeded' | 'failed' | undefined {
  const uid = pod.metadata.uid ?? ''
  if (listed.failed.includes(uid)) return undefined
  const index = validIndex(job, pod)
  if (pod.status?.phase === 'Succeeded') {
    if (indexes !== undefined) return index !== undefined && !hasIndex(indexes.before, index) ? 'index' : undefined
    return listed.succeeded.includes(uid) ? undefined : 'succeeded'
  }
  // When a Job has failed, all that still runs has failed with it.
  if (!hasFailed(job, pod) && (verdict === undefined || verdict.type === 'SuccessCriteriaMet')) return undefined
  if (indexes !== undefined && index === undefined) return undefined
  return judgeFailure(job, pod).counts ? 'failed' : undefined
}
