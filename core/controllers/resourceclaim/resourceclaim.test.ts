/** Claims come from templates, are kept for who needs them, and go with them. */
import { describe, expect, it } from 'vitest'
import { testCluster, type TestCluster, type TestClusterOptions } from '../../../test/support/controllers.ts'
import { events } from '../../api/core/event.ts'
import { pods } from '../../api/core/pod.ts'
import { claimFinalizer } from '../../api/resource/podclaims.ts'
import { resourceClaims } from '../../api/resource/resourceclaim.ts'
import { resourceClaimTemplates } from '../../api/resource/resourceclaimtemplate.ts'
import type { Pod, PodResourceClaim, ResourceClaim, ResourceClaimTemplate } from '../../api/schema/types.ts'
import { garbageCollector } from '../garbage/garbage.ts'
import { claimFrom, release } from './plan.ts'
import { resourceClaimController } from './resourceclaim.ts'

const spec: ResourceClaim['spec'] = { devices: { requests: [{ name: 'gpu', exactly: { deviceClassName: 'gpus' } }] } }
const template: ResourceClaimTemplate = { metadata: { name: 'gpu', namespace: 'default' }, spec: { metadata: { labels: { a: 'b' }, annotations: { c: 'd' } }, spec } }
const allocation = { devices: { results: [{ request: 'gpu', driver: 'd.example.com', pool: 'p', device: 'x' }] } }
const fromTemplate: PodResourceClaim = { name: 'card', resourceClaimTemplateName: 'gpu' }

function podWith(name: string, resourceClaims: PodResourceClaim[], nodeName = ''): Pod {
  return { metadata: { name, namespace: 'default' }, spec: { ...(nodeName === '' ? {} : { nodeName }), containers: [{ name: 'c', image: 'i' }], resourceClaims } }
}

async function open(options: TestClusterOptions = {}) {
  const cluster = await testCluster([resourceClaimController, garbageCollector], { ready: () => false, ...options })
  return { ...cluster, [Symbol.asyncDispose]: () => cluster.stop() }
}

/** As the scheduler would. */
async function allocate(cluster: TestCluster, name: string, ...reservedFor: Readonly<Pod>[]): Promise<void> {
  await cluster.change(resourceClaims, name, (mine) => (mine.metadata.finalizers = [claimFinalizer]))
  await cluster.change(resourceClaims, name, (mine) => {
    mine.status = { allocation, reservedFor: reservedFor.map(({ metadata }) => ({ resource: 'pods', name: metadata.name ?? '', uid: metadata.uid ?? '' })) }
  }, { subresource: 'status' })
}

const claimOf = async (cluster: TestCluster, pod: string): Promise<string> => (await cluster.get(pods, pod))?.status?.resourceClaimStatuses?.[0]?.resourceClaimName ?? ''

