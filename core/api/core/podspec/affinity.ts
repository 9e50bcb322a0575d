/**
 * Where pods may run: node selectors, affinity, tolerations, spreading
 * (k8s.io/kubernetes/pkg/apis/core/validation/validation.go).
 */
import { label, labelSelector, positive, qualified, say, type Errors } from '../../checks.ts'
import { duplicate, forbiddenField, invalidValue, notSupported, required, type Path } from '../../field.ts'
import { dns1123Label, dns1123Subdomain, labelValue } from '../../names.ts'
import type * as k from '../../schema/types.ts'

export function validateNodeSelector(errors: Errors, selector: Readonly<k.NodeSelector>, at: Path): void {
  const terms = selector.nodeSelectorTerms ?? []
  const here = at.child('nodeSelectorTerms')
  if (terms.length === 0) errors.push(required(here, 'must have at least one node selector term'))
  terms.forEach((term, i) => selectorTerm(errors, term, here.index(i), false))
}

function selectorTerm(errors: Errors, term: Readonly<k.NodeSelectorTerm>, at: Path, tolerant: boolean): void {
  term.matchExpressions?.forEach((requirement, i) => expression(errors, requirement, at.child('matchExpressions').index(i), tolerant))
  term.matchFields?.forEach((requirement, i) => fieldExpression(errors, requirement, at.child('matchFields').index(i)))
}

