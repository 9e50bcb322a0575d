/** The kind Lease of coordination.k8s.io/v1: its names and its rules. */
import { ageColumn, nameColumn, text } from '../columns.ts'
import { defineKind, type Kind } from '../kind.ts'
import { leaseStrategy } from './leaserules.ts'
import type { Lease } from '../schema/types.ts'

export const leases: Kind<Lease> = defineKind<Lease>({
  group: 'coordination.k8s.io',
  version: 'v1',
  kind: 'Lease',
  plural: 'leases',
  singular: 'lease',
  namespaced: true,
  strategy: leaseStrategy,
  columns: [
    nameColumn,
    text('Holder', (o) => o.spec?.holderIdentity ?? ''),
    ageColumn,
  ],
  createOnUpdate: true,
  unconditionalUpdate: false,
})
