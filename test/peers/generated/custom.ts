/** Custom kinds that are generated: structural schemas with what validates, defaults, prunes and merges in them, and objects of them. */
import type { Definition, Field, Type } from '../../../core/api/schema/schema.ts'
import type { Case } from '../case.ts'
import type { Draw } from './draw.ts'
import type { Json } from './mutate.ts'
import type { Seed } from './seeds.ts'

const group = 'gen.example.com'
const depthMax = 3
const names = ['a', 'b', 'c', 'name', 'key', 'replicas', 'type', 'x-y', 'é']

export interface CustomSeed {
  readonly seed: Seed
  /** Requests that make the kind, and wait for it. */
  readonly cases: readonly Case[]
}

export function customSeed(draw: Draw, number: number): CustomSeed {
  const plural = `things${number}`
  const kind = `Thing${number}`
  const spec = schemaOf(draw, 0, 'object')
  const status = schemaOf(draw, 1, 'object')
  const schema: Json = { type: 'object', properties: { spec, status } }
  const withStatus = draw.chance(0.6)
  const scaled = draw.chance(0.4)
  if (scaled) properties(spec)['replicas'] = { type: 'integer' }
  if (scaled) properties(status)['replicas'] = { type: 'integer' }
  const subresources = { ...(withStatus ? { status: {} } : {}), ...(scaled ? { scale: { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas' } } : {}) }
  const columns = draw.chance(0.4) ? [{ name: 'A', type: draw.one(['string', 'integer', 'boolean', 'date', 'number']), jsonPath: draw.one(['.spec.a', '.spec.b', '.metadata.creationTimestamp', '.status.replicas']) }] : undefined
  const version = { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema }, subresources, ...(columns === undefined ? {} : { additionalPrinterColumns: columns }) }
  const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
  const body = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', metadata: { name: `${plural}.${group}` }, spec: { group, names: { plural, singular: `thing${number}`, kind }, scope: 'Namespaced', versions: [version] } }
  const top: Json = { ...properties(schema), apiVersion: { type: 'string' }, kind: { type: 'string' }, metadata: { type: 'object' } }
  return {
    cases: [
      { name: `${plural}: definition`, method: 'POST', path, body: JSON.stringify(body), compare: 'code' },
      { name: `${plural}: served`, path: `/apis/${group}/v1/namespaces/default/${plural}`, until: 200, compare: 'code' },
    ],
    seed: {
      kind: { group, version: 'v1', kind, plural, namespaced: true, subresources: [], verbs: [], scaled, withStatus },
      definition: definitionOfSchema({ type: 'object', properties: top }),
      name: 'g{n}',
      object: { apiVersion: `${group}/v1`, kind, metadata: { name: 'g{n}' }, spec: valueFor(draw, spec) },
    },
  }
}

function properties(schema: Json): Json {
  return (schema['properties'] ??= {}) as Json
}

function schemaOf(draw: Draw, depth: number, wanted?: string): Json {
  const types = ['string', 'integer', 'number', 'boolean', 'intOrString', ...(depth < depthMax ? ['object', 'object', 'array', 'array', 'map', 'open'] : [])]
  const type = wanted ?? draw.one(types)
  const made = shaped(draw, type, depth)
  if (type !== 'intOrString' && draw.chance(0.12)) made['nullable'] = true
  if (depth > 0 && draw.chance(0.15) && !['object', 'array', 'map', 'open'].includes(type)) made['default'] = valueFor(draw, made)
  return made
}

function shaped(draw: Draw, type: string, depth: number): Json {
  switch (type) {
    case 'string': return { type, ...draw.one<Json>([{}, {}, { maxLength: 5 }, { minLength: 1 }, { pattern: '^[a-z]+$' }, { enum: ['a', 'b'] }, { format: draw.one(['date-time', 'ipv4', 'uuid', 'email', 'duration', 'byte', 'cidr', 'hostname', 'date', 'password', 'uri', 'nonsense']) }]) }
    case 'integer': return { type, ...draw.one<Json>([{}, {}, { minimum: 0 }, { maximum: 10, exclusiveMaximum: true }, { multipleOf: 2 }, { format: 'int32' }, { format: 'int64' }, { enum: [1, 2] }]) }
    case 'number': return { type, ...draw.one<Json>([{}, { minimum: 0.5 }, { multipleOf: 0.5 }, { format: 'double' }]) }
    case 'intOrString': return { 'x-kubernetes-int-or-string': true }
    case 'map': return { type: 'object', additionalProperties: schemaOf(draw, depth + 1), ...draw.one<Json>([{}, {}, { maxProperties: 1 }, { minProperties: 1 }, { 'x-kubernetes-map-type': 'atomic' }]) }
    case 'open': return draw.one<Json>([{ type: 'object', 'x-kubernetes-preserve-unknown-fields': true }, { 'x-kubernetes-preserve-unknown-fields': true }, { type: 'object', 'x-kubernetes-embedded-resource': true, 'x-kubernetes-preserve-unknown-fields': true }])
    case 'array': return arrayOf(draw, depth)
    default: return objectOf(draw, depth)
  }
}

function arrayOf(draw: Draw, depth: number): Json {
  return draw.weighted<Json>([
    [3, () => ({ type: 'array', items: schemaOf(draw, depth + 1), ...draw.one<Json>([{}, { maxItems: 2 }, { minItems: 1 }, { 'x-kubernetes-list-type': 'atomic' }]) })],
    [1, () => ({ type: 'array', items: { type: draw.one(['string', 'integer']) }, 'x-kubernetes-list-type': 'set' })],
    [2, () => {
      const items = objectOf(draw, depth + 1)
      const { nullable: _, ...plain } = items
      return { type: 'array', items: { ...plain, required: ['key'], properties: { ...properties(plain), key: { type: 'string' } } }, 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['key'] }
    }],
  ])
}

function objectOf(draw: Draw, depth: number): Json {
  const made: Json = { type: 'object', properties: Object.fromEntries(Array.from({ length: 1 + draw.int(3) }, () => [draw.one(names), schemaOf(draw, depth + 1)])) }
  const keys = Object.keys(properties(made))
  if (draw.chance(0.25)) made['required'] = [draw.one(keys)]
  if (draw.chance(0.15)) made['maxProperties'] = 2
  if (draw.chance(0.12)) made['x-kubernetes-validations'] = [{ rule: draw.one(['has(self.a)', '!has(self.b)', 'size(self) < 9', 'self == oldSelf', 'true', 'false']), message: 'is not so' }]
  if (draw.chance(0.08)) made['anyOf'] = [{ required: [draw.one(keys)] }, { required: [draw.one(keys)] }]
  if (draw.chance(0.05)) made['not'] = { required: [draw.one(keys)] }
  return made
}

/** A value that fits in most ways. */
function valueFor(draw: Draw, schema: Json): unknown {
  const values = schema['enum'] as readonly unknown[] | undefined
  if (values !== undefined) return draw.one(values)
  switch (schema['type']) {
    case 'string': return draw.one(['a', 'abc', '10.1.2.3', '2026-01-02T03:04:05Z'])
    case 'integer': return draw.one([0, 1, 2, 4])
    case 'number': return draw.one([0.5, 1, 2])
    case 'boolean': return draw.chance(0.5)
    case 'array': return Array.from({ length: draw.int(3) }, (_, i) => {
      const item = valueFor(draw, schema['items'] as Json)
      return typeof item === 'object' && item !== null && schema['x-kubernetes-list-type'] === 'map' ? { ...item, key: `k${i}` } : item
    })
    case 'object': {
      const of = schema['additionalProperties'] as Json | undefined
      if (of !== undefined) return { a: valueFor(draw, of) }
      const wanted = (schema['required'] ?? []) as readonly string[]
      return Object.fromEntries(Object.entries((schema['properties'] ?? {}) as Record<string, Json>).filter(([name]) => wanted.includes(name) || draw.chance(0.7)).map(([name, inner]) => [name, valueFor(draw, inner)]))
    }
    default: return draw.one<unknown>([1, '5%', 'a'])
  }
}

/** What the generators of built-in objects read, made of a schema. */
function definitionOfSchema(schema: Json): Definition {
  const fields = new Map<string, Field>()
  for (const [name, inner] of Object.entries((schema['properties'] ?? {}) as Record<string, Json>)) {
    const listType = inner['x-kubernetes-list-type']
    const field = { name, type: typeOfSchema(inner), required: false, pointer: true, omitEmpty: true, omitZero: false, wire: [], embedded: [] }
    fields.set(name, listType === 'map' ? { ...field, listType: 'map', listMapKeys: ['key'] } : field)
  }
  return { name: '', id: '', kinds: [], fields, published: true }
}

const scalars: Readonly<Record<string, Type['shape']>> = { string: 'string', integer: 'int64', number: 'double', boolean: 'bool' }

function typeOfSchema(schema: Json): Type {
  const type = schema['type']
  if (schema['x-kubernetes-int-or-string'] === true) return { shape: 'intOrString', wrapped: false }
  if (type === 'array') return { shape: 'list', of: typeOfSchema((schema['items'] ?? {}) as Json), wrapped: false }
  if (schema['additionalProperties'] !== undefined) return { shape: 'map', of: typeOfSchema(schema['additionalProperties'] as Json), wrapped: false }
  if (type === 'object' && schema['properties'] !== undefined) return { shape: 'object', definition: definitionOfSchema(schema), wrapped: false }
  return { shape: scalars[String(type)] ?? 'json', wrapped: false }
}
