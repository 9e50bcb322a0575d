/**
 * What expressions know of a schema: the type of each value, how many elements it may have and how few bytes it may take,
 * from which costs are estimated (k8s.io/apiserver/pkg/cel/common/schemas.go, pkg/cel/types.go).
 */
import type { Range } from '../../cel/library.ts'
import * as type from '../../cel/type.ts'
import type { CelType, FieldType, ObjectType } from '../../cel/type.ts'
import { escapeName } from './escape.ts'
import type { Structural } from './schema.ts'

export interface Declared {
  readonly type: CelType
  /** Characters, items or entries at most; 0 for what has none. */
  readonly elementsMax: number
  /** Bytes of JSON at least. */
  readonly bytesMin: number
  /** Of lists and maps. */
  readonly element?: Declared
  readonly key?: Declared
  /** Of objects, by their names in expressions. */
  readonly fields?: ReadonlyMap<string, Declared>
}

/** The largest request, whatever the server's own limit is. */
export const requestBytesMax = 3 * 1_024 * 1_024

const textMax = requestBytesMax - 2
const dateTimeBytes = 32
const dateBytes = 12

const simple = (of: CelType, bytesMin: number, elementsMax = 0): Declared => ({ type: of, bytesMin, elementsMax })
const plainString = simple(type.string, 2, textMax)

/** kind, apiVersion, and of metadata what rules may see. */
const metaFields: ReadonlyMap<string, Declared> = new Map([['name', plainString], ['generateName', plainString]])

/** `whole`: of an object with kind, apiVersion and metadata. `name` is what objects are called. undefined: expressions do not see it. */
export function declare(schema: Structural, whole: boolean, name: string): Declared | undefined {
  const { source } = schema
  if (schema.intOrString) return simple(type.dyn, 1, source.maxLength === undefined ? textMax : Math.max(0, source.maxLength) * 4)
  switch (schema.type) {
    case 'array':
      return declareList(schema, name)
    case 'object':
      return schema.additional === undefined ? declareObject(schema, whole, name) : declareMap(schema, schema.additional, name)
    case 'string':
      return declareString(schema)
    case 'boolean':
      return simple(type.bool, 4)
    case 'number':
      return simple(type.double, 1)
    case 'integer':
      return simple(type.int, 1)
    default:
      return undefined
  }
}

function declareList({ items, source }: Structural, name: string): Declared | undefined {
  const element = items === undefined ? undefined : declare(items, items.embedded, `${name}.@idx`)
  if (element === undefined) return undefined
  const elementsMax = source.maxItems === undefined ? Math.floor((requestBytesMax - 2) / (element.bytesMin + 1)) : Math.max(0, source.maxItems)
  return { type: type.list(element.type), elementsMax, bytesMin: 2, element }
}

function declareMap({ source }: Structural, additional: Structural, name: string): Declared | undefined {
  const element = declare(additional, additional.embedded, `${name}.@elem`)
  if (element === undefined) return undefined
  const elementsMax = source.maxProperties === undefined ? Math.floor((requestBytesMax - 2) / (element.bytesMin + 6)) : Math.max(0, source.maxProperties)
  return { type: type.map(type.string, element.type), elementsMax, bytesMin: 2, element, key: simple(type.string, 2) }
}

function declareObject(schema: Structural, whole: boolean, name: string): Declared {
  const required = new Set(schema.source.required)
  const fields = new Map<string, Declared>()
  let bytesMin = 2
  const add = (field: string, declared: Declared | undefined, hasDefault: boolean): void => {
    if (declared === undefined) return
    const escaped = escapeName(field)
    if (escaped !== undefined) fields.set(escaped, declared)
    if (required.has(field) && !hasDefault) bytesMin += Buffer.byteLength(field) + declared.bytesMin + 4
  }
  const meta = whole && !hasOwnMeta(schema)
  for (const [field, inner] of schema.properties) {
    const escaped = escapeName(field) ?? field
    if (!meta || !rootFields.has(field)) add(field, declare(inner, inner.embedded, `${name}.${escaped}`), inner.default !== undefined)
  }
  if (meta) {
    add('kind', plainString, false)
    add('apiVersion', plainString, false)
    add('metadata', { type: objectType(`${name}.metadata`, metaFields), elementsMax: 0, bytesMin: 2, fields: metaFields }, false)
  }
  return { type: objectType(name, fields), elementsMax: 0, bytesMin, fields }
}

export const rootFields: ReadonlySet<string> = new Set(['kind', 'apiVersion', 'metadata'])

/** A schema that declares all of it itself is taken by its word. */
export function hasOwnMeta({ properties }: Structural): boolean {
  const metadata = properties.get('metadata')
  const isString = (of: Structural | undefined): boolean => of?.type === 'string'
  return isString(properties.get('kind')) && isString(properties.get('apiVersion')) && metadata?.type === 'object'
    && isString(metadata.properties.get('name')) && isString(metadata.properties.get('generateName'))
}

function objectType(name: string, fields: ReadonlyMap<string, Declared>): ObjectType {
  const types = new Map<string, FieldType>([...fields].map(([field, declared]) => [field, { type: declared.type, jsonName: field }]))
  // Words of CEL's own are understood as they are, too, where only a field can be meant.
  const word = (field: string): FieldType | undefined => (escapeName(field) === `__${field}__` ? types.get(`__${field}__`) : undefined)
  return { kind: 'object', name, field: (field) => types.get(field) ?? word(field), fieldNames: () => [...types.keys()] }
}

function declareString({ source }: Structural): Declared {
  const { maxLength, enum: values = [] } = source
  switch (source.format) {
    case 'byte':
      return simple(type.bytes, 2, maxLength === undefined ? textMax : Math.max(0, maxLength))
    case 'duration':
      return simple(type.duration, 3, dateTimeBytes)
    case 'date':
      return simple(type.timestamp, dateBytes, dateBytes)
    case 'date-time':
      return simple(type.timestamp, 21, dateTimeBytes)
  }
  if (maxLength !== undefined) return simple(type.string, 2, Math.max(0, maxLength) * 4)
  if (values.length === 0) return plainString
  return simple(type.string, 2, Math.max(0, ...values.map((value) => (typeof value === 'string' ? Buffer.byteLength(value) : 0))))
}

/** How many elements a value inside of `root` may have; the path begins with the variable's name. */
export function sizeIn(root: Declared): (path: readonly string[]) => Range | undefined {
  return (path) => {
    let at: Declared | undefined = path.length === 0 ? undefined : root
    for (const step of path.slice(1)) {
      if (step === '@items' || step === '@values') at = at?.element
      else if (step === '@keys') at = at?.key
      else at = at?.fields?.get(step)
    }
    return at === undefined ? undefined : { min: 0, max: at.elementsMax }
  }
}

/** How often a value may be in one request, when nothing says how large what is around it may be. */
export function cardinalityOf(declared: Declared): number {
  return Math.floor(requestBytesMax / (declared.bytesMin + 1))
}
