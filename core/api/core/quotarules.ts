/** Rules of ResourceQuotas and LimitRanges (k8s.io/kubernetes/pkg/apis/core/validation/validation.go). */
import { equalJson } from '../../lib/json.ts'
import { type Errors, say } from '../checks.ts'
import { duplicate, forbiddenField, invalidValue, path, required, type Path } from '../field.ts'
import type { StatusRules, Strategy } from '../kind.ts'
import { immutableSentence } from '../metavalidation.ts'
import { qualifiedName } from '../names.ts'
import { compareQuantities, quantityMilli } from '../quantity.ts'
import type { LimitRange, LimitRangeItem, ResourceQuota, ResourceQuotaSpec } from '../schema/types.ts'
import { isQuotaResource, mayOvercommit, validateAmount, validateContainerResourceName, validateResourceName } from './podspec/resources.ts'

const at = path('spec')
const scopes = ['Terminating', 'NotTerminating', 'BestEffort', 'NotBestEffort', 'PriorityClass', 'VolumeAttributesClass', 'CrossNamespacePodAffinity']
const podCompute = ['cpu', 'memory', 'limits.cpu', 'limits.memory', 'requests.cpu', 'requests.memory']

function amounts(errors: Errors, list: Readonly<Record<string, string>> | undefined, at: Path): void {
  for (const [name, amount] of Object.entries(list ?? {})) {
    const here = at.key(name)
    validateResourceName(errors, name, here)
    if (!name.includes('/') && !isQuotaResource(name)) errors.push(invalidValue(here, name, 'must be a standard resource for quota'))
    validateAmount(errors, name, amount, here)
  }
}

function scopeFits(scope: string, resource: string): boolean {
  if (scope === 'BestEffort') return resource === 'pods'
  if (scope === 'VolumeAttributesClass') return resource === 'persistentvolumeclaims' || resource === 'requests.storage'
  return !scopes.includes(scope) || resource === 'pods' || podCompute.includes(resource)
}

function validateSpec(spec: Readonly<ResourceQuotaSpec>): Errors {
  const errors: Errors = []
  amounts(errors, spec.hard, at.child('hard'))
  const limited = Object.keys(spec.hard ?? {}).filter(isQuotaResource)
  const here = at.child('scopes')
  const conflicts = (list: readonly string[], place: Path): void => {
    for (const pair of [['BestEffort', 'NotBestEffort'], ['Terminating', 'NotTerminating']]) {
      if (pair.every((scope) => list.includes(scope))) errors.push(invalidValue(place, spec.scopes ?? null, 'conflicting scopes'))
    }
  }
  for (const scope of spec.scopes ?? []) {
    if (!scopes.includes(scope)) errors.push(invalidValue(here, spec.scopes, 'unsupported scope'))
    for (const resource of limited) if (!scopeFits(scope, resource)) errors.push(invalidValue(here, spec.scopes, 'unsupported scope applied to resource'))
  }
  conflicts(spec.scopes ?? [], here)
  const expressions = spec.scopeSelector?.matchExpressions ?? []
  const place = at.child('scopeSelector', 'matchExpressions')
  for (const { scopeName, operator, values = [] } of expressions) {
    if (!scopes.includes(scopeName)) errors.push(invalidValue(place.child('scopeName'), scopeName, 'unsupported scope'))
    for (const resource of limited) {
      const shown = { MatchExpressions: expressions.map((e) => ({ ScopeName: e.scopeName, Operator: e.operator, Values: e.values ?? null })) }
      if (!scopeFits(scopeName, resource)) errors.push(invalidValue(place, shown, 'unsupported scope applied to resource'))
    }
    scopeOperator(errors, scopeName, operator, values, place)
  }
  conflicts(expressions.map((expression) => expression.scopeName), place)
  return errors
}

const existing = ['BestEffort', 'NotBestEffort', 'Terminating', 'NotTerminating', 'CrossNamespacePodAffinity']

function scopeOperator(errors: Errors, scope: string, operator: string, values: readonly string[], at: Path): void {
  if (existing.includes(scope) && operator !== 'Exists') {
    const those = 'ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity'
    errors.push(invalidValue(at.child('operator'), operator, `must be 'Exists' when scope is any of ${those}`))
  }
  if (operator === 'In' || operator === 'NotIn') {
    if (values.length === 0) errors.push(required(at.child('values'), "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"))
  } else if (operator === 'Exists' || operator === 'DoesNotExist') {
    if (values.length > 0) errors.push(invalidValue(at.child('values'), values, "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector"))
  } else {
    errors.push(invalidValue(at.child('operator'), operator, 'not a valid selector operator'))
  }
}

function quotaWarnings(quota: Readonly<ResourceQuota>): string[] {
  const hard = quota.spec?.hard ?? {}
  return ['cpu', 'memory', 'storage', 'ephemeral-storage'].flatMap((name) => {
    const key = hard[`requests.${name}`] === undefined && (name === 'cpu' || name === 'memory') && hard[name] !== undefined ? name : `requests.${name}`
    const [request, limit] = [hard[key], hard[`limits.${name}`]]
    if (request === undefined || limit === undefined || compareQuantities(request, limit) <= 0) return []
    return [`ResourceQuota ${key} (${request}) should be less than limits.${name} (${limit})`]
  })
}

