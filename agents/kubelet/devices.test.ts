/** A pod whose claims have devices does not start without them, and says for which driver it waits. */
import { describe, expect, it } from 'vitest'
import { testApi } from '../../test/support/api.ts'
import { pods } from '../../core/api/core/pod.ts'
import { resourceClaims } from '../../core/api/resource/resourceclaim.ts'
import type { AllocationResult, Pod, PodResourceClaim } from '../../core/api/schema/types.ts'
import { devicesProblem } from './devices.ts'

const device: AllocationResult = { devices: { results: [{ request: 'r', driver: 'd.example.com', pool: 'p', device: 'x' }] } }

async function problem(claims: readonly PodResourceClaim[], options: { readonly allocation?: AllocationResult; readonly reserve?: boolean; readonly status?: Pod['status'] } = {}): Promise<string | undefined> {
  const api = await testApi()
  const { status } = options
  const pod = await api.create(pods, { metadata: { name: 'p', namespace: 'default' }, spec: { nodeName: 'n', containers: [{ name: 'c', image: 'i' }], resourceClaims: [...claims] } })
  await api.create(resourceClaims, { metadata: { name: 'card', namespace: 'default' }, spec: { devices: { requests: [{ name: 'r', exactly: { deviceClassName: 'c' } }] } } })
  if (options.allocation !== undefined) {
    const { allocation, reserve } = options
    const reservedFor = reserve === false ? [] : [{ resource: 'pods', name: 'p', uid: pod.metadata.uid ?? '' }]
    await api.change(resourceClaims, 'card', (mine) => (mine.status = { allocation, reservedFor }), { subresource: 'status' })
  }
  const found = await devicesProblem(api.ctx, api.client, status === undefined ? pod : { ...pod, status })
  await api.stop()
  return found?.replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'UID')
}

const card: PodResourceClaim = { name: 'card', resourceClaimName: 'card' }

describe('devicesProblem()', () => {
  it.each([
    ['no claims', [], {}, undefined],
    ['a claim with a device', [card], { allocation: device }, 'DRA driver d.example.com is not registered'],
    ['a claim that needs none', [card], { allocation: { devices: { results: [] } } }, undefined],
    ['a claim of others', [card], { allocation: device, reserve: false }, 'pod p (UID) is not allowed to use ResourceClaim card (UID)'],
    ['a claim that is gone', [{ ...card, resourceClaimName: 'gone' }], {}, 'fetch ResourceClaim gone: resourceclaims.resource.k8s.io "gone" not found'],
    ['a claim that is not made yet', [{ name: 'card', resourceClaimTemplateName: 't' }], {}, 'pod "default/p": ResourceClaim not created yet'],
    ['a claim that was found not to be needed', [{ name: 'card', resourceClaimTemplateName: 't' }], { status: { resourceClaimStatuses: [{ name: 'card' }] } }, undefined],
    ['extended resources', [], { allocation: device, status: { extendedResourceClaimStatus: { resourceClaimName: 'card', requestMappings: [] } } }, 'DRA driver d.example.com is not registered'],
  ] as const)('%s', async (_, claims, options, want) => {
    expect(await problem(claims, options as Parameters<typeof problem>[1])).toBe(want)
  })
})
