/** The kind ResourceClaim of resource.k8s.io/v1: its names. Its rules are claimrules.ts and statusrules.ts. */
import { ageColumn, nameColumn, text } from '../columns.ts'
import { defineKind, type Kind } from '../kind.ts'
import { claimStrategy } from './claimrules.ts'
import { claimStatus } from './statusrules.ts'
import type { ResourceClaim } from '../schema/types.ts'

export const resourceClaims: Kind<ResourceClaim> = defineKind<ResourceClaim>({
  group: 'resource.k8s.io',
  version: 'v1',
  kind: 'ResourceClaim',
  plural: 'resourceclaims',
  singular: 'resourceclaim',
  namespaced: true,
  status: claimStatus,
  strategy: claimStrategy,
  columns: [nameColumn, text('State', (o) => stateOf(o), 'A summary of the current state (allocated, pending, reserved, etc.).'), ageColumn],
})

function stateOf({ metadata, status }: Readonly<ResourceClaim>): string {
  const deleted = metadata.deletionTimestamp !== undefined
  if (status?.allocation === undefined) return deleted ? 'deleted' : 'pending'
  return [...(deleted ? ['deleted'] : []), 'allocated', ...((status.reservedFor ?? []).length > 0 ? ['reserved'] : [])].join(',')
}
