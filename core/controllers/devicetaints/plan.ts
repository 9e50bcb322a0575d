/**
 * When pods must leave because of taints on their devices (pkg/controller/devicetainteviction, without DeviceTaintRules, which
 * are not served). Pure.
 */
import { claimNameOf, isReservedFor, notForPod } from '../../api/resource/podclaims.ts'
import { toleratesTaint } from '../../api/resource/tolerations.ts'
import type { Device, DeviceRequestAllocationResult, DeviceTaint, DeviceToleration, Pod, ResourceClaim, ResourceSlice } from '../../api/schema/types.ts'
import { parseTime } from '../../api/time.ts'

export const poolKey = (driver: string, pool: string): string => `${driver}/${pool}`

/** The device, in the newest generation of the pool's slices. */
export function deviceIn(slices: readonly Readonly<ResourceSlice>[], name: string): Readonly<Device> | undefined {
  const newest = Math.max(...slices.map(({ spec }) => spec.pool.generation))
  return slices.filter(({ spec }) => spec.pool.generation === newest).flatMap(({ spec }) => spec.devices ?? []).find((device) => device.name === name)
}

/** When a claim's pods must leave, in ms since the epoch; Infinity: they may stay. */
export function claimDueMs({ status }: Readonly<ResourceClaim>, deviceOf: (result: Readonly<DeviceRequestAllocationResult>) => Readonly<Device> | undefined): number {
  const results = status?.allocation?.devices?.results ?? []
  return Math.min(Infinity, ...results.flatMap((result) =>
    (deviceOf(result)?.taints ?? []).filter(({ effect }) => effect === 'NoExecute').map((taint) => taintDueMs(taint, result.tolerations ?? []))))
}

/** Counted from when the taint came. Of the tolerations that say for how long the shortest holds. */
function taintDueMs(taint: Readonly<DeviceTaint>, tolerations: readonly Readonly<DeviceToleration>[]): number {
  const mine = tolerations.filter((toleration) => toleration.effect === 'NoExecute' && toleratesTaint(toleration, taint))
  if (mine.some(({ tolerationSeconds }) => tolerationSeconds === undefined)) return Infinity
  const seconds = mine.map(({ tolerationSeconds }) => Math.max(0, tolerationSeconds ?? 0))
  const since = taint.timeAdded === undefined ? undefined : parseTime(taint.timeAdded)
  return since === undefined ? Infinity : since + (seconds.length === 0 ? 0 : Math.min(...seconds)) * 1_000
}

/** The claims of a pod that has a node, as far as they are really its own. */
export function claimsInUse(pod: Readonly<Pod>, claimAt: (name: string) => Readonly<ResourceClaim> | undefined): readonly Readonly<ResourceClaim>[] {
  if ((pod.spec?.nodeName ?? '') === '') return []
  return (pod.spec?.resourceClaims ?? []).flatMap((podClaim) => {
    const known = claimNameOf(pod, podClaim)
    const claim = 'problem' in known || known.name === undefined ? undefined : claimAt(known.name)
    if (claim === undefined || 'problem' in known || (known.name !== undefined && known.made && notForPod(pod, claim) !== undefined)) return []
    return isReservedFor(pod, claim) ? [claim] : []
  })
}
