/** The kind TokenReview of authentication.k8s.io/v1: its names and its rules. */
import { defineKind, type Kind } from '../kind.ts'
import type { TokenReview } from '../schema/types.ts'

export const tokenReviews: Kind<TokenReview> = defineKind<TokenReview>({
  group: 'authentication.k8s.io',
  version: 'v1',
  kind: 'TokenReview',
  plural: 'tokenreviews',
  singular: 'tokenreview',
  namespaced: false,
  verbs: ['create'],
  stored: false,
})
