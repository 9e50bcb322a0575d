/** The kind SelfSubjectAccessReview of authorization.k8s.io/v1: its names and its rules. */
import { defineKind, type Kind } from '../kind.ts'
import type { SelfSubjectAccessReview } from '../schema/types.ts'

export const selfSubjectAccessReviews: Kind<SelfSubjectAccessReview> = defineKind<SelfSubjectAccessReview>({
  group: 'authorization.k8s.io',
  version: 'v1',
  kind: 'SelfSubjectAccessReview',
  plural: 'selfsubjectaccessreviews',
  singular: 'selfsubjectaccessreview',
  namespaced: false,
  verbs: ['create'],
  stored: false,
})
