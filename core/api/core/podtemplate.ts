/** The kind PodTemplate of core/v1: its names and its rules. */
import { formatLabels, nameColumn, text } from '../columns.ts'
import { defineKind, type Kind } from '../kind.ts'
import type { PodTemplate } from '../schema/types.ts'

export const podTemplates: Kind<PodTemplate> = defineKind<PodTemplate>({
  group: '',
  version: 'v1',
  kind: 'PodTemplate',
  plural: 'podtemplates',
  singular: 'podtemplate',
  namespaced: true,
  columns: [
    nameColumn,
    text('Containers', (o) => (o.template?.spec?.containers ?? []).map((c) => c.name).join(',')),
    text('Images', (o) => (o.template?.spec?.containers ?? []).map((c) => c.image ?? '').join(',')),
    text('Pod Labels', (o) => formatLabels(o.template?.metadata?.labels)),
  ],
})
