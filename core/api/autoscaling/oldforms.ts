/**
 * Metrics, behavior and conditions as version 1 has them in annotations: older shapes, with names of their own
 * (k8s.io/kubernetes/pkg/apis/autoscaling/v1/conversion.go). What cannot be read is undefined.
 */
import type { CrossVersionObjectReference, HorizontalPodAutoscalerBehavior, HorizontalPodAutoscalerCondition, MetricSpec, MetricStatus } from '../schema/types.ts'

type Json = Readonly<Record<string, unknown>>

/** Fields that have a value, in this order. */
function filled(fields: Json): Json {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}

const reference = ({ kind, name, apiVersion }: Readonly<CrossVersionObjectReference>): Json => filled({ kind, name, apiVersion: apiVersion === '' ? undefined : apiVersion })

export function writeMetric({ type, object, pods, resource, containerResource, external }: Readonly<MetricSpec>): Json {
  const average = (target: Readonly<MetricSpec['resource'] & object>['target']): Json => ({ targetAverageUtilization: target.averageUtilization, targetAverageValue: target.averageValue })
  return filled({
    type,
    object: object && filled({ target: reference(object.describedObject), metricName: object.metric.name, targetValue: object.target.value ?? '0', selector: object.metric.selector, averageValue: object.target.averageValue }),
    pods: pods && filled({ metricName: pods.metric.name, targetAverageValue: pods.target.averageValue ?? '0', selector: pods.metric.selector }),
    resource: resource && filled({ name: resource.name, ...average(resource.target) }),
    containerResource: containerResource && filled({ name: containerResource.name, ...average(containerResource.target), container: containerResource.container }),
    external: external && filled({ metricName: external.metric.name, metricSelector: external.metric.selector, targetValue: external.target.value, targetAverageValue: external.target.averageValue }),
  })
}

export function writeCurrent({ type, object, pods, resource, containerResource, external }: Readonly<MetricStatus>): Json {
  return filled({
    type,
    object: object && filled({ target: reference(object.describedObject), metricName: object.metric.name, currentValue: object.current.value ?? '0', selector: object.metric.selector, averageValue: object.current.averageValue }),
    pods: pods && filled({ metricName: pods.metric.name, currentAverageValue: pods.current.averageValue ?? '0', selector: pods.metric.selector }),
    resource: resource && filled({ name: resource.name, currentAverageUtilization: resource.current.averageUtilization, currentAverageValue: resource.current.averageValue ?? '0' }),
    containerResource: containerResource && filled({ name: containerResource.name, currentAverageUtilization: containerResource.current.averageUtilization, currentAverageValue: containerResource.current.averageValue ?? '0', container: containerResource.container }),
    external: external && filled({ metricName: external.metric.name, metricSelector: external.metric.selector, currentValue: external.current.value ?? '0', currentAverageValue: external.current.averageValue }),
  })
}

export function writeCondition({ type, status, lastTransitionTime = null as never, reason, message }: Readonly<HorizontalPodAutoscalerCondition>): Json {
  return filled({ type, status, lastTransitionTime, reason, message })
}

/** As upstream's internal type has it. */
export function writeBehavior({ scaleUp, scaleDown }: Readonly<HorizontalPodAutoscalerBehavior>): Json {
  const rules = (of: typeof scaleUp): unknown => of === undefined ? null : {
    StabilizationWindowSeconds: of.stabilizationWindowSeconds ?? null, SelectPolicy: of.selectPolicy ?? null,
    Policies: of.policies?.map(({ type, value, periodSeconds }) => ({ Type: type, Value: value, PeriodSeconds: periodSeconds })) ?? null, Tolerance: of.tolerance ?? null,
  }
  return { ScaleUp: rules(scaleUp), ScaleDown: rules(scaleDown) }
}

// Reading

/** A list in an annotation; undefined: there is none, or it is something else. */
export function readList<T>(text: string | undefined, read: (item: Json) => T): T[] | undefined {
  const list = parsed(text)
  return Array.isArray(list) && list.every(isRecord) ? list.map(read) : undefined
}

function parsed(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : (JSON.parse(text) as unknown)
  } catch {
    return undefined
  }
}

const isRecord = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)
const record = (value: unknown): Json => (isRecord(value) ? value : {})
const word = (value: unknown): string => (typeof value === 'string' ? value : '')
const quantity = (value: unknown): string | undefined => (value === undefined || value === null ? undefined : String(value as string | number))
const identifier = (name: unknown, selector: unknown): Json => filled({ name: word(name), selector: isRecord(selector) ? selector : undefined })
const isZero = (text: string | undefined): boolean => text === undefined || /^[+-]?0*\.?0*[a-zA-Z]*$/.test(text)

const targetOf = (type: string, fields: Json): Json => filled({ type, ...fields })

