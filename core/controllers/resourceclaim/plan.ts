/** What is to be done about the claims of pods: names, objects, decisions. Pure. */
import { controllerOf } from '../../api/meta.ts'
import { claimFinalizer, isPodDone, podClaimAnnotation } from '../../api/resource/podclaims.ts'
import type { OwnerReference, Pod, PodResourceClaim, ResourceClaim, ResourceClaimConsumerReference, ResourceClaimTemplate } from '../../api/schema/types.ts'

/** Leaves room for what the API adds to names. */
const baseMax = 57

/** Begins with the names of pod and claim; where they are too long, with a piece of each. */
function generateName(pod: string, claim: string): string {
  const whole = `${pod}-${claim}-`
  if (whole.length <= baseMax) return whole
  const piece = (of: string): string => of.slice(0, Math.floor((of.length * baseMax) / whole.length))
  return `${piece(pod)}-${piece(claim)}`
}

export function claimFrom(template: Readonly<ResourceClaimTemplate>, pod: Readonly<Pod>, { name }: Readonly<PodResourceClaim>): ResourceClaim {
  const { labels, annotations } = template.spec.metadata ?? {}
  const { namespace = '', name: podName = '', uid = '' } = pod.metadata
  return {
    metadata: {
      generateName: generateName(podName, name),
      namespace,
      ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: podName, uid, controller: true }],
      annotations: { ...annotations, [podClaimAnnotation]: name },
      ...(labels === undefined ? {} : { labels: { ...labels } }),
    },
    spec: structuredClone(template.spec.spec) as ResourceClaim['spec'],
  }
}

/** The pod that the claim was made for. */
export function owningPod(claim: Readonly<ResourceClaim>): OwnerReference | undefined {
  const owner = controllerOf(claim)
  return owner?.apiVersion === 'v1' && owner.kind === 'Pod' ? owner : undefined
}

export const isPodReference = ({ apiGroup = '', resource }: Readonly<ResourceClaimConsumerReference>): boolean => apiGroup === '' && resource === 'pods'

/** Whether the pod, as it is known, still is who the claim is reserved for, and may run. */
export function stillNeeds({ uid }: Readonly<ResourceClaimConsumerReference>, pod: Readonly<Pod>): boolean {
  return pod.metadata.uid === uid && !isPodDone(pod)
}

export interface Release {
  /** Who keeps it; undefined: as it is. */
  readonly reservedFor?: readonly ResourceClaimConsumerReference[]
  readonly deallocate: boolean
  /** The finalizer has no use any more. */
  readonly unprotect: boolean
}

/**
 * The last who leaves takes the allocation along, so that the next one may get another node and others the devices. A claim that
 * nobody used yet keeps it, unless the claim goes.
 */
export function release({ metadata, status }: Readonly<ResourceClaim>, remaining: readonly ResourceClaimConsumerReference[]): Release | undefined {
  const isProtected = metadata.finalizers?.includes(claimFinalizer) === true
  const last = remaining.length === 0
  if (remaining.length < (status?.reservedFor ?? []).length) {
    const deallocate = last && isProtected
    return { reservedFor: remaining, deallocate, unprotect: isProtected && (deallocate || status?.allocation === undefined) }
  }
  if (!isProtected || metadata.deletionTimestamp === undefined || !last) return undefined
  return { deallocate: status?.allocation !== undefined, unprotect: true }
}
