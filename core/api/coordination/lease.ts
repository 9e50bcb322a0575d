/** The kind Lease of coordination.k8s.io/v1: its names and its rules. */
import { defineKind, type Kind } from '../kind.ts'
import type { Lease } from '../schema/types.ts'

export const leases: Kind<Lease> = defineKind<Lease>({
  group: 'coordination.k8s.io',
  version: 'v1',
  kind: 'Lease',
  plural: 'leases',
  singular: 'lease',
  namespaced: true,
})
