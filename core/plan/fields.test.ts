import { describe, expect, it } from 'vitest'
import { fieldChanges } from './fields.ts'

const object = (more: object): { metadata: object } & Record<string, unknown> => ({ metadata: { name: 'a' }, ...more })

describe('fieldChanges()', () => {
  it.each([
    ['nothing', { spec: { a: 1 }, status: { b: 1 } }, { spec: { a: 1 }, status: { b: 2 } }, []],
    ['a value', { spec: { a: 1 } }, { spec: { a: 2 } }, [{ path: 'spec.a', before: 1, after: 2 }]],
    ['what comes and goes', { spec: { a: 1 } }, { spec: { b: { c: 2 } } }, [{ path: 'spec.a', before: 1 }, { path: 'spec.b', after: { c: 2 } }]],
    ['items by their names', { l: [{ name: 'x', v: 1 }, { name: 'y' }] }, { l: [{ name: 'y' }, { name: 'x', v: 2 }] }, [{ path: 'l[x].v', before: 1, after: 2 }]],
    ['an order, where nothing else differs', { l: [{ name: 'x' }, { name: 'y' }] }, { l: [{ name: 'y' }, { name: 'x' }] }, [{ path: 'l', before: [{ name: 'x' }, { name: 'y' }], after: [{ name: 'y' }, { name: 'x' }] }]],
    ['lists of values as a whole', { args: ['a'] }, { args: ['a', 'b'] }, [{ path: 'args', before: ['a'], after: ['a', 'b'] }]],
    ['names with dots in brackets', { metadata: { labels: {} } }, { metadata: { labels: { 'x.org/y': 'z' } } }, [{ path: 'metadata.labels[x.org/y]', after: 'z' }]],
    ['that a secret changes, not what it says', { kind: 'Secret', data: { a: 'YQ==' } }, { kind: 'Secret', data: { a: 'Yg==' } }, [{ path: 'data.a', before: '***', after: '***' }]],
    ['no bookkeeping', { metadata: { generation: 1, managedFields: [] } }, { metadata: { generation: 2, annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{}' } } }, []],
  ])('tells of %s', (_, before, after, want) => {
    expect(fieldChanges(object(before) as never, object(after) as never)).toEqual(want)
  })
})
