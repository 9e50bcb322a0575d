/** Devices that have to be made ready after they were chosen: whether a claim's are, have failed, or take too long (isClaimReadyForBinding). Pure. */
import type { DeviceRequestAllocationResult, ResourceClaim } from '../../api/schema/types.ts'
import { parseTime } from '../../api/time.ts'

type Claim = Readonly<ResourceClaim>
export type Readiness = { readonly is: 'ready' | 'waiting' | 'late' } | { readonly is: 'failed'; readonly why: string }

const results = ({ status }: Claim): readonly Readonly<DeviceRequestAllocationResult>[] => (status?.allocation?.devices?.results ?? []).filter(({ bindingConditions = [] }) => bindingConditions.length > 0)

export function mustBeMadeReady(claim: Claim): boolean {
  return results(claim).length > 0
}

/** `timeoutMs`: from when the claim was allocated. */
export function readinessOf(claim: Claim, nowMs: number, timeoutMs: number): Readiness {
  let ready = claim.status?.allocation !== undefined
  for (const result of results(claim)) {
    const conditions = claim.status?.devices?.find(({ driver, pool, device }) => driver === result.driver && pool === result.pool && device === result.device)?.conditions ?? []
    const failed = (result.bindingFailureConditions ?? []).map((type) => conditions.find((condition) => condition.type === type)).find((condition) => condition?.status === 'True')
    if (failed !== undefined) return { is: 'failed', why: `device binding failed: claim=${claim.metadata.name}, reason=${failed.reason}, message=${JSON.stringify(failed.message)}` }
    ready = (result.bindingConditions ?? []).every((type) => conditions.some((condition) => condition.type === type && condition.status === 'True'))
    if (!ready) break
  }
  if (ready) return { is: 'ready' }
  return { is: isLate(claim, nowMs, timeoutMs) ? 'late' : 'waiting' }
}

function isLate(claim: Claim, nowMs: number, timeoutMs: number): boolean {
  const since = claim.status?.allocation?.allocationTimestamp
  return results(claim).length > 0 && since !== undefined && (parseTime(since) ?? nowMs) + timeoutMs < nowMs
}
