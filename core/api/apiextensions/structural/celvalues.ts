/**
 * JSON values as CEL sees them by their schema: text with a format is a time or bytes, what has properties is an object
 * and what has not is a map, lists that are sets or maps compare without order. Nothing is copied before it is asked for.
 *
 * After k8s.io/apiserver/pkg/cel/common/valuesunstructured.go.
 */
import { dyn, map as mapOf, opaque, string, type CelType } from '../../cel/type.ts'
import { CelError, Duration, ListValue, MapValue, ObjectValue, OpaqueValue, type Value } from '../../cel/value.ts'
import { equalJson } from '../../../lib/json.ts'
import { KeyedList, SetList } from './cellists.ts'
import { hasOwnMeta, rootFields } from './declared.ts'
import { escapeName, unescapeName } from './escape.ts'
import { isInt64, isList, isMap, type JsonMap } from './json.ts'
import type { Structural } from './schema.ts'
import { parseAnyDuration, parseDate, parseDateTime } from './times.ts'

/** Throws CelError for what is not what its schema says. `whole`: of an object that is one by itself. */
export function celValue(value: unknown, schema: Structural, whole = schema.embedded): Value {
  if (value === null || value === undefined) {
    if (schema.nullable) return null
    throw new CelError('invalid data, got null for schema with nullable=false')
  }
  if (schema.intOrString) return intOrString(value)
  switch (schema.type) {
    case 'object':
      return objectValue(value, schema, whole)
    case 'array':
      return listValue(value, schema)
    case 'string':
      return stringValue(value, schema)
    case 'number':
      return typeof value === 'number' ? value : invalid('float', value)
    case 'integer':
      return typeof value === 'number' && isInt64(value) ? BigInt(value) : invalid('int', value)
    case 'boolean':
      return typeof value === 'boolean' ? value : invalid('bool', value)
    default:
      if (schema.preserves) return new Preserved(value)
      throw new CelError(
        'invalid type, expected object, array, number, integer, boolean or string, or no type with x-kubernetes-int-or-string or ' +
        `x-kubernetes-preserve-unknown-fields is true, got ${schema.type}`,
      )
  }
}

function intOrString(value: unknown): Value {
  if (typeof value === 'string') return value
  if (typeof value === 'number' && isInt64(value)) return BigInt(value)
  throw new CelError('invalid data, expected XIntOrString value to be either a string or integer')
}

function invalid(want: string, value: unknown): never {
  throw new CelError(`invalid data, expected ${want}, got ${goType(value)}`)
}

function goType(value: unknown): string {
  if (typeof value === 'number') return isInt64(value) ? 'int64' : 'float64'
  if (typeof value === 'boolean') return 'bool'
  return typeof value === 'string' ? 'string' : isList(value) ? '[]interface {}' : 'map[string]interface {}'
}

function stringValue(value: unknown, { source }: Structural): Value {
  if (typeof value !== 'string') return invalid('string', value)
  switch (source.format) {
    case 'duration': {
      const nanos = parseAnyDuration(value)
      if (nanos === undefined) throw new CelError(`Invalid duration ${value}: unable to parse ${value} as duration`)
      return new Duration(nanos)
    }
    case 'date':
      return parseDate(value) ?? unreadable('date formatted', value)
    case 'date-time':
      return parseDateTime(value) ?? unreadable('date-time formatted', value)
    case 'byte':
      return bytesOf(value)
    default:
      return value
  }
}

function unreadable(what: string, value: string): never {
  throw new CelError(`Invalid ${what} string ${value}: parsing time ${JSON.stringify(value)}`)
}

/** By the alphabet of URLs, whatever the format allows. */
function bytesOf(value: string): Uint8Array {
  const bad = value.search(/[^A-Za-z0-9\-_=]/)
  if (bad >= 0 || value.length % 4 !== 0) throw new CelError(`Invalid byte formatted string ${value}: illegal base64 data at input byte ${bad < 0 ? value.length : bad}`)
  return new Uint8Array(Buffer.from(value, 'base64url'))
}

/** Known only by what it is equal to. */
class Preserved extends OpaqueValue {
  readonly type: CelType = opaque('unknown')
  readonly value: unknown

  constructor(value: unknown) {
    super()
    this.value = value
  }

