/** What holds now, since when, and what has lately ceased to hold: parts hear of both later. */
export class Recent<T> {
  readonly #since = new Map<T, number>()
  readonly #left = new Map<T, number>()

  /** Told at every change of what may hold. */
  set(what: T, holds: boolean, nowMs: number): void {
    if (holds) {
      if (!this.#since.has(what)) this.#since.set(what, nowMs)
      this.#left.delete(what)
    } else if (this.#since.delete(what)) this.#left.set(what, nowMs)
  }

  /** It has held for longer than this. */
  heldFor(what: T, ms: number, nowMs: number): boolean {
    const since = this.#since.get(what)
    return since !== undefined && nowMs - since > ms
  }

  /** What ceased to hold no longer ago than this. */
  *left(ms: number, nowMs: number): Iterable<T> {
    for (const [what, at] of this.#left) {
      if (nowMs - at <= ms) yield what
      else this.#left.delete(what)
    }
  }
}
