/**
 * What a Job's pods come to: who runs, who ended and is not counted yet, which indexes are done. Pure. What follows
 * from it is verdict.ts (whether the Job is over), plan.ts (pods to make and to delete) and account.ts (its status).
 */
import { isPodActive, isPodReady, isPodTerminating } from '../../api/core/podstate.ts'
import type { Job, Pod } from '../../api/schema/types.ts'
import { type Failures, withEnded } from './backoff.ts'
import { judgeFailure } from './failurepolicy.ts'
import { countIndexes, hasIndex, type Indexes, parseIndexes, withIndexes } from './indexes.ts'
import { allFailures, countedFailures, endedAtMs, hasFailed, indexOf, isIndexed, isTracked, limitsIndexes, validIndex } from './pods.ts'

export interface Sight {
  readonly job: Readonly<Job>
  readonly pods: readonly Readonly<Pod>[]
  readonly active: readonly Readonly<Pod>[]
  readonly ready: number
  readonly terminating: number
  /** With those that are not counted yet. */
  readonly succeeded: number
  readonly failed: number
  readonly failures: Failures
  readonly startTimeMs: number | undefined
  /** Of an Indexed Job. */
  readonly indexes?: IndexSight
}

export interface IndexSight {
  /** As the status says. */
  readonly before: Indexes
  readonly succeeded: Indexes
  /** Where failures are limited by index. */
  readonly failed?: Indexes
  /** Failed pods that stay until another takes their place: it inherits their count of failures. */
  readonly held: ReadonlyMap<number, Readonly<Pod>>
}

export function look(job: Readonly<Job>, pods: readonly Readonly<Pod>[], failures: Failures, startTimeMs: number | undefined): Sight {
  const active = pods.filter(isPodActive)
  const { succeeded: openSucceeded = [], failed: openFailed = [] } = job.status?.uncountedTerminatedPods ?? {}
  const succeeded = uncounted(job, pods, openSucceeded).filter((pod) => pod.status?.phase === 'Succeeded')
  const failed = uncounted(job, pods, openFailed).filter((pod) => hasFailed(job, pod))
  const indexes = isIndexed(job) ? indexesOf(job, pods, active) : undefined
  return {
    job, pods, active, startTimeMs,
    ready: active.filter(isPodReady).length,
    terminating: pods.filter(isPodTerminating).length,
    succeeded: indexes === undefined ? (job.status?.succeeded ?? 0) + succeeded.length + openSucceeded.length : countIndexes(indexes.succeeded),
    failed: (job.status?.failed ?? 0) + failed.filter((pod) => judgeFailure(job, pod).counts).length + openFailed.length,
    failures: withEnded(failures, succeeded, failed),
    ...(indexes === undefined ? {} : { indexes }),
  }
}

/** Tracked pods that are not in the list; of an Indexed Job those alone that have an index. */
function uncounted(job: Readonly<Job>, pods: readonly Readonly<Pod>[], listed: readonly string[]): readonly Readonly<Pod>[] {
  const known = new Set(listed)
  return pods.filter((pod) => isTracked(pod) && !known.has(pod.metadata.uid ?? '') && (!isIndexed(job) || validIndex(job, pod) !== undefined))
}

function indexesOf(job: Readonly<Job>, pods: readonly Readonly<Pod>[], active: readonly Readonly<Pod>[]): IndexSight {
  const { completions = 0 } = job.spec ?? {}
  const before = parseIndexes(job.status?.completedIndexes, completions)
  const tracked = uncounted(job, pods, [])
  const succeeded = withIndexes(before, indexesIn(tracked.filter((pod) => pod.status?.phase === 'Succeeded')))
  if (!limitsIndexes(job)) return { before, succeeded, held: new Map() }
  const failed = withIndexes(parseIndexes(job.status?.failedIndexes, completions), indexesIn(tracked.filter((pod) => failsIndex(job, pod))))
  return { before, succeeded, failed, held: heldPods(job, tracked, active, { succeeded, failed }) }
}

export function indexesIn(pods: readonly Readonly<Pod>[]): readonly number[] {
  return pods.map(indexOf).filter((index) => index !== undefined)
}

function failsIndex(job: Readonly<Job>, pod: Readonly<Pod>): boolean {
  if (!hasFailed(job, pod)) return false
  const { action, counts } = judgeFailure(job, pod)
  return action === 'FailIndex' || (counts && countedFailures(pod) >= (job.spec?.backoffLimitPerIndex ?? 0))
}

/** Of each index that is neither done nor running, the failed pod that knows of most failures, and of those the last. */
function heldPods(
  job: Readonly<Job>, tracked: readonly Readonly<Pod>[], active: readonly Readonly<Pod>[], done: { readonly succeeded: Indexes; readonly failed: Indexes },
): ReadonlyMap<number, Readonly<Pod>> {
  const running = new Set(indexesIn(active))
  const held = new Map<number, Readonly<Pod>>()
  for (const pod of tracked) {
    const index = indexOf(pod)
    if (index === undefined || !hasFailed(job, pod) || running.has(index) || hasIndex(done.succeeded, index) || hasIndex(done.failed, index)) continue
    const other = held.get(index)
    if (other === undefined || (allFailures(other) <= allFailures(pod) && endedAtMs(pod) >= endedAtMs(other))) held.set(index, pod)
  }
  return held
}
