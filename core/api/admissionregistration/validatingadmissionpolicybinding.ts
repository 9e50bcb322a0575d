/** The kind ValidatingAdmissionPolicyBinding of admissionregistration.k8s.io/v1: its names and its rules. */
import { ageColumn, nameColumn, text } from '../columns.ts'
import { defineKind, type Kind } from '../kind.ts'
import type { ValidatingAdmissionPolicyBinding } from '../schema/types.ts'
import { shownParamRef } from './policycolumns.ts'
import { validatingBindingStrategy } from './validatingpolicyrules.ts'

export const validatingAdmissionPolicyBindings: Kind<ValidatingAdmissionPolicyBinding> = defineKind<ValidatingAdmissionPolicyBinding>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'ValidatingAdmissionPolicyBinding',
  plural: 'validatingadmissionpolicybindings',
  singular: 'validatingadmissionpolicybinding',
  categories: ['api-extensions'],
  namespaced: false,
  strategy: validatingBindingStrategy,
  columns: [nameColumn, text('PolicyName', (o) => o.spec?.policyName ?? ''), text('ParamRef', (o) => shownParamRef(o.spec?.paramRef)), ageColumn],
  generation: 'spec',
  unconditionalUpdate: false,
})
