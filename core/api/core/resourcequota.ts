/** The kind ResourceQuota of core/v1: its names and its rules. */
import { defineKind, type Kind } from '../kind.ts'
import type { ResourceQuota } from '../schema/types.ts'

export const resourceQuotas: Kind<ResourceQuota> = defineKind<ResourceQuota>({
  group: '',
  version: 'v1',
  kind: 'ResourceQuota',
  plural: 'resourcequotas',
  singular: 'resourcequota',
  namespaced: true,
  shortNames: ['quota'],
  status: {},
})
