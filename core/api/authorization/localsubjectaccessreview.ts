/** The kind LocalSubjectAccessReview of authorization.k8s.io/v1: its names and its rules. */
import { defineKind, type Kind } from '../kind.ts'
import type { LocalSubjectAccessReview } from '../schema/types.ts'

export const localSubjectAccessReviews: Kind<LocalSubjectAccessReview> = defineKind<LocalSubjectAccessReview>({
  group: 'authorization.k8s.io',
  version: 'v1',
  kind: 'LocalSubjectAccessReview',
  plural: 'localsubjectaccessreviews',
  singular: 'localsubjectaccessreview',
  namespaced: true,
  verbs: ['create'],
  stored: false,
})
