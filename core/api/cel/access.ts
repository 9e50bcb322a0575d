/**
 * `a.b` and `a[b]` on values, and the lists, maps and records that expressions make
 * (cel-go/interpreter/attributes.go refQualify, common/types/list.go, map.go).
 */
import { Failure, failureOf, noSuchOverload, type Result } from './failure.ts'
import { valueTypeName } from './kinds.ts'
import { print } from './print.ts'
import type { CelType, ObjectType } from './type.ts'
import { ListValue, MapValue, ObjectValue, OpaqueValue, Uint, type Value } from './value.ts'

const int64Max = 2n ** 63n - 1n

/** Undefined: it is not there. */
export function find(container: Value, key: Value): Result | undefined {
  try {
    if (container instanceof MapValue) return container.get(wholeNumber(key))
    if (container instanceof ObjectValue) return typeof key === 'string' ? container.get(key) : noSuchOverload
    if (container instanceof ListValue) return findInList(container, key)
    return undefined
  } catch (error) {
    return failureOf(error)
  }
}

/** What is said of find()'s undefined. */
export function missing(container: Value, key: Value): Failure {
  return new Failure(`${container instanceof ListValue ? 'index out of bounds' : 'no such key'}: ${print(key)}`)
}

function findInList(list: ListValue, key: Value): Result | undefined {
  const index = listIndex(key)
  if (index instanceof Failure) return index
  return index >= 0 && index < list.size ? list.at(index) : undefined
}

function listIndex(key: Value): number | Failure {
  if (typeof key === 'bigint') return Number(key)
  if (typeof key === 'number') return Number.isInteger(key) && Math.abs(key) < 2 ** 63 ? key : new Failure(`unsupported index value ${print(key)} in list`)
  if (key instanceof Uint) return key.value <= int64Max ? Number(key.value) : new Failure(`unsupported index value ${print(key)} in list`)
  return new Failure(`unsupported index type '${valueTypeName(key)}' in list`)
}

/** A double that is a whole number finds the key of that number. */
function wholeNumber(key: Value): Value {
  return typeof key === 'number' && Number.isInteger(key) ? BigInt(key) : key
}

/** Adds one value to a list that only a loop can see. */
export class GrowingList extends ListValue {
  readonly #elements: Value[] = []

  get size(): number {
    return this.#elements.length
  }

  at(index: number): Value {
    return this.#elements[index] as Value
  }

  push(list: ListValue): void {
    for (let i = 0; i < list.size; i++) this.#elements.push(list.at(i))
  }
}

export class Elements extends ListValue {
  readonly #elements: readonly Value[]

  constructor(elements: readonly Value[]) {
    super()
    this.#elements = elements
  }

  get size(): number {
    return this.#elements.length
  }

  at(index: number): Value {
    return this.#elements[index] as Value
  }
}

/** One list after another, both where they are. */
export class Concatenated extends ListValue {
  readonly #first: ListValue
  readonly #second: ListValue
  readonly size: number

  constructor(first: ListValue, second: ListValue) {
    super()
    this.#first = first
    this.#second = second
    this.size = first.size + second.size
  }

  at(index: number): Value {
    return index < this.#first.size ? this.#first.at(index) : this.#second.at(index - this.#first.size)
  }
}

/** Keys and values that an expression computed. */
export class Entries extends MapValue {
  readonly #entries = new Map<string, { readonly key: Value; readonly value: Value }>()

  get size(): number {
    return this.#entries.size
  }

  *keys(): Iterable<Value> {
    for (const entry of this.#entries.values()) yield entry.key
  }

  get(key: Value): Value | undefined {
    return this.#entries.get(hash(key))?.value
  }

  set(key: Value, value: Value): void {
    this.#entries.set(hash(key), { key, value })
  }

  delete(key: Value): void {
    this.#entries.delete(hash(key))
  }
}

/** A map that only a loop can see: entries are added in place. */
export class GrowingMap extends Entries {}

function hash(key: Value): string {
  if (typeof key === 'bigint') return `i${key}`
  if (key instanceof Uint) return `i${key.value}`
  if (typeof key === 'number' && Number.isInteger(key)) return `i${BigInt(key)}`
  return `${typeof key} ${typeof key === 'string' ? key : print(key)}`
}

/** An object that an expression made by its type's name. */
export class Fields extends ObjectValue {
  readonly type: CelType
  readonly #fields: ReadonlyMap<string, Value>

  constructor(type: ObjectType, fields: ReadonlyMap<string, Value>) {
    super()
    this.type = type
    this.#fields = fields
  }

  get(field: string): Value | undefined {
    return this.#fields.get(field)
  }

  fields(): Iterable<string> {
    return this.#fields.keys()
  }
}

/** Keys of what may be looped over by key; undefined: nothing can be. */
export function keysOf(value: Value): Iterable<Value> | undefined {
  if (value instanceof MapValue) return value.keys()
  if (value instanceof ObjectValue) return value.fields()
  return undefined
}

/** Go's name of a value's representation, which a few messages show. */
export function goTypeName(value: Value): string {
  if (value === null) return 'types.Null'
  if (value instanceof OpaqueValue) return valueTypeName(value)
  const name = valueTypeName(value)
  const short = name.slice(name.lastIndexOf('.') + 1)
  if (short === 'optional_type') return '*types.Optional'
  if (short === 'type') return '*types.Type'
  if (short === 'list') return '*types.baseList'
  if (short === 'map') return '*types.baseMap'
  return `types.${short.charAt(0).toUpperCase()}${short.slice(1)}`
}
