/**
 * Loops over lists and maps: the only steps that run more than once, and that have variables of their own
 * (cel-go/interpreter/interpretable.go evalFold).
 */
import { Concatenated, Elements, goTypeName, GrowingList, GrowingMap, keysOf } from './access.ts'
import { attempt, Failure, type Result } from './failure.ts'
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
    const steps = this.#parts.variable2 === undefined ? singles(range) : pairs(range)
    if (steps instanceof Failure) return steps
    const loop = new LoopScope(scope, this.#parts)
    for (const [first, second] of steps) {
      loop.first = first
      loop.second = second
      const go = this.#parts.condition.evaluate(loop)
      if (go === false) break
      loop.accumulated = this.#parts.step.evaluate(loop)
    }
    loop.closing = true
    return frozen(this.#parts.result.evaluate(loop))
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

function* elements(list: ListValue): Iterable<readonly [Result, Result]> {
  for (let i = 0; i < list.size; i++) yield [attempt(() => list.at(i)), null]
}

function* keysAlone(keys: Iterable<Value>): Iterable<readonly [Result, Result]> {
  for (const key of keys) yield [key, null]
}

function singles(range: Value): Iterable<readonly [Result, Result]> | Failure {
  if (range instanceof ListValue) return elements(range)
  const keys = keysOf(range)
  return keys === undefined ? new Failure(`got '${goTypeName(range)}', expected iterable type`) : keysAlone(keys)
}

function* indexed(list: ListValue): Iterable<readonly [Result, Result]> {
  for (let i = 0; i < list.size; i++) yield [BigInt(i), attempt(() => list.at(i))]
}

function* entries(map: MapValue | ObjectValue): Iterable<readonly [Result, Result]> {
  for (const key of keysOf(map) ?? []) {
    yield [key, attempt(() => (map instanceof MapValue ? map.get(key) : map.get(String(key))) ?? null)]
  }
}

function pairs(range: Value): Iterable<readonly [Result, Result]> | Failure {
  if (range instanceof ListValue) return indexed(range)
  if (range instanceof MapValue || range instanceof ObjectValue) return entries(range)
  return new Failure(`unsupported comprehension range type: ${goTypeName(range)}`)
}
