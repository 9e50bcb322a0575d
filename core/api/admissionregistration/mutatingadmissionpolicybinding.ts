/** The kind MutatingAdmissionPolicyBinding of admissionregistration.k8s.io/v1: its names and its rules. */
import { ageColumn, nameColumn, text } from '../columns.ts'
import { defineKind, type Kind } from '../kind.ts'
import type { MutatingAdmissionPolicyBinding } from '../schema/types.ts'
import { shownParamRef } from './policycolumns.ts'
import { mutatingBindingStrategy } from './mutatingpolicyrules.ts'

export const mutatingAdmissionPolicyBindings: Kind<MutatingAdmissionPolicyBinding> = defineKind<MutatingAdmissionPolicyBinding>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'MutatingAdmissionPolicyBinding',
  plural: 'mutatingadmissionpolicybindings',
  singular: 'mutatingadmissionpolicybinding',
  categories: ['api-extensions'],
  namespaced: false,
  strategy: mutatingBindingStrategy,
  columns: [nameColumn, text('PolicyName', (o) => o.spec?.policyName ?? ''), text('ParamRef', (o) => shownParamRef(o.spec?.paramRef)), ageColumn],
  generation: 'spec',
  unconditionalUpdate: false,
})
