/** The kind LimitRange of core/v1: its names and its rules. */
import { defineKind, type Kind } from '../kind.ts'
import type { LimitRange } from '../schema/types.ts'

export const limitRanges: Kind<LimitRange> = defineKind<LimitRange>({
  group: '',
  version: 'v1',
  kind: 'LimitRange',
  plural: 'limitranges',
  singular: 'limitrange',
  namespaced: true,
  shortNames: ['limits'],
  createOnUpdate: true,
})
