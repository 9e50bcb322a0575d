/**
 * Kinds as expressions know them when types are checked: built-in ones by their definitions, custom ones by what their
 * definition publishes (k8s.io/apiserver/pkg/cel/common/schemas.go). What has no one type (quantities) has no field.
 */
import { escapeName } from '../apiextensions/structural/escape.ts'
import { bool, bytes, double, duration, dyn, int, list, map, string, timestamp, type CelType, type FieldType, type ObjectType, type SimpleType } from '../cel/type.ts'
import type { Kind } from '../kind.ts'
import { definition, definitionOf, type Definition, type Shape, type Type } from '../schema/schema.ts'

/** Undefined: nothing is known of it. */
export function objectTypeOf(kind: Kind): CelType | undefined {
  if (kind.custom !== undefined) return customType(kind)
  const of = definitionOf(kind.group, kind.version, kind.kind)
  return of === undefined ? undefined : definedType(of, kind.kind, new Set())
}

const shapes: Partial<Record<Shape, SimpleType>> = {
  string, bool, int32: int, int64: int, double, bytes, time: timestamp, microTime: timestamp, duration: string, intOrString: dyn,
}

const noFields = new Map<string, CelType>()

/** A definition within itself is known as an object and no more. */
function definedType(of: Definition, name: string, within: ReadonlySet<Definition>): CelType {
  if (within.has(of)) return record(name, () => noFields)
  return record(name, () => {
    const inside = new Set(within).add(of)
    return named([...of.fields.values()].map((field) => [field.name, shapeType(field.type, `${name}.${field.name}`, inside)]))
  })
}

function shapeType({ shape, of, definition: made }: Type, name: string, within: ReadonlySet<Definition>): CelType | undefined {
  if (shape === 'object') return made === undefined ? record(name, () => noFields) : definedType(made, name, within)
  if (shape === 'rawExtension' || shape === 'fieldsV1') return record(name, () => noFields)
  if (shape !== 'list' && shape !== 'map') return shapes[shape]
  const inner = of === undefined ? undefined : shapeType(of, `${name}.${shape === 'list' ? '@idx' : '@elem'}`, within)
  if (inner === undefined) return undefined
  return shape === 'list' ? list(inner) : map(string, inner)
}

type Json = Readonly<Record<string, unknown>>

const isJson = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)

function customType({ custom, kind }: Kind): CelType {
  const schema = isJson(custom?.published.schema) ? (custom.published.schema as Json) : {}
  const known = schemaFields(schema, kind)
  return record(kind, () => {
    const own = named([...known()].filter(([field]) => !['apiVersion', 'kind', 'metadata'].includes(field)))
    return new Map<string, CelType>([...own, ['apiVersion', string], ['kind', string], ['metadata', definedType(definition('ObjectMeta'), `${kind}.metadata`, new Set())]])
  })
}

function schemaFields(schema: Json, name: string): () => ReadonlyMap<string, CelType> {
  const properties = isJson(schema['properties']) ? schema['properties'] : {}
  return () => named(Object.entries(properties).map(([field, inner]) => [field, isJson(inner) ? schemaType(inner, `${name}.${field}`) : undefined]))
}

const formats: Readonly<Record<string, SimpleType>> = { byte: bytes, duration, date: timestamp, 'date-time': timestamp }
const scalars: Readonly<Record<string, SimpleType>> = { boolean: bool, number: double, integer: int }

function schemaType(schema: Json, name: string): CelType | undefined {
  const { type, items, additionalProperties: additional, format } = schema
  if (schema['x-kubernetes-int-or-string'] === true || format === 'int-or-string') return dyn
  if (type === 'array') {
    const element = isJson(items) ? schemaType(items, `${name}.@idx`) : undefined
    return element === undefined ? undefined : list(element)
  }
  if (type === 'string') return formats[String(format)] ?? string
  if (type !== 'object') return scalars[String(type)]
  if (!isJson(additional)) return record(name, schemaFields(schema['x-kubernetes-embedded-resource'] === true ? whole(schema) : schema, name))
  const value = schemaType(additional, `${name}.@elem`)
  return value === undefined ? undefined : map(string, value)
}

/** An object within an object says what it is, whatever its schema knows. */
function whole(schema: Json): Json {
  const metadata = { type: 'object', properties: { name: { type: 'string' }, generateName: { type: 'string' } } }
  return { properties: { ...(isJson(schema['properties']) ? schema['properties'] : {}), kind: { type: 'string' }, apiVersion: { type: 'string' }, metadata } }
}

function named(fields: readonly (readonly [string, CelType | undefined])[]): ReadonlyMap<string, CelType> {
  return new Map(fields.flatMap(([field, type]) => {
    const name = escapeName(field)
    return name === undefined || type === undefined ? [] : [[name, type] as const]
  }))
}

/** Fields are made when one is first asked for. */
function record(name: string, make: () => ReadonlyMap<string, CelType>): ObjectType {
  let made: ReadonlyMap<string, CelType> | undefined
  const fields = (): ReadonlyMap<string, CelType> => (made ??= make())
  const fieldOf = (type: CelType, jsonName: string): FieldType => ({ type, jsonName, optional: true })
  return {
    kind: 'object',
    name,
    field(field) {
      // CEL's own words are understood without their underscores, too.
      const type = fields().get(field) ?? fields().get(`__${field}__`)
      return type === undefined ? undefined : fieldOf(type, field)
    },
    fieldNames: () => [...fields().keys()],
  }
}
