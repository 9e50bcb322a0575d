/** The kind ResourceClaimTemplate of resource.k8s.io/v1: its names. Its rules are claimrules.ts. */
import { ageColumn, nameColumn } from '../columns.ts'
import { defineKind, type Kind } from '../kind.ts'
import { claimTemplateStrategy } from './claimrules.ts'
import type { ResourceClaimTemplate } from '../schema/types.ts'

export const resourceClaimTemplates: Kind<ResourceClaimTemplate> = defineKind<ResourceClaimTemplate>({
  group: 'resource.k8s.io',
  version: 'v1',
  kind: 'ResourceClaimTemplate',
  plural: 'resourceclaimtemplates',
  singular: 'resourceclaimtemplate',
  namespaced: true,
  strategy: claimTemplateStrategy,
  columns: [nameColumn, ageColumn],
})