  equals(other: OpaqueValue): boolean {
    return other instanceof Preserved && equalJson(this.value, other.value)
  }
}

function objectValue(value: unknown, schema: Structural, whole: boolean): Value {
  if (!isMap(value)) throw new CelError('invalid data, expected a map for the provided schema with type=object')
  if (whole || schema.properties.size > 0 || schema.additional === undefined) return new JsonObject(value, whole ? withMeta(schema) : schema)
  return new JsonEntries(value, schema.additional)
}

const wholes = new WeakMap<Structural, Structural>()

/** The schema with what rules may see of kind, apiVersion and metadata. */
function withMeta(schema: Structural): Structural {
  if (hasOwnMeta(schema)) return schema
  let whole = wholes.get(schema)
  if (whole === undefined) {
    const text: Structural = { ...schema, type: 'string', source: {}, nullable: false, preserves: false, embedded: false, intOrString: false, properties: new Map(), additional: undefined, open: false, items: undefined }
    const metadata: Structural = { ...text, type: 'object', properties: new Map([['name', text], ['generateName', text]]) }
    const own = [...schema.properties].filter(([name]) => !rootFields.has(name))
    whole = { ...schema, properties: new Map([...own, ['kind', text], ['apiVersion', text], ['metadata', metadata]]) }
    wholes.set(schema, whole)
  }
  return whole
}

/** Fields that the schema does not know have no name in expressions, but count when two objects are compared. */
const hidden = '\u0000'
const mapType = mapOf(string, dyn)

class JsonObject extends ObjectValue {
  // At run time objects are maps.
  readonly type: CelType = { kind: 'object', name: mapType.kind, field: () => undefined, fieldNames: () => [] }
  readonly #value: JsonMap
  readonly #schema: Structural

  constructor(value: JsonMap, schema: Structural) {
    super()
    this.#value = value
    this.#schema = schema
  }

  override get size(): number {
    return Object.keys(this.#value).length
  }

  get(field: string): Value | undefined {
    if (field.startsWith(hidden)) return this.#preserved(field.slice(1))
    const name = unescapeName(field)
    const value = name === undefined ? undefined : this.#value[name]
    if (name === undefined || value === undefined || value === null) return undefined
    const schema = this.#schema.properties.get(name)
    return schema === undefined ? undefined : celValue(value, schema)
  }

  *fields(): Iterable<string> {
    for (const name in this.#value) {
      if (!this.#schema.properties.has(name)) yield hidden + name
      else if (this.#value[name] !== null) yield escapeName(name) ?? name
    }
  }

  #preserved(name: string): Value | undefined {
    const value = this.#value[name]
    return value === undefined || this.#schema.properties.has(name) ? undefined : new Preserved(value)
  }
}

class JsonEntries extends MapValue {
  readonly #value: JsonMap
  readonly #schema: Structural

  constructor(value: JsonMap, schema: Structural) {
    super()
    this.#value = value
    this.#schema = schema
  }

  get size(): number {
    return Object.keys(this.#value).length
  }

  keys(): Iterable<Value> {
    return Object.keys(this.#value)
  }

  get(key: Value): Value | undefined {
    if (typeof key !== 'string') throw new CelError('no such overload')
    return Object.hasOwn(this.#value, key) ? celValue(this.#value[key], this.#schema) : undefined
  }
}

function listValue(value: unknown, schema: Structural): Value {
  if (!isList(value)) throw new CelError('invalid data, expected an array for the provided schema with type=array')
  const { items } = schema
  if (items === undefined) throw new CelError('invalid array type, expected Items with a non-empty Schema')
  const { listType } = schema
  if (listType !== 'set' && listType !== 'map') return new JsonList(value, items)
  const values = value.map((item) => celValue(item, items))
  return listType === 'set' ? new SetList(values) : new KeyedList(values, schema.listKeys)
}

class JsonList extends ListValue {
  readonly #values: readonly unknown[]
  readonly #items: Structural
  readonly #made: (Value | undefined)[] = []

  constructor(values: readonly unknown[], items: Structural) {
    super()
    this.#values = values
    this.#items = items
  }

  get size(): number {
    return this.#values.length
  }

  at(index: number): Value {
    return (this.#made[index] ??= celValue(this.#values[index], this.#items))
  }
}
