/**
 * Loops over lists and maps: the only steps that run more than once, and that have variables of their own
 * (cel-go/interpreter/interpretable.go evalFold).
 */
import { Concatenated, Elements, find, goTypeName, GrowingList, GrowingMap, keysOf } from './access.ts'
import { Failure, failureOf, type Result } from './failure.ts'
import { accumulator } from './macro.ts'
import type { Plan } from './plan.ts'
import type { Scope } from './scope.ts'
import type { Tracker } from './tracker.ts'
import { ListValue, MapValue, ObjectValue, type Value } from './value.ts'

export interface FoldParts {
  readonly id: number
  readonly range: Plan
  readonly variable: string
  readonly variable2: string | undefined
  readonly accumulator: string
  readonly init: Plan
  readonly condition: Plan
  readonly step: Plan
  readonly result: Plan
}

export class Fold implements Plan {
  readonly #parts: FoldParts

  constructor(parts: FoldParts) {
    this.#parts = parts
  }

  get id(): number {
    return this.#parts.id
  }

  evaluate(scope: Scope): Result {
    const result = this.#evaluate(scope)
    if (scope.tracker === undefined) return result
    scope.tracker.drop(this.#parts.range.id)
    scope.tracker.push(this.id, result)
    return result
  }

  #evaluate(scope: Scope): Result {
    const range = this.#parts.range.evaluate(scope)
    if (range instanceof Failure) return range
    const loop = new LoopScope(scope, this.#parts)
    const refused = this.#parts.variable2 === undefined ? this.#singles(range, loop) : this.#pairs(range, loop)
    if (refused !== undefined) return refused
    loop.closing = true
    return frozen(this.#parts.result.evaluate(loop))
  }

  /** Over elements, or over keys alone. */
  #singles(range: Value, loop: LoopScope): Failure | undefined {
    if (range instanceof ListValue) {
      for (let i = 0; i < range.size; i++) if (!this.#step(loop, elementOf(range, i), null)) break
      return undefined
    }
    const keys = keysOf(range)
    if (keys === undefined) return new Failure(`got '${goTypeName(range)}', expected iterable type`)
    for (const key of keys) if (!this.#step(loop, key, null)) break
    return undefined
  }

  /** Over indexes and elements, or over keys and values. */
  #pairs(range: Value, loop: LoopScope): Failure | undefined {
    if (range instanceof ListValue) {
      for (let i = 0; i < range.size; i++) if (!this.#step(loop, BigInt(i), elementOf(range, i))) break
      return undefined
    }
    if (!(range instanceof MapValue || range instanceof ObjectValue)) return new Failure(`unsupported comprehension range type: ${goTypeName(range)}`)
    for (const key of keysOf(range) ?? []) if (!this.#step(loop, key, find(range, key) ?? null)) break
    return undefined
  }

  /** False: that was the last. */
  #step(loop: LoopScope, first: Result, second: Result): boolean {
    loop.first = first
    loop.second = second
    if (this.#parts.condition.evaluate(loop) === false) return false
    loop.accumulated = this.#parts.step.evaluate(loop)
    return true
  }
}

function elementOf(list: ListValue, index: number): Result {
  try {
    return list.at(index)
  } catch (error) {
    return failureOf(error)
  }
}

class LoopScope implements Scope {
  readonly tracker: Tracker | undefined
  first: Result = null
  second: Result = null
  accumulated: Result | undefined
  closing = false
  readonly #outer: Scope
  readonly #parts: FoldParts

  constructor(outer: Scope, parts: FoldParts) {
    this.tracker = outer.tracker
    this.#outer = outer
    this.#parts = parts
  }

  lookup(name: string): Result | undefined {
    if (name === this.#parts.accumulator) {
      this.accumulated ??= this.#start()
      return this.accumulated
    }
    if (!this.closing && name === this.#parts.variable) return this.first
    if (!this.closing && name === this.#parts.variable2) return this.second
    return this.#outer.lookup(name)
  }

  /** Only what the macros name is seen by nobody else. */
  #start(): Result {
    const start = this.#parts.init.evaluate(this.#outer)
    return this.#parts.accumulator === accumulator ? growing(start) : start
  }
}

/** Loops that collect would take quadratic time if each step made a new list. */
function growing(value: Result): Result {
  if (value instanceof ListValue && value.size === 0) return new GrowingList()
  return value instanceof MapValue && value.size === 0 ? new GrowingMap() : value
}

/** What leaves the loop is added to no more. */
function frozen(value: Result): Result {
  return value instanceof GrowingList ? new Concatenated(value, new Elements([])) : value
}
