import { describe, expect, it } from 'vitest'
import { definition, definitionById, definitionNames, definitionOf } from './schema.ts'
import { resources } from './resources.ts'

describe('schema', () => {
  it('definitionOf() gives every kind of every resource, and its list', () => {
    const missing = resources.filter(({ group, version, kind, verbs }) =>
      definitionOf(group, version, kind) === undefined || (verbs.includes('list') && definitionOf(group, version, `${kind}List`) === undefined))
    expect(missing).toEqual([])
  })

  it('definition() knows the types of all fields', () => {
    const inner = definitionNames().flatMap((name) => [...definition(name).fields.values()].map(({ type }) => type.of ?? type))
    expect(inner.filter((type) => type.shape === 'object' && type.definition === undefined)).toEqual([])
    expect(inner.length).toBeGreaterThan(3_137)
  })

  it('a field says how it is merged, listed and written', () => {
    const ports = definition('Container').fields.get('ports')
    expect(ports).toMatchObject({ listType: 'map', listMapKeys: ['containerPort', 'protocol'], patchMergeKey: 'containerPort', patchStrategy: ['merge'], wire: [6] })
    expect(definition('Volume').fields.get('emptyDir')).toMatchObject({ wire: [2, 2], pointer: true })
    expect(definition('Volume').fields.get('name')).toMatchObject({ wire: [1], required: true, default: '' })
    expect(definition('ServicePort').fields.get('protocol')?.default).toBe('TCP')
    expect(definition('ObjectReference').mapType).toBe('atomic')
  })

  it('names are found by id and by kind', () => {
    expect(definitionById('io.k8s.api.events.v1.Event')?.name).toBe('EventsV1Event')
    expect(definitionOf('', 'v1', 'Event')?.id).toBe('io.k8s.api.core.v1.Event')
    expect(definitionOf('autoscaling', 'v2', 'HorizontalPodAutoscaler')?.name).toBe('HorizontalPodAutoscaler')
    expect(definitionOf('example.com', 'v1', 'Foo')).toBeUndefined()
    expect(() => definition('Foo')).toThrow('no definition Foo')
  })
})
