/** The kind LimitRange of core/v1: its names and its rules. */
import { defineKind, type Kind } from '../kind.ts'
import { limitRangeStrategy } from './quotarules.ts'
import type { LimitRange } from '../schema/types.ts'

export const limitRanges: Kind<LimitRange> = defineKind<LimitRange>({
  group: '',
  version: 'v1',
  kind: 'LimitRange',
  plural: 'limitranges',
  singular: 'limitrange',
  namespaced: true,
  strategy: limitRangeStrategy,
  shortNames: ['limits'],
  createOnUpdate: true,
})
