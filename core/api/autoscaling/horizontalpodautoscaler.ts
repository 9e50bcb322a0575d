/** The kind HorizontalPodAutoscaler of autoscaling/v2: its names and its rules. */
import { ageColumn, nameColumn, text } from '../columns.ts'
import { defineKind, type Kind } from '../kind.ts'
import { autoscalerStatus, autoscalerStrategy } from './autoscalerrules.ts'
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
  status: autoscalerStatus,
  strategy: autoscalerStrategy,
  columns: [
    nameColumn,
    text('Reference', (o) => `${o.spec?.scaleTargetRef.kind}/${o.spec?.scaleTargetRef.name}`),
    text('Targets', (o) => targetsOf(o)),
    text('MinPods', (o) => String(o.spec?.minReplicas ?? '<unset>')),
    text('MaxPods', (o) => o.spec?.maxReplicas ?? 0),
    text('Replicas', (o) => o.status?.currentReplicas ?? 0),
    ageColumn,
  ],
})

interface MetricValue {
  readonly averageUtilization?: number
  readonly averageValue?: string | number
  readonly value?: string | number
}

/** Up to two metrics as `cpu: 10%/50%` or `3/5 (avg)`. */
function targetsOf(autoscaler: Readonly<HorizontalPodAutoscaler>): string {
  const specs = autoscaler.spec?.metrics ?? []
  if (specs.length === 0) return '<none>'
  const cells = specs.map((spec, i) => {
    const status = autoscaler.status?.currentMetrics?.[i]
    const unknown = '<unknown>'
    const resource = spec.resource ?? spec.containerResource
    if (resource !== undefined) {
      const current: MetricValue | undefined = (status?.resource ?? status?.containerResource)?.current
      if (resource.target.averageValue !== undefined) return `${resource.name}: ${current?.averageValue ?? unknown}/${resource.target.averageValue}`
      const have = current?.averageUtilization === undefined ? unknown : `${current.averageUtilization}%`
      const want = resource.target.averageUtilization === undefined ? '<auto>' : `${resource.target.averageUtilization}%`
      return `${resource.name}: ${have}/${want}`
    }
    if (spec.pods !== undefined) return `${status?.pods?.current.averageValue ?? unknown}/${spec.pods.target.averageValue}`
    const target: MetricValue | undefined = (spec.external ?? spec.object)?.target
    if (target === undefined) return '<unknown type>'
    const current: MetricValue | undefined = (status?.external ?? status?.object)?.current
    if (target.averageValue !== undefined) return `${current?.averageValue ?? unknown}/${target.averageValue} (avg)`
    return `${current?.value ?? unknown}/${target.value}`
  })
  return cells.length > 2 ? `${cells.slice(0, 2).join(', ')} + ${cells.length - 2} more...` : cells.join(', ')
}
