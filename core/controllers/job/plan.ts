/** Which pods a Job that goes on needs: some more, or some less, never both in one turn. Pure. */
import { byLeastWork, isPodTerminating } from '../../api/core/podstate.ts'
import type { Pod } from '../../api/schema/types.ts'
import { indexRemainingMs, remainingMs } from './backoff.ts'
import { firstMissing, mergeIndexes, noIndexes, withIndexes } from './indexes.ts'
import { indexOf, isSuspended, limitsIndexes, replacesEndedOnly } from './pods.ts'
import { indexesIn, type IndexSight, type Sight } from './sight.ts'

/** Pods made or deleted in one turn at most. */
const burstPods = 500

export interface PodPlan {
  readonly remove: readonly Readonly<Pod>[]
  /** How many, and of which indexes, where the Job is indexed. */
  readonly create: number
  readonly indexes?: readonly number[]
  /** Until pods that are missing may be made. */
  readonly waitMs?: number
}

const nothing: PodPlan = { remove: [], create: 0 }

export function planPods(sight: Sight, nowMs: number): PodPlan {
  const { job, active } = sight
  if (isSuspended(job)) return { ...nothing, remove: active }
  const wanted = wantedPods(sight)
  const remove = surplus(sight, Math.max(0, active.length - wanted)).slice(0, burstPods)
  if (remove.length > 0) return { ...nothing, remove }
  const missing = wanted - active.length - (replacesEndedOnly(job) ? sight.terminating : 0)
  if (missing <= 0) return nothing
  const waitMs = limitsIndexes(job) ? 0 : remainingMs(sight.failures, nowMs)
  if (waitMs > 0) return { ...nothing, waitMs }
  const count = Math.min(missing, burstPods)
  return sight.indexes === undefined ? { ...nothing, create: count } : planIndexes(sight, sight.indexes, count, nowMs)
}

/** Pods of a Job without completions are as many as asked until one succeeds; from then on those that run may end. */
function wantedPods({ job, active, succeeded }: Sight): number {
  const { completions, parallelism = 0 } = job.spec ?? {}
  if (completions === undefined) return succeeded > 0 ? active.length : parallelism
  return Math.max(0, Math.min(completions - succeeded, parallelism))
}

function surplus({ active, job, indexes }: Sight, atLeast: number): readonly Readonly<Pod>[] {
  const misplaced = indexes === undefined ? [] : misplacedPods(active, job.spec?.completions ?? 0)
  const gone = new Set(misplaced)
  return [...misplaced, ...active.filter((pod) => !gone.has(pod)).toSorted(byLeastWork).slice(0, Math.max(0, atLeast - misplaced.length))]
}

/** Those without an index, with one that the Job does not have, and all but one of each index. */
function misplacedPods(active: readonly Readonly<Pod>[], completions: number): readonly Readonly<Pod>[] {
  const misplaced: Readonly<Pod>[] = []
  const byIndex = new Map<number, Readonly<Pod>[]>()
  for (const pod of active) {
    const index = indexOf(pod)
    if (index === undefined || index >= completions) misplaced.push(pod)
    else byIndex.set(index, [...(byIndex.get(index) ?? []), pod])
  }
  for (const twins of byIndex.values()) if (twins.length > 1) misplaced.push(...twins.toSorted(byLeastWork).slice(0, -1))
  return misplaced
}

function planIndexes({ job, active, pods }: Sight, indexes: IndexSight, count: number, nowMs: number): PodPlan {
  const going = replacesEndedOnly(job) ? pods.filter(isPodTerminating) : []
  const taken = mergeIndexes(withIndexes(indexes.succeeded, indexesIn([...active, ...going])), indexes.failed ?? noIndexes)
  const missing = firstMissing(taken, count, job.spec?.completions ?? 0)
  if (!limitsIndexes(job)) return { ...nothing, create: missing.length, indexes: missing }
  const waits = missing.map((index) => indexRemainingMs(indexes.held.get(index), nowMs))
  const now = missing.filter((_, i) => waits[i] === 0)
  if (now.length > 0 || missing.length === 0) return { ...nothing, create: now.length, indexes: now }
  return { ...nothing, waitMs: Math.min(...waits) }
}
