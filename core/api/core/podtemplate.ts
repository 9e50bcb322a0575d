/** The kind PodTemplate of core/v1: its names and its rules. */
import { formatLabels, nameColumn, text } from '../columns.ts'
import { defineKind, type Kind } from '../kind.ts'
import { path } from '../field.ts'
import { templateWarnings } from './podspec/warnings.ts'
import { validatePodTemplate } from './podspec/spec.ts'
import type { Errors } from '../checks.ts'
import type { PodTemplate } from '../schema/types.ts'

export const podTemplates: Kind<PodTemplate> = defineKind<PodTemplate>({
  group: '',
  version: 'v1',
  kind: 'PodTemplate',
  plural: 'podtemplates',
  singular: 'podtemplate',
  namespaced: true,
  strategy: {
    validateCreate: validate,
    validateUpdate: validate,
    warnings: (o) => templateWarnings(o.template ?? {}, path('template')),
  },
  columns: [
    nameColumn,
    text('Containers', (o) => (o.template?.spec?.containers ?? []).map((c) => c.name).join(',')),
    text('Images', (o) => (o.template?.spec?.containers ?? []).map((c) => c.image ?? '').join(',')),
    text('Pod Labels', (o) => formatLabels(o.template?.metadata?.labels)),
  ],
  generation: 'spec',
})

function validate(object: Readonly<PodTemplate>): Errors {
  const errors: Errors = []
  validatePodTemplate(errors, object.template ?? {}, path('template'))
  return errors
}
