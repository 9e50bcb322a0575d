/**
 * Group: owns what it starts. Leaving it (await using, or wait()) waits for
 * every part; the first failure aborts the rest and is what wait() throws.
 */
import { childCtx, named, type Ctx } from './ctx.ts'

export class Group {
  readonly ctx: Ctx
  readonly #end: (reason?: unknown) => void
  readonly #running = new Map<Promise<void>, string>()
  #failure: { readonly part: string; readonly error: unknown } | undefined

  constructor(parent: Ctx) {
    const { ctx, end } = childCtx(parent)
    this.ctx = ctx
    this.#end = end
  }

  /** Starts a part. A throw after the group was told to stop is the part's way of ending, not a failure. */
  go(part: string, work: (ctx: Ctx) => Promise<unknown>): void {
    const run = async (): Promise<void> => {
      try {
        await work(named(this.ctx, part))
      } catch (error) {
        if (this.ctx.signal.aborted) return
        this.#failure ??= { part, error }
        this.#end(error)
      }
    }
    const task = run()
    this.#running.set(task, part)
    void task.then(() => this.#running.delete(task))
  }

  /** Tells every part to stop. */
  stop(reason?: unknown): void {
    this.#end(reason)
  }

  /** Names of the parts that still run. */
  running(): readonly string[] {
    return [...this.#running.values()]
  }

  /** Waits until every part has ended; throws the first failure with the part's name. */
  async wait(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running.keys())
    this.#end()
    if (this.#failure !== undefined) throw new Error(this.#failure.part, { cause: this.#failure.error })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end()
    while (this.#running.size > 0) await Promise.all(this.#running.keys())
  }
}
