/** Quotas count the devices that a claim may come to have. */
import { expect, it } from 'vitest'
import { resourcesOfKind, usageOf } from '../core/quota.ts'
import type { DeviceRequest, ResourceClaim } from '../schema/types.ts'
import { resourceClaims } from './resourceclaim.ts'

const ask = (deviceClassName: string, count: number) => ({ deviceClassName, allocationMode: 'ExactCount', count })
const claim = (requests: DeviceRequest[]): ResourceClaim => ({ metadata: { name: 'c' }, spec: { devices: { requests } } })
const one = { 'count/resourceclaims.resource.k8s.io': '1' }

it.each([
  ['nothing', [], {}],
  ['two requests of a class', [{ name: 'a', exactly: ask('gpus', 2) }, { name: 'b', exactly: ask('gpus', 1) }, { name: 'c', exactly: ask('nics', 1) }], { gpus: '3', nics: '1' }],
  ['all', [{ name: 'a', exactly: { deviceClassName: 'gpus', allocationMode: 'All' } }], { gpus: '32' }],
  ['the most of alternatives', [{ name: 'a', firstAvailable: [{ name: 'x', ...ask('gpus', 1) }, { name: 'y', ...ask('gpus', 4) }, { name: 'z', ...ask('nics', 2) }] }, { name: 'b', exactly: ask('gpus', 1) }], { gpus: '5', nics: '2' }],
] as const)('%s', (_, requests, devices) => {
  const want = Object.fromEntries(Object.entries(devices).map(([name, count]) => [`${name}.deviceclass.resource.k8s.io/devices`, count]))
  expect(usageOf(resourceClaims, claim(requests as unknown as DeviceRequest[]), 0)).toEqual({ ...one, ...want })
})

it('a quota of devices looks at claims', () => {
  const names = ['gpus.deviceclass.resource.k8s.io/devices', 'count/resourceclaims.resource.k8s.io', 'pods']
  expect(resourcesOfKind(resourceClaims, names)).toEqual(names.slice(0, 2))
})
