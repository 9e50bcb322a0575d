/**
 * Writes what was decided about a pod's claims: creates the one for extended resources, protects, allocates, reserves; and takes it
 * back when the pod does not come to its node after all (dynamicresources.go: bindClaim, Unreserve).
 */
import { isApiError } from '../../api/errors.ts'
import { keyOf, keyText } from '../../api/meta.ts'
import { pods } from '../../api/core/pod.ts'
import { claimFinalizer, consumerOf, isReservedFor } from '../../api/resource/podclaims.ts'
import { resourceClaims } from '../../api/resource/resourceclaim.ts'
import type { AllocationResult, Pod, ResourceClaim } from '../../api/schema/types.ts'
import { formatTime } from '../../api/time.ts'
import type { Client } from '../../client/client.ts'
import type { Ctx } from '../../lib/ctx.ts'
import { cloneJson } from '../../lib/json.ts'
import type { Claim, Claims } from './claims.ts'
import { type Cycle, isAllocated } from './cycle.ts'

/** A claim that others change at the same time is written again so often. */
const triesMax = 5

export interface BindDeps {
  readonly client: Client
  readonly claims: Claims
}

export async function bindClaims(ctx: Ctx, deps: BindDeps, cycle: Cycle, nodeName: string): Promise<void> {
  for (const [i, claim] of cycle.claims.entries()) {
    if (isReservedFor(cycle.pod, claim)) continue
    try {
      cycle.claims[i] = await write(ctx, deps, cycle.pod, claim, cycle.decided.get(i))
    } finally {
      deps.claims.land(claim.metadata.uid ?? '')
    }
  }
  await bindExtended(ctx, deps, cycle, nodeName)
}

async function bindExtended(ctx: Ctx, deps: BindDeps, cycle: Cycle, nodeName: string): Promise<void> {
  const { extended, pod } = cycle
  const wanted = cycle.byNode.get(nodeName)?.extended
  const allocation = cycle.decided.get(cycle.claims.length)
  if (extended === undefined || wanted === undefined || allocation === undefined) return
  try {
    const { metadata } = extended.claim
    const made = await deps.client.create(ctx, resourceClaims, { metadata, spec: { devices: { requests: cloneJson([...wanted.requests]) } } })
    cycle.created = made
    const bound = await write(ctx, deps, pod, made, allocation)
    cycle.created = bound
    const extendedResourceClaimStatus = { resourceClaimName: bound.metadata.name, requestMappings: wanted.mappings }
    await deps.client.patch(ctx, pods, keyOf(pod), 'strategic', { metadata: { uid: pod.metadata.uid }, status: { extendedResourceClaimStatus } }, { subresource: 'status' })
  } finally {
    deps.claims.land(extended.uid)
  }
}

/** Allocation and reservation of one claim. */
async function write(ctx: Ctx, { client, claims }: BindDeps, pod: Readonly<Pod>, claim: Claim, allocation: AllocationResult | undefined): Promise<Claim> {
  for (let mine = cloneJson(claim) as ResourceClaim, tries = 1; ; tries++) {
    try {
      const written = await writeOnce(ctx, client, pod, mine, allocation)
      claims.assume(written)
      return written
    } catch (error) {
      if (tries === triesMax || !isApiError(error, 'Conflict')) throw error
    }
    const latest = await client.get(ctx, resourceClaims, keyOf(claim))
    if (latest === undefined || latest.metadata.uid !== claim.metadata.uid) throw new Error(`get updated claim ${shown(claim)} after conflict: resourceclaims.resource.k8s.io "${claim.metadata.name}" not found`)
    mine = cloneJson(latest) as ResourceClaim
  }
}

const shown = (claim: Claim): string => keyText(keyOf(claim))

async function writeOnce(ctx: Ctx, client: Client, pod: Readonly<Pod>, claim: ResourceClaim, allocation: AllocationResult | undefined): Promise<Claim> {
  let mine = claim
  if (mine.metadata.deletionTimestamp !== undefined) throw new Error(`claim ${shown(mine)} got deleted in the meantime`)
  if (allocation !== undefined) {
    if (isAllocated(mine)) throw new Error(`claim ${shown(mine)} got allocated elsewhere in the meantime`)
    if (mine.metadata.finalizers?.includes(claimFinalizer) !== true) {
      mine.metadata.finalizers = [...(mine.metadata.finalizers ?? []), claimFinalizer]
      mine = cloneJson(await client.update(ctx, resourceClaims, mine)) as ResourceClaim
    }
  }
  const granted = allocation ?? mine.status?.allocation
  if (granted === undefined) throw new Error(`claim ${shown(mine)} got deallocated elsewhere in the meantime`)
  mine.status = {
    ...mine.status,
    allocation: { ...granted, allocationTimestamp: granted.allocationTimestamp ?? formatTime(ctx.clock.now()) },
    reservedFor: [...(mine.status?.reservedFor ?? []), consumerOf(pod)],
  }
  return await client.update(ctx, resourceClaims, mine, { subresource: 'status' })
}

/** The pod gives up its place; the next try begins anew. What cannot be taken back now is by that, or by the claims' controller. */
export async function unbindClaims(ctx: Ctx, { client, claims }: BindDeps, cycle: Cycle): Promise<void> {
  const { pod, created } = cycle
  for (const claim of cycle.claims) {
    if (!isAllocated(claim) || !isReservedFor(pod, claim)) continue
    const patch = { metadata: { uid: claim.metadata.uid }, status: { reservedFor: [{ $patch: 'delete', uid: pod.metadata.uid }] } }
    claims.assume(await client.patch(ctx, resourceClaims, keyOf(claim), 'strategic', patch, { subresource: 'status' }))
  }
  if (created !== undefined) await deleteExtended(ctx, { client, claims }, created)
}

/** Nobody else uses it: it need not be kept from going. */
export async function deleteExtended(ctx: Ctx, { client, claims }: BindDeps, claim: Claim): Promise<void> {
  const latest = await client.get(ctx, resourceClaims, keyOf(claim))
  claims.forget(claim)
  if (latest === undefined || latest.metadata.uid !== claim.metadata.uid) return
  const mine = cloneJson(latest) as ResourceClaim
  const { finalizers = [] } = mine.metadata
  if (finalizers.includes(claimFinalizer)) {
    mine.metadata.finalizers = finalizers.filter((each) => each !== claimFinalizer)
    await client.update(ctx, resourceClaims, mine)
  }
  await client.delete(ctx, resourceClaims, keyOf(claim), { preconditions: { uid: claim.metadata.uid ?? '' } })
}

/** So that it can be allocated for another node. */
export async function deallocate(ctx: Ctx, { client, claims }: BindDeps, claim: Claim): Promise<void> {
  const { allocation: _, reservedFor: __, devices: ___, ...rest } = cloneJson(claim.status ?? {})
  claims.assume(await client.update(ctx, resourceClaims, { ...(cloneJson(claim) as ResourceClaim), status: rest }, { subresource: 'status' }))
}
