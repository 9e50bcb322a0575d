/**
 * A stream of events between a sink that must not wait and one reader: a bounded backlog.
 * A reader that falls behind loses the stream (it ends with `overflow`), never slows the sender.
 */
import { Ring } from '../lib/ring.ts'

/** Events a reader may fall behind before its watch ends and it must catch up anew. */
export const watchBacklogEventsMax = 100_000

export class EventStream<T> implements AsyncIterable<T> {
  readonly #backlog: Ring<T>
  #wake: (() => void) | undefined
  #ended = false
  #error: unknown

  constructor(limit = watchBacklogEventsMax) {
    this.#backlog = new Ring<T>(limit)
  }

  push(event: T): void {
    if (this.#ended) return
    if (!this.#backlog.push(event)) this.end(new Error(`watch fell more than ${this.#backlog.limit} events behind`))
    this.#stir()
  }

  /** What is in the backlog is still read; then the reader sees the end, or the error. */
  end(error?: unknown): void {
    if (this.#ended) return
    this.#ended = true
    this.#error = error
    this.#stir()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    for (;;) {
      const event = this.#backlog.shift()
      if (event !== undefined) {
        yield event
        continue
      }
      if (this.#ended) {
        if (this.#error !== undefined) throw this.#error
        return
      }
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }

  #stir(): void {
    const wake = this.#wake
    this.#wake = undefined
    wake?.()
  }
}
