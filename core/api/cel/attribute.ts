/**
 * Names, fields and indexes: `a.b[c].?d` is one attribute with a chain of qualifiers, resolved in one go
 * (cel-go/interpreter/attributes.go). Each qualifier costs one, the name before them one, as there.
 */
import { find, goTypeName, missing } from './access.ts'
import { Failure, noSuchOverload, type Result } from './failure.ts'
import type { Plan } from './plan.ts'
import type { Scope } from './scope.ts'
import type { Tracker } from './tracker.ts'
import { OptionalValue, Uint, type Value } from './value.ts'

export interface Qualifier {
  readonly id: number
  readonly optional: boolean
  /** Undefined, only where `optionally`: it is not there. */
  qualify(scope: Scope, container: Value, optionally: boolean): Result | undefined
}

export interface Attribute {
  readonly id: number
  resolve(scope: Scope): Result
  add(qualifier: Qualifier): void
  /** Leaves of it on the cost stack what it has come to, and nothing else. */
  settle(tracker: Tracker, result: Result): void
  /** What naming it costs beside its qualifiers. */
  readonly cost: number
}

abstract class Qualified implements Attribute {
  /** Of its last qualifier. */
  id: number
  readonly #qualifiers: Qualifier[] = []
  readonly cost = 1

  constructor(id: number) {
    this.id = id
  }

  settle(tracker: Tracker, result: Result): void {
    tracker.replace(this.id, result)
  }

  add(qualifier: Qualifier): void {
    this.#qualifiers.push(qualifier)
    this.id = qualifier.id
  }

  abstract resolve(scope: Scope): Result

  protected qualified(scope: Scope, start: Result): Result {
    if (start instanceof Failure) return start
    let value: Value = start
    let optional = false
    if (value instanceof OptionalValue) {
      if (value.value === undefined) return value
      optional = this.#qualifiers.length > 0
      if (optional) value = value.value
    }
    const qualifiers = this.#qualifiers
    for (let i = 0; i < qualifiers.length; i++) {
      const qualifier = qualifiers[i] as Qualifier
      optional ||= qualifier.optional
      const next = qualifier.qualify(scope, value, optional)
      if (next === undefined) return new OptionalValue(undefined)
      if (scope.tracker !== undefined) pay(scope.tracker, qualifier.id, next, i === qualifiers.length - 1)
      if (next instanceof Failure) return next
      value = next
    }
    return optional ? new OptionalValue(value) : value
  }
}

/** What is not there costs nothing where it may be missing. Nobody looks for any but the last qualifier on the stack. */
function pay(tracker: Tracker, id: number, result: Result, last: boolean): void {
  tracker.cost++
  if (last) tracker.push(id, result)
}

/** Begins with a name. */
export class NamedAttribute extends Qualified {
  readonly #name: string

  constructor(id: number, name: string) {
    super(id)
    this.#name = name
  }

  resolve(scope: Scope): Result {
    const value = scope.lookup(this.#name)
    return value === undefined ? new Failure(`no such attribute(s): ${this.#name}`) : this.qualified(scope, value)
  }
}

/** Begins with any other expression. */
export class ComputedAttribute extends Qualified {
  readonly #operand: Plan

  constructor(id: number, operand: Plan) {
    super(id)
    this.#operand = operand
  }

  resolve(scope: Scope): Result {
    return this.qualified(scope, this.#operand.evaluate(scope))
  }
}

/** `c ? a : b`; what is selected from it is selected from the branch that is taken. */
export class ConditionalAttribute implements Attribute {
  readonly #id: number
  readonly #condition: Plan
  readonly #yes: Attribute
  readonly #no: Attribute
  readonly cost = 0

  constructor(id: number, condition: Plan, yes: Attribute, no: Attribute) {
    this.#id = id
    this.#condition = condition
    this.#yes = yes
    this.#no = no
  }

  get id(): number {
    return this.#yes.id === this.#no.id ? this.#yes.id : this.#id
  }

  settle(tracker: Tracker, result: Result): void {
    tracker.drop(this.#no.id)
    tracker.drop(this.#yes.id)
    tracker.drop(this.#condition.id)
    tracker.push(this.id, result)
  }

  add(qualifier: Qualifier): void {
    this.#yes.add(qualifier)
    this.#no.add(qualifier)
  }

  resolve(scope: Scope): Result {
    const condition = this.#condition.evaluate(scope)
    if (condition === true) return this.#yes.resolve(scope)
    if (condition === false) return this.#no.resolve(scope)
    return condition instanceof Failure ? condition : noSuchOverload
  }
}

/** `.name`, `['name']`, `[1]`. */
export class ConstantQualifier implements Qualifier {
  readonly id: number
  readonly optional: boolean
  readonly #key: Value

  constructor(id: number, key: Value, optional: boolean) {
    this.id = id
    this.#key = key
    this.optional = optional
  }

  qualify(_scope: Scope, container: Value, optionally: boolean): Result | undefined {
    return lookup(container, this.#key, optionally)
  }
}

/** `has(a.name)`, under the number of the has(): the answer is whether it is there. */
export class TestQualifier implements Qualifier {
  readonly id: number
  readonly optional = false
  readonly #key: string

  constructor(id: number, key: string) {
    this.id = id
    this.#key = key
  }

  qualify(_scope: Scope, container: Value, optionally: boolean): Result | undefined {
    const found = lookup(container, this.#key, true)
    const answer = found instanceof Failure ? found : found !== undefined
    return optionally && answer === false ? undefined : answer
  }
}

/** `[expression]`. */
export class ComputedQualifier implements Qualifier {
  readonly id: number
  readonly optional: boolean
  readonly #key: Attribute

  constructor(id: number, key: Attribute, optional: boolean) {
    this.id = id
    this.#key = key
    this.optional = optional
  }

  qualify(scope: Scope, container: Value, optionally: boolean): Result | undefined {
    const key = this.#key.resolve(scope)
    if (key instanceof Failure) return key
    return isKey(key) ? lookup(container, key, optionally) : new Failure(`invalid qualifier type: ${goTypeName(key)}`)
  }
}

export function isKey(value: Value): boolean {
  const type = typeof value
  return type === 'string' || type === 'bigint' || type === 'number' || type === 'boolean' || value instanceof Uint
}

function lookup(container: Value, key: Value, optionally: boolean): Result | undefined {
  const found = find(container, key)
  return found === undefined && !optionally ? missing(container, key) : found
}

