/** Bell: many ringers, one waiter. It remembers that it rang, so that no ring between two waits is lost. */
import { childCtx, type Ctx } from './ctx.ts'

export class Bell {
  #rung = false
  #waiter: (() => void) | undefined

  ring(): void {
    this.#rung = true
    this.#waiter?.()
  }

  /** Forgets what rang until now: called before the world is read. */
  clear(): void {
    this.#rung = false
  }

  /** True when it rang since clear(), false when `ms` passed first. Throws when ctx ends. */
  async wait(ctx: Ctx, ms: number): Promise<boolean> {
    ctx.signal.throwIfAborted()
    if (!this.#rung) {
      const rang = new Promise<void>((resolve) => (this.#waiter = resolve))
      const limit = childCtx(ctx)
      await Promise.race([rang, ctx.clock.sleep(ms, limit.ctx.signal).catch(() => {})])
      limit.end()
      this.#waiter = undefined
    }
    ctx.signal.throwIfAborted()
    return this.#rung
  }
}
