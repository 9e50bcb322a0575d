import { describe, expect, it } from 'vitest'
import { definitionOf } from '../schema/schema.ts'
import { mergeStrategically } from './strategic.ts'
import { threeWayPatch } from './threeway.ts'
import type { JsonMap } from './value.ts'

const deployment = definitionOf('apps', 'v1', 'Deployment')

const spec = (containers: readonly object[], more: object = {}): JsonMap => ({ spec: { template: { spec: { containers } }, ...more } })

describe('threeWayPatch()', () => {
  const cases: readonly { readonly name: string; readonly last?: JsonMap; readonly next: JsonMap; readonly live: JsonMap; readonly patch: JsonMap; readonly merged?: JsonMap }[] = [
    { name: 'is empty when what is applied stands there', next: spec([{ name: 'a', image: 'x' }]), live: spec([{ name: 'a', image: 'x', imagePullPolicy: 'Always' }], { replicas: 3 }), patch: {} },
    { name: 'leaves alone what others set', last: { spec: {} }, next: { spec: { paused: true } }, live: { spec: { replicas: 5 } }, patch: { spec: { paused: true } } },
    { name: 'takes away what was applied and is no more', last: { spec: { replicas: 1, paused: true } }, next: { spec: { replicas: 1 } }, live: { spec: { replicas: 1, paused: true, minReadySeconds: 5 } }, patch: { spec: { paused: null } } },
    {
      name: 'changes one container by its name, and takes one away',
      last: spec([{ name: 'a', image: 'x' }, { name: 'b', image: 'y' }]),
      next: spec([{ name: 'a', image: 'z' }]),
      live: spec([{ name: 'a', image: 'x' }, { name: 'b', image: 'y' }, { name: 'injected', image: 'i' }]),
      patch: { spec: { template: { spec: { containers: [{ name: 'a', image: 'z' }, { $patch: 'delete', name: 'b' }], '$setElementOrder/containers': [{ name: 'a' }] } } } },
      merged: spec([{ name: 'a', image: 'z' }, { name: 'injected', image: 'i' }]),
    },
    {
      name: 'clears what belongs to another strategy',
      next: { spec: { strategy: { type: 'Recreate' } } }, live: { spec: { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1 } } } },
      patch: { spec: { strategy: { type: 'Recreate', $retainKeys: ['type'] } } }, merged: { spec: { strategy: { type: 'Recreate' } } },
    },
    { name: 'merges finalizers as a set', last: { metadata: { finalizers: ['a', 'b'] } }, next: { metadata: { finalizers: ['b', 'c'] } }, live: { metadata: { finalizers: ['a', 'b', 'x'] } },
      patch: { metadata: { '$deleteFromPrimitiveList/finalizers': ['a'], finalizers: ['c'], '$setElementOrder/finalizers': ['b', 'c'] } } },
    { name: 'replaces lists that do not merge', next: spec([{ name: 'a', args: ['2'] }]), live: spec([{ name: 'a', args: ['1'], image: 'x' }]),
      patch: { spec: { template: { spec: { containers: [{ name: 'a', args: ['2'] }], '$setElementOrder/containers': [{ name: 'a' }] } } } } },
  ]
  it.each(cases)('$name', ({ last, next, live, patch, merged }) => {
    const made = threeWayPatch({ last, next, live }, deployment)
    expect(made).toEqual(patch)
    if (merged !== undefined) expect(mergeStrategically(live, made, deployment).merged).toEqual(merged)
  })

  it('is a plain merge patch for kinds without a definition: lists go as a whole', () => {
    const live = { spec: { list: [{ name: 'a' }, { name: 'b' }], kept: 1, gone: 2 } }
    expect(threeWayPatch({ last: { spec: { gone: 2 } }, next: { spec: { list: [{ name: 'a' }] } }, live }, undefined)).toEqual({ spec: { list: [{ name: 'a' }], gone: null } })
  })
})
