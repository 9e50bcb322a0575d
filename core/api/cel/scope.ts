/** Where names get their values during one evaluation: the bindings outside, one more scope for each loop. */
import { attempt, type Result } from './failure.ts'
import type { Tracker } from './tracker.ts'
import type { Value } from './value.ts'

export interface Scope {
  /** Undefined while literals are computed ahead of time, which costs nothing. */
  readonly tracker: Tracker | undefined
  /** Undefined: there is no such name. */
  lookup(name: string): Result | undefined
}

export const emptyScope: Scope = { tracker: undefined, lookup: () => undefined }

export class Bindings implements Scope {
  readonly tracker: Tracker
  readonly #bindings: Readonly<Record<string, Value | (() => Value)>>
  readonly #computed = new Map<string, Result>()

  constructor(tracker: Tracker, bindings: Readonly<Record<string, Value | (() => Value)>>) {
    this.tracker = tracker
    this.#bindings = bindings
  }

  lookup(name: string): Result | undefined {
    if (!Object.hasOwn(this.#bindings, name)) return undefined
    const bound = this.#bindings[name]
    if (typeof bound !== 'function') return bound
    const computed = this.#computed.get(name) ?? attempt(bound)
    this.#computed.set(name, computed)
    return computed
  }
}
