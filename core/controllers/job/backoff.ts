/** How long a Job waits before it replaces a failed pod: 10 s, doubled with each failure, up to 10 min (upstream's backoff_utils.go). Pure. */
import type { Pod } from '../../api/schema/types.ts'
import { allFailures, endedAtMs } from './pods.ts'

const firstMs = 10_000
const maxMs = 600_000

/** Failures in a row, and when the last one was. */
export interface Failures {
  readonly count: number
  readonly lastMs: number
}

export const noFailures: Failures = { count: 0, lastMs: 0 }

/** A success forgives what failed before it. */
export function withEnded(failures: Failures, succeeded: readonly Readonly<Pod>[], failed: readonly Readonly<Pod>[]): Failures {
  const ends = failed.map(endedAtMs)
  if (succeeded.length === 0) return ends.length === 0 ? failures : { count: failures.count + ends.length, lastMs: Math.max(...ends) }
  const lastSuccessMs = Math.max(...succeeded.map(endedAtMs))
  const since = ends.filter((ms) => ms > lastSuccessMs)
  return since.length === 0 ? noFailures : { count: since.length, lastMs: Math.max(...since) }
}

export function remainingMs({ count, lastMs }: Failures, nowMs: number): number {
  if (count === 0) return 0
  const wait = Math.min(firstMs * 2 ** Math.min(count - 1, 10), maxMs)
  return Math.max(0, wait - (nowMs - lastMs))
}

/** For the pod that takes the place of this one in its index. */
export function indexRemainingMs(replaced: Readonly<Pod> | undefined, nowMs: number): number {
  return replaced === undefined ? 0 : remainingMs({ count: allFailures(replaced) + 1, lastMs: endedAtMs(replaced) }, nowMs)
}
