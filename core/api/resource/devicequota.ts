/** How many devices a ResourceClaim may come to have of each class, as quotas count them: the most that its alternatives can (pkg/quota/v1/evaluator/core/resource_claims.go). */
import type { DeviceSubRequest, ExactDeviceRequest, ResourceClaim } from '../schema/types.ts'

/** `gpus.deviceclass.resource.k8s.io/devices` */
export const devicesSuffix = '.deviceclass.resource.k8s.io/devices'

/** Nobody knows how many "all" are; more than these no claim can have. */
const devicesMax = 32

/** By names of quotas. */
export function devicesUsed({ spec }: Readonly<ResourceClaim>): Readonly<Record<string, string>> {
  const total = new Map<string, number>()
  for (const { exactly, firstAvailable = [] } of spec.devices?.requests ?? []) {
    const most = new Map<string, number>()
    for (const ask of firstAvailable.length > 0 || exactly === undefined ? firstAvailable : [exactly]) most.set(ask.deviceClassName, Math.max(most.get(ask.deviceClassName) ?? 0, countOf(ask)))
    for (const [name, count] of most) total.set(name, (total.get(name) ?? 0) + count)
  }
  return Object.fromEntries([...total].map(([name, count]) => [`${name}${devicesSuffix}`, String(count)]))
}

function countOf({ allocationMode, count = 0 }: Readonly<ExactDeviceRequest | DeviceSubRequest>): number {
  if (allocationMode === 'All') return devicesMax
  return allocationMode === 'ExactCount' ? count : 0
}
