/** Definitions as OpenAPI schemas, of version 2 or 3. The two differ in where references may have neighbours, and in defaults. */
import type { Descriptions } from '../descriptions.ts'
import { enumTable } from '../enums.ts'
import type { Definition, Field, Type } from '../schema.ts'
import { definitionById } from '../schema.ts'

export type Schema = Record<string, unknown>

export interface SchemaStyle {
  readonly version: 2 | 3
  readonly descriptions: Descriptions
  /** The group and version a document of version 3 is about: kinds that are in every group are named for it alone. */
  readonly about?: { readonly group: string; readonly version: string }
}

const ids: Readonly<Partial<Record<Type['shape'], string>>> = {
  quantity: 'io.k8s.apimachinery.pkg.api.resource.Quantity',
  time: 'io.k8s.apimachinery.pkg.apis.meta.v1.Time',
  microTime: 'io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime',
  fieldsV1: 'io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1',
  intOrString: 'io.k8s.apimachinery.pkg.util.intstr.IntOrString',
  rawExtension: 'io.k8s.apimachinery.pkg.runtime.RawExtension',
  json: 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON',
  schemaOrArray: 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrArray',
  schemaOrBool: 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrBool',
  schemaOrStrings: 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrStringArray',
}

export function reference(id: string, version: 2 | 3): string {
  return version === 2 ? `#/definitions/${id}` : `#/components/schemas/${id}`
}

export function schemaOf(of: Definition, style: SchemaStyle): Schema {
  const description = style.descriptions[of.name]?.[0] ?? ''
  const own: Schema = description === '' ? {} : { description }
  if (of.special !== undefined) return { ...own, ...specialSchema(of.special, style.version) }
  const properties: Record<string, Schema> = {}
  for (const name of [...of.fields.keys()].toSorted()) {
    const field = of.fields.get(name)
    if (field !== undefined) properties[name] = withValues(fieldSchema(field, style, style.descriptions[of.name]?.[1][name]), `${of.name} ${name}`)
  }
  const required = [...of.fields.values()].filter((field) => field.required).map((field) => field.name)
  if (Object.keys(properties).length > 0) own['properties'] = properties
  if (required.length > 0) own['required'] = required
  own['type'] = 'object'
  const kinds = kindsFor(of, style)
  if (kinds.length > 0) own['x-kubernetes-group-version-kind'] = kinds
  if (of.mapType !== undefined) own['x-kubernetes-map-type'] = of.mapType
  if (of.unions !== undefined) own['x-kubernetes-unions'] = of.unions
  return own
}

/** The values that fields may have, by definition and field; `[]` and `{}` after it: those in it. */
const valuesOf = new Map<string, readonly string[]>(enumTable.split('\n').map((line) => {
  const [definition = '', field = ''] = line.split(' ', 2)
  return [`${definition} ${field}`, line.slice(definition.length + field.length + 2).split('|')]
}))

function withValues(schema: Schema, field: string): Schema {
  const [own, items, entries] = ['', '[]', '{}'].map((within) => valuesOf.get(field + within))
  if (own !== undefined) schema['enum'] = own
  if (items !== undefined) schema['items'] = { ...(schema['items'] as Schema), enum: items }
  if (entries !== undefined) schema['additionalProperties'] = { ...(schema['additionalProperties'] as Schema), enum: entries }
  return schema
}

function kindsFor(of: Definition, { about }: SchemaStyle): Definition['kinds'] {
  if (about === undefined || of.kinds.length < 2) return of.kinds
  return of.kinds.filter(({ group, version }) => (group === '' && version === 'v1') || (group === about.group && version === about.version))
}

function specialSchema(shape: Type['shape'], version: 2 | 3): Schema {
  switch (shape) {
    case 'quantity':
      return version === 2 ? { type: 'string' } : { oneOf: [{ type: 'string' }, { type: 'number' }] }
    case 'intOrString':
      return { format: 'int-or-string', ...(version === 2 ? { type: 'string' } : { oneOf: [{ type: 'integer' }, { type: 'string' }] }) }
    case 'time':
    case 'microTime':
      return { format: 'date-time', type: 'string' }
    case 'fieldsV1':
    case 'rawExtension':
      return { type: 'object' }
    default:
      return {}
  }
}

function fieldSchema(field: Field, style: SchemaStyle, description: string | undefined): Schema {
  const extras: Schema = {}
  if (style.version === 3 && field.default !== undefined) extras['default'] = field.default
  if (description !== undefined) extras['description'] = description
  if (field.listType !== undefined) extras['x-kubernetes-list-type'] = field.listType
  if (field.listMapKeys !== undefined) extras['x-kubernetes-list-map-keys'] = field.listMapKeys
  if (field.mapType !== undefined) extras['x-kubernetes-map-type'] = field.mapType
  if (field.patchMergeKey !== undefined) extras['x-kubernetes-patch-merge-key'] = field.patchMergeKey
  if (field.patchStrategy !== undefined) extras['x-kubernetes-patch-strategy'] = field.patchStrategy.join(',')
  return typeSchema(field.type, style.version, extras)
}

/** The schema of a type, with what stands beside it. Version 3 allows no neighbours of a reference: it goes into allOf. */
function typeSchema(type: Type, version: 2 | 3, extras: Schema): Schema {
  const id = type.definition?.id ?? ids[type.shape]
  if (id !== undefined) {
    const $ref = reference(id, version)
    return version === 2 || Object.keys(extras).length === 0 ? { $ref, ...extras } : { allOf: [{ $ref }], ...extras }
  }
  if (type.shape === 'list' && type.of !== undefined) return { type: 'array', items: itemSchema(type.of, version), ...extras }
  if (type.shape === 'map' && type.of !== undefined) return { type: 'object', additionalProperties: itemSchema(type.of, version), ...extras }
  return { ...scalars[type.shape], ...extras }
}

const scalars: Readonly<Partial<Record<Type['shape'], Schema>>> = {
  string: { type: 'string' },
  bool: { type: 'boolean' },
  int32: { type: 'integer', format: 'int32' },
  int64: { type: 'integer', format: 'int64' },
  double: { type: 'number', format: 'double' },
  bytes: { type: 'string', format: 'byte' },
}

const zeros: Readonly<Partial<Record<Type['shape'], unknown>>> = { string: '', bool: false, int32: 0, int64: 0, double: 0, object: {} }

function itemSchema(type: Type, version: 2 | 3): Schema {
  const zero = zeros[type.shape]
  return typeSchema(type, version, version === 3 && zero !== undefined ? { default: zero } : {})
}

/** `ids` and all that they refer to. Unknown ones are left to the caller (custom kinds). */
export function closure(roots: Iterable<string>): Map<string, Definition> {
  const found = new Map<string, Definition>()
  const visit = (of: Definition): void => {
    if (found.has(of.id)) return
    found.set(of.id, of)
    for (const field of of.fields.values()) visitType(field.type)
  }
  const visitType = (type: Type): void => {
    if (type.of !== undefined) visitType(type.of)
    const inner = type.definition ?? definitionById(ids[type.shape] ?? '')
    if (inner !== undefined) visit(inner)
  }
  for (const id of roots) {
    const of = definitionById(id)
    if (of !== undefined) visit(of)
  }
  return found
}
