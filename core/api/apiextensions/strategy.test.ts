/** What updates of definitions let through because it stood there before, and what they never do. All else is held against upstream in test/peers. */
import { describe, expect, it } from 'vitest'
import type { CustomResourceDefinition, JSONSchemaProps } from '../schema/types.ts'
import { costSentence, RuleCosts } from './costs.ts'
import { findField } from './fieldpath.ts'
import { leniencyOf } from './leniency.ts'
import { definitionStrategy } from './strategy.ts'
import { path } from '../field.ts'

const definition = (schema: JSONSchemaProps, more: Partial<CustomResourceDefinition['spec']> = {}): CustomResourceDefinition => ({
  metadata: { name: 'things.example.com' },
  spec: {
    group: 'example.com', scope: 'Namespaced', names: { plural: 'things', singular: 'thing', kind: 'Thing', listKind: 'ThingList' },
    versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object', properties: { spec: schema } } } }], ...more,
  },
  status: { acceptedNames: { plural: '', kind: '' }, storedVersions: ['v1'] },
})

const env = { now: 0, user: '' }
const created = (crd: CustomResourceDefinition): readonly string[] => (definitionStrategy.validateCreate?.(crd, env) ?? []).map((error) => error.message())
const updated = (next: CustomResourceDefinition, prev: CustomResourceDefinition): readonly string[] => (definitionStrategy.validateUpdate?.(next, prev, env) ?? []).map((error) => error.message())

const text: JSONSchemaProps = { type: 'string' }
const costly: JSONSchemaProps = { type: 'array', items: { type: 'string', maxLength: 100 }, maxItems: 1_000, 'x-kubernetes-validations': [{ rule: 'self.all(a, self.exists(b, a == b))' }] }

describe('definitions', () => {
  it.each<[string, JSONSchemaProps]>([
    ['a set of objects', { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'object', properties: { a: text } } }],
    ['keys that may be missing', { type: 'array', 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['a'], items: { type: 'object', properties: { a: text } } }],
    ['a default with an unknown field', { type: 'object', properties: { a: text }, default: { b: 1 } }],
    ['rules that cost too much', costly],
  ])('are refused with %s, unless that was there before', (_, schema) => {
    const crd = definition(schema)
    expect(created(crd)).not.toEqual([])
    expect(updated(definition(schema), crd)).toEqual([])
    expect(updated(crd, definition(text))).not.toEqual([])
  })

  it('must stay structural where fields are pruned', () => {
    const crd = definition({})
    expect(updated(definition({}), crd)).toEqual(['spec.validation.openAPIV3Schema.properties[spec].type: Required value: must not be empty for specified object fields'])
    expect(leniencyOf(crd, crd).unstructured).toBe(true)
  })

  it('may have a wrong bundle until they are established', () => {
    const conversion = { strategy: 'Webhook', webhook: { clientConfig: { url: 'https://a', caBundle: btoa('x') }, conversionReviewVersions: ['v1'] } }
    const established = (crd: CustomResourceDefinition): CustomResourceDefinition => ({ ...crd, status: { ...crd.status, conditions: [{ type: 'Established', status: 'True' }] } })
    const crd = definition(text, { conversion })
    expect(created(crd)).toEqual([])
    expect(updated(crd, definition(text))).toEqual([])
    expect(updated(crd, established(definition(text)))).toEqual([expect.stringContaining('spec.conversion.webhookClientConfig.caBundle')])
    expect(updated(crd, established(crd))).toEqual([])
  })

  it('remember every version that objects were stored in', () => {
    const crd = definition(text)
    crd.spec.versions = [{ ...(crd.spec.versions[0] as CustomResourceDefinition['spec']['versions'][number]), name: 'v2' }]
    definitionStrategy.prepareUpdate?.(crd, crd, env)
    expect(crd.status?.storedVersions).toEqual(['v1', 'v2'])
  })
})

describe('paths to fields', () => {
  const schema: JSONSchemaProps = { type: 'object', properties: { spec: { type: 'object', properties: { 'a.b': text, c: text } }, labels: { type: 'object', additionalProperties: text } } }
  it.each([
    ['.spec.c', true, 'spec.c'],
    [".spec['a.b']", true, 'spec.a.b'],
    [".labels['x\\'y']", true, "labels[x'y]"],
    ['.labels.x', true, 'labels[x]'],
    [".spec['a.b']", false, 'array notation is not allowed'],
    ['.spec.z', true, 'does not refer to a valid field'],
    ['.spec[0]', true, 'expected single quoted string but got 0'],
    [".spec['c'", true, 'unexpected end of JSON path'],
    [".spec['\\q']", true, 'invalid string literal: invalid escape char \\q'],
    ['spec', true, 'expected [ or . but got: spec'],
    ['.', true, 'unexpected end of JSON path'],
  ] as const)('%s', (from, brackets, want) => {
    const found = findField(from, schema, { brackets })
    expect(found.ok ? found.path?.text : found.why).toBe(want)
  })
})

describe('costs of rules', () => {
  it('name the four that cost most', () => {
    const costs = new RuleCosts()
    for (const cost of [1, 2_000_000, 5_000_000, 3_000_000, 4_000_000, 9_000_000]) costs.add(path(String(cost)), cost)
    expect(costs.total).toBe(23_000_001)
    expect(costs.mostExpensive.map(({ cost }) => cost)).toEqual([9_000_000, 5_000_000, 4_000_000, 3_000_000])
  })

  it.each([[1.2, '1.200000x'], [4.56, '4.6x'], [101, 'more than 100x']])('%d times the limit', (times, shown) => {
    expect(costSentence('x', times * 10, 10)).toContain(`factor of ${shown} (`)
  })
})
