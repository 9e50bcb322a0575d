/** A device is one claim's at a time. */
import type { Pod, ResourceClaim, ResourceSlice } from '../../../core/api/schema/types.ts'
import type { History } from '../history.ts'
import type { Invariant } from '../invariant.ts'

const prefix = 'resource.k8s.io/resourceclaims'

export const oneClaimADevice: Invariant = {
  name: 'a device is allocated to one claim',
  begin: ({ history }) => ({
    after(happened) {
      if (happened.prefix !== prefix || happened.type === 'deleted') return undefined
      const mine = new Set(devicesOf(happened.object as ResourceClaim))
      if (mine.size === 0) return undefined
      for (const [key, other] of history.all<ResourceClaim>(prefix)) {
        const twice = key === happened.key ? undefined : devicesOf(other).find((device) => mine.has(device))
        if (twice !== undefined) return `${twice} is of ${key} and of ${happened.key}`
      }
      return undefined
    },
  }),
}

function devicesOf(claim: Readonly<ResourceClaim>): readonly string[] {
  return (claim.status?.allocation?.devices?.results ?? []).map(({ driver, pool, device }) => `${driver}/${pool}/${device}`)
}

/** Whether the node has no device left for a pod that wants one; what its claims have already must be there. */
export function lacksDevices(history: History, pod: Readonly<Pod>, node: string): boolean {
  if ((pod.spec?.resourceClaims ?? []).length === 0) return false
  const claims = [...history.all<ResourceClaim>(prefix).values()]
  const mine = claims.filter(({ metadata }) => metadata.ownerReferences?.some(({ uid }) => uid === pod.metadata.uid) === true)
  const held = mine.flatMap(({ status }) => status?.allocation?.devices?.results ?? [])
  if (held.length > 0) return held.some(({ pool }) => pool !== node)
  const taken = new Set(claims.flatMap(devicesOf))
  const slices = [...history.all<ResourceSlice>('resource.k8s.io/resourceslices').values()].filter(({ spec }) => spec.nodeName === node)
  return slices.every(({ spec }) => (spec.devices ?? []).every(({ name }) => taken.has(`${spec.driver}/${spec.pool.name}/${name}`)))
}
