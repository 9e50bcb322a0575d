/** The kind ValidatingWebhookConfiguration of admissionregistration.k8s.io/v1: its names and its rules. */
import { ageColumn, integer, nameColumn } from '../columns.ts'
import { defineKind, type Kind } from '../kind.ts'
import type { ValidatingWebhookConfiguration } from '../schema/types.ts'
import { configurationStrategy } from './configurationrules.ts'
import { conditionCheck } from './conditioncheck.ts'

export const validatingWebhookConfigurations: Kind<ValidatingWebhookConfiguration> = defineKind<ValidatingWebhookConfiguration>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'ValidatingWebhookConfiguration',
  plural: 'validatingwebhookconfigurations',
  singular: 'validatingwebhookconfiguration',
  categories: ['api-extensions'],
  namespaced: false,
  strategy: configurationStrategy<ValidatingWebhookConfiguration>(conditionCheck()),
  columns: [nameColumn, integer('Webhooks', (o) => o.webhooks?.length ?? 0), ageColumn],
  generation: 'spec',
  unconditionalUpdate: false,
})
