/** What the scheduler knows of claims beyond what its informer shows. */
import { describe, expect, it } from 'vitest'
import { Cache } from '../../client/lister.ts'
import { virtualClock } from '../../lib/clock.ts'
import type { AllocationResult, Pod, ResourceClaim } from '../../api/schema/types.ts'
import { Claims, claimsOfPod } from './claims.ts'

const allocation = (device: string, more: object = {}): AllocationResult => ({ devices: { results: [{ request: 'r', driver: 'd', pool: 'p', device, ...more }] } })
const claim = (resourceVersion: number, more: Partial<ResourceClaim> = {}, uid = 'u'): ResourceClaim => ({ metadata: { name: 'c', namespace: 'ns', uid, resourceVersion: String(resourceVersion) }, spec: {}, ...more })
const key = { namespace: 'ns', name: 'c' }

function lab(...shown: ResourceClaim[]): { claims: Claims; cache: Cache<ResourceClaim>; clock: ReturnType<typeof virtualClock> } {
  const [cache, clock] = [new Cache<ResourceClaim>(), virtualClock()]
  for (const each of shown) cache.put(each)
  return { claims: new Claims(cache, clock), cache, clock }
}

describe('Claims', () => {
  it('what was written counts until the informer has caught up', () => {
    const { claims, cache } = lab(claim(1))
    claims.assume(claim(3, { status: { allocation: allocation('x') } }))
    cache.put(claim(2))
    expect(claims.get(key)?.metadata.resourceVersion).toBe('3')
    expect([...claims.inUse().whole]).toEqual(['d/p/x'])
    cache.put(claim(4))
    expect(claims.get(key)?.metadata.resourceVersion).toBe('4')
    expect(claims.inUse().whole.size).toBe(0)
  })

  it('what went, or came again under its name, is not what was written', () => {
    const { claims, cache } = lab(claim(1))
    claims.assume(claim(3))
    cache.put(claim(2, {}, 'other'))
    expect(claims.get(key)?.metadata.uid).toBe('other')
    claims.assume(claim(5, {}, 'other'))
    cache.remove('ns/c')
    expect(claims.get(key)).toBeUndefined()
  })

  it('what was created is there before it is shown, and not for ever', async () => {
    const { claims, clock } = lab()
    claims.assume(claim(3))
    expect(claims.list()).toHaveLength(1)
    await clock.advance(200_000)
    expect(claims.list()).toHaveLength(0)
  })

  it('devices count as taken from the decision on; shares add up; admin access takes nothing', () => {
    const share = (shareID: string): AllocationResult => allocation('s', { shareID, consumedCapacity: { memory: '1Gi' } })
    const { claims } = lab(claim(1, { status: { allocation: share('a') } }))
    claims.takeOff('v', allocation('x'))
    claims.takeOff('w', share('b'))
    claims.takeOff('a', allocation('y', { adminAccess: true }))
    const { whole, shared } = claims.inUse()
    expect([...whole]).toEqual(['d/p/x'])
    expect(shared.get('d/p/s')?.get('memory')?.unscaled).toBe(2n * 1024n ** 3n)
    claims.land('v')
    expect([claims.isInFlight('v'), claims.isInFlight('w'), claims.inUse().whole.size]).toEqual([false, true, 0])
  })
})

describe('claimsOfPod()', () => {
  const pod = (status: Pod['status'] = {}, byTemplate = true): Pod => ({ metadata: { name: 'p', namespace: 'ns', uid: 'pod' }, spec: { containers: [], resourceClaims: [{ name: 'r', ...(byTemplate ? { resourceClaimTemplateName: 't' } : { resourceClaimName: 'c' }) }] }, status })
  const named = { resourceClaimStatuses: [{ name: 'r', resourceClaimName: 'c' }] }
  const own = { metadata: { ...claim(1).metadata, ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'p', uid: 'pod', controller: true }] } }
  it.each([
    ['its own', pod({}, false), claim(1), 1],
    ['made for it', pod(named), claim(1, own), 1],
    ['not needed', pod({ resourceClaimStatuses: [{ name: 'r' }] }), claim(1), 0],
    ['not told yet', pod(), claim(1), 'pod "ns/p": ResourceClaim not created yet'],
    ['not there', pod({}, false), undefined, 'could not find ResourceClaim "ns/c"'],
    ['going', pod({}, false), claim(1, { metadata: { ...claim(1).metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } }), 'resourceclaim "c" is being deleted'],
    ['made for another', pod(named), claim(1), 'ResourceClaim ns/c was not created for Pod ns/p (Pod is not owner)'],
  ])('%s', (_, of, shown, want) => {
    const found = claimsOfPod(of, lab(...(shown === undefined ? [] : [shown])).claims)
    expect('problem' in found ? found.problem : found.claims.length).toBe(want)
  })
})
