/** Rules of HorizontalPodAutoscalers (k8s.io/kubernetes/pkg/apis/autoscaling/validation/validation.go). */
import { label, nonNegativeQuantity, nonNegatives, say, type Errors } from '../checks.ts'
import { validateContainerResourceName } from '../core/podspec/resources.ts'
import { forbiddenField, invalidValue, notSupported, path, required, type Path } from '../field.ts'
import type { StatusRules, Strategy } from '../kind.ts'
import { parseApiVersion } from '../meta.ts'
import { pathSegment } from '../names.ts'
import { compareQuantities } from '../quantity.ts'
import type * as k from '../schema/types.ts'

const at = path('spec')
const periodSecondsMax = 1_800
const windowSecondsMax = 3_600
const sourceTypes = ['ContainerResource', 'External', 'Object', 'Pods', 'Resource']
const sourceFields = ['object', 'external', 'pods', 'resource', 'containerResource'] as const

function validate(autoscaler: Readonly<k.HorizontalPodAutoscaler>, leastReplicas: number): Errors {
  const errors: Errors = []
  const spec = autoscaler.spec ?? { maxReplicas: 0, scaleTargetRef: { kind: '', name: '' } }
  const { minReplicas: least, maxReplicas: most } = spec
  if (least !== undefined && least < leastReplicas) errors.push(invalidValue(at.child('minReplicas'), least, `must be greater than or equal to ${leastReplicas}`))
  if (most === 0) errors.push(required(at.child('maxReplicas'), 'must be set and greater than 0'))
  else if (most < 0) errors.push(invalidValue(at.child('maxReplicas'), most, 'must be greater than or equal to 1'))
  if (least !== undefined && most < least) errors.push(invalidValue(at.child('maxReplicas'), most, 'must be greater than or equal to `minReplicas`'))
  reference(errors, spec.scaleTargetRef, at.child('scaleTargetRef'), false)
  const metrics = spec.metrics ?? []
  metrics.forEach((metric, i) => source(errors, metric, at.child('metrics').index(i)))
  if (least === 0 && !metrics.some((metric) => metric.type === 'Object' || metric.type === 'External')) {
    errors.push(forbiddenField(at.child('metrics'), 'must specify at least one Object or External metric to support scaling to zero replicas'))
  }
  for (const field of ['scaleUp', 'scaleDown'] as const) if (spec.behavior?.[field] !== undefined) scaling(errors, spec.behavior[field], at.child('behavior', field))
  return errors
}

function reference(errors: Errors, ref: Readonly<k.CrossVersionObjectReference>, at: Path, coreAllowed: boolean): void {
  for (const field of ['kind', 'name'] as const) {
    if (ref[field] === '') errors.push(required(at.child(field)))
    else say(errors, at.child(field), ref[field], pathSegment(ref[field], false))
  }
  const version = ref.apiVersion ?? ''
  if (version.split('/').length > 2) errors.push(invalidValue(at.child('apiVersion'), version, `unexpected GroupVersion string: ${version}`))
  else if (!coreAllowed && parseApiVersion(version).group === '') errors.push(invalidValue(at.child('apiVersion'), version, 'apiVersion must specify API group'))
}

function source(errors: Errors, metric: Readonly<k.MetricSpec>, at: Path): void {
  const { type } = metric
  if (type === '') errors.push(required(at.child('type'), 'must specify a metric source type'))
  if (!sourceTypes.includes(type)) errors.push(notSupported(at.child('type'), type, sourceTypes))
  const present = sourceFields.filter((field) => metric[field] !== undefined)
  if (present[0] !== undefined) sourceOf(errors, metric, present[0], at.child(present[0]))
  const expected = sourceFields.find((field) => field.toLowerCase() === type.toLowerCase() && sourceTypes.includes(type))
  if (expected === undefined) errors.push(notSupported(at.child('type'), type, sourceTypes))
  else if (metric[expected] === undefined) errors.push(required(at.child(expected), 'must populate information for the given metric source'))
  if (present.length === 1) return
  for (const field of present) if (field !== expected) errors.push(forbiddenField(at.child(field), 'must populate the given metric source only'))
}

function sourceOf(errors: Errors, metric: Readonly<k.MetricSpec>, field: (typeof sourceFields)[number], at: Path): void {
  const here = at.child('target')
  const average = here.child('averageValue')
  if (field === 'object' && metric.object !== undefined) {
    const { describedObject, metric: of, target: goal } = metric.object
    reference(errors, describedObject, at.child('describedObject'), true)
    identifier(errors, of, at.child('metric'))
    target(errors, goal, here)
    if (goal.value === undefined && goal.averageValue === undefined) errors.push(required(average, 'must set either a target value or averageValue'))
  } else if (field === 'external' && metric.external !== undefined) {
    const goal = metric.external.target
    identifier(errors, metric.external.metric, at.child('metric'))
    target(errors, goal, here)
    if (goal.value === undefined && goal.averageValue === undefined) errors.push(required(average, 'must set either a target value for metric or a per-pod target'))
    if (goal.value !== undefined && goal.averageValue !== undefined) errors.push(forbiddenField(here.child('value'), 'may not set both a target value for metric and a per-pod target'))
  } else if (field === 'pods' && metric.pods !== undefined) {
    identifier(errors, metric.pods.metric, at.child('metric'))
    target(errors, metric.pods.target, here)
    if (metric.pods.target.averageValue === undefined) errors.push(required(average, 'must specify a positive target averageValue'))
  } else {
    resource(errors, metric, at)
  }
}