function expression(errors: Errors, { key, operator, values = [] }: Readonly<k.NodeSelectorRequirement>, at: Path, tolerant: boolean): void {
  const here = at.child('values')
  if (operator === 'In' || operator === 'NotIn') {
    if (values.length === 0) errors.push(required(here, "must be specified when `operator` is 'In' or 'NotIn'"))
  } else if (operator === 'Exists' || operator === 'DoesNotExist') {
    if (values.length > 0) errors.push(forbiddenField(here, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"))
  } else if (operator === 'Gt' || operator === 'Lt') {
    if (values.length !== 1) errors.push(required(here, "must be specified single value when `operator` is 'Lt' or 'Gt'"))
  } else {
    errors.push(invalidValue(at.child('operator'), operator, 'not a valid selector operator'))
  }
  qualified(errors, key, at.child('key'))
  if (!tolerant) values.forEach((value, i) => say(errors, here.index(i), value, labelValue(value)))
}

function fieldExpression(errors: Errors, { key, operator, values = [] }: Readonly<k.NodeSelectorRequirement>, at: Path): void {
  if (operator !== 'In' && operator !== 'NotIn') errors.push(invalidValue(at.child('operator'), operator, 'not a valid selector operator'))
  else if (values.length !== 1) errors.push(required(at.child('values'), "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"))
  if (key !== 'metadata.name') errors.push(invalidValue(at.child('key'), key, 'not a valid field selector key'))
  else values.forEach((value, i) => say(errors, at.child('values').index(i), value, dns1123Subdomain(value)))
}

const requiredRules = 'requiredDuringSchedulingIgnoredDuringExecution'
const preferredRules = 'preferredDuringSchedulingIgnoredDuringExecution'

export function validateAffinity(errors: Errors, affinity: Readonly<k.Affinity> | undefined, at: Path): void {
  const ofNode = affinity?.nodeAffinity
  const here = at.child('nodeAffinity')
  if (ofNode?.[requiredRules] !== undefined) validateNodeSelector(errors, ofNode[requiredRules], here.child(requiredRules))
  ofNode?.[preferredRules]?.forEach((term, i) => {
    const place = here.child(preferredRules).index(i)
    weight(errors, term.weight, place)
    selectorTerm(errors, term.preference, place.child('preference'), true)
  })
  for (const field of ['podAffinity', 'podAntiAffinity'] as const) {
    const ofPods = affinity?.[field]
    ofPods?.[requiredRules]?.forEach((term, i) => podTerm(errors, term, at.child(field, requiredRules).index(i)))
    ofPods?.[preferredRules]?.forEach((term, i) => {
      const place = at.child(field, preferredRules).index(i)
      weight(errors, term.weight, place)
      podTerm(errors, term.podAffinityTerm, place.child('podAffinityTerm'))
    })
  }
}

function weight(errors: Errors, value: number, at: Path): void {
  if (value <= 0 || value > 100) errors.push(invalidValue(at.child('weight'), value, 'must be in the range 1-100'))
}

function podTerm(errors: Errors, term: Readonly<k.PodAffinityTerm>, at: Path): void {
  labelSelector(errors, term.labelSelector, at.child('labelSelector'))
  labelSelector(errors, term.namespaceSelector, at.child('namespaceSelector'))
  for (const name of term.namespaces ?? []) say(errors, at.child('namespace'), name, dns1123Label(name))
  labelKeys(errors, term.matchLabelKeys ?? [], term.mismatchLabelKeys ?? [], term.labelSelector, at)
  if (term.topologyKey === '') errors.push(required(at.child('topologyKey'), 'can not be empty'))
  qualified(errors, term.topologyKey, at.child('topologyKey'))
}

/** Label keys whose values come from the pod: at creation each becomes an expression of the selector, so that it may stand there once. */
function labelKeys(errors: Errors, match: readonly string[], mismatch: readonly string[], selector: Readonly<k.LabelSelector> | undefined, at: Path): void {
  for (const [field, keys] of [['matchLabelKeys', match], ['mismatchLabelKeys', mismatch]] as const) {
    if (keys.length === 0) continue
    if (selector === undefined) errors.push(forbiddenField(at.child(field), 'must not be specified when labelSelector is not set'))
    else keys.forEach((key, i) => qualified(errors, key, at.child(field).index(i)))
  }
  const known = new Set(Object.keys(selector?.matchLabels ?? {}))
  const last = new Map(match.map((key, i) => [key, i]))
  for (const { key } of selector?.matchExpressions ?? []) {
    const i = last.get(key)
    if (i !== undefined && known.has(key)) errors.push(invalidValue(at.index(i), key, 'exists in both matchLabelKeys and labelSelector'))
    known.add(key)
  }
  const excluded = new Set(mismatch)
  match.forEach((key, i) => {
    if (excluded.has(key)) errors.push(invalidValue(at.child('matchLabelKeys').index(i), key, 'exists in both matchLabelKeys and mismatchLabelKeys'))
  })
}

export function validateTolerations(errors: Errors, tolerations: readonly Readonly<k.Toleration>[], at: Path): void {
  tolerations.forEach((toleration, i) => {
    const here = at.index(i)
    const { key = '', operator = '', value = '', effect = '' } = toleration
    if (key !== '') qualified(errors, key, here.child('key'))
    else if (operator !== 'Exists') {
      errors.push(invalidValue(here.child('operator'), operator, 'operator must be Exists when `key` is empty, which means "match all values and all keys"'))
    }
    if (toleration.tolerationSeconds !== undefined && effect !== 'NoExecute') {
      errors.push(invalidValue(here.child('effect'), effect, "effect must be 'NoExecute' when `tolerationSeconds` is set"))
    }
    if (operator === 'Equal' || operator === '') {
      const wrong = labelValue(value)
      if (wrong.length > 0) errors.push(invalidValue(here.child('operator'), value, wrong.join(';')))
    } else if (operator === 'Exists') {
      if (value !== '') errors.push(invalidValue(here.child('operator'), value, "value must be empty when `operator` is 'Exists'"))
    } else {
      // Comparisons are behind a feature that is off by default; upstream names them all the same.
      const known = operator === 'Lt' || operator === 'Gt' ? ['Equal', 'Exists', 'Lt', 'Gt'] : ['Equal', 'Exists']
      errors.push(notSupported(here.child('operator'), operator, known))
    }
    if (effect !== '') taintEffect(errors, effect, here.child('effect'))
  })
}

export function taintEffect(errors: Errors, effect: string, at: Path): void {
  const effects = ['NoSchedule', 'PreferNoSchedule', 'NoExecute']
  if (effect === '') errors.push(required(at))
  else if (!effects.includes(effect)) errors.push(notSupported(at, effect, effects))
}

export function validateSpreading(errors: Errors, constraints: readonly Readonly<k.TopologySpreadConstraint>[], at: Path): void {
  const idOf = ({ topologyKey, whenUnsatisfiable }: Readonly<k.TopologySpreadConstraint>): string => `${topologyKey} ${whenUnsatisfiable}`
  const last = new Map(constraints.map((constraint, i) => [idOf(constraint), i]))
  constraints.forEach((constraint, i) => {
    const here = at.index(i)
    const { topologyKey, whenUnsatisfiable: action, minDomains } = constraint
    positive(errors, constraint.maxSkew, here.child('maxSkew'))
    if (topologyKey === '') errors.push(required(here.child('topologyKey'), 'can not be empty'))
    if (action !== 'DoNotSchedule' && action !== 'ScheduleAnyway') errors.push(notSupported(here.child('whenUnsatisfiable'), action, ['DoNotSchedule', 'ScheduleAnyway']))
    if (last.get(idOf(constraint)) !== i) {
      errors.push(duplicate(here.child('{topologyKey, whenUnsatisfiable}'), `{${topologyKey}, ${action}}`))
    }
    if (minDomains !== undefined) {
      positive(errors, minDomains, here.child('minDomains'))
      if (action !== 'DoNotSchedule') errors.push(invalidValue(here.child('minDomains'), minDomains, `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${action}`))
    }
    for (const field of ['nodeAffinityPolicy', 'nodeTaintsPolicy'] as const) {
      const policy = constraint[field]
      if (policy !== undefined && policy !== 'Honor' && policy !== 'Ignore') errors.push(notSupported(here.child(field), policy, ['Honor', 'Ignore']))
    }
    labelKeys(errors, constraint.matchLabelKeys ?? [], [], constraint.labelSelector, here)
    labelSelector(errors, constraint.labelSelector, here.child('labelSelector'))
  })
}

export function validateHostName(errors: Errors, text: string | undefined, at: Path): void {
  if ((text ?? '') !== '') label(errors, text ?? '', at)
}
