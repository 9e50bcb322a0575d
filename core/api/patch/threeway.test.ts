import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parseApiVersion, type AnyObject } from '../meta.ts'
import { definitionOf } from '../schema/schema.ts'
import { appliedText, lastAppliedAnnotation } from './lastapplied.ts'
import { mergeStrategically } from './strategic.ts'
import { threeWayPatch } from './threeway.ts'
import type { JsonMap } from './value.ts'

const deployment = definitionOf('apps', 'v1', 'Deployment')

const spec = (containers: readonly object[], more: object = {}): JsonMap => ({ spec: { template: { spec: { containers } }, ...more } })

interface Golden {
  readonly live: AnyObject
  readonly next: AnyObject
  readonly patch: AnyObject
}

const goldens = readFileSync(new URL('../../../test/golden/patch/threeway.jsonl', import.meta.url), 'utf8').trim().split('\n').map((line) => JSON.parse(line) as Golden)

/** The annotation notes what is applied, and has a test of its own. */
function withoutNote(patch: AnyObject): unknown {
  const { [lastAppliedAnnotation]: _note, ...annotations } = patch.metadata.annotations ?? {}
  return { ...patch, metadata: { ...patch.metadata, annotations } }
}

describe('threeWayPatch()', () => {
  it.each(goldens.map((golden) => [golden.live.kind, golden] as const))('is what kubectl v1.36 sends for a %s', (_, { live, next, patch }) => {
    const { group, version } = parseApiVersion(next.apiVersion ?? '')
    const last = JSON.parse(live.metadata.annotations?.[lastAppliedAnnotation] ?? '') as JsonMap
    const noted = { ...next, metadata: { ...next.metadata, annotations: { ...next.metadata.annotations, [lastAppliedAnnotation]: appliedText(next) } } }
    const made = threeWayPatch({ last, next: noted, live: live as unknown as JsonMap }, definitionOf(group, version, next.kind ?? ''))
    expect(withoutNote(made as unknown as AnyObject)).toEqual(withoutNote(patch))
  })

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
