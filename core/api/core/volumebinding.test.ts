/** Which volume a claim gets. */
import { describe, expect, it } from 'vitest'
import { claimOf, onLabel, volumeOf } from '../../../test/support/storage.ts'
import type { Node, PersistentVolume } from '../schema/types.ts'
import { boundTo, matchingVolume, misfit, type Match } from './volumebinding.ts'

const free = (name: string, spec: Parameters<typeof volumeOf>[1] = {}, metadata: Parameters<typeof volumeOf>[2] = {}): PersistentVolume => ({ ...volumeOf(name, spec, metadata), status: { phase: 'Available' } })
const node: Node = { metadata: { name: 'n', labels: { zone: 'a' } } }
const claim = claimOf('c', {}, { uid: 'u' })

describe('matchingVolume', () => {
  it.each<readonly [string, readonly PersistentVolume[], Match, string | undefined]>([
    ['the smallest', [free('big', { capacity: { storage: '3Gi' } }), free('small')], {}, 'small'],
    ['the first of one size', [free('a'), free('b')], {}, 'a'],
    ['none that is too small', [free('a', { capacity: { storage: '1Mi' } })], {}, undefined],
    ['none that is not ready', [volumeOf('a')], {}, undefined],
    ['none that goes', [free('a', {}, { deletionTimestamp: '2026-01-01T00:00:00Z' })], {}, undefined],
    ['none of another class', [free('a', { storageClassName: 'x' })], {}, undefined],
    ['none of other attributes', [free('a', { volumeAttributesClassName: 'x' })], {}, undefined],
    ['none of another mode', [free('a', { volumeMode: 'Block' })], {}, undefined],
    ['none without its access mode', [free('a', { accessModes: ['ReadOnlyMany'] })], {}, undefined],
    ['none that is taken', [free('a'), free('b')], { taken: new Set(['a']) }, 'b'],
    ['none of somebody else', [free('a', { claimRef: { namespace: 'default', name: 'other' } })], {}, undefined],
    ['none of the claim of that name that was before', [free('a', { claimRef: { namespace: 'default', name: 'c', uid: 'old' } })], {}, undefined],
    ['the one that is kept for it, before any smaller one', [free('a'), free('kept', { capacity: { storage: '9Gi' }, claimRef: { namespace: 'default', name: 'c' } })], {}, 'kept'],
    ['only the one that is kept for it', [free('a')], { preboundOnly: true }, undefined],
    ['one that the node reaches', [free('far', onLabel('zone', 'b')), free('near', onLabel('zone', 'a'))], { node }, 'near'],
    ['none, where the one that is kept for it cannot be reached', [free('a'), free('kept', { claimRef: { namespace: 'default', name: 'c' }, ...onLabel('zone', 'b') })], { node }, undefined],
  ])('%s', (_, volumes, match, want) => {
    expect(matchingVolume(claim, volumes, match)?.metadata.name).toBe(want)
  })

  it('by the labels that the claim asks for', () => {
    const picky = claimOf('c', { selector: { matchLabels: { tier: 'gold' } } })
    expect(matchingVolume(picky, [free('a'), free('b', {}, { labels: { tier: 'gold' } })])?.metadata.name).toBe('b')
  })
})

describe('boundTo', () => {
  it('a volume that the user kept for the claim gets the uid alone', () => {
    const kept = volumeOf('v', { claimRef: { namespace: 'default', name: 'c' } })
    const bound = boundTo(kept, claim)
    expect(bound?.spec?.claimRef).toMatchObject({ name: 'c', uid: 'u' })
    expect(bound?.metadata.annotations).toBeUndefined()
    expect(boundTo(bound ?? kept, claim)).toBeUndefined()
  })
})

describe('misfit', () => {
  it('a volume that goes', () => {
    expect(misfit(free('v', {}, { deletionTimestamp: '2026-01-01T00:00:00Z' }), claim)).toBe('the volume is marked for deletion "v"')
  })
})