describe('claims from templates', () => {
  it('a pod gets a claim of its own, and its status says which', async () => {
    await using cluster = await open()
    await cluster.create(resourceClaimTemplates, template)
    const pod = await cluster.create(pods, podWith('web', [fromTemplate, { name: 'other', resourceClaimTemplateName: 'gpu' }]))
    await cluster.settle()
    const claims = await cluster.list(resourceClaims)
    expect(claims.map(({ metadata }) => metadata.generateName)).toEqual(['web-card-', 'web-other-'])
    expect(claims[0]).toMatchObject({
      metadata: {
        labels: { a: 'b' }, annotations: { c: 'd', 'resource.kubernetes.io/pod-claim-name': 'card' },
        ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'web', uid: pod.metadata.uid, controller: true }],
      },
      spec: { devices: { requests: [{ name: 'gpu', exactly: { deviceClassName: 'gpus', allocationMode: 'ExactCount', count: 1 } }] } },
    })
    expect((await cluster.get(pods, 'web'))?.status?.resourceClaimStatuses).toEqual([
      { name: 'card', resourceClaimName: claims[0]?.metadata.name }, { name: 'other', resourceClaimName: claims[1]?.metadata.name },
    ])
    await cluster.writes()
    await cluster.settle(60_000)
    expect(await cluster.writes()).toBe(0)
  })

  it('it has the rights that it needs', async () => {
    await using cluster = await open({ rbac: true })
    await cluster.create(resourceClaimTemplates, template)
    const pod = await cluster.create(pods, podWith('web', [fromTemplate], 'n'))
    await cluster.settle()
    const name = await claimOf(cluster, 'web')
    await allocate(cluster, name)
    await cluster.settle()
    expect((await cluster.get(resourceClaims, name))?.status?.reservedFor).toEqual([{ resource: 'pods', name: 'web', uid: pod.metadata.uid }])
    await cluster.change(pods, 'web', (mine) => ((mine.status ??= {}).phase = 'Failed'), { subresource: 'status' })
    await cluster.settle()
    expect(await cluster.list(resourceClaims)).toEqual([])
  })

  it('a template that is missing is told, and waited for', async () => {
    await using cluster = await open()
    await cluster.create(pods, podWith('web', [fromTemplate]))
    await cluster.settle()
    const told = (await cluster.list(events, 'default')).find(({ reason }) => reason === 'FailedResourceClaimCreation')
    expect(told).toMatchObject({ type: 'Warning', source: { component: 'resource_claim' }, message: 'PodResourceClaim card: resource claim template "gpu": resourceclaimtemplate.resource.k8s.io "gpu" not found' })
    await cluster.create(resourceClaimTemplates, template)
    await cluster.settle()
    expect(await claimOf(cluster, 'web')).toMatch(/^web-card-/)
  })

  it('a claim that was deleted is made again', async () => {
    await using cluster = await open()
    await cluster.create(resourceClaimTemplates, template)
    await cluster.create(pods, podWith('web', [fromTemplate]))
    await cluster.settle()
    const first = await claimOf(cluster, 'web')
    await cluster.client.delete(cluster.ctx, resourceClaims, { namespace: 'default', name: first })
    await cluster.settle()
    const second = await claimOf(cluster, 'web')
    expect(second).not.toBe(first)
    expect((await cluster.list(resourceClaims)).map(({ metadata }) => metadata.name)).toEqual([second])
  })

  it('a claim that was made, and not told, is found', async () => {
    await using cluster = await open()
    const pod = await cluster.create(pods, podWith('web', [fromTemplate]))
    const orphan = await cluster.create(resourceClaims, claimFrom(template, pod, fromTemplate))
    await cluster.create(resourceClaimTemplates, template)
    await cluster.settle()
    expect(await claimOf(cluster, 'web')).toBe(orphan.metadata.name)
    expect(await cluster.list(resourceClaims)).toHaveLength(1)
  })

  it.each([
    ['short', 'card', 'short-card-'],
    ['p'.repeat(50), 'c'.repeat(20), `${'p'.repeat(39)}-${'c'.repeat(15)}`],
    ['p'.repeat(253), 'c'.repeat(63), `${'p'.repeat(45)}-${'c'.repeat(11)}`],
  ])('claimFrom() begins the name with %s and %s', (pod, name, want) => {
    expect(claimFrom(template, podWith(pod, []), { name }).metadata.generateName).toBe(want)
  })
})

