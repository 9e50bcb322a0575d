/**
 * autoscaling/v1 HorizontalPodAutoscalers are stored as v2. The CPU target is a field
 * there and a metric here; what v1 has no field for travels in its annotations
 * (k8s.io/kubernetes/pkg/apis/autoscaling/v1/conversion.go).
 */
import type { Conversion } from '../kind.ts'
import type { AnyObject } from '../meta.ts'
import type { AutoscalingV1HorizontalPodAutoscaler, HorizontalPodAutoscaler, MetricSpec, MetricStatus } from '../schema/types.ts'

const annotation = {
  metrics: 'autoscaling.alpha.kubernetes.io/metrics',
  currentMetrics: 'autoscaling.alpha.kubernetes.io/current-metrics',
  conditions: 'autoscaling.alpha.kubernetes.io/conditions',
  behavior: 'autoscaling.alpha.kubernetes.io/behavior',
} as const

const isCpu = (metric: MetricSpec | MetricStatus): boolean => metric.type === 'Resource' && metric.resource?.name === 'cpu'

/** The metric that v1 shows as targetCPUUtilizationPercentage. */
const isCpuTarget = (metric: MetricSpec): boolean => isCpu(metric) && metric.resource?.target.averageUtilization !== undefined

export const autoscalerConversion: Conversion<AutoscalingV1HorizontalPodAutoscaler> = {
  toStored(v1) {
    const { targetCPUUtilizationPercentage: percent, ...spec } = v1.spec ?? { scaleTargetRef: { kind: '', name: '' }, maxReplicas: 0 }
    const { currentCPUUtilizationPercentage: currentPercent, ...status } = v1.status ?? { currentReplicas: 0, desiredReplicas: 0 }
    const { annotations: given, ...metadata } = v1.metadata
    const annotations = { ...given }
    const take = (key: string): unknown => {
      const text = annotations[key]
      delete annotations[key]
      try {
        return text === undefined ? undefined : JSON.parse(text)
      } catch {
        return undefined // upstream drops what it cannot read, too
      }
    }
    const cpu = { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: percent } } }
    const metrics = [...(percent === undefined ? [] : [cpu]), ...((take(annotation.metrics) as MetricSpec[] | undefined) ?? [])]
    const currentCpu = { type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: currentPercent } } }
    const current = (take(annotation.currentMetrics) as MetricStatus[] | undefined) ?? (currentPercent === undefined ? [] : [currentCpu])
    const conditions = take(annotation.conditions)
    const behavior = take(annotation.behavior)
    return {
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: { ...metadata, ...(Object.keys(annotations).length > 0 ? { annotations } : {}) },
      spec: { ...spec, ...(metrics.length > 0 ? { metrics } : {}), ...(behavior === undefined ? {} : { behavior }) },
      status: { ...status, ...(current.length > 0 ? { currentMetrics: current } : {}), ...(conditions === undefined ? {} : { conditions }) },
    } as unknown as AnyObject
  },
  fromStored(stored) {
    const v2 = stored as unknown as HorizontalPodAutoscaler
    const { metrics = [], behavior, ...spec } = v2.spec ?? { scaleTargetRef: { kind: '', name: '' }, maxReplicas: 0 }
    const { currentMetrics = [], conditions, ...status } = v2.status ?? { desiredReplicas: 0 }
    const cpu = metrics.find(isCpuTarget)
    const rest = metrics.filter((metric) => metric !== cpu)
    const annotations = {
      ...v2.metadata.annotations,
      ...(rest.length > 0 ? { [annotation.metrics]: JSON.stringify(rest) } : {}),
      ...(currentMetrics.length > 0 ? { [annotation.currentMetrics]: JSON.stringify(currentMetrics) } : {}),
      ...(conditions === undefined ? {} : { [annotation.conditions]: JSON.stringify(conditions) }),
      ...(behavior === undefined ? {} : { [annotation.behavior]: JSON.stringify(behavior) }),
    }
    const percent = cpu?.resource?.target.averageUtilization
    const currentPercent = currentMetrics.find(isCpu)?.resource?.current.averageUtilization
    return {
      apiVersion: 'autoscaling/v1',
      kind: 'HorizontalPodAutoscaler',
      metadata: { ...v2.metadata, ...(Object.keys(annotations).length > 0 ? { annotations } : {}) },
      spec: { ...spec, ...(percent === undefined ? {} : { targetCPUUtilizationPercentage: percent }) },
      status: { currentReplicas: 0, ...status, ...(currentPercent === undefined ? {} : { currentCPUUtilizationPercentage: currentPercent }) },
    }
  },
}
