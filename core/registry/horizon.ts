/**
 * How far back reads may ask. Upstream's storage forgets every five minutes what was past five minutes before, and clients
 * are made for that: they read again. The store remembers longer, for whoever asks it for history; an answer made of it
 * would cost a read of the disk for every change since.
 */
import type { Revision } from '../store/store.ts'

/** Time between two marks; with so many of them the past reaches back five to six minutes. */
export const markMs = 60_000
const marks = 5

export class Horizon {
  readonly #marks: Revision[] = []
  #oldest: Revision = 0

  /** The oldest revision that may still be asked for. */
  get oldest(): Revision {
    return this.#oldest
  }

  /** Another minute is over, at this revision. */
  mark(now: Revision): void {
    this.#marks.push(now)
    if (this.#marks.length > marks) this.#oldest = this.#marks.shift() ?? 0
  }
}
