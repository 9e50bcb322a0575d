/**
 * Values of CEL at run time. Scalars are JavaScript's own where they are exact: int is bigint, double is number.
 * Lists, maps and objects are interfaces, so that JSON is looked into where it lies and nothing is copied.
 */
import type { CelType } from './type.ts'

export type Value =
  | null
  | boolean
  | bigint // int, 64 bits; whoever computes one checks the range
  | number // double
  | string
  | Uint8Array // bytes
  | Uint
  | Timestamp
  | Duration
  | ListValue
  | MapValue
  | ObjectValue
  | OptionalValue
  | TypeValue
  | OpaqueValue

export class Uint {
  readonly value: bigint
  constructor(value: bigint) {
    this.value = value
  }
}

export class Timestamp {
  /** Since the epoch. */
  readonly nanos: bigint
  /** Of the zone it was written in, in which string() writes it again. */
  readonly zoneS: number
  constructor(nanos: bigint, zoneS = 0) {
    this.nanos = nanos
    this.zoneS = zoneS
  }
}

export class Duration {
  readonly nanos: bigint
  constructor(nanos: bigint) {
    this.nanos = nanos
  }
}

/** Extended by what holds JSON, and by lists that expressions make. */
export abstract class ListValue {
  abstract readonly size: number
  /** `index` is within 0..size-1. */
  abstract at(index: number): Value
  /** Where == is not element by element (x-kubernetes-list-type). */
  equals?(other: ListValue): boolean
  /** Where + is not one after the other. */
  plus?(other: ListValue): ListValue
}

/** Keys are bool, int, uint or string; int and uint of one number are one key. */
export abstract class MapValue {
  abstract readonly size: number
  abstract keys(): Iterable<Value>
  /** Undefined: there is no such key. */
  abstract get(key: Value): Value | undefined
  /** What `in` says, where get() has something for every key. */
  contains?(key: Value): boolean
}

/** An object of a known type, or of JSON whose type is not known. */
export abstract class ObjectValue {
  abstract readonly type: CelType
  /** By the name in the expression. Undefined: not set. */
  abstract get(field: string): Value | undefined
  /** Names, as get() takes them, of the fields that are set. */
  abstract fields(): Iterable<string>
  /** How many are set, known or not to the type. */
  get size(): number {
    return [...this.fields()].length
  }
}

export class OptionalValue {
  /** Undefined: optional.none(). */
  readonly value: Value | undefined
  constructor(value: Value | undefined) {
    this.value = value
  }
}

export class TypeValue {
  readonly of: CelType
  constructor(of: CelType) {
    this.of = of
  }
}

/** Extended by each type of a library. */
export abstract class OpaqueValue {
  abstract readonly type: CelType
  /** CEL's ==. */
  abstract equals(other: OpaqueValue): boolean
  /** How large it counts where a cost grows with its arguments (cel-go's Sizer). */
  get size(): number {
    return 1
  }
}

/** What an expression fails with: `no such key: x`, `division by zero`, ... Messages as cel-go's. */
export class CelError extends Error {}

/** What Compiled.evaluate() throws: the error, and what had been paid when it came. */
export class EvaluationError extends CelError {
  readonly cost: number
  constructor(message: string, cost: number) {
    super(message)
    this.cost = cost
  }
}

/** An evaluation that cost more than it may. */
export class CostExceeded extends Error {
  constructor() {
    super('operation cancelled: actual cost limit exceeded')
  }
}
