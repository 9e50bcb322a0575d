import { describe, expect, it } from 'vitest'
import { statefulSets } from '../api/apps/statefulset.ts'
import type { StatefulSet } from '../api/schema/types.ts'
import { dataHash, inOrder, restored, templateData } from './history.ts'

const set: StatefulSet = {
  metadata: { name: 'web' },
  spec: { replicas: 3, selector: {}, template: { spec: { containers: [{ name: 'c', image: 'a:1', args: ['a<b>&c\u2028'] }] }, metadata: { labels: { app: 'web' } } } },
}

describe('templateData()', () => {
  it('has its fields in order, and puts the template back', () => {
    const data = templateData(set)
    expect(JSON.stringify(data)).toBe('{"spec":{"template":{"$patch":"replace","metadata":{"labels":{"app":"web"}},"spec":{"containers":[{"args":["a<b>&c\u2028"],"image":"a:1","name":"c"}]}}}}')
    const other: StatefulSet = { metadata: { name: 'web' }, spec: { replicas: 5, selector: {}, template: { metadata: { annotations: { x: 'y' } } } } }
    expect(restored(statefulSets, other, { metadata: {}, revision: 1, data })).toEqual({ ...set, spec: { ...set.spec, replicas: 5 } })
  })
})

describe('dataHash()', () => {
  it.each([[0, '558bbd87d8'], [1, '558bbd87d9']])('is what upstream makes of the same data, with %s collisions', (collisions, hash) => {
    expect(dataHash(templateData(set), collisions)).toBe(hash)
  })
})

describe('inOrder()', () => {
  it('goes by number, then time, then name', () => {
    const revision = (name: string, number: number, creationTimestamp: string) => ({ metadata: { name, creationTimestamp }, revision: number })
    const all = [revision('d', 2, '2026-01-01T00:00:00Z'), revision('c', 1, '2026-01-02T00:00:00Z'), revision('b', 1, '2026-01-01T00:00:00Z'), revision('a', 1, '2026-01-02T00:00:00Z')]
    expect(inOrder(all).map(({ metadata }) => metadata.name)).toEqual(['b', 'a', 'c', 'd'])
  })
})
