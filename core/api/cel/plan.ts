/**
 * A checked expression made ready to run: one object for each kind of step, each paying for itself when it is done
 * (cel-go/interpreter/interpretable.go, runtimecost.go). How a tree becomes these is planner.ts.
 */
import { Elements, Entries, Fields } from './access.ts'
import type { Attribute } from './attribute.ts'
import { Failure, noSuchOverload, type Result } from './failure.ts'
import { print } from './print.ts'
import type { Scope } from './scope.ts'
import type { Tracker } from './tracker.ts'
import type { ObjectType } from './type.ts'
import { OptionalValue, type Value } from './value.ts'

export interface Plan {
  readonly id: number
  evaluate(scope: Scope): Result
}

const listCost = 10
const mapCost = 30
const structCost = 40

export class Constant implements Plan {
  readonly id: number
  readonly value: Value

  constructor(id: number, value: Value) {
    this.id = id
    this.value = value
  }

  evaluate(scope: Scope): Result {
    scope.tracker?.push(this.id, this.value)
    return this.value
  }
}

export class AttributePlan implements Plan {
  readonly attribute: Attribute
  /** has() asks only whether it is there. */
  readonly isTest: boolean
  readonly #cost: number

  constructor(attribute: Attribute, options: { readonly test?: boolean } = {}) {
    this.attribute = attribute
    this.isTest = options.test === true
    this.#cost = attribute.cost - (this.isTest ? 1 : 0)
  }

  get id(): number {
    return this.attribute.id
  }

  evaluate(scope: Scope): Result {
    const resolved = this.attribute.resolve(scope)
    const result = this.isTest && resolved instanceof OptionalValue ? resolved.value !== undefined : resolved
    const { tracker } = scope
    if (tracker === undefined) return result
    tracker.cost += this.#cost
    this.attribute.settle(tracker, result)
    return result
  }
}

/** && and ||: `decisive` on either side is the answer, whatever the other side fails with. */
export class Logic implements Plan {
  readonly id: number
  readonly #decisive: boolean
  readonly #terms: readonly Plan[]
  readonly #ids: readonly number[]

  constructor(id: number, decisive: boolean, terms: readonly Plan[]) {
    this.id = id
    this.#decisive = decisive
    this.#terms = terms
    this.#ids = terms.map((term) => term.id)
  }

