/** The kind SelfSubjectReview of authentication.k8s.io/v1: its names and its rules. */
import { defineKind, type Kind } from '../kind.ts'
import type { SelfSubjectReview } from '../schema/types.ts'

export const selfSubjectReviews: Kind<SelfSubjectReview> = defineKind<SelfSubjectReview>({
  group: 'authentication.k8s.io',
  version: 'v1',
  kind: 'SelfSubjectReview',
  plural: 'selfsubjectreviews',
  singular: 'selfsubjectreview',
  namespaced: false,
  verbs: ['create'],
  stored: false,
})
