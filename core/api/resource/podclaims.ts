/**
 * Which ResourceClaims a pod has, and whether a claim is the pod's: shared by the controllers and the scheduler
 * (k8s.io/dynamic-resource-allocation/resourceclaim).
 */
import { controllerOf } from '../meta.ts'
import type { Pod, PodResourceClaim, ResourceClaim, ResourceClaimConsumerReference } from '../schema/types.ts'

/** Keeps a claim that is allocated. */
export const claimFinalizer = 'resource.kubernetes.io/delete-protection'
/** On claims that were made from a template: the pod's name for it. */
export const podClaimAnnotation = 'resource.kubernetes.io/pod-claim-name'
/** On claims that the scheduler makes for extended resources: "true". */
export const extendedClaimAnnotation = 'resource.kubernetes.io/extended-resource-claim'

/** `made`: from a template, so that it must be the pod's own. */
export type ClaimName =
  | { readonly name: string; readonly made: boolean }
  /** It was found that no claim is needed. */
  | { readonly name: undefined }
  /** There is none yet, or it cannot be known; in upstream's words. */
  | { readonly problem: string; readonly missing: boolean }

export function claimNameOf(pod: Readonly<Pod>, { name, resourceClaimName, resourceClaimTemplateName }: Readonly<PodResourceClaim>): ClaimName {
  const where = `pod "${pod.metadata.namespace}/${pod.metadata.name}"`
  if (resourceClaimName !== undefined) return { name: resourceClaimName, made: false }
  if (resourceClaimTemplateName === undefined) return { problem: `${where}, spec.resourceClaim "${name}": none of the supported fields are set`, missing: false }
  const status = pod.status?.resourceClaimStatuses?.find((each) => each.name === name)
  if (status === undefined) return { problem: `${where}: ResourceClaim not created yet`, missing: true }
  return status.resourceClaimName === undefined ? { name: undefined } : { name: status.resourceClaimName, made: true }
}

/** Names of all claims that are known, that of extended resources too. */
export function claimNamesOf(pod: Readonly<Pod>): readonly string[] {
  const named = (pod.spec?.resourceClaims ?? []).flatMap((claim) => {
    const found = claimNameOf(pod, claim)
    return 'problem' in found || found.name === undefined ? [] : [found.name]
  })
  const extended = pod.status?.extendedResourceClaimStatus?.resourceClaimName
  return extended === undefined ? named : [...named, extended]
}

/** Why the claim was not made for this pod; undefined: it was. */
export function notForPod(pod: Readonly<Pod>, claim: Readonly<ResourceClaim>): string | undefined {
  const [mine, theirs] = [`Pod ${pod.metadata.namespace}/${pod.metadata.name}`, `ResourceClaim ${claim.metadata.namespace}/${claim.metadata.name}`]
  if (claim.metadata.namespace !== pod.metadata.namespace) return `${theirs} is not in the same namespace as ${mine}`
  return controllerOf(claim)?.uid === pod.metadata.uid ? undefined : `${theirs} was not created for ${mine} (Pod is not owner)`
}

export function isReservedFor(pod: Readonly<Pod>, claim: Readonly<ResourceClaim>): boolean {
  return claim.status?.reservedFor?.some(({ uid }) => uid === pod.metadata.uid) ?? false
}

export function consumerOf({ metadata: { name = '', uid = '' } }: Readonly<Pod>): ResourceClaimConsumerReference {
  return { resource: 'pods', name, uid }
}

/** Whether it is certain that no container of the pod runs, or ever will. */
export function isPodDone({ metadata, spec, status }: Readonly<Pod>): boolean {
  return status?.phase === 'Succeeded' || status?.phase === 'Failed' || (metadata.deletionTimestamp !== undefined && (spec?.nodeName ?? '') === '')
}
