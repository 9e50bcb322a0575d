/** The kind HorizontalPodAutoscaler of autoscaling/v1: its names and its rules. */
import { defineKind, type Kind } from '../kind.ts'
import type { AutoscalingV1HorizontalPodAutoscaler, HorizontalPodAutoscaler } from '../schema/types.ts'
import { autoscalerConversion } from './conversion.ts'
import { horizontalPodAutoscalers } from './horizontalpodautoscaler.ts'

export const horizontalPodAutoscalersV1: Kind<AutoscalingV1HorizontalPodAutoscaler> = defineKind<AutoscalingV1HorizontalPodAutoscaler>({
  group: 'autoscaling',
  version: 'v1',
  kind: 'HorizontalPodAutoscaler',
  plural: 'horizontalpodautoscalers',
  singular: 'horizontalpodautoscaler',
  namespaced: true,
  shortNames: ['hpa'],
  categories: ['all'],
  status: {},
  prefix: horizontalPodAutoscalers.prefix,
  conversion: autoscalerConversion,
  columns: horizontalPodAutoscalers.columns.map((column) => ({
    ...column,
    value: (o, now) => column.value(autoscalerConversion.toStored(o) as unknown as HorizontalPodAutoscaler, now),
  })),
})
