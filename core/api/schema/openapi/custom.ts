/**
 * Custom kinds in the published OpenAPI, as upstream publishes them: the schema of a CustomResourceDefinition's version
 * with the fields that every object has, and for version 2 without what kubectl could not read there.
 *
 * After apiextensions-apiserver/pkg/controller/openapi.
 */
import { definition } from '../schema.ts'
import { reference, schemaOf } from './schemas.ts'
import type { Schema, SchemaStyle } from './schemas.ts'

export interface CustomKind {
  readonly group: string
  readonly version: string
  readonly kind: string
  readonly resource: string
  readonly listKind: string
  /** spec.versions[].schema.openAPIV3Schema; undefined publishes an object without fields. */
  readonly schema?: Schema | undefined
}

/** Where upstream sends readers of its descriptions. */
const conventions = 'https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md'

/** stable.example.com, v1, CronTab -> com.example.stable.v1.CronTab */
export function modelName(group: string, version: string, kind: string): string {
  return `${group.split('.').toReversed().join('.')}.${version}.${kind}`
}

export function customSchema(custom: CustomKind, style: SchemaStyle): Schema {
  const gvk = [{ group: custom.group, kind: custom.kind, version: custom.version }]
  const { schema } = custom
  if (schema === undefined || (style.version === 2 && schema['x-kubernetes-preserve-unknown-fields'] === true)) {
    return { type: 'object', 'x-kubernetes-group-version-kind': gvk }
  }
  const published = style.version === 2 ? forVersion2(schema) : structuredClone(schema)
  embed(published, style)
  published['properties'] = { ...(published['properties'] as Schema | undefined), ...objectFields(style) }
  published['x-kubernetes-group-version-kind'] = gvk
  return published
}

export function customListSchema(custom: CustomKind, style: SchemaStyle): Schema {
  const list = schemaOf(definition('PodList'), style)['properties'] as Record<string, Schema>
  const description = `List of ${custom.resource}. More info: ${conventions}`
  const items = { description, type: 'array', items: { $ref: reference(modelName(custom.group, custom.version, custom.kind), style.version) } }
  return {
    description: `${custom.listKind} is a list of ${custom.kind}`,
    type: 'object',
    required: ['items'],
    properties: { apiVersion: list['apiVersion'], items, kind: list['kind'], metadata: { description: `Standard list metadata. More info: ${conventions}#types-kinds`, ...withoutDefault(list['metadata'] ?? {}) } },
    'x-kubernetes-group-version-kind': [{ group: custom.group, kind: custom.listKind, version: custom.version }],
  }
}

function objectFields(style: SchemaStyle): Schema {
  const { apiVersion, kind, metadata } = schemaOf(definition('Pod'), style)['properties'] as Record<string, Schema>
  return { apiVersion, kind, metadata: { description: `Standard object's metadata. More info: ${conventions}#metadata`, ...withoutDefault(metadata ?? {}) } }
}

function withoutDefault(schema: Schema): Schema {
  const { default: _default, ...rest } = schema
  return rest
}

/** Objects inside an object have kind, apiVersion and metadata of their own. */
function embed(schema: Schema, style: SchemaStyle): void {
  for (const inner of innerSchemas(schema)) embed(inner, style)
  if (schema['x-kubernetes-embedded-resource'] !== true) return
  if (style.version === 2 && schema['x-kubernetes-preserve-unknown-fields'] === true) return
  schema['properties'] = { ...(schema['properties'] as Schema | undefined), ...objectFields(style) }
  const required = (schema['required'] as readonly string[] | undefined) ?? []
  schema['required'] = [...required, ...['kind', 'apiVersion'].filter((name) => !required.includes(name))]
}

function innerSchemas(schema: Schema): Schema[] {
  const { items, additionalProperties, properties } = schema
  const inner = [items, additionalProperties, ...Object.values((properties as Schema | undefined) ?? {})]
  return inner.filter((part): part is Schema => typeof part === 'object' && part !== null && !Array.isArray(part))
}

const junctors = new Set(['allOf', 'oneOf', 'anyOf', 'not'])

/** Version 2 has no junctors and no null; and kubectl cannot read fields or items of what is nullable or open. */
function forVersion2(schema: Schema): Schema {
  const copy: Schema = {}
  for (const [key, value] of Object.entries(schema)) if (!junctors.has(key)) copy[key] = value
  const open = copy['x-kubernetes-preserve-unknown-fields'] === true
  const nullable = copy['nullable'] === true
  delete copy['nullable']
  if (nullable || open) {
    delete copy['items']
    delete copy['properties']
  }
  if (nullable || (open && copy['type'] === 'object') || (copy['type'] === 'array' && copy['items'] === undefined)) delete copy['type']
  const properties = copy['properties'] as Record<string, Schema> | undefined
  if (properties !== undefined) {
    const required = (copy['required'] as readonly string[] | undefined)?.filter((name) => properties[name]?.['nullable'] !== true)
    if (required !== undefined && required.length > 0) copy['required'] = required
    else delete copy['required']
    copy['properties'] = Object.fromEntries(Object.entries(properties).map(([name, inner]) => [name, forVersion2(inner)]))
  }
  for (const key of ['items', 'additionalProperties']) {
    const inner = copy[key]
    if (typeof inner === 'object' && inner !== null && !Array.isArray(inner)) copy[key] = forVersion2(inner as Schema)
  }
  return copy
}
