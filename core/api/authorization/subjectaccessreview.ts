/** The kind SubjectAccessReview of authorization.k8s.io/v1: its names and its rules. */
import { defineKind, type Kind } from '../kind.ts'
import type { SubjectAccessReview } from '../schema/types.ts'

export const subjectAccessReviews: Kind<SubjectAccessReview> = defineKind<SubjectAccessReview>({
  group: 'authorization.k8s.io',
  version: 'v1',
  kind: 'SubjectAccessReview',
  plural: 'subjectaccessreviews',
  singular: 'subjectaccessreview',
  namespaced: false,
  verbs: ['create'],
  stored: false,
})
