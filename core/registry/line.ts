/**
 * A line that watch events stand in while what they show is converted elsewhere: they leave it in the order in which they
 * came, at once when nothing has to be waited for. Only watches of kinds with a conversion webhook have one.
 */
import { ApiError, internal } from '../api/errors.ts'
import type { Kind } from '../api/kind.ts'
import type { Ctx } from '../lib/ctx.ts'
import type { Base } from './base.ts'
import type { Item, WatchSink } from './registry.ts'
import { shown } from './remote.ts'

/** Steps that may wait; a watcher whose webhook is slower than the changes is cut off and starts again from a list. */
const waitingMax = 10_000

export class Line {
  readonly #base: Base
  readonly #ctx: Ctx
  readonly #kind: Kind
  readonly #fail: (error: Error) => void
  #last: Promise<void> = Promise.resolve()
  #waiting = 0
  #over = false

  constructor(base: Base, ctx: Ctx, kind: Kind, fail: (error: Error) => void) {
    this.#base = base
    this.#ctx = ctx
    this.#kind = kind
    this.#fail = fail
  }

  /** Does `step` once these items can be shown and all earlier steps are done. */
  pass(items: Iterable<Item>, step: () => void): void {
    if (this.#over) return
    const ready = shown(this.#base, this.#ctx, this.#kind, items)
    if (ready === undefined && this.#waiting === 0) return step()
    if (this.#waiting === waitingMax) return this.#break(new ApiError({ code: 500, reason: '', message: 'conversion is slower than changes come' }))
    this.#waiting++
    ready?.catch(() => {}) // heard of in its turn
    const before = this.#last
    this.#last = (async () => {
      try {
        await before
        await ready
        if (!this.#over) step()
      } catch (error) {
        this.#break(error instanceof Error ? error : internal(String(error)))
      } finally {
        this.#waiting--
      }
    })()
  }

  /** The same sink, in line. */
  sink(sink: WatchSink): WatchSink {
    return {
      event: (type, item) => this.pass([item], () => sink.event(type, item)),
      bookmark: (revision, initialEnd) => this.pass([], () => sink.bookmark(revision, initialEnd)),
      end: (error) => this.pass([], () => sink.end(error)),
    }
  }

  stop(): void {
    this.#over = true
  }

  #break(error: Error): void {
    if (this.#over) return
    this.#over = true
    this.#fail(error)
  }
}
