/** How writes of pods behave: what the server sets, what stays, and the rules for each endpoint (k8s.io/kubernetes/pkg/registry/core/pod/strategy.go). */
import { ipWarnings, type Errors } from '../checks.ts'
import { forbiddenField, path } from '../field.ts'
import type { StatusRules, Strategy } from '../kind.ts'
import { dns1123Label } from '../names.ts'
import type * as k from '../schema/types.ts'
import { equalJson } from '../../lib/json.ts'
import { qosClass } from './podresources.ts'
import { appArmorOf, validateAgreement, validateAnnotationUpdate, validatePodAnnotations } from './podspec/annotations.ts'
import { noPadding } from './podspec/containers.ts'
import { dropDisabled } from './podspec/disabled.ts'
import { placed, validatePodSpec } from './podspec/spec.ts'
import { validatePodStatus } from './podspec/status.ts'
import { validateEphemeralChange, validatePodChange, validateResize } from './podspec/update.ts'
import { podWarnings } from './podspec/warnings.ts'

const specAt = path('spec')
const annotationsAt = path('metadata', 'annotations')
const specOf = (pod: Readonly<k.Pod>): k.PodSpec => pod.spec ?? { containers: [] }

/** What holds for the whole pod, however it is written. */
function validateWhole(pod: Readonly<k.Pod>): Errors {
  const errors: Errors = []
  const spec = specOf(pod)
  validatePodAnnotations(errors, pod.metadata.annotations ?? {}, spec, annotationsAt)
  validatePodSpec(errors, spec, pod.metadata, specAt)
  if ((spec.serviceAccountName ?? '') === '') {
    spec.volumes?.forEach((volume, i) => volume.projected?.sources?.forEach((source, j) => {
      if (source.serviceAccountToken === undefined) return
      const at = specAt.child('volumes').index(i).child('projected', 'sources').index(j).child('serviceAccountToken')
      errors.push(forbiddenField(at, 'must not be specified when serviceAccountName is not set'))
    }))
  }
  for (const field of ['containers', 'initContainers'] as const) spec[field]?.forEach((container, i) => noPadding(errors, container, specAt.child(field).index(i)))
  return errors
}

function annotationChange(errors: Errors, next: Readonly<k.Pod>, prev: Readonly<k.Pod>): void {
  validateAnnotationUpdate(errors, next.metadata.annotations ?? {}, prev.metadata.annotations ?? {}, annotationsAt)
}

export const podStrategy: Strategy<k.Pod> = {
  prepareCreate(pod) {
    pod.status = { phase: 'Pending', qosClass: qosClass(pod) }
    const spec = specOf(pod)
    patience(spec)
    dropDisabled(spec, undefined)
    if ((spec.schedulingGates ?? []).length > 0) {
      pod.status.conditions = [{ type: 'PodScheduled', status: 'False', reason: 'SchedulingGated', message: 'Scheduling is blocked due to non-empty scheduling gates' }]
    }
    labelKeysIntoSelectors(pod)
    if (spec.os?.name !== 'windows') appArmorIntoFields(pod)
  },
  prepareUpdate(next, prev) {
    patience(specOf(next))
    dropDisabled(specOf(next), specOf(prev))
  },
  validateCreate(pod) {
    const errors = validateWhole(pod)
    const spec = specOf(pod)
    if ((spec.ephemeralContainers ?? []).length > 0) errors.push(forbiddenField(specAt.child('ephemeralContainers'), 'cannot be set on create'))
    if ((spec.nodeName ?? '') !== '' && (spec.schedulingGates ?? []).length > 0) {
      errors.push(forbiddenField(specAt.child('nodeName'), 'cannot be set until all schedulingGates have been cleared'))
    }
    validateAgreement(errors, pod.metadata.annotations ?? {}, spec, specAt, placed(spec, specAt))
    return errors
  },
  validateUpdate(next, prev) {
    const errors = validateWhole(next)
    annotationChange(errors, next, prev)
    validatePodChange(errors, specOf(next), specOf(prev))
    return errors
  },
  warnings(next, prev) {
    if (prev !== undefined) return []
    const wrong = dns1123Label(next.metadata.name ?? '')
    const about = "metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended"
    return [...(appArmorWarnings.get(next) ?? []), ...(wrong.length === 0 ? [] : [`${about}: [${wrong.join(' ')}]`]), ...podWarnings(specOf(next), next.metadata, path())]
  },
}

