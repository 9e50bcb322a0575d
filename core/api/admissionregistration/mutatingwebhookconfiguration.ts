/** The kind MutatingWebhookConfiguration of admissionregistration.k8s.io/v1: its names and its rules. */
import { ageColumn, integer, nameColumn } from '../columns.ts'
import { defineKind, type Kind } from '../kind.ts'
import type { MutatingWebhookConfiguration } from '../schema/types.ts'
import { configurationStrategy } from './configurationrules.ts'
import { conditionCheck } from './conditioncheck.ts'

export const mutatingWebhookConfigurations: Kind<MutatingWebhookConfiguration> = defineKind<MutatingWebhookConfiguration>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'MutatingWebhookConfiguration',
  plural: 'mutatingwebhookconfigurations',
  singular: 'mutatingwebhookconfiguration',
  categories: ['api-extensions'],
  namespaced: false,
  strategy: configurationStrategy<MutatingWebhookConfiguration>(conditionCheck()),
  columns: [nameColumn, integer('Webhooks', (o) => o.webhooks?.length ?? 0), ageColumn],
  generation: 'spec',
  unconditionalUpdate: false,
})
