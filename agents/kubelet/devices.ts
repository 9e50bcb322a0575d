/**
 * Devices that a pod's ResourceClaims got: who runs without them runs half. Drivers make them ready on a node, and this kubelet takes
 * none in: a pod whose claims have devices waits, and says for whom, as upstream's does where the driver has not come yet
 * (pkg/kubelet/cm/dra/manager.go, prepareResources).
 */
import type { Pod, PodResourceClaim } from '../../core/api/schema/types.ts'
import { claimNameOf, isReservedFor, notForPod } from '../../core/api/resource/podclaims.ts'
import { resourceClaims } from '../../core/api/resource/resourceclaim.ts'
import type { Client } from '../../core/client/client.ts'
import type { Ctx } from '../../core/lib/ctx.ts'

/** Why the pod cannot start; undefined: no claim of it has a device. */
export async function devicesProblem(ctx: Ctx, client: Client, pod: Readonly<Pod>): Promise<string | undefined> {
  const extended = pod.status?.extendedResourceClaimStatus?.resourceClaimName
  const claims: readonly Readonly<PodResourceClaim>[] = [...(pod.spec?.resourceClaims ?? []), ...(extended === undefined ? [] : [{ name: '', resourceClaimName: extended }])]
  for (const podClaim of claims) {
    const problem = await claimProblem(ctx, client, pod, podClaim)
    if (problem !== undefined) return problem
  }
  return undefined
}

async function claimProblem(ctx: Ctx, client: Client, pod: Readonly<Pod>, podClaim: Readonly<PodResourceClaim>): Promise<string | undefined> {
  const known = claimNameOf(pod, podClaim)
  if ('problem' in known) return known.problem
  if (known.name === undefined) return undefined
  const claim = await client.get(ctx, resourceClaims, { namespace: pod.metadata.namespace ?? '', name: known.name })
  if (claim === undefined) return `fetch ResourceClaim ${known.name}: resourceclaims.resource.k8s.io "${known.name}" not found`
  const foreign = known.made ? notForPod(pod, claim) : undefined
  if (foreign !== undefined) return foreign
  if (!isReservedFor(pod, claim)) return `pod ${pod.metadata.name} (${pod.metadata.uid}) is not allowed to use ResourceClaim ${known.name} (${claim.metadata.uid})`
  if (claim.status?.allocation === undefined) return `ResourceClaim ${known.name}: not allocated`
  const driver = claim.status.allocation.devices?.results?.[0]?.driver
  return driver === undefined ? undefined : `DRA driver ${driver} is not registered`
}
