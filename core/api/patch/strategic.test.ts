/** Strategic merge patches of long lists; what they mean in small is golden data (test/golden/patch). */
import { describe, expect, it } from 'vitest'
import { definitionOf } from '../schema/schema.ts'
import { mergeStrategically } from './strategic.ts'

const count = 50_000
const names = Array.from({ length: count }, (_, i) => `f.example/${i}`)
const configMap = definitionOf('', 'v1', 'ConfigMap')
const service = definitionOf('', 'v1', 'Service')

describe('mergeStrategically()', () => {
  it('merges long lists of values', () => {
    const live = { metadata: { name: 'a', finalizers: names } }
    const { merged } = mergeStrategically(live, { metadata: { finalizers: names.toReversed(), '$setElementOrder/finalizers': names.toReversed() } }, configMap)
    expect((merged['metadata'] as { finalizers: string[] }).finalizers).toEqual(names.toReversed())
  })

  it('deletes and adds many items by their keys', () => {
    const ports = Array.from({ length: 10_000 }, (_, i) => ({ port: i + 1, name: `p${i}` }))
    const gone = ports.filter(({ port }) => port % 2 === 0).map(({ port }) => ({ port, $patch: 'delete' }))
    const { merged } = mergeStrategically({ spec: { ports } }, { spec: { ports: [...gone, { port: 20_000, name: 'new' }] } }, service)
    const left = (merged['spec'] as { ports: { port: number }[] }).ports.map(({ port }) => port)
    expect(left.toSorted((a, b) => a - b)).toEqual([...ports.map(({ port }) => port).filter((port) => port % 2 === 1), 20_000])
  })
})
