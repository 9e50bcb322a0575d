/** The kind PodTemplate of core/v1: its names and its rules. */
import { defineKind, type Kind } from '../kind.ts'
import type { PodTemplate } from '../schema/types.ts'

export const podTemplates: Kind<PodTemplate> = defineKind<PodTemplate>({
  group: '',
  version: 'v1',
  kind: 'PodTemplate',
  plural: 'podtemplates',
  singular: 'podtemplate',
  namespaced: true,
})
