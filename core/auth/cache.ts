/** Answers remembered for a while, so many of them; the one that was put in first goes first. */
import type { Clock } from '../lib/clock.ts'

export class ExpiringCache<T> {
  readonly #clock: Clock
  readonly #entriesMax: number
  readonly #entries = new Map<string, { readonly value: T; readonly until: number }>()

  constructor(clock: Clock, entriesMax: number) {
    this.#clock = clock
    this.#entriesMax = entriesMax
  }

  get(key: string): T | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    if (entry.until > this.#clock.monotonic()) return entry.value
    this.#entries.delete(key)
    return undefined
  }

  /** Not at all for 0 ms. */
  set(key: string, value: T, forMs: number): void {
    if (forMs <= 0) return
    this.#entries.delete(key)
    const oldest = this.#entries.size >= this.#entriesMax ? this.#entries.keys().next().value : undefined
    if (oldest !== undefined) this.#entries.delete(oldest)
    this.#entries.set(key, { value, until: this.#clock.monotonic() + forMs })
  }
}
