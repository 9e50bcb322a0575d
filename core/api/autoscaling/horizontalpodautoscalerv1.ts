/** The kind HorizontalPodAutoscaler of autoscaling/v1: its names and its rules. */
import { defineKind, type Kind } from '../kind.ts'
import type { AutoscalingV1HorizontalPodAutoscaler, HorizontalPodAutoscaler } from '../schema/types.ts'
import { autoscalerConversion } from './conversion.ts'
import { horizontalPodAutoscalers } from './horizontalpodautoscaler.ts'
import { autoscalerStatus, autoscalerStrategy } from './autoscalerrules.ts'

export const horizontalPodAutoscalersV1: Kind<AutoscalingV1HorizontalPodAutoscaler> = defineKind<AutoscalingV1HorizontalPodAutoscaler>({
  group: 'autoscaling',
  version: 'v1',
  kind: 'HorizontalPodAutoscaler',
  plural: 'horizontalpodautoscalers',
  singular: 'horizontalpodautoscaler',
  namespaced: true,
  shortNames: ['hpa'],
  categories: ['all'],
  strategy: {
    validateCreate: (o, env) => autoscalerStrategy.validateCreate?.(stored(o), env) ?? [],
    validateUpdate: (next, prev, env) => autoscalerStrategy.validateUpdate?.(stored(next), stored(prev), env) ?? [],
  },
  status: { validateUpdate: (next, prev, env) => autoscalerStatus.validateUpdate?.(stored(next), stored(prev), env) ?? [] },
  prefix: horizontalPodAutoscalers.prefix,
  conversion: autoscalerConversion,
  columns: horizontalPodAutoscalers.columns.map((column) => ({
    ...column,
    value: (o, now) => column.value(autoscalerConversion.toStored(o) as unknown as HorizontalPodAutoscaler, now),
  })),
})

/** Rules are written for the stored version; upstream checks its one internal form. */
const stored = (o: Readonly<AutoscalingV1HorizontalPodAutoscaler>): HorizontalPodAutoscaler =>
  autoscalerConversion.toStored(o as AutoscalingV1HorizontalPodAutoscaler) as unknown as HorizontalPodAutoscaler