export const podStatusRules: StatusRules<k.Pod> = {
  prepareUpdate(next, prev) {
    const status = (next.status ??= {})
    if ((status.qosClass ?? '') === '' && prev.status?.qosClass !== undefined) status.qosClass = prev.status.qosClass
    if ((status.observedGeneration ?? 0) === 0 && prev.status?.observedGeneration !== undefined) status.observedGeneration = prev.status.observedGeneration
    const seen = new Map<string, number>()
    for (const condition of status.conditions ?? []) {
      const nth = seen.get(condition.type) ?? 0
      seen.set(condition.type, nth + 1)
      const old = prev.status?.conditions?.filter((other) => other.type === condition.type)[nth]?.observedGeneration
      if ((condition.observedGeneration ?? 0) === 0 && old !== undefined) condition.observedGeneration = old
    }
  },
  validateUpdate(next, prev) {
    const errors: Errors = []
    annotationChange(errors, next, prev)
    validatePodAnnotations(errors, next.metadata.annotations ?? {}, specOf(next), annotationsAt)
    return [...errors, ...validatePodStatus(next, prev)]
  },
  warnings(next) {
    const at = path('status')
    const of = (field: 'podIPs' | 'hostIPs'): string[] => (next.status?.[field] ?? []).flatMap((entry, i) => ipWarnings(at.child(field).index(i).child('ip'), entry.ip))
    return [...of('podIPs'), ...of('hostIPs')]
  },
}

export const podParts: Readonly<Record<string, StatusRules<k.Pod>>> = {
  ephemeralcontainers: {
    validateUpdate(next, prev) {
      const errors = validateWhole(next)
      annotationChange(errors, next, prev)
      return [...errors, ...validateEphemeralChange(next, prev)]
    },
  },
  resize: {
    validateUpdate: (next, prev) => [...validateWhole(next), ...validateResize(next, prev)],
  },
}

/** Less than no time means as soon as can be: one second (k8s.io/kubernetes/pkg/apis/core/v1/conversion.go). */
function patience(spec: k.PodSpec): void {
  if ((spec.terminationGracePeriodSeconds ?? 0) < 0) spec.terminationGracePeriodSeconds = 1
}

/** The pod's own values of matchLabelKeys are known now: they become expressions of the selectors. */
function labelKeysIntoSelectors(pod: k.Pod): void {
  const labels = pod.metadata.labels ?? {}
  const merge = (selector: k.LabelSelector | undefined, keys: readonly string[] | undefined, operator: string): void => {
    for (const key of keys ?? []) {
      if (selector === undefined || labels[key] === undefined) continue
      ;(selector.matchExpressions ??= []).push({ key, operator, values: [labels[key]] })
    }
  }
  const { affinity, topologySpreadConstraints: constraints = [] } = specOf(pod)
  for (const side of [affinity?.podAffinity, affinity?.podAntiAffinity]) {
    const terms = [
      ...(side?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map((term) => term.podAffinityTerm),
      ...(side?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
    ]
    for (const term of terms) {
      merge(term.labelSelector, term.matchLabelKeys, 'In')
      merge(term.labelSelector, term.mismatchLabelKeys, 'NotIn')
    }
  }
  for (const constraint of constraints) merge(constraint.labelSelector, constraint.matchLabelKeys, 'In')
}

function appArmorIntoFields(pod: k.Pod): void {
  const spec = specOf(pod)
  const warned: string[] = []
  for (const [container] of placed(spec, specAt)) {
    const old = appArmorOf(pod.metadata.annotations, container.name)
    if (old === undefined || container.securityContext?.appArmorProfile !== undefined || (old.profile !== undefined && equalJson(old.profile, spec.securityContext?.appArmorProfile))) continue
    warned.push(`${annotationsAt.key(old.key).text}: deprecated since v1.30; use the "appArmorProfile" field instead`)
    const { profile } = old
    if (profile === undefined) continue
    const mine = container as k.Container
    mine.securityContext = { ...mine.securityContext, appArmorProfile: profile }
  }
  if (warned.length > 0) appArmorWarnings.set(pod, warned)
}

/** Once a field says the same, nobody sees that an annotation alone did. */
const appArmorWarnings = new WeakMap<Readonly<k.Pod>, readonly string[]>()
