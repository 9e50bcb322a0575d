/**
 * The claims of a pod: those that it names, and those that its ephemeral volumes make (k8s.io/component-helpers/storage/ephemeral).
 * And whether it still may use them. Pure; shared by controllers, scheduler and kubelet.
 */
import { controllerOf, isBeingDeleted } from '../meta.ts'
import type { ContainerStatus, PersistentVolumeClaim, Pod, Volume } from '../schema/types.ts'
import { isPodTerminal } from './podstate.ts'

export interface PodClaim {
  readonly volume: Readonly<Volume>
  readonly name: string
  /** Made for this pod: a claim of that name may be somebody else's. */
  readonly ephemeral: boolean
  readonly readOnly: boolean
}

export function podClaims(pod: Readonly<Pod>): readonly PodClaim[] {
  return (pod.spec?.volumes ?? []).flatMap((volume): PodClaim[] => {
    const { persistentVolumeClaim: source } = volume
    if (source !== undefined) return [{ volume, name: source.claimName, ephemeral: false, readOnly: source.readOnly === true }]
    return volume.ephemeral === undefined ? [] : [{ volume, name: ephemeralClaimName(pod, volume), ephemeral: true, readOnly: false }]
  })
}

export function ephemeralClaimName(pod: Readonly<Pod>, volume: Readonly<Volume>): string {
  return `${pod.metadata.name}-${volume.name}`
}

/** Index of pods by the keys of their claims. */
export const podClaimIndex = 'claims'

export function podClaimKeys(pod: Readonly<Pod>): readonly string[] {
  return podClaims(pod).map(({ name }) => `${pod.metadata.namespace}/${name}`)
}

/** Why the claim is not the one of an ephemeral volume of the pod. */
export function foreignClaim(pod: Readonly<Pod>, claim: Readonly<PersistentVolumeClaim>): string | undefined {
  const isOwn = claim.metadata.namespace === pod.metadata.namespace && controllerOf(claim)?.uid === pod.metadata.uid
  return isOwn ? undefined : `PVC ${claim.metadata.namespace}/${claim.metadata.name} was not created for pod ${pod.metadata.namespace}/${pod.metadata.name} (pod is not owner)`
}

/** Nothing of it runs any more (IsPodTerminated of pkg/volume/util). */
export function isPodStopped(pod: Readonly<Pod>): boolean {
  if (isPodTerminal(pod)) return true
  const { initContainerStatuses = [], containerStatuses = [], ephemeralContainerStatuses = [] } = pod.status ?? {}
  return isBeingDeleted(pod) && [...initContainerStatuses, ...containerStatuses, ...ephemeralContainerStatuses].every(isDown)
}

function isDown({ state }: Readonly<ContainerStatus>): boolean {
  return state?.terminated !== undefined || state?.waiting !== undefined
}
