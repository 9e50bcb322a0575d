/**
 * How values merge: for each place in an object whether it is a scalar, a list (atomic, a set, or a map by keys) or a
 * map (atomic or field by field). Made from the definitions of built-in kinds or from a custom resource's structural
 * schema; where neither says anything, lists are atomic and maps granular. After kube-openapi's schemaconv.
 */
import type { KindRef } from '../kind.ts'
import { apiVersionOf } from '../meta.ts'
import { definition, definitionOf, type Definition, type Field, type Shape, type Type } from '../schema/schema.ts'
import { isMap, type JsonMap } from './value.ts'

export type Scalar = 'numeric' | 'string' | 'boolean' | 'untyped'

/** A place may allow more than one form; the value decides. */
export interface MergeType {
  readonly scalar?: Scalar
  readonly list?: ListType
  readonly map?: MapType
}

export interface ListType {
  readonly atomic: boolean
  /** Sorted. Empty, and not atomic: a set. */
  readonly keys: readonly string[]
  readonly items: MergeType
}

export interface MapType {
  readonly atomic: boolean
  readonly fields: ReadonlyMap<string, MapField>
  /** Those of them that Go writes even as null, by name. */
  readonly always: readonly MapField[]
  /** Of keys that are no fields; undefined: there may be none. */
  readonly rest: MergeType | undefined
}

export interface MapField {
  readonly name: string
  readonly element: string
  readonly type: MergeType
  readonly default: unknown
  /** Go writes it also when it is null. The codec leaves such nulls out; for ownership they are there. */
  readonly always: boolean
  /** Its place among its siblings, by name. */
  readonly rank: number
}