export const quotaStrategy: Strategy<ResourceQuota> = {
  validateCreate: (quota) => validateSpec(quota.spec ?? {}),
  validateUpdate(next, prev) {
    const errors = validateSpec(next.spec ?? {})
    const set = (quota: Readonly<ResourceQuota>): string[] => [...new Set(quota.spec?.scopes)].sort()
    if (!equalJson(set(next), set(prev))) errors.push(invalidValue(at.child('scopes'), next.spec?.scopes ?? null, immutableSentence))
    return errors
  },
  warnings: (next, prev) => (prev === undefined ? quotaWarnings(next) : []),
}

export const quotaStatus: StatusRules<ResourceQuota> = {
  validateUpdate(next) {
    const errors: Errors = []
    for (const field of ['hard', 'used'] as const) amounts(errors, next.status?.[field], path('status', field))
    return errors
  },
}

const limitTypes = ['Pod', 'Container', 'PersistentVolumeClaim']
const sides = ['max', 'min', 'default', 'defaultRequest', 'maxLimitRequestRatio'] as const

function validateLimits(range: Readonly<LimitRange>): Errors {
  const errors: Errors = []
  const seen = new Set<string>()
  range.spec?.limits?.forEach((limit, i) => {
    const here = at.child('limits').index(i)
    const wrong = qualifiedName(limit.type)
    say(errors, here.child('type'), limit.type, wrong)
    if (wrong.length === 0 && !limit.type.includes('/') && !limitTypes.includes(limit.type)) {
      errors.push(invalidValue(here.child('type'), limit.type, 'must be a standard limit type or fully qualified'))
    }
    if (seen.has(limit.type)) errors.push(duplicate(here.child('type'), limit.type))
    seen.add(limit.type)
    limitNames(errors, limit, here)
    const names = new Set(sides.flatMap((side) => Object.keys(limit[side] ?? {})))
    for (const name of names) relations(errors, limit, name, here)
  })
  return errors
}

function limitNames(errors: Errors, limit: Readonly<LimitRangeItem>, at: Path): void {
  const ofContainers = limit.type === 'Pod' || limit.type === 'Container'
  for (const side of sides) {
    const names = Object.keys(limit[side] ?? {})
    if (limit.type === 'Pod' && (side === 'default' || side === 'defaultRequest')) {
      if (names.length > 0) errors.push(forbiddenField(at.child(side), "may not be specified when `type` is 'Pod'"))
      continue
    }
    for (const name of names) (ofContainers ? validateContainerResourceName : validateResourceName)(errors, name, at.child(side).key(name))
  }
  if (limit.type === 'PersistentVolumeClaim' && limit.min?.['storage'] === undefined && limit.max?.['storage'] === undefined) {
    errors.push(required(at.child('limits'), 'either minimum or maximum storage value is required, but neither was provided'))
  }
}

function relations(errors: Errors, limit: Readonly<LimitRangeItem>, name: string, at: Path): void {
  const [min, max, ratio] = [limit.min?.[name], limit.max?.[name], limit.maxLimitRequestRatio?.[name]]
  const ofPod = limit.type === 'Pod'
  const [value, request] = ofPod ? [undefined, undefined] : [limit.default?.[name], limit.defaultRequest?.[name]]
  const more = (a: string | undefined, b: string | undefined): boolean => a !== undefined && b !== undefined && compareQuantities(a, b) > 0
  const wrong = (side: string, shown: string | undefined, sentence: string): void => void errors.push(invalidValue(at.child(side).key(name), shown, sentence))
  if (more(min, max)) wrong('min', min, `min value ${min} is greater than max value ${max}`)
  if (more(min, request)) wrong('defaultRequest', request, `min value ${min} is greater than default request value ${request}`)
  if (more(request, max)) wrong('defaultRequest', request, `default request value ${request} is greater than max value ${max}`)
  if (more(request, value)) wrong('defaultRequest', request, `default request value ${request} is greater than default limit value ${value}`)
  if (more(min, value)) wrong('default', min, `min value ${min} is greater than default value ${value}`)
  if (more(value, max)) wrong('default', max, `default value ${value} is greater than max value ${max}`)
  if (more('1', ratio)) wrong('maxLimitRequestRatio', ratio, `ratio ${ratio} is less than 1`)
  if (ratio !== undefined && min !== undefined && max !== undefined) {
    const most = quantityMilli(max) / quantityMilli(min)
    if (quantityMilli(ratio) / 1_000 > most) wrong('maxLimitRequestRatio', ratio, `ratio ${ratio} is greater than max/min = ${most.toFixed(6)}`)
  }
  if (!mayOvercommit(name) && value !== undefined && request !== undefined && compareQuantities(value, request) !== 0) {
    wrong('defaultRequest', request, `default value ${value} must equal to defaultRequest value ${request} in ${name}`)
  }
}

export const limitRangeStrategy: Strategy<LimitRange> = { validateCreate: validateLimits, validateUpdate: validateLimits }
