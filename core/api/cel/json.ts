/**
 * JSON as values of CEL, looked into where it lies: what is never read is never converted
 * (k8s.io/apiserver/pkg/cel/common/valuesunstructured.go). toJson() is the way back.
 */
import { equal } from './equality.ts'
import { formatSeconds, formatTimestamp, parseDuration, parseTimestamp, nanosPerSecond } from './moment.ts'
import { type CelType, dyn, type ListType, type MapType, type ObjectType } from './type.ts'
import { CelError, Duration, ListValue, MapValue, ObjectValue, OpaqueValue, OptionalValue, Timestamp, TypeValue, Uint, type Value } from './value.ts'
import { typeName } from './typing.ts'

/** Throws CelError where `value` is not what the type says. Whole numbers of no known type are ints. */
export function fromJson(value: unknown, type: CelType): Value {
  if (value === null || value === undefined) return null
  switch (type.kind) {
    case 'bool': return typeof value === 'boolean' ? value : unexpected('bool', value)
    case 'string': return typeof value === 'string' ? value : unexpected('string', value)
    case 'int': return integer(value) ?? unexpected('int', value)
    case 'uint': return new Uint(integer(value) ?? unexpected('int', value))
    case 'double': return typeof value === 'number' || typeof value === 'bigint' ? Number(value) : unexpected('float', value)
    case 'bytes': return base64(text(value))
    case 'timestamp': return moment(text(value))
    case 'duration': return length(text(value))
    case 'list': return Array.isArray(value) ? new JsonList(value, type) : refuse('expected an array for the provided schema with type=array')
    case 'map': return isRecord(value) ? new JsonMap(value, type) : refuse('expected a map for the provided schema with type=object')
    case 'object': return isRecord(value) ? new JsonObject(value, type) : refuse('expected a map for the provided schema with type=object')
    case 'optional': return new OptionalValue(fromJson(value, type.of))
    default: return untyped(value)
  }
}

function untyped(value: unknown): Value {
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value) : value
  if (typeof value === 'string' || typeof value === 'boolean' || typeof value === 'bigint') return value
  if (Array.isArray(value)) return new JsonList(value, untypedList)
  return isRecord(value) ? new JsonMap(value, untypedMap) : null
}

const untypedList: ListType = { kind: 'list', element: dyn }
const untypedMap: MapType = { kind: 'map', key: dyn, value: dyn }

function refuse(problem: string): never {
  throw new CelError(`invalid data, ${problem}`)
}

function unexpected(want: string, value: unknown): never {
  return refuse(`expected ${want}, got ${goType(value)}`)
}

function goType(value: unknown): string {
  if (typeof value === 'string') return 'string'
  if (typeof value === 'boolean') return 'bool'
  if (typeof value === 'number' || typeof value === 'bigint') return Number.isInteger(Number(value)) ? 'int64' : 'float64'
  return Array.isArray(value) ? '[]interface {}' : 'map[string]interface {}'
}