function resource(errors: Errors, metric: Readonly<k.MetricSpec>, at: Path): void {
  const of = metric.resource ?? metric.containerResource
  if (of === undefined) return
  if (of.name === '') errors.push(required(at.child('name'), 'must specify a resource name'))
  else if (metric.resource === undefined) validateContainerResourceName(errors, of.name, at.child('name'))
  if (metric.resource === undefined && metric.containerResource !== undefined) {
    const { container } = metric.containerResource
    if (container === '') errors.push(required(at.child('container'), 'must specify a container'))
    else label(errors, container, at.child('container'))
  }
  const here = at.child('target')
  target(errors, of.target, here)
  const { averageUtilization: share, averageValue: value } = of.target
  if (share === undefined && value === undefined) errors.push(required(here.child('averageUtilization'), 'must set either a target raw value or a target utilization'))
  if (share !== undefined && value !== undefined) errors.push(forbiddenField(here.child('averageValue'), 'may not set both a target raw value and a target utilization'))
}

function target(errors: Errors, of: Readonly<k.MetricTarget>, at: Path): void {
  if (of.type === '') errors.push(required(at.child('type'), 'must specify a metric target type'))
  if (!['Utilization', 'Value', 'AverageValue'].includes(of.type)) errors.push(invalidValue(at.child('type'), of.type, 'must be either Utilization, Value, or AverageValue'))
  for (const field of ['value', 'averageValue'] as const) {
    const amount = of[field]
    if (amount !== undefined && compareQuantities(amount, '0') <= 0) errors.push(invalidValue(at.child(field), amount, 'must be positive'))
  }
  if (of.averageUtilization !== undefined && of.averageUtilization < 1) errors.push(invalidValue(at.child('averageUtilization'), of.averageUtilization, 'must be greater than 0'))
}

function identifier(errors: Errors, of: Readonly<k.MetricIdentifier>, at: Path): void {
  if (of.name === '') errors.push(required(at.child('name'), 'must specify a metric name'))
  else say(errors, at.child('name'), of.name, pathSegment(of.name, false))
}

function scaling(errors: Errors, rules: Readonly<k.HPAScalingRules>, at: Path): void {
  const { stabilizationWindowSeconds: window, selectPolicy: select, policies = [] } = rules
  const here = at.child('stabilizationWindowSeconds')
  if (window !== undefined && window < 0) errors.push(invalidValue(here, window, 'must be greater than or equal to zero'))
  if (window !== undefined && window > windowSecondsMax) errors.push(invalidValue(here, window, `must be less than or equal to ${windowSecondsMax}`))
  const selects = ['Disabled', 'Max', 'Min']
  if (select !== undefined && !selects.includes(select)) errors.push(notSupported(at.child('selectPolicy'), select, selects))
  if (policies.length === 0) errors.push(required(at.child('policies'), 'must specify at least one Policy'))
  policies.forEach((policy, i) => {
    const place = at.child('policies').index(i)
    if (policy.type !== 'Pods' && policy.type !== 'Percent') errors.push(notSupported(place.child('type'), policy.type, ['Percent', 'Pods']))
    for (const field of ['value', 'periodSeconds'] as const) if (policy[field] <= 0) errors.push(invalidValue(place.child(field), policy[field], 'must be greater than zero'))
    if (policy.periodSeconds > periodSecondsMax) errors.push(invalidValue(place.child('periodSeconds'), policy.periodSeconds, `must be less than or equal to ${periodSecondsMax}`))
  })
  if (rules.tolerance !== undefined) nonNegativeQuantity(errors, rules.tolerance, at.child('tolerance'))
}

/** Zero replicas are behind a feature that is off by default, unless they are asked for already. */
const least = (prev: Readonly<k.HorizontalPodAutoscaler> | undefined): number => (prev?.spec?.minReplicas === 0 ? 0 : 1)

export const autoscalerStrategy: Strategy<k.HorizontalPodAutoscaler> = {
  validateCreate: (autoscaler) => validate(autoscaler, 1),
  validateUpdate: (next, prev) => validate(next, least(prev)),
}

export const autoscalerStatus: StatusRules<k.HorizontalPodAutoscaler> = {
  validateUpdate(next) {
    const errors: Errors = []
    nonNegatives(errors, next.status ?? {}, path('status'), 'currentReplicas', 'desiredReplicas')
    return errors
  },
}
