import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parseApiVersion } from '../meta.ts'
import { applyDefaults } from './defaults.ts'
import { definition, definitionOf } from './schema.ts'
import type { Definition } from './schema.ts'
import { decodeObject, unrecognized } from './validate.ts'

interface Typed {
  readonly apiVersion: string
  readonly kind: string
}

function lines<T>(file: string): T[] {
  const text = readFileSync(new URL(`../../../test/golden/api/${file}`, import.meta.url), 'utf8')
  return text.trim().split('\n').map((line) => JSON.parse(line) as T)
}

function gvkOf(object: Typed) {
  return { ...parseApiVersion(object.apiVersion), kind: object.kind }
}

function definitionFor(object: Typed): Definition {
  const { group, version, kind } = gvkOf(object)
  const of = definitionOf(group, version, kind)
  if (of === undefined) throw new Error(`no ${kind}`)
  return of
}

describe('decodeObject() and applyDefaults()', () => {
  it('leaves out any number of unknown fields, and soon', () => {
    const object = { apiVersion: 'v1', kind: 'ConfigMap', ...Object.fromEntries(Array.from({ length: 200_000 }, (_, i) => [`k${i}`, i])), metadata: { name: 'a', x: 1, y: 2 }, data: { b: 'c' } }
    const started = performance.now()
    expect(decodeObject(definitionFor(object), object, { fieldValidation: 'Ignore' })).toMatchObject({ ok: true, object: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data: { b: 'c' } } })
    expect(performance.now() - started).toBeLessThan(5_000) // it took a minute
  })

  it.each(lines<{ input: Typed; want: unknown }>('defaults.jsonl').map((line, i) => ({ ...line, name: `${line.input.kind} (line ${i + 1})` })))(
    'make of $name what upstream makes of it',
    ({ input, want }) => {
      const text = JSON.stringify(input)
      const decoded = decodeObject<object>(definitionFor(input), JSON.parse(text), { fieldValidation: 'Strict', text })
      if (!decoded.ok) throw decoded.error
      applyDefaults(gvkOf(input), decoded.object)
      expect(decoded.object).toEqual(want)
      const again = structuredClone(decoded.object)
      applyDefaults(gvkOf(input), again)
      expect(again).toEqual(decoded.object)
    },
  )

  it.each(lines<{ text: string; error: string }>('refusals.jsonl'))('refuse $text as upstream does', ({ text, error }) => {
    const value = JSON.parse(text) as Typed
    const decoded = decodeObject(definitionFor(value), value, { fieldValidation: 'Strict', text })
    if (decoded.ok) throw new Error('taken')
    expect(decoded.error.message).toBe(`${value.kind} in version "v1" cannot be handled as a ${value.kind}: ${error}`)
    expect(decoded.error.code).toBe(400)
  })

  it('Warn names unknown and duplicate fields and drops them, Ignore is silent', () => {
    const text = '{"metadata":{"name":"a","name":"b"},"spec":{"x":1}}'
    const warned = decodeObject(definition('Pod'), JSON.parse(text), { fieldValidation: 'Warn', text })
    expect(warned).toEqual({
      ok: true,
      object: { metadata: { name: 'b' }, spec: {}, status: {} },
      warnings: ['duplicate field "metadata.name"', 'unknown field "spec.x"'],
    })
    expect(decodeObject(definition('Pod'), JSON.parse(text), { fieldValidation: 'Ignore', text })).toMatchObject({ ok: true, warnings: [] })
  })

  it('a custom resource definition keeps its schemas, and defaults its names', () => {
    const crd = {
      metadata: { name: 'foos.example.com' },
      spec: {
        group: 'example.com', scope: 'Namespaced', names: { plural: 'foos', kind: 'Foo' },
        versions: [{
          name: 'v1', served: true, storage: true,
          schema: { openAPIV3Schema: { type: 'object', properties: { a: { items: { type: 'string' }, additionalProperties: false, default: { x: 1 } } } } },
        }],
      },
    }
    const decoded = decodeObject<object>(definition('CustomResourceDefinition'), structuredClone(crd), { fieldValidation: 'Strict' })
    if (!decoded.ok) throw decoded.error
    applyDefaults({ group: 'apiextensions.k8s.io', version: 'v1', kind: 'CustomResourceDefinition' }, decoded.object)
    expect(decoded.object).toMatchObject(crd)
    expect(decoded.object).toMatchObject({
      spec: { conversion: { strategy: 'None' }, names: { singular: 'foo', listKind: 'FooList' } },
      status: { storedVersions: ['v1'] },
    })
  })

  it('unrecognized() shows the beginning of the body', () => {
    expect(unrecognized('Pod', 'x', new TextEncoder().encode('[1]')).message).toBe('the object provided is unrecognized (must be of type Pod): x (5b315d)')
  })
})
