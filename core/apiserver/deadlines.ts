/**
 * Deadlines of requests in flight, kept for all of them together: no timer, listener or signal is made for a request
 * that ends in time and never waits. Short deadlines are kept exactly, long ones to the second. A request whose sender
 * has gone is told so within a second, too.
 */
import type { Clock, Timer } from '../lib/clock.ts'
import type { Ctx } from '../lib/ctx.ts'
import type { Log } from '../lib/log.ts'

const sweepMs = 1_000
/** Deadlines below this have a timer of their own. */
const shortMs = 5_000

class RequestCtx implements Ctx {
  readonly clock: Clock
  readonly log: Log
  /** On the clock that never jumps. */
  readonly until: number
  timer: Timer | undefined
  /** Called once when the request is told to end: for what waits on nothing that hears the signal. */
  onAbort: ((reason: Error) => void) | undefined
  /** Whether its sender has gone. */
  readonly gone: (() => boolean) | undefined
  #controller: AbortController | undefined
  #reason: Error | undefined

  constructor(parent: Ctx, until: number, gone?: () => boolean) {
    this.clock = parent.clock
    this.log = parent.log
    this.until = until
    this.gone = gone
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#reason !== undefined) this.#controller.abort(this.#reason)
    }
    return this.#controller.signal
  }

  /** Why the request was told to end, if it was. */
  get reason(): Error | undefined {
    return this.#reason
  }

  abort(reason: Error): void {
    if (this.#reason !== undefined) return
    this.#reason = reason
    this.#controller?.abort(reason)
    this.onAbort?.(reason)
  }
}

/** Nobody waits for the answer any more. */
export class SenderGone extends Error {
  constructor() {
    super('the sender has gone')
  }
}

export class Deadlines {
  readonly #ctx: Ctx
  readonly #late: () => Error
  readonly #open = new Set<RequestCtx>()
  #sweeping = false

  /** `late` makes the reason of a request that took too long. When `ctx` ends, everything in flight is told. */
  constructor(ctx: Ctx, late: () => Error) {
    this.#ctx = ctx
    this.#late = late
    const ended = (): void => {
      for (const request of this.#open)
        request.abort(ctx.signal.reason instanceof Error ? ctx.signal.reason : new Error('the server stops'))
    }
    ctx.signal.addEventListener('abort', ended, { once: true })
  }

  begin(ms: number, gone?: () => boolean): RequestCtx {
    const { clock } = this.#ctx
    const request = new RequestCtx(this.#ctx, clock.monotonic() + ms, gone)
    if (ms < shortMs) request.timer = clock.after(ms, () => request.abort(this.#late()))
    this.#open.add(request)
    if (!this.#sweeping) this.#arm()
    return request
  }

  end(request: RequestCtx): void {
    request.timer?.stop()
    this.#open.delete(request)
  }

  #arm(): void {
    this.#sweeping = true
    this.#ctx.clock.after(sweepMs, () => {
      const now = this.#ctx.clock.monotonic()
      for (const request of this.#open) {
        if (request.until <= now) request.abort(this.#late())
        else if (request.gone?.() === true) request.abort(new SenderGone())
      }
      if (this.#open.size > 0) this.#arm()
      else this.#sweeping = false
    })
  }
}
