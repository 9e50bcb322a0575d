/** The kind ServiceCIDR of networking.k8s.io/v1: its names and its rules. */
import { ageColumn, nameColumn, text } from '../columns.ts'
import { defineKind, type Kind } from '../kind.ts'
import { serviceCidrStrategy } from './addressrules.ts'
import type { ServiceCIDR } from '../schema/types.ts'

export const serviceCIDRs: Kind<ServiceCIDR> = defineKind<ServiceCIDR>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'ServiceCIDR',
  plural: 'servicecidrs',
  singular: 'servicecidr',
  namespaced: false,
  status: {},
  strategy: serviceCidrStrategy,
  columns: [
    nameColumn,
    text('CIDRs', (o) => (o.spec?.cidrs ?? []).join(',')),
    ageColumn,
  ],
})
