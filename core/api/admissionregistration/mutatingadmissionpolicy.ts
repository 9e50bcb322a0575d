/** The kind MutatingAdmissionPolicy of admissionregistration.k8s.io/v1: its names and its rules. */
import { ageColumn, integer, nameColumn, text } from '../columns.ts'
import { defineKind, type Kind } from '../kind.ts'
import type { MutatingAdmissionPolicy } from '../schema/types.ts'
import { shownParamKind } from './policycolumns.ts'
import { mutatingPolicyStrategy } from './mutatingpolicyrules.ts'

export const mutatingAdmissionPolicies: Kind<MutatingAdmissionPolicy> = defineKind<MutatingAdmissionPolicy>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'MutatingAdmissionPolicy',
  plural: 'mutatingadmissionpolicies',
  singular: 'mutatingadmissionpolicy',
  categories: ['api-extensions'],
  namespaced: false,
  strategy: mutatingPolicyStrategy,
  columns: [nameColumn, integer('Mutations', (o) => o.spec?.mutations?.length ?? 0), text('ParamKind', (o) => shownParamKind(o.spec?.paramKind)), ageColumn],
  generation: 'spec',
  unconditionalUpdate: false,
})
