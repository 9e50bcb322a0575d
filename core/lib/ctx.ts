/**
 * Ctx: the one value that everything which can wait takes first. It carries
 * exactly three things (the signal that ends the work, the clock, the log) and
 * nothing else: subjects and options are parameters of their own.
 */
import type { Clock } from './clock.ts'
import type { Log } from './log.ts'

export interface Ctx {
  readonly signal: AbortSignal
  readonly clock: Clock
  readonly log: Log
}

/** A ctx that ends when `parent` ends or when the returned `end` is called. `end` must be called: it removes the listener. */
export function childCtx(parent: Ctx): { readonly ctx: Ctx; readonly end: (reason?: unknown) => void } {
  const controller = new AbortController()
  const follow = (): void => controller.abort(parent.signal.reason)
  if (parent.signal.aborted) follow()
  else parent.signal.addEventListener('abort', follow, { once: true })
  return {
    ctx: { ...parent, signal: controller.signal },
    end(reason) {
      parent.signal.removeEventListener('abort', follow)
      controller.abort(reason ?? new Ended())
    },
  }
}

/** Runs `work` under a ctx that is aborted with a TimeoutError after `ms` milliseconds of the ctx's clock. */
export async function withTimeout<T>(parent: Ctx, ms: number, work: (ctx: Ctx) => Promise<T>): Promise<T> {
  const { ctx, end } = childCtx(parent)
  const timer = parent.clock.after(ms, () => end(new DOMException(`timed out after ${ms} ms`, 'TimeoutError')))
  try {
    return await work(ctx)
  } finally {
    timer.stop()
    end()
  }
}

/** The same ctx with a log that names the part. */
export function named(ctx: Ctx, part: string): Ctx {
  return { ...ctx, log: ctx.log.with({ part }) }
}

/** Why a signal was aborted when its work simply came to its end. */
export class Ended extends Error {
  constructor() {
    super('ended')
    this.name = 'AbortError'
  }
}

/** The promise, or the signal's reason when that comes first; leaves no listener behind. What the promise does is not ended. */
export async function unlessAborted<T>(signal: AbortSignal, promise: Promise<T>): Promise<T> {
  promise.catch(() => {}) // nobody may be left to hear of it
  signal.throwIfAborted()
  const { promise: over, reject } = Promise.withResolvers<never>()
  const stop = (): void => reject(signal.reason)
  signal.addEventListener('abort', stop, { once: true })
  try {
    return await Promise.race([promise, over])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

/** Resolves when the signal is aborted; never rejects. */
export function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}
