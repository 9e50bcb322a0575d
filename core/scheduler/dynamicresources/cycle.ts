/** One pod's way through the scheduler with its claims: what was found out when it was tried, and is written when it is bound. */
import type { AllocationResult, Pod, ResourceClaim } from '../../api/schema/types.ts'
import type { Ctx } from '../../lib/ctx.ts'
import type { Allocator } from './allocator.ts'
import type { Claim } from './claims.ts'
import type { ExtendedRequests } from './extended.ts'

/** The claim for all extended resources of the pod that nodes have as devices. */
export interface Extended {
  /** In flight it goes by this: it has no uid of its own yet. */
  readonly uid: string
  readonly claim: ResourceClaim
  /** Written by an earlier attempt that came to nothing: it has to go first. */
  readonly stale: boolean
}

/** Where a pod could go, with these devices. */
export interface NodeAllocation {
  /** Of the claims that are to be allocated, in order; that of extended resources last, where the node has them as devices. */
  readonly results: readonly AllocationResult[]
  /** What the extended claim asks of the node. Undefined: nothing. */
  readonly extended?: ExtendedRequests
}

export interface Cycle {
  readonly pod: Readonly<Pod>
  /** The pod's own; replaced as they are written. */
  readonly claims: Claim[]
  readonly extended: Extended | undefined
  /** Undefined: everything is allocated already. */
  readonly allocator: Allocator | undefined
  readonly byNode: Map<string, NodeAllocation>
  /** Claims, by their place, that are allocated and cannot be used on some node. */
  readonly unavailable: Set<number>
  /** What reserve() decided to write: by the place of the claim. */
  readonly decided: Map<number, AllocationResult>
  /** As created in the API. */
  created?: Claim
  /** Of the binding, once it began. */
  ctx?: Ctx
}

export const isAllocated = ({ status }: Claim): boolean => status?.allocation !== undefined

/** Places of claims that have no allocation. */
export function unallocated({ claims }: Cycle): readonly number[] {
  return [...claims.keys()].filter((i) => !isAllocated(claims[i] as Claim))
}