  evaluate(scope: Scope): Result {
    const result = this.#evaluate(scope)
    const { tracker } = scope
    if (tracker === undefined) return result
    for (let i = 0; i < this.#ids.length; i++) tracker.drop(this.#ids[i] as number)
    tracker.push(this.id, result)
    return result
  }

  #evaluate(scope: Scope): Result {
    let failure: Failure | undefined
    for (let i = 0; i < this.#terms.length; i++) {
      const result = (this.#terms[i] as Plan).evaluate(scope)
      if (result === this.#decisive) return this.#decisive
      if (typeof result !== 'boolean') failure ??= result instanceof Failure ? result : noSuchOverload
    }
    return failure ?? !this.#decisive
  }
}

export interface CallParts {
  readonly id: number
  readonly args: readonly Plan[]
  readonly apply: (args: readonly Value[]) => Result
  readonly cost: (args: readonly Value[], result: Value) => number
  /** The first argument that fails ends it; else all are computed before that is looked at. */
  readonly stopsEarly: boolean
}

export class Call implements Plan {
  readonly id: number
  readonly #parts: CallParts
  readonly #args: readonly Plan[]
  /** Of the arguments. They are all made by now. */
  readonly #ids: readonly number[]

  constructor(parts: CallParts) {
    this.id = parts.id
    this.#parts = parts
    this.#args = parts.args
    this.#ids = parts.args.map((arg) => arg.id)
  }

  evaluate(scope: Scope): Result {
    const args = this.#args
    if (args.length === 2) return this.#binary(scope, args[0] as Plan, args[1] as Plan)
    const values: Value[] = []
    let failure: Failure | undefined
    for (let i = 0; i < args.length; i++) {
      const value = (args[i] as Plan).evaluate(scope)
      if (value instanceof Failure) {
        failure ??= value
        if (this.#parts.stopsEarly) break
      } else values.push(value)
    }
    const result = failure ?? this.#parts.apply(values)
    if (scope.tracker !== undefined) this.#pay(scope.tracker, failure === undefined ? values : [], result)
    return result
  }

  /** The same for two, which most calls have. */
  #binary(scope: Scope, left: Plan, right: Plan): Result {
    const first = left.evaluate(scope)
    const second = first instanceof Failure && this.#parts.stopsEarly ? first : right.evaluate(scope)
    const failure = first instanceof Failure ? first : second instanceof Failure ? second : undefined
    const values = failure === undefined ? [first as Value, second as Value] : []
    const result = failure ?? this.#parts.apply(values)
    if (scope.tracker !== undefined) this.#pay(scope.tracker, values, result)
    return result
  }

  #pay(tracker: Tracker, values: Value[], result: Result): void {
    if (tracker.take(this.#ids, values)) tracker.cost += this.#parts.cost(values, result instanceof Failure ? false : result)
    tracker.push(this.id, result)
  }
}

/** Whether a loop goes on: errors do not end it. */
export class NotStrictlyFalse implements Plan {
  readonly id: number
  readonly #operand: Plan
  readonly #ids: readonly number[]

  constructor(id: number, operand: Plan) {
    this.id = id
    this.#operand = operand
    this.#ids = [operand.id]
  }

  evaluate(scope: Scope): Result {
    const value = this.#operand.evaluate(scope)
    const result = typeof value === 'boolean' ? value : true
    const { tracker } = scope
    if (tracker === undefined) return result
    if (tracker.take(this.#ids)) tracker.cost++
    tracker.push(this.id, result)
    return result
  }
}

/** `x in [literals]`. Free, as there. */
export class Membership implements Plan {
  readonly id: number
  readonly #needle: Plan
  /** As keys: the list may be long, and asking is free. */
  readonly #values = new Entries()

  constructor(id: number, needle: Plan, values: readonly Value[]) {
    this.id = id
    this.#needle = needle
    for (const value of values) this.#values.set(value, true)
  }

  evaluate(scope: Scope): Result {
    const needle = this.#needle.evaluate(scope)
    const result = needle instanceof Failure ? needle : !Number.isNaN(needle) && this.#values.get(needle) !== undefined
    scope.tracker?.push(this.id, result)
    return result
  }
}

/** or() and orValue() of optionals: the second is computed only if the first has no value. */
export class OptionalOr implements Plan {
  readonly id: number
  readonly #first: Plan
  readonly #second: Plan
  readonly #unwrap: boolean

  constructor(id: number, first: Plan, second: Plan, unwrap: boolean) {
    this.id = id
    this.#first = first
    this.#second = second
    this.#unwrap = unwrap
  }

  evaluate(scope: Scope): Result {
    const result = this.#evaluate(scope)
    scope.tracker?.push(this.id, result)
    return result
  }

  #evaluate(scope: Scope): Result {
    const first = this.#first.evaluate(scope)
    if (!(first instanceof OptionalValue)) return first
    if (first.value === undefined) return this.#second.evaluate(scope)
    return this.#unwrap ? first.value : first
  }
}

/** Steps that make a list, a map or a record of what their parts come to. */
abstract class Construction implements Plan {
  readonly id: number
  readonly #ids: readonly number[]
  readonly #cost: number

  constructor(id: number, parts: readonly Plan[], cost: number) {
    this.id = id
    this.#ids = parts.map((part) => part.id)
    this.#cost = cost
  }

  protected abstract construct(scope: Scope): Result

  evaluate(scope: Scope): Result {
    const result = this.construct(scope)
    const { tracker } = scope
    if (tracker === undefined) return result
    tracker.take(this.#ids)
    tracker.cost += this.#cost
    tracker.push(this.id, result)
    return result
  }
}

export class ListConstruction extends Construction {
  readonly elements: readonly Plan[]
  readonly #optional: ReadonlySet<number>

  constructor(id: number, elements: readonly Plan[], optional: ReadonlySet<number>) {
    super(id, elements, listCost)
    this.elements = elements
    this.#optional = optional
  }

  protected construct(scope: Scope): Result {
    const values: Value[] = []
    for (const [i, element] of this.elements.entries()) {
      const value = element.evaluate(scope)
      if (value instanceof Failure) return value
      if (!this.#optional.has(i)) values.push(value)
      else if (!(value instanceof OptionalValue)) {
        return new Failure(`cannot initialize optional list element from non-optional value ${print(value)}`)
      } else if (value.value !== undefined) values.push(value.value)
    }
    return new Elements(values)
  }
}

export interface EntryPlan {
  readonly key: Plan
  readonly value: Plan
  readonly optional: boolean
}

export class MapConstruction extends Construction {
  readonly entries: readonly EntryPlan[]

  constructor(id: number, entries: readonly EntryPlan[]) {
    super(id, entries.flatMap((entry) => [entry.key, entry.value]), mapCost)
    this.entries = entries
  }

  protected construct(scope: Scope): Result {
    const map = new Entries()
    for (const entry of this.entries) {
      const key = entry.key.evaluate(scope)
      if (key instanceof Failure) return key
      const value = entry.value.evaluate(scope)
      if (value instanceof Failure) return value
      if (!entry.optional) map.set(key, value)
      else if (!(value instanceof OptionalValue)) return notOptional(print(key), value)
      else if (value.value === undefined) map.delete(key)
      else map.set(key, value.value)
    }
    return map
  }
}

export interface FieldPlan {
  readonly name: string
  readonly value: Plan
  readonly optional: boolean
}

export class StructConstruction extends Construction {
  readonly #type: ObjectType
  readonly #fields: readonly FieldPlan[]

  constructor(id: number, type: ObjectType, fields: readonly FieldPlan[]) {
    super(id, fields.map((field) => field.value), structCost)
    this.#type = type
    this.#fields = fields
  }

  protected construct(scope: Scope): Result {
    const fields = new Map<string, Value>()
    for (const field of this.#fields) {
      const value = field.value.evaluate(scope)
      if (value instanceof Failure) return value
      if (!field.optional) fields.set(field.name, value)
      else if (!(value instanceof OptionalValue)) return notOptional(field.name, value)
      else if (value.value === undefined) fields.delete(field.name)
      else fields.set(field.name, value.value)
    }
    return new Fields(this.#type, fields)
  }
}

function notOptional(key: string, value: Value): Failure {
  return new Failure(`cannot initialize optional entry '${key}' from non-optional value ${print(value)}`)
}
