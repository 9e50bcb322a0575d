/** The kind ServiceCIDR of networking.k8s.io/v1: its names and its rules. */
import { defineKind, type Kind } from '../kind.ts'
import type { ServiceCIDR } from '../schema/types.ts'

export const serviceCIDRs: Kind<ServiceCIDR> = defineKind<ServiceCIDR>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'ServiceCIDR',
  plural: 'servicecidrs',
  singular: 'servicecidr',
  namespaced: false,
  status: {},
})
