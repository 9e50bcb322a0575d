/** What custom kinds do with objects: the whole way from what a client sends to what is shown. */
import { describe, expect, it } from 'vitest'
import type { AnyObject } from '../meta.ts'
import type { CustomResourceDefinition } from '../schema/types.ts'
import { customKinds } from './customkinds.ts'

const env = { now: 0, user: '' }

function definition(openAPIV3Schema: Record<string, unknown>, version: Record<string, unknown> = {}): CustomResourceDefinition {
  const v1 = { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema }, ...version }
  return { metadata: { name: 'foos.example.com' }, spec: { group: 'example.com', names: { kind: 'Foo', plural: 'foos' }, scope: 'Namespaced', versions: [v1] } } as unknown as CustomResourceDefinition
}

function only(crd: CustomResourceDefinition) {
  const [kind] = customKinds(crd)
  if (kind === undefined) throw new Error('no version is served')
  return kind
}

const foo = (spec: unknown): Record<string, unknown> => ({ apiVersion: 'example.com/v1', kind: 'Foo', metadata: { name: 'a' }, spec })

const schema = {
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      required: ['size'],
      properties: { size: { type: 'integer', minimum: 1 }, mode: { type: 'string', default: 'fast', enum: ['fast', 'slow'] }, free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
    },
  },
}

describe('customKinds()', () => {
  it('drops unknown fields, names them when asked, and refuses them in strict mode', () => {
    const { custom } = only(definition(schema))
    const sent = foo({ size: 1, color: 'red', free: { any: 1 } })
    const kept = custom?.decode(structuredClone(sent), { fieldValidation: 'Warn' })
    expect(kept).toEqual({ ok: true, object: foo({ size: 1, free: { any: 1 } }), warnings: ['unknown field "spec.color"'] })
    const refused = custom?.decode(sent, { fieldValidation: 'Strict' })
    expect(refused?.ok === false && refused.error.message).toBe('Foo in version "v1" cannot be handled as a Foo: strict decoding error: unknown field "spec.color"')
  })

  it('fills defaults, and takes null for absence', () => {
    const kind = only(definition(schema))
    const decoded = kind.custom?.decode(foo({ size: null, mode: null }), { fieldValidation: 'Ignore' })
    const object = decoded?.ok === true ? decoded.object : undefined
    kind.applyDefaults?.(object as AnyObject)
    expect(object?.['spec']).toEqual({ mode: 'fast' })
  })

  it('says what is wrong with values in upstream\'s words', () => {
    const { strategy } = only(definition(schema))
    const said = (spec: unknown) => strategy.validateCreate?.(foo(spec) as unknown as AnyObject, env).map((error) => error.message())
    expect(said({ size: 0, mode: 'odd' })).toEqual([
      'spec.size: Invalid value: 0: spec.size in body should be greater than or equal to 1',
      'spec.mode: Unsupported value: "odd": supported values: "fast", "slow"',
    ])
    expect(said({ mode: 3 })).toEqual(['spec.mode: Invalid value: "integer": spec.mode in body must be of type string: "integer"', 'spec.mode: Unsupported value: 3: supported values: "fast", "slow"', 'spec.size: Required value'])
  })

  it('forgives what was wrong before an update, where it has not changed', () => {
    const { strategy } = only(definition(schema))
    const prev = foo({ size: 0, mode: 'fast' }) as unknown as AnyObject
    expect(strategy.validateUpdate?.(foo({ size: 0, mode: 'slow' }) as unknown as AnyObject, prev, env)).toEqual([])
    expect(strategy.validateUpdate?.(foo({ size: -1, mode: 'slow' }) as unknown as AnyObject, prev, env)).toHaveLength(1)
  })

  it('shows what is stored as it is, or by the schema of today', () => {
    const { conversion } = only(definition(schema))
    const settled = foo({ size: 1, mode: 'slow' }) as unknown as AnyObject
    expect(conversion?.fromStored(settled)).toBe(settled)
    expect(conversion?.fromStored(foo({ size: 1, gone: true }) as unknown as AnyObject)['spec']).toEqual({ size: 1, mode: 'fast' })
  })

  it('finds columns by their paths', () => {
    const columns = [
      { name: 'Size', type: 'integer', jsonPath: '.spec.size' },
      { name: 'Ready', type: 'string', jsonPath: '.spec.free.conditions[?(@.type=="Ready")].status' },
    ]
    const kind = only(definition(schema, { additionalPrinterColumns: columns }))
    const object = foo({ size: 3, free: { conditions: [{ type: 'Odd', status: 'x' }, { type: 'Ready', status: 'True' }] } }) as unknown as AnyObject
    expect(kind.columns.map((column) => column.value(object, 0))).toEqual(['a', 3, 'True'])
  })

  it('says which version to use instead of one that is deprecated, or what its definition says', () => {
    const crd = definition(schema)
    const [v1] = crd.spec.versions
    const other = { ...v1, storage: false }
    const versions = [{ ...v1, name: 'v1beta1', deprecated: true }, { ...other, name: 'v1' }, { ...other, name: 'v2' }, { ...other, name: 'v1alpha1', deprecated: true, deprecationWarning: 'go away' }, { ...other, name: 'v0', served: false }]
    const kinds = customKinds({ ...crd, spec: { ...crd.spec, versions: versions as typeof crd.spec.versions } })
    expect(kinds.map((kind) => [kind.version, kind.deprecation])).toEqual([
      ['v1beta1', 'example.com/v1beta1 Foo is deprecated; use example.com/v2 Foo'], ['v1', undefined], ['v2', undefined], ['v1alpha1', 'go away'],
    ])
  })

  it('knows its scale and the fields that it may be selected by', () => {
    const scale = { specReplicasPath: '.spec.size', statusReplicasPath: '.status.size', labelSelectorPath: '.status.selector' }
    const kind = only(definition(schema, { subresources: { scale }, selectableFields: [{ jsonPath: '.spec.mode' }, { jsonPath: '.spec.size' }] }))
    expect([kind.scale, kind.status]).toEqual([{ specReplicas: 'spec.size', statusReplicas: 'status.size', selector: 'status.selector' }, undefined])
    const object = foo({ size: 3 }) as unknown as AnyObject
    expect(Object.entries(kind.selectableFields).map(([field, read]) => [field, read(object)])).toEqual([['spec.mode', ''], ['spec.size', '3']])
  })

  it('shows what a webhook has converted without fields that the version does not know', async () => {
    const crd = definition(schema)
    const spec = { ...crd.spec, conversion: { strategy: 'Webhook' } }
    const convert = (objects: readonly Readonly<AnyObject>[], apiVersion: string): Promise<readonly AnyObject[]> =>
      Promise.resolve(objects.map((object) => ({ ...object, apiVersion, spec: { size: 7, mode: 'slow', more: true } })))
    const [kind] = customKinds({ ...crd, spec }, { convert })
    const [converted] = (await kind?.remote?.([foo({}) as unknown as AnyObject], 'example.com/v1', new AbortController().signal)) ?? []
    expect(kind?.conversion?.fromStored(converted as AnyObject)['spec']).toEqual({ size: 7, mode: 'slow' })
  })
})
