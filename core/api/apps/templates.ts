/** Rules that the workloads of the group apps share: selectors and their templates, rolling updates, counts (k8s.io/kubernetes/pkg/apis/apps/validation/validation.go). */
import { intOrPercent, atMostAll, isEmptySelector, labelSelector, nonNegatives, plainNumber, readSelector, type Errors } from '../checks.ts'
import { templateWarnings } from '../core/podspec/warnings.ts'
import { validateLastingTemplate, validatePodTemplate } from '../core/podspec/spec.ts'
import { invalidValue, path, required, type Path } from '../field.ts'
import type { KubeObject } from '../meta.ts'
import { dns1123Label } from '../names.ts'
import type { IntOrString, LabelSelector, PodTemplateSpec } from '../schema/types.ts'
import type { Selector } from '../selector.ts'

export const mismatchSentence = '`selector` does not match template `labels`'

export function selectorMustMatch(errors: Errors, selector: Selector, template: Readonly<PodTemplateSpec>, at: Path): void {
  const labels = template.metadata?.labels
  if (!selector.empty && !selector.matches(labels)) errors.push(invalidValue(at.child('metadata', 'labels'), labels ?? null, mismatchSentence))
}

/** Required, not empty, well formed; the selector when it can be read. */
export function requiredSelector(errors: Errors, selector: Readonly<LabelSelector> | undefined, at: Path, kind: string, unreadable: string): Selector | undefined {
  if (selector === undefined) {
    errors.push(required(at))
  } else {
    labelSelector(errors, selector, at)
    if (isEmptySelector(selector)) errors.push(invalidValue(at, selector, `empty selector is invalid for ${kind}`))
  }
  const read = readSelector(selector)
  if (read === undefined) errors.push(invalidValue(at, selector ?? null, unreadable))
  return read
}

/** Of Deployments and ReplicaSets. */
export function validateReplicaTemplate(errors: Errors, spec: { readonly selector?: Readonly<LabelSelector>; readonly template?: Readonly<PodTemplateSpec> }, at: Path): void {
  const selector = requiredSelector(errors, spec.selector, at.child('selector'), 'deployment', 'invalid label selector')
  if (selector === undefined) return
  const [template, here] = [spec.template ?? {}, at.child('template')]
  selectorMustMatch(errors, selector, template, here)
  validatePodTemplate(errors, template, here)
  validateLastingTemplate(errors, template, here, 'ReplicaSet')
}

export function rollingNumbers(errors: Errors, update: { readonly maxUnavailable?: IntOrString; readonly maxSurge?: IntOrString }, at: Path): void {
  intOrPercent(errors, update.maxUnavailable ?? 0, at.child('maxUnavailable'))
  intOrPercent(errors, update.maxSurge ?? 0, at.child('maxSurge'))
}

export const isNone = (value: IntOrString | undefined): boolean => plainNumber(value) === 0
export { atMostAll }

/** Counts of a status that may not be more than `replicas`; `available` not more than `ready`. */
export function statusCounts(errors: Errors, status: object, at: Path, fields: readonly string[], bounded: readonly string[], ofReady: string): void {
  nonNegatives(errors, status, at, ...fields)
  const counts = status as Readonly<Record<string, number | undefined>>
  for (const field of bounded) {
    if ((counts[field] ?? 0) > (counts['replicas'] ?? 0)) errors.push(invalidValue(at.child(field), counts[field], 'cannot be greater than status.replicas'))
  }
  if ((counts['availableReplicas'] ?? 0) > (counts['readyReplicas'] ?? 0)) {
    errors.push(invalidValue(at.child('availableReplicas'), counts['availableReplicas'], `cannot be greater than ${ofReady}`))
  }
}

export function collisions(errors: Errors, next: number | undefined, prev: number | undefined): void {
  if (prev !== undefined && (next === undefined || next < prev)) errors.push(invalidValue(path('status', 'collisionCount'), next ?? 0, 'cannot be decremented'))
}

/** Names become parts of pod names and host names. */
export function nameWarnings(object: Readonly<KubeObject>): string[] {
  const wrong = dns1123Label(object.metadata.name ?? '')
  const about = 'metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended'
  return wrong.length === 0 ? [] : [`${about}: [${wrong.join(' ')}]`]
}

/** Warnings of the template, at creation and when what is wanted has changed. */
export function workloadWarnings(next: Readonly<KubeObject>, prev: Readonly<KubeObject> | undefined, template: Readonly<PodTemplateSpec> | undefined, named: boolean, at = path('spec', 'template')): string[] {
  if (prev !== undefined) return next.metadata.generation === prev.metadata.generation ? [] : templateWarnings(template ?? {}, at)
  return [...(named ? nameWarnings(next) : []), ...templateWarnings(template ?? {}, at)]
}
