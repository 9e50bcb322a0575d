/**
 * Work queue: keys that want work, each at most once in line and never worked on twice at a time.
 * A key added while it is worked on comes again afterwards; work that throws comes again after a
 * back-off of its own. Shutdown finishes what runs and takes nothing new.
 */
import { backoffMs, type BackoffOptions } from './backoff.ts'
import type { Clock, Timer } from './clock.ts'
import type { Ctx } from './ctx.ts'
import type { Random } from './random.ts'

/** Keys in line at most. Past it new keys are passed over, and `refill` is called once half of the line is worked off. */
export const queueKeysMax = 250_000
/** Upstream's rate limiter of single items (client-go/util/workqueue). */
export const retryBackoff: BackoffOptions = { firstMs: 5, maxMs: 1_000_000 }
/** Keys a worker takes in a row before it lets timers and sockets have their turn. */
const keysInARow = 64

export interface WorkQueueOptions {
  readonly clock: Clock
  readonly random: Random
  readonly backoff?: BackoffOptions
  readonly keysMax?: number
  /** Adds every key anew, after some were passed over. */
  readonly refill?: () => void
}

export class WorkQueue {
  readonly #options: WorkQueueOptions
  readonly #keysMax: number
  /** In line, oldest first. */
  readonly #waiting = new Set<string>()
  readonly #active = new Set<string>()
  /** Added while active: back in line when done. */
  readonly #again = new Set<string>()
  readonly #timers = new Map<string, { readonly timer: Timer; readonly at: number }>()
  readonly #failures = new Map<string, number>()
  #idle: ((key: string | undefined) => void)[] = []
  #passedOver = false
  #ended = false

  constructor(options: WorkQueueOptions) {
    this.#options = options
    this.#keysMax = options.keysMax ?? queueKeysMax
  }

  /** Keys in line, not counting those that wait for a time. */
  get size(): number {
    return this.#waiting.size
  }

  /** Whether nothing is in line or worked on; keys that wait for a time do not count. */
  get quiet(): boolean {
    return this.#waiting.size === 0 && this.#active.size === 0
  }

  add(key: string): void {
    if (this.#ended) return
    if (this.#active.has(key)) return void this.#again.add(key)
    if (this.#waiting.has(key)) return
    const taker = this.#idle.pop()
    if (taker !== undefined) {
      this.#active.add(key)
      return taker(key)
    }
    if (this.#waiting.size >= this.#keysMax) this.#passedOver = true
    else this.#waiting.add(key)
  }

  /** Adds the key after this time; of several asked times the earliest counts. */
  after(key: string, ms: number): void {
    if (this.#ended) return
    if (ms <= 0) return this.add(key)
    const at = this.#options.clock.monotonic() + ms
    const known = this.#timers.get(key)
    if (known !== undefined && known.at <= at) return
    known?.timer.stop()
    const timer = this.#options.clock.after(ms, () => {
      this.#timers.delete(key)
      this.add(key)
    })
    this.#timers.set(key, { timer, at })
  }

  /** Adds the key after its back-off, which grows with every call until forget(). */
  retry(key: string): void {
    const failures = this.#failures.get(key) ?? 0
    this.#failures.set(key, failures + 1)
    const ceiling = backoffMs(this.#options.backoff ?? retryBackoff, failures)
    this.after(key, ceiling / 2 + (this.#options.random.fraction() * ceiling) / 2)
  }

  /** How often the key failed in a row. */
  failures(key: string): number {
    return this.#failures.get(key) ?? 0
  }

  forget(key: string): void {
    this.#failures.delete(key)
  }

  /** Works until ctx ends; then waits for what runs. A throw of `work` is told to `failed` and retried. */
  async run(ctx: Ctx, work: (ctx: Ctx, key: string) => Promise<void>, options: { readonly workers: number; readonly failed?: (key: string, error: unknown) => void }): Promise<void> {
    const stop = (): void => this.#end()
    ctx.signal.addEventListener('abort', stop, { once: true })
    if (ctx.signal.aborted) stop()
    try {
      await Promise.all(Array.from({ length: options.workers }, () => this.#work(ctx, work, options.failed)))
    } finally {
      ctx.signal.removeEventListener('abort', stop)
      this.#end()
    }
  }

  async #work(ctx: Ctx, work: (ctx: Ctx, key: string) => Promise<void>, failed: ((key: string, error: unknown) => void) | undefined): Promise<void> {
    for (let row = 1; ; row++) {
      if (row % keysInARow === 0) await ctx.clock.sleep(0, ctx.signal).catch(() => {})
      const key = await this.#next()
      if (key === undefined) return
      try {
        await work(ctx, key)
        this.forget(key)
      } catch (error) {
        if (ctx.signal.aborted) return
        failed?.(key, error)
        this.retry(key)
      } finally {
        this.#active.delete(key)
        if (this.#again.delete(key)) this.add(key)
      }
    }
  }

  #next(): Promise<string | undefined> | string | undefined {
    if (this.#ended) return undefined
    const [key] = this.#waiting
    if (key === undefined) return new Promise((resolve) => this.#idle.push(resolve))
    this.#waiting.delete(key)
    this.#active.add(key)
    if (this.#passedOver && this.#waiting.size <= this.#keysMax / 2) {
      this.#passedOver = false
      this.#options.refill?.()
    }
    return key
  }

  #end(): void {
    this.#ended = true
    for (const { timer } of this.#timers.values()) timer.stop()
    this.#timers.clear()
    this.#waiting.clear()
    const idle = this.#idle
    this.#idle = []
    for (const taker of idle) taker(undefined)
  }
}
