/**
 * How soon a failed pod of a DaemonSet may be replaced: a node that refuses pods gets the next one later each time
 * (upstream's failedPodsBackoff). Kept in memory only.
 */
import { backoffMs } from '../../lib/backoff.ts'

const series = { firstMs: 1_000, maxMs: 900_000 }
/** A node that has not failed for so long starts anew. */
const forgottenMs = 2 * series.maxMs
const sweepMs = 60_000

interface Failures {
  readonly count: number
  readonly lastMs: number
}

export class FailedPods {
  readonly #failures = new Map<string, Failures>()
  #sweptMs = 0

  /** Milliseconds until the next pod may be replaced; 0 for now, which counts as a failure more. */
  next(key: string, nowMs: number): number {
    this.#sweep(nowMs)
    const before = this.#failures.get(key)
    const count = before === undefined || nowMs - before.lastMs > forgottenMs ? 0 : before.count
    if (before !== undefined && count > 0) {
      const wait = before.lastMs + backoffMs(series, count - 1) - nowMs
      if (wait > 0) return wait
    }
    this.#failures.set(key, { count: count + 1, lastMs: nowMs })
    return 0
  }

  #sweep(nowMs: number): void {
    if (nowMs - this.#sweptMs < sweepMs) return
    this.#sweptMs = nowMs
    for (const [key, { lastMs }] of this.#failures) if (nowMs - lastMs > forgottenMs) this.#failures.delete(key)
  }
}
