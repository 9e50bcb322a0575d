/** How writes of Deployments behave, and their rules (k8s.io/kubernetes/pkg/apis/apps/validation/validation.go, pkg/registry/apps/deployment). */
import { atMostAll, immutable, nonNegative, nonNegatives, type Errors } from '../checks.ts'
import { equalJson } from '../../lib/json.ts'
import { forbiddenField, invalidValue, notSupported, path, required, type Path } from '../field.ts'
import type { StatusRules, Strategy } from '../kind.ts'
import type { Deployment, DeploymentStrategy } from '../schema/types.ts'
import { collisions, isNone, rollingNumbers, statusCounts, validateReplicaTemplate, workloadWarnings } from './templates.ts'

function validate(deployment: Readonly<Deployment>): Errors {
  const errors: Errors = []
  const at = path('spec')
  const { spec } = deployment
  if (spec === undefined) return [required(at.child('selector'))]
  nonNegative(errors, spec.replicas, at.child('replicas'))
  validateReplicaTemplate(errors, spec, at)
  strategyRules(errors, spec.strategy ?? {}, at.child('strategy'))
  nonNegatives(errors, spec, at, 'minReadySeconds', 'revisionHistoryLimit', 'progressDeadlineSeconds')
  const deadline = spec.progressDeadlineSeconds
  if (deadline !== undefined && deadline <= (spec.minReadySeconds ?? 0)) {
    errors.push(invalidValue(at.child('progressDeadlineSeconds'), deadline, 'must be greater than minReadySeconds'))
  }
  return errors
}

function strategyRules(errors: Errors, strategy: Readonly<DeploymentStrategy>, at: Path): void {
  const { type, rollingUpdate: update } = strategy
  const here = at.child('rollingUpdate')
  if (type === 'Recreate') {
    if (update !== undefined) errors.push(forbiddenField(here, "may not be specified when strategy `type` is 'Recreate'"))
  } else if (type !== 'RollingUpdate') {
    const shown = { Type: type ?? '', RollingUpdate: update === undefined ? null : { MaxUnavailable: update.maxUnavailable ?? 0, MaxSurge: update.maxSurge ?? 0 } }
    errors.push(notSupported(at, shown, ['Recreate', 'RollingUpdate']))
  } else if (update === undefined) {
    errors.push(required(here, 'this should be defaulted and never be nil'))
  } else {
    rollingNumbers(errors, update, here)
    if (isNone(update.maxUnavailable) && isNone(update.maxSurge)) {
      errors.push(invalidValue(here.child('maxUnavailable'), update.maxUnavailable ?? 0, 'may not be 0 when `maxSurge` is 0'))
    }
    atMostAll(errors, update.maxUnavailable ?? 0, here.child('maxUnavailable'))
  }
}

export const deploymentStrategy: Strategy<Deployment> = {
  prepareUpdate(next, prev) {
    // Annotations go to the ReplicaSets: a change of them is one of what is wanted.
    const changed = !equalJson(next.spec, prev.spec) || !equalJson(next.metadata.annotations ?? {}, prev.metadata.annotations ?? {})
    if (changed) next.metadata.generation = (prev.metadata.generation ?? 0) + 1
  },
  validateCreate: validate,
  validateUpdate(next, prev) {
    const errors = validate(next)
    immutable(errors, next.spec?.selector, prev.spec?.selector, path('spec', 'selector'))
    return errors
  },
  warnings: (next, prev) => workloadWarnings(next, prev, next.spec?.template, true),
}

export const deploymentStatus: StatusRules<Deployment> = {
  validateUpdate(next, prev) {
    const errors: Errors = []
    const fields = ['observedGeneration', 'replicas', 'updatedReplicas', 'readyReplicas', 'availableReplicas', 'unavailableReplicas', 'terminatingReplicas', 'collisionCount']
    statusCounts(errors, next.status ?? {}, path('status'), fields, ['updatedReplicas', 'readyReplicas', 'availableReplicas'], 'readyReplicas')
    collisions(errors, next.status?.collisionCount, prev.status?.collisionCount)
    return errors
  },
}
