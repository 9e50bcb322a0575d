/** The kind ValidatingAdmissionPolicy of admissionregistration.k8s.io/v1: its names and its rules. */
import { ageColumn, integer, nameColumn, text } from '../columns.ts'
import { defineKind, type Kind } from '../kind.ts'
import type { ValidatingAdmissionPolicy } from '../schema/types.ts'
import { shownParamKind } from './policycolumns.ts'
import { validatingPolicyStatus, validatingPolicyStrategy } from './validatingpolicyrules.ts'

export const validatingAdmissionPolicies: Kind<ValidatingAdmissionPolicy> = defineKind<ValidatingAdmissionPolicy>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'ValidatingAdmissionPolicy',
  plural: 'validatingadmissionpolicies',
  singular: 'validatingadmissionpolicy',
  categories: ['api-extensions'],
  namespaced: false,
  strategy: validatingPolicyStrategy,
  columns: [nameColumn, integer('Validations', (o) => o.spec?.validations?.length ?? 0), text('ParamKind', (o) => shownParamKind(o.spec?.paramKind)), ageColumn],
  status: { validateUpdate: (next) => validatingPolicyStatus(next.status) },
  generation: 'spec',
  unconditionalUpdate: false,
})
