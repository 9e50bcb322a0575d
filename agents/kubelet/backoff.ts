/**
 * Back-off by key, as upstream's flowcontrol.Backoff: the first failure waits for
 * nothing, the next `firstMs`, then twice as long each time up to `maxMs`; whoever
 * was quiet for twice the maximum starts anew. Pure but for its own memory.
 */

export class Backoff {
  readonly firstMs: number
  readonly maxMs: number
  readonly #entries = new Map<string, { ms: number; updatedMs: number }>()

  constructor(firstMs: number, maxMs: number) {
    this.firstMs = firstMs
    this.maxMs = maxMs
  }

  /** Until when the key waits after what happened at `sinceMs`; undefined when it need not wait now. */
  waiting(key: string, sinceMs: number, nowMs: number): { readonly ms: number; readonly untilMs: number } | undefined {
    const entry = this.#live(key, sinceMs)
    if (entry === undefined || nowMs - sinceMs >= entry.ms) return undefined
    return { ms: entry.ms, untilMs: sinceMs + entry.ms }
  }

  /** As waiting(), counted from when the back-off last grew: for failures that leave no time of their own (pulls). */
  waitingSinceUpdate(key: string, nowMs: number): { readonly ms: number; readonly untilMs: number } | undefined {
    const entry = this.#entries.get(key)
    return entry === undefined ? undefined : this.waiting(key, entry.updatedMs, nowMs)
  }

  /** Notes another failure (or another start after one). */
  grow(key: string, sinceMs: number, nowMs: number): void {
    const entry = this.#live(key, sinceMs)
    this.#entries.set(key, { ms: entry === undefined ? this.firstMs : Math.min(entry.ms * 2, this.maxMs), updatedMs: nowMs })
  }

  forget(prefix: string): void {
    for (const key of this.#entries.keys()) if (key.startsWith(prefix)) this.#entries.delete(key)
  }

  #live(key: string, sinceMs: number): { ms: number; updatedMs: number } | undefined {
    const entry = this.#entries.get(key)
    return entry === undefined || sinceMs - entry.updatedMs > this.maxMs * 2 ? undefined : entry
  }
}

/** A duration as Go prints it: 10s, 1m20s, 5m0s, 1h0m0s. */
export function goDuration(ms: number): string {
  if (ms < 1000) return ms === 0 ? '0s' : `${ms}ms`
  const whole = Math.floor(ms / 1000)
  const [h, m] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60]
  const s = `${Number(((ms / 1000) % 60).toFixed(3))}s`
  return h > 0 ? `${h}h${m}m${s}` : m > 0 ? `${m}m${s}` : s
}
