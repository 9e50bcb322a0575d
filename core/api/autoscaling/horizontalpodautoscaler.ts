/** The kind HorizontalPodAutoscaler of autoscaling/v2: its names and its rules. */
import { defineKind, type Kind } from '../kind.ts'
import type { HorizontalPodAutoscaler } from '../schema/types.ts'

export const horizontalPodAutoscalers: Kind<HorizontalPodAutoscaler> = defineKind<HorizontalPodAutoscaler>({
  group: 'autoscaling',
  version: 'v2',
  kind: 'HorizontalPodAutoscaler',
  plural: 'horizontalpodautoscalers',
  singular: 'horizontalpodautoscaler',
  namespaced: true,
  shortNames: ['hpa'],
  categories: ['all'],
  status: {},
})
