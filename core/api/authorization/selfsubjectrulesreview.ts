/** The kind SelfSubjectRulesReview of authorization.k8s.io/v1: its names and its rules. */
import { defineKind, type Kind } from '../kind.ts'
import type { SelfSubjectRulesReview } from '../schema/types.ts'

export const selfSubjectRulesReviews: Kind<SelfSubjectRulesReview> = defineKind<SelfSubjectRulesReview>({
  group: 'authorization.k8s.io',
  version: 'v1',
  kind: 'SelfSubjectRulesReview',
  plural: 'selfsubjectrulesreviews',
  singular: 'selfsubjectrulesreview',
  namespaced: false,
  verbs: ['create'],
  stored: false,
})