export function readMetric(old: Json): MetricSpec {
  const part = (name: string, make: (of: Json) => Json): Json => (isRecord(old[name]) ? { [name]: make(old[name]) } : {})
  const average = (of: Json): Json => {
    const averageUtilization = of['targetAverageUtilization'] ?? undefined
    return targetOf(averageUtilization === undefined ? 'AverageValue' : 'Utilization', { averageUtilization, averageValue: quantity(of['targetAverageValue']) })
  }
  return {
    type: word(old['type']),
    ...part('object', (of) => {
      const [averageValue, value] = [quantity(of['averageValue']), quantity(of['targetValue'])]
      const target = averageValue === undefined ? targetOf('Value', { value: value ?? '0' }) : targetOf('AverageValue', { averageValue, value: isZero(value) ? undefined : value })
      return { describedObject: described(of['target']), metric: identifier(of['metricName'], of['selector']), target }
    }),
    ...part('pods', (of) => ({ metric: identifier(of['metricName'], of['selector']), target: targetOf('AverageValue', { averageValue: quantity(of['targetAverageValue']) ?? '0' }) })),
    ...part('resource', (of) => ({ name: word(of['name']), target: average(of) })),
    ...part('containerResource', (of) => ({ name: word(of['name']), container: word(of['container']), target: average(of) })),
    ...part('external', (of) => {
      const value = quantity(of['targetValue'])
      return { metric: identifier(of['metricName'], of['metricSelector']), target: targetOf(value === undefined ? 'AverageValue' : 'Value', { value, averageValue: quantity(of['targetAverageValue']) }) }
    }),
  } as unknown as MetricSpec
}

const described = (target: unknown): Json => {
  const { kind, name, apiVersion } = record(target)
  return filled({ kind: word(kind), name: word(name), apiVersion: word(apiVersion) === '' ? undefined : apiVersion })
}

export function readCurrent(old: Json): MetricStatus {
  const part = (name: string, make: (of: Json) => Json): Json => (isRecord(old[name]) ? { [name]: make(old[name]) } : {})
  const usage = (of: Json): Json => filled({ averageUtilization: of['currentAverageUtilization'] ?? undefined, averageValue: quantity(of['currentAverageValue']) ?? '0' })
  return {
    type: word(old['type']),
    ...part('object', (of) => ({ describedObject: described(of['target']), metric: identifier(of['metricName'], of['selector']), current: filled({ value: quantity(of['currentValue']) ?? '0', averageValue: quantity(of['averageValue']) }) })),
    ...part('pods', (of) => ({ metric: identifier(of['metricName'], of['selector']), current: { averageValue: quantity(of['currentAverageValue']) ?? '0' } })),
    ...part('resource', (of) => ({ name: word(of['name']), current: usage(of) })),
    ...part('containerResource', (of) => ({ name: word(of['name']), container: word(of['container']), current: usage(of) })),
    ...part('external', (of) => ({ metric: identifier(of['metricName'], of['metricSelector']), current: filled({ value: quantity(of['currentValue']) ?? '0', averageValue: quantity(of['currentAverageValue']) }) })),
  } as unknown as MetricStatus
}

export function readCondition(old: Json): HorizontalPodAutoscalerCondition {
  const { type, status, lastTransitionTime, reason, message } = old
  return filled({ type: word(type), status: word(status), lastTransitionTime: lastTransitionTime ?? undefined, reason, message }) as unknown as HorizontalPodAutoscalerCondition
}

/** Names count whatever their case, as Go reads them. Nothing in it: there is no behavior. */
export function readBehavior(text: string | undefined): HorizontalPodAutoscalerBehavior | undefined {
  const found = parsed(text)
  if (!isRecord(found)) return undefined
  const rules = (value: unknown): Json | undefined => {
    if (!isRecord(value)) return undefined
    const { stabilizationwindowseconds, selectpolicy, policies, tolerance } = lowered(value)
    const list = Array.isArray(policies) ? policies.filter(isRecord).map(lowered) : undefined
    return filled({
      stabilizationWindowSeconds: stabilizationwindowseconds ?? undefined, selectPolicy: selectpolicy ?? undefined, tolerance: quantity(tolerance),
      policies: list?.map((policy) => ({ type: word(policy['type']), value: policy['value'] ?? 0, periodSeconds: policy['periodseconds'] ?? 0 })),
    })
  }
  const { scaleup, scaledown } = lowered(found)
  const behavior = filled({ scaleUp: rules(scaleup), scaleDown: rules(scaledown) })
  return Object.keys(behavior).length === 0 ? undefined : (behavior as HorizontalPodAutoscalerBehavior)
}

const lowered = (of: Json): Json => Object.fromEntries(Object.entries(of).map(([name, value]) => [name.toLowerCase(), value]))