function integer(value: unknown): bigint | undefined {
  if (typeof value === 'bigint') return value
  return typeof value === 'number' && Number.isInteger(value) ? BigInt(value) : undefined
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : unexpected('string', value)
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function base64(encoded: string): Uint8Array {
  try {
    return Uint8Array.from(atob(encoded), (character) => character.charCodeAt(0))
  } catch {
    throw new CelError(`Invalid byte formatted string ${encoded}: illegal base64 data`)
  }
}

/** Dates alone are their first instant; the zone is UTC where none is written. */
function moment(written: string): Timestamp {
  const full = /^\d{4}-\d\d-\d\d$/.test(written) ? `${written}T00:00:00Z` : written.replace(/^(\d{4}-\d\d-\d\d)t/, '$1T').replace(/z$/, 'Z')
  const parsed = parseTimestamp(full) ?? parseTimestamp(`${full}Z`)
  if (parsed === undefined) throw new CelError(`Invalid date-time formatted string ${written}`)
  return parsed
}

const longUnits: Readonly<Record<string, bigint>> = { d: 86_400n, w: 604_800n }

/** Go's durations, and days and weeks beside them (kube-openapi strfmt). */
function length(written: string): Duration {
  const plain = parseDuration(written)
  if (plain !== undefined) return new Duration(plain)
  const days = /^(\d+)\s*(d|day|days|w|week|weeks)$/i.exec(written.trim())
  if (days === null) throw new CelError(`Invalid duration ${written}: unable to parse "${written}" as duration`)
  return new Duration(BigInt(days[1] ?? 0) * (longUnits[(days[2] ?? '').charAt(0).toLowerCase()] ?? 0n) * nanosPerSecond)
}

class JsonList extends ListValue {
  readonly json: readonly unknown[]
  readonly #type: ListType
  /** What was looked at before: loops look at it again. */
  #seen: Value[] | undefined
  override readonly equals?: (other: ListValue) => boolean
  override readonly plus?: (other: ListValue) => ListValue

  constructor(json: readonly unknown[], type: ListType) {
    super()
    this.json = json
    this.#type = type
    const keyOf = keyFunction(type)
    if (keyOf === undefined) return
    this.equals = (other) => this.#equalsAsSet(other, keyOf)
    this.plus = (other) => this.#merged(other, keyOf)
  }

  get size(): number {
    return this.json.length
  }

  at(index: number): Value {
    const seen = (this.#seen ??= [])[index]
    if (seen !== undefined) return seen
    return (this.#seen[index] = fromJson(this.json[index], this.#type.element))
  }

  /** Each element of the other has one with its key here, and the two are equal. */
  #equalsAsSet(other: ListValue, keyOf: (json: unknown) => string): boolean {
    if (other.size !== this.size) return false
    const mine = new Map(this.json.map((element) => [keyOf(element), element]))
    for (let i = 0; i < other.size; i++) {
      const theirs = other.at(i)
      const key = keyOf(toJson(theirs))
      if (!mine.has(key) || !equal(fromJson(mine.get(key), this.#type.element), theirs)) return false
    }
    return true
  }

  /** Elements of the other replace those of their key, or come last. */
  #merged(other: ListValue, keyOf: (json: unknown) => string): ListValue {
    const merged = new Map(this.json.map((element) => [keyOf(element), element]))
    for (let i = 0; i < other.size; i++) {
      const element = toJson(other.at(i))
      const key = keyOf(element)
      if (this.#type.merge !== 'set' || !merged.has(key)) merged.set(key, element)
    }
    return new JsonList([...merged.values()], this.#type)
  }
}

function keyFunction({ merge }: ListType): ((json: unknown) => string) | undefined {
  if (merge === undefined) return undefined
  if (merge === 'set') return (json) => canonical(json)
  return (json) => canonical(isRecord(json) ? merge.map((key) => json[key] ?? null) : json)
}

function canonical(json: unknown): string {
  return JSON.stringify(json, (_, value: unknown) => (typeof value === 'bigint' ? Number(value) : value))
}

/** Members that were looked at before: loops look at them again. */
interface Seen {
  members?: Map<string, Value>
}

/** Texts and truths are as quickly read as remembered. */
function member(json: unknown, name: string, type: CelType, seen: Seen): Value {
  if (typeof json !== 'object' && typeof json !== 'number') return fromJson(json, type)
  const before = seen.members?.get(name)
  if (before !== undefined) return before
  const value = fromJson(json, type)
  ;(seen.members ??= new Map()).set(name, value)
  return value
}

class JsonMap extends MapValue {
  readonly json: Readonly<Record<string, unknown>>
  readonly #type: MapType
  readonly #seen: Seen = {}

  constructor(json: Readonly<Record<string, unknown>>, type: MapType) {
    super()
    this.json = json
    this.#type = type
  }

  get size(): number {
    return Object.keys(this.json).length
  }

  keys(): Iterable<Value> {
    return Object.keys(this.json)
  }

  get(key: Value): Value | undefined {
    return typeof key === 'string' && Object.hasOwn(this.json, key) ? member(this.json[key], key, this.#type.value, this.#seen) : undefined
  }
}

class JsonObject extends ObjectValue {
  readonly json: Readonly<Record<string, unknown>>
  /** At run time it is a map, as upstream's adapter says; only the checker knew more. */
  readonly type = dyn
  readonly #declared: ObjectType
  readonly #seen: Seen = {}

  constructor(json: Readonly<Record<string, unknown>>, declared: ObjectType) {
    super()
    this.json = json
    this.#declared = declared
  }

  /** null is as good as nothing in a field. */
  get(field: string): Value | undefined {
    const declared = this.#declared.field(field)
    if (declared === undefined || !Object.hasOwn(this.json, declared.jsonName)) return undefined
    const value = this.json[declared.jsonName]
    return value === null || value === undefined ? undefined : member(value, field, declared.type, this.#seen)
  }

  *fields(): Iterable<string> {
    for (const name of this.#declared.fieldNames()) if (this.get(name) !== undefined) yield name
  }

  override get size(): number {
    return Object.keys(this.json).length
  }
}

/** Ints that JSON numbers hold exactly become numbers, others stay bigint. Throws CelError for what has no JSON. */
export function toJson(value: Value): unknown {
  if (value === null || typeof value === 'boolean' || typeof value === 'string' || typeof value === 'number') return value
  if (typeof value === 'bigint') return jsonInteger(value)
  if (value instanceof Uint) return jsonInteger(value.value)
  if (value instanceof JsonList || value instanceof JsonMap || value instanceof JsonObject) return value.json
  if (value instanceof ListValue) return Array.from({ length: value.size }, (_, i) => toJson(value.at(i)))
  if (value instanceof MapValue) return Object.fromEntries([...value.keys()].map((key) => [jsonKey(key), toJson(value.get(key) ?? null)]))
  if (value instanceof ObjectValue) return objectToJson(value)
  return scalarToJson(value)
}

function scalarToJson(value: Uint8Array | Timestamp | Duration | OptionalValue | TypeValue | OpaqueValue): unknown {
  if (value instanceof Uint8Array) return btoa(Array.from(value, (byte) => String.fromCharCode(byte)).join(''))
  if (value instanceof Timestamp) return formatTimestamp(value)
  if (value instanceof Duration) return formatSeconds(value)
  if (value instanceof OptionalValue) return value.value === undefined ? null : toJson(value.value)
  if (value instanceof TypeValue) return typeName(value.of)
  throw new CelError(`type conversion error from ${typeName(value.type)} to JSON`)
}

function jsonInteger(value: bigint): number | bigint {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}

function jsonKey(key: Value): string {
  if (key instanceof Uint) return String(key.value)
  return typeof key === 'string' || typeof key === 'bigint' || typeof key === 'boolean' ? String(key) : refuse('map key is not a string')
}

function objectToJson(value: ObjectValue): unknown {
  const entries = [...value.fields()].map((field): [string, unknown] => {
    const name = value.type.kind === 'object' ? value.type.field(field)?.jsonName : undefined
    return [name ?? field, toJson(value.get(field) ?? null)]
  })
  return Object.fromEntries(entries)
}