/** What managed fields and apply need to know of a kind. */
export interface ObjectType {
  readonly type: MergeType
  /** What a new object has before anyone sets anything: Go's empty struct; {} for custom resources. */
  readonly zero: Readonly<JsonMap>
  /** The apiVersions whose entries are kept; undefined: all. */
  readonly served?: (apiVersion: string) => boolean
  /** Custom: its schema may have changed since a set was written. */
  readonly changeable: boolean
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

const fieldless = { fields: new Map<string, MapField>(), always: [] }

/** Everything below is one leaf. */
export const untyped: MergeType = { scalar: 'untyped' }
Object.assign(untyped, { list: { atomic: true, keys: [], items: untyped }, map: { atomic: true, ...fieldless, rest: untyped } })

/** No schema: maps are granular, lists atomic. */
export const deduced: MergeType = { scalar: 'untyped', list: { atomic: true, keys: [], items: untyped } }
Object.assign(deduced, { map: { atomic: false, ...fieldless, rest: deduced } })

const ofDefinition = new Map<Definition, MergeType>()
const ofKind = new WeakMap<KindRef, ObjectType>()

/** A built-in kind's type; a kind that is not built in and brings no schema is deduced. */
export function objectTypeOf(kind: KindRef): ObjectType {
  const known = ofKind.get(kind)
  if (known !== undefined) return known
  const def = definitionOf(kind.group, kind.version, kind.kind)
  const made: ObjectType = def === undefined ? structuralType(undefined) : {
    type: typeOfDefinition(def),
    zero: zeroOf(def),
    served: servedVersions(kind),
    changeable: false,
  }
  ofKind.set(kind, made)
  return made
}

function servedVersions(kind: KindRef): (apiVersion: string) => boolean {
  const mine = apiVersionOf(kind)
  return (apiVersion) => {
    if (apiVersion === mine) return true
    const slash = apiVersion.indexOf('/')
    return definitionOf(slash < 0 ? '' : apiVersion.slice(0, slash), apiVersion.slice(slash + 1), kind.kind) !== undefined
  }
}

/** The type of one definition, by its short name (for tests and for parts of objects). */
export function typeOfName(name: string): MergeType {
  return typeOfDefinition(definition(name))
}

function typeOfDefinition(def: Definition): MergeType {
  const known = ofDefinition.get(def)
  if (known !== undefined) return known
  const type: Mutable<MergeType> = {}
  ofDefinition.set(def, type)
  const fields = [...def.fields.values()].map((field) => mapField(field.name, fieldType(field), field.default, zeroField(field) === null))
  type.map = mapType(fields, def.fields.size === 0 ? deduced : undefined, def.mapType === 'atomic')
  return type
}

const mapField = (name: string, type: MergeType, fallback: unknown, always = false): MapField => ({ name, element: `f:${name}`, type, default: fallback, always, rank: 0 })

function mapType(fields: readonly MapField[], rest: MergeType | undefined, atomic: boolean): MapType {
  const sorted = fields.toSorted((a, b) => (a.name < b.name ? -1 : 1)).map((field, rank) => ({ ...field, rank }))
  return { atomic, fields: new Map(sorted.map((field) => [field.name, field])), always: sorted.filter((field) => field.always), rest }
}

function fieldType(field: Field): MergeType {
  const { type } = field
  if (type.shape === 'list') return { list: { ...listRules(field), items: shapeType(type.of) } }
  if (type.shape === 'map') return { map: mapType([], shapeType(type.of), field.mapType === 'atomic') }
  const made = shapeType(type)
  if (type.shape !== 'object' || field.mapType === undefined || made.map === undefined) return made
  const atomic = field.mapType === 'atomic'
  const base = made
  // The definition may still be in the making (types refer to each other in circles), so its fields are read when needed.
  return { get map() { return { ...(base.map ?? mapType([], undefined, false)), atomic } } }
}

/** A list type where there is one; else what the patch strategy of old says. */
function listRules(field: Field): { readonly atomic: boolean; readonly keys: readonly string[] } {
  if (field.listType !== undefined) return { atomic: field.listType === 'atomic', keys: field.listType === 'map' ? (field.listMapKeys ?? []).toSorted() : [] }
  if (field.patchStrategy?.includes('merge') !== true) return { atomic: true, keys: [] }
  return { atomic: false, keys: field.patchMergeKey === undefined ? [] : [field.patchMergeKey] }
}

const scalars: Partial<Record<Shape, MergeType>> = {
  string: { scalar: 'string' }, bytes: { scalar: 'string' }, duration: { scalar: 'string' }, bool: { scalar: 'boolean' },
  int32: { scalar: 'numeric' }, int64: { scalar: 'numeric' }, double: { scalar: 'numeric' },
  quantity: { scalar: 'untyped' }, time: { scalar: 'untyped' }, microTime: { scalar: 'untyped' },
  rawExtension: untyped, intOrString: deduced, json: deduced, schemaOrArray: deduced, schemaOrBool: deduced, schemaOrStrings: deduced,
  fieldsV1: { map: { atomic: false, ...fieldless, rest: deduced } },
}

function shapeType(type: Type | undefined): MergeType {
  if (type === undefined) return untyped
  if (type.shape === 'list') return { list: { atomic: true, keys: [], items: shapeType(type.of) } }
  if (type.shape === 'map') return { map: mapType([], shapeType(type.of), false) }
  if (type.shape === 'object' && type.definition !== undefined) return typeOfDefinition(type.definition)
  return scalars[type.shape] ?? untyped
}

/** Go's JSON of an empty struct: what has no omitempty is there, with its zero value. */
function zeroOf(def: Definition): JsonMap {
  const zero: JsonMap = {}
  for (const field of def.fields.values()) {
    const value = zeroField(field)
    if (value !== undefined) zero[field.name] = value
  }
  return zero
}

function zeroField({ type, pointer, omitEmpty, omitZero }: Field): unknown {
  if (omitZero) return undefined
  if (pointer) return omitEmpty ? undefined : null
  // Go's omitempty has no say over structs.
  if (type.shape === 'object') return type.definition === undefined ? {} : zeroOf(type.definition)
  if (type.shape in zeroStructs) return zeroStructs[type.shape]
  return omitEmpty ? undefined : zeroScalars[type.shape] ?? null
}

const zeroStructs: Partial<Record<Shape, unknown>> = { time: null, microTime: null, quantity: '0', intOrString: 0, rawExtension: null, duration: '0s' }
const zeroScalars: Partial<Record<Shape, unknown>> = { string: '', bool: false, int32: 0, int64: 0, double: 0 }

/** The type of a custom resource, from its version's openAPIV3Schema; undefined: there is none. */
export function structuralType(schema: unknown, served?: (apiVersion: string) => boolean): ObjectType {
  const body = schema === undefined ? deduced : structural(schema, false)
  const meta = [mapField('apiVersion', { scalar: 'string' }, undefined), mapField('kind', { scalar: 'string' }, undefined), mapField('metadata', typeOfName('ObjectMeta'), undefined)]
  const fields = [...(body.map?.fields.values() ?? []).filter((field) => meta.every((own) => own.name !== field.name)), ...meta]
  return { type: { map: mapType(fields, body.map?.rest, false) }, zero: {}, changeable: true, ...(served === undefined ? {} : { served }) }
}

function structural(schema: unknown, inherited: boolean): MergeType {
  if (!isMap(schema)) return deduced
  const preserve = inherited || schema['x-kubernetes-preserve-unknown-fields'] === true
  switch (schema['type']) {
    case 'object': return { map: structuralMap(schema, preserve) }
    case 'array': return { list: structuralList(schema, preserve) }
    case 'integer': case 'number': return { scalar: 'numeric' }
    case 'boolean': return { scalar: 'boolean' }
    case 'string': return { scalar: schema['format'] === undefined || schema['format'] === '' || schema['format'] === 'byte' ? 'string' : 'untyped' }
    default: return { scalar: 'untyped', list: structuralList(schema, preserve), map: structuralMap(schema, preserve) }
  }
}

function structuralMap(schema: JsonMap, preserve: boolean): MapType {
  const properties = isMap(schema['properties']) ? schema['properties'] : {}
  const fields = Object.entries(properties).map(([name, property]) => mapField(name, structural(property, preserve), isMap(property) ? property['default'] : undefined))
  const additional = schema['additionalProperties']
  const embedded = schema['x-kubernetes-embedded-resource'] === true && properties['metadata'] === undefined
  if (embedded) fields.push(mapField('metadata', typeOfName('ObjectMeta'), undefined))
  const free = additional === undefined ? preserve || fields.length === 0 : additional === true
  const rest = isMap(additional) ? structural(additional, preserve) : free ? deduced : undefined
  return mapType(fields, rest, schema['x-kubernetes-map-type'] === 'atomic')
}

function structuralList(schema: JsonMap, preserve: boolean): ListType {
  const listType = schema['x-kubernetes-list-type']
  const keys = listType === 'map' && Array.isArray(schema['x-kubernetes-list-map-keys']) ? (schema['x-kubernetes-list-map-keys'] as string[]).toSorted() : []
  return { atomic: listType !== 'map' && listType !== 'set', keys, items: schema['items'] === undefined ? untyped : structural(schema['items'], preserve) }
}
