/** How writes of StatefulSets behave, and their rules (k8s.io/kubernetes/pkg/apis/apps/validation/validation.go, pkg/registry/apps/statefulset). */
import { label, nonNegative, nonNegatives, type Errors } from '../checks.ts'
import { claimWarnings, validateClaimSpec } from '../core/claimspec.ts'
import { validateLastingTemplate, validatePodTemplate } from '../core/podspec/spec.ts'
import { equalJson } from '../../lib/json.ts'
import { forbiddenField, invalidValue, notSupported, path, required, type Path } from '../field.ts'
import type { StatusRules, Strategy } from '../kind.ts'
import type { PodTemplateSpec, StatefulSet, StatefulSetSpec } from '../schema/types.ts'
import { collisions, requiredSelector, selectorMustMatch, statusCounts, workloadWarnings } from './templates.ts'

const at = path('spec')

function validate(set: Readonly<StatefulSet>, update = false): Errors {
  const errors: Errors = []
  const { spec } = set
  if (spec === undefined) return [required(at.child('selector'))]
  strategies(errors, spec)
  for (const field of ['whenDeleted', 'whenScaled'] as const) {
    const policy = spec.persistentVolumeClaimRetentionPolicy?.[field]
    if (policy !== undefined && policy !== 'Retain' && policy !== 'Delete') errors.push(notSupported(at.child('persistentVolumeClaimRetentionPolicy', field), policy, ['Retain', 'Delete']))
  }
  if (!update) spec.volumeClaimTemplates?.forEach((claim, i) => validateClaimSpec(errors, claim.spec ?? {}, at.child('volumeClaimTemplates').index(i).child('spec')))
  nonNegatives(errors, spec, at, 'replicas', 'minReadySeconds')
  nonNegative(errors, spec.ordinals?.start, at.child('ordinals.start'))
  if (!update && (spec.serviceName ?? '') !== '') label(errors, spec.serviceName ?? '', at.child('serviceName'))
  const selector = requiredSelector(errors, spec.selector, at.child('selector'), 'statefulset', '')
  const here = at.child('template')
  if (selector !== undefined) {
    selectorMustMatch(errors, selector, spec.template, here)
    validatePodTemplate(errors, completed(spec), here)
  }
  validateLastingTemplate(errors, spec.template, here, 'StatefulSet')
  return errors
}

/** Claims in a set carry their type, as upstream writes them out (pkg/apis/apps/v1/conversion.go). */
function nameClaims(set: StatefulSet): void {
  for (const claim of set.spec?.volumeClaimTemplates ?? []) {
    claim.kind = 'PersistentVolumeClaim'
    claim.apiVersion = 'v1'
  }
}

function strategies(errors: Errors, spec: Readonly<StatefulSetSpec>): void {
  const management = spec.podManagementPolicy ?? ''
  if (management === '') errors.push(required(at.child('podManagementPolicy')))
  else if (management !== 'OrderedReady' && management !== 'Parallel') {
    errors.push(invalidValue(at.child('podManagementPolicy'), management, "must be 'OrderedReady' or 'Parallel'"))
  }
  const { type = '', rollingUpdate: update } = spec.updateStrategy ?? {}
  const here: Path = at.child('updateStrategy')
  const shown = update === undefined ? null : { Partition: update.partition ?? 0, MaxUnavailable: update.maxUnavailable ?? null }
  if (type === '') errors.push(required(here))
  else if (type === 'OnDelete') {
    if (update !== undefined) errors.push(invalidValue(here.child('rollingUpdate'), shown, "only allowed for updateStrategy 'RollingUpdate'"))
  } else if (type === 'RollingUpdate') {
    nonNegative(errors, update?.partition, here.child('rollingUpdate', 'partition'))
  } else {
    errors.push(invalidValue(here, { Type: type, RollingUpdate: shown }, "must be 'RollingUpdate' or 'OnDelete'"))
  }
}

/** The template as pods will have it: with the volumes of the claims, whose host names are made per pod. */
function completed(spec: Readonly<StatefulSetSpec>): PodTemplateSpec {
  const claims = spec.volumeClaimTemplates ?? []
  const { subdomain: _subdomain, hostname: _hostname, ...podSpec } = spec.template.spec ?? { containers: [] }
  if (claims.length === 0) return { ...spec.template, spec: podSpec }
  const added = claims.map((claim) => ({ name: claim.metadata.name ?? '', persistentVolumeClaim: { claimName: claim.metadata.name ?? '' } }))
  const others = (podSpec.volumes ?? []).filter((volume) => !added.some((claim) => claim.name === volume.name))
  return { ...spec.template, spec: { ...podSpec, volumes: [...added, ...others] } }
}

const changeable = ['replicas', 'template', 'updateStrategy', 'minReadySeconds', 'ordinals', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy'] as const
const unchangedSentence = "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"

function fixed(spec: Readonly<StatefulSetSpec> | undefined): object {
  return Object.fromEntries(Object.entries(spec ?? {}).filter(([field]) => !(changeable as readonly string[]).includes(field)))
}

/** Behind a feature that is off by default, unless it is in use. */
function dropDisabled(next: StatefulSet, prev: Readonly<StatefulSet> | undefined): void {
  if (prev?.spec?.updateStrategy?.rollingUpdate?.maxUnavailable === undefined) delete next.spec?.updateStrategy?.rollingUpdate?.maxUnavailable
}

function warnings(next: Readonly<StatefulSet>, prev: Readonly<StatefulSet> | undefined): string[] {
  const claims = at.child('volumeClaimTemplates')
  return [
    ...workloadWarnings(next, prev, next.spec?.template, false),
    ...(next.spec?.volumeClaimTemplates ?? []).flatMap((claim, i) => claimWarnings(claim.spec ?? {}, claims.index(i).child(prev === undefined ? 'spec' : 'Spec'))),
    ...((next.spec?.revisionHistoryLimit ?? 0) < 0 ? ['spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended'] : []),
  ]
}

export const statefulSetStrategy: Strategy<StatefulSet> = {
  prepareCreate(set) {
    dropDisabled(set, undefined)
    nameClaims(set)
  },
  prepareUpdate(next, prev) {
    dropDisabled(next, prev)
    nameClaims(next)
  },
  validateCreate: (set) => validate(set),
  validateUpdate(next, prev) {
    const errors = validate(next, true)
    if (!equalJson(fixed(next.spec), fixed(prev.spec))) errors.push(forbiddenField(at, unchangedSentence))
    return errors
  },
  warnings,
}

export const statefulSetStatus: StatusRules<StatefulSet> = {
  validateUpdate(next, prev) {
    const errors: Errors = []
    const counts = ['replicas', 'readyReplicas', 'currentReplicas', 'updatedReplicas', 'availableReplicas', 'observedGeneration', 'collisionCount']
    const bounded = ['readyReplicas', 'currentReplicas', 'updatedReplicas', 'availableReplicas']
    statusCounts(errors, next.status ?? {}, path('status'), counts, bounded, 'status.readyReplicas')
    collisions(errors, next.status?.collisionCount, prev.status?.collisionCount)
    return errors
  },
}
