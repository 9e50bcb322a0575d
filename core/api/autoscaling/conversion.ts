/**
 * autoscaling/v1 HorizontalPodAutoscalers are stored as v2. The CPU target is a field
 * there and a metric here; what v1 has no field for travels in its annotations
 * (k8s.io/kubernetes/pkg/apis/autoscaling/v1/conversion.go).
 */
import type { Conversion } from '../kind.ts'
import type { AnyObject } from '../meta.ts'
import { readBehavior, readCondition, readCurrent, readList, readMetric, writeBehavior, writeCondition, writeCurrent, writeMetric } from './oldforms.ts'
import type { AutoscalingV1HorizontalPodAutoscaler, HorizontalPodAutoscaler, MetricSpec, MetricStatus } from '../schema/types.ts'

const annotation = {
  metrics: 'autoscaling.alpha.kubernetes.io/metrics',
  currentMetrics: 'autoscaling.alpha.kubernetes.io/current-metrics',
  conditions: 'autoscaling.alpha.kubernetes.io/conditions',
  behavior: 'autoscaling.alpha.kubernetes.io/behavior',
} as const

/** What nothing says; the controller once did it by itself. */
const defaultPercent = 80

const isCpu = (metric: MetricSpec | MetricStatus): boolean => metric.type === 'Resource' && metric.resource?.name === 'cpu'

/** The metric that v1 shows as targetCPUUtilizationPercentage. */
const isCpuTarget = (metric: MetricSpec): boolean => isCpu(metric) && metric.resource?.target.averageUtilization !== undefined

const cpuTarget = (percent: number): MetricSpec => ({ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: percent } } })

/** Without those that the conversion makes. */
function ownAnnotations(given: Readonly<Record<string, string>> | undefined): Record<string, string> {
  const made: readonly string[] = Object.values(annotation)
  return Object.fromEntries(Object.entries(given ?? {}).filter(([key]) => !made.includes(key)))
}

export const autoscalerConversion: Conversion<AutoscalingV1HorizontalPodAutoscaler> = {
  toStored(v1) {
    const { targetCPUUtilizationPercentage: percent, ...spec } = v1.spec ?? { scaleTargetRef: { kind: '', name: '' }, maxReplicas: 0 }
    const { currentCPUUtilizationPercentage: currentPercent, currentReplicas = 0, ...status } = v1.status ?? { desiredReplicas: 0 }
    const { annotations: given, ...metadata } = v1.metadata
    const annotations = ownAnnotations(given)
    const others = readList(given?.[annotation.metrics], readMetric) ?? []
    const named = [...others, ...(percent === undefined ? [] : [cpuTarget(percent)])]
    const metrics = named.length > 0 ? named : [cpuTarget(defaultPercent)]
    const currentCpu = { type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: currentPercent } } }
    const current = readList(given?.[annotation.currentMetrics], readCurrent) ?? (currentPercent === undefined ? [] : [currentCpu])
    const conditions = readList(given?.[annotation.conditions], readCondition)
    const behavior = readBehavior(given?.[annotation.behavior])
    return {
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: { ...metadata, ...(Object.keys(annotations).length > 0 ? { annotations } : {}) },
      spec: { ...spec, metrics, ...(behavior === undefined ? {} : { behavior }) },
      status: { ...(currentReplicas === 0 ? {} : { currentReplicas }), ...status, ...(current.length > 0 ? { currentMetrics: current } : {}), ...(conditions === undefined ? {} : { conditions }) },
    } as unknown as AnyObject
  },
  fromStored(stored) {
    const v2 = stored as unknown as HorizontalPodAutoscaler
    const { metrics = [], behavior, ...spec } = v2.spec ?? { scaleTargetRef: { kind: '', name: '' }, maxReplicas: 0 }
    const { currentMetrics = [], conditions = [], ...status } = v2.status ?? { desiredReplicas: 0 }
    const rest = metrics.filter((metric) => !isCpuTarget(metric))
    const { annotations: given, ...metadata } = v2.metadata
    const annotations = {
      ...ownAnnotations(given),
      ...(rest.length > 0 ? { [annotation.metrics]: JSON.stringify(rest.map(writeMetric)) } : {}),
      ...(currentMetrics.length > 0 ? { [annotation.currentMetrics]: JSON.stringify(currentMetrics.map(writeCurrent)) } : {}),
      ...(conditions.length > 0 ? { [annotation.conditions]: JSON.stringify(conditions.map(writeCondition)) } : {}),
      ...(behavior === undefined ? {} : { [annotation.behavior]: JSON.stringify(writeBehavior(behavior)) }),
    }
    const percent = metrics.find(isCpuTarget)?.resource?.target.averageUtilization
    const currentPercent = currentMetrics.find((metric) => isCpu(metric) && metric.resource?.current.averageUtilization !== undefined)?.resource?.current.averageUtilization
    return {
      apiVersion: 'autoscaling/v1',
      kind: 'HorizontalPodAutoscaler',
      metadata: { ...metadata, ...(Object.keys(annotations).length > 0 ? { annotations } : {}) },
      spec: { ...spec, ...(percent === undefined ? {} : { targetCPUUtilizationPercentage: percent }) },
      status: { currentReplicas: 0, ...status, ...(currentPercent === undefined ? {} : { currentCPUUtilizationPercentage: currentPercent }) },
    }
  },
}