describe('reservations', () => {
  it('a pod that came to its node without the scheduler is reserved for', async () => {
    await using cluster = await open()
    await cluster.create(resourceClaims, { metadata: { name: 'shared', namespace: 'default' }, spec })
    await allocate(cluster, 'shared')
    const pod = await cluster.create(pods, podWith('web', [{ name: 'card', resourceClaimName: 'shared' }], 'n'))
    await cluster.settle()
    expect((await cluster.get(resourceClaims, 'shared'))?.status?.reservedFor).toEqual([{ resource: 'pods', name: 'web', uid: pod.metadata.uid }])
  })

  it('who ends leaves, and the last one takes the allocation along', async () => {
    await using cluster = await open()
    await cluster.create(resourceClaims, { metadata: { name: 'shared', namespace: 'default' }, spec })
    const [a, b] = [await cluster.create(pods, podWith('a', [{ name: 'card', resourceClaimName: 'shared' }], 'n')), await cluster.create(pods, podWith('b', [{ name: 'card', resourceClaimName: 'shared' }], 'n'))]
    await allocate(cluster, 'shared', a, b)
    await cluster.change(pods, 'a', (mine) => ((mine.status ??= {}).phase = 'Succeeded'), { subresource: 'status' })
    await cluster.settle()
    const shared = await cluster.get(resourceClaims, 'shared')
    expect(shared?.status?.reservedFor?.map(({ name }) => name)).toEqual(['b'])
    expect(shared?.status?.allocation).toBeDefined()
    await cluster.client.delete(cluster.ctx, pods, { namespace: 'default', name: 'b' }, { gracePeriodSeconds: 0 })
    await cluster.settle()
    const left = await cluster.get(resourceClaims, 'shared')
    expect(left?.status?.allocation).toBeUndefined()
    expect(left?.status?.reservedFor).toBeUndefined()
    expect(left?.metadata.finalizers).toBeUndefined()
  })

  it('an allocation that nobody used yet stays; a claim that goes gives it back', async () => {
    await using cluster = await open()
    await cluster.create(resourceClaims, { metadata: { name: 'idle', namespace: 'default' }, spec })
    await allocate(cluster, 'idle')
    await cluster.settle()
    expect((await cluster.get(resourceClaims, 'idle'))?.status?.allocation).toBeDefined()
    await cluster.client.delete(cluster.ctx, resourceClaims, { namespace: 'default', name: 'idle' })
    await cluster.settle()
    expect(await cluster.get(resourceClaims, 'idle')).toBeUndefined()
  })

  it('a pod that nobody knows loses its place; one of another sort keeps it', async () => {
    await using cluster = await open()
    await cluster.create(resourceClaims, { metadata: { name: 'c', namespace: 'default' }, spec })
    await allocate(cluster, 'c')
    await cluster.change(resourceClaims, 'c', (mine) => {
      mine.status = { ...mine.status, reservedFor: [{ resource: 'pods', name: 'ghost', uid: 'g' }, { apiGroup: 'example.com', resource: 'things', name: 't', uid: 't' }] }
    }, { subresource: 'status' })
    await cluster.settle()
    expect((await cluster.get(resourceClaims, 'c'))?.status?.reservedFor?.map(({ name }) => name)).toEqual(['t'])
  })

  it('the claim that was made for a pod goes when the pod is done, that of extended resources too', async () => {
    await using cluster = await open()
    await cluster.create(resourceClaimTemplates, template)
    const pod = await cluster.create(pods, podWith('web', [fromTemplate], 'n'))
    await cluster.settle()
    const owned = claimFrom(template, pod, { name: 'x' })
    await cluster.create(resourceClaims, { ...owned, metadata: { ...owned.metadata, name: 'extended', annotations: { 'resource.kubernetes.io/extended-resource-claim': 'true' } } })
    await cluster.change(pods, 'web', (mine) => ((mine.status ??= {}).extendedResourceClaimStatus = { resourceClaimName: 'extended', requestMappings: [] }), { subresource: 'status' })
    await allocate(cluster, await claimOf(cluster, 'web'), pod)
    await allocate(cluster, 'extended', pod)
    await cluster.change(pods, 'web', (mine) => ((mine.status ??= {}).phase = 'Succeeded'), { subresource: 'status' })
    await cluster.settle()
    expect(await cluster.list(resourceClaims)).toEqual([])
  })
})

describe('release()', () => {
  const user = { resource: 'pods', name: 'a', uid: 'a' }
  const claim = (more: Partial<ResourceClaim['metadata']>, status: ResourceClaim['status'] = { allocation, reservedFor: [user] }): ResourceClaim => ({ metadata: { name: 'c', finalizers: [claimFinalizer], ...more }, spec, status })
  it.each([
    ['all stay', claim({}), [user], undefined],
    ['the last leaves', claim({}), [], { reservedFor: [], deallocate: true, unprotect: true }],
    ['one of two leaves', claim({}, { allocation, reservedFor: [user, { ...user, uid: 'b' }] }), [user], { reservedFor: [user], deallocate: false, unprotect: false }],
    ['somebody else allocated it', claim({ finalizers: [] }), [], { reservedFor: [], deallocate: false, unprotect: false }],
    ['it goes, and nobody uses it', claim({ deletionTimestamp: '2026-01-01T00:00:00Z' }, { allocation }), [], { deallocate: true, unprotect: true }],
    ['it goes, and was never allocated', claim({ deletionTimestamp: '2026-01-01T00:00:00Z' }, {}), [], { deallocate: false, unprotect: true }],
    ['it goes, and is used', claim({ deletionTimestamp: '2026-01-01T00:00:00Z' }), [user], undefined],
  ] as const)('%s', (_, of, remaining, want) => {
    expect(release(of, remaining)).toEqual(want)
  })
})
