/** The kind NetworkPolicy of networking.k8s.io/v1: its names and its rules. */
import { ageColumn, formatSelector, nameColumn, text } from '../columns.ts'
import { defineKind, type Kind } from '../kind.ts'
import { networkPolicyStrategy } from './policyrules.ts'
import type { NetworkPolicy } from '../schema/types.ts'

export const networkPolicies: Kind<NetworkPolicy> = defineKind<NetworkPolicy>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'NetworkPolicy',
  plural: 'networkpolicies',
  singular: 'networkpolicy',
  namespaced: true,
  shortNames: ['netpol'],
  strategy: networkPolicyStrategy,
  columns: [
    nameColumn,
    text('Pod-Selector', (o) => formatSelector(o.spec?.podSelector)),
    ageColumn,
  ],
  generation: 'spec',
})
