/** Rules of ReplicaSets, and of ReplicationControllers, which came before (k8s.io/kubernetes/pkg/apis/apps/validation, pkg/apis/core/validation). */
import { immutable, nonNegative, nonNegatives, type Errors } from '../checks.ts'
import { validateLastingTemplate, validatePodTemplate } from '../core/podspec/spec.ts'
import { path, required } from '../field.ts'
import type { StatusRules, Strategy } from '../kind.ts'
import type { ReplicaSet, ReplicationController } from '../schema/types.ts'
import { labelsSelector } from '../selector.ts'
import { selectorMustMatch, statusCounts, validateReplicaTemplate, workloadWarnings } from './templates.ts'

const at = path('spec')

function validate(set: Readonly<ReplicaSet>): Errors {
  const errors: Errors = []
  nonNegatives(errors, set.spec ?? {}, at, 'replicas', 'minReadySeconds')
  validateReplicaTemplate(errors, set.spec ?? {}, at)
  return errors
}

export const replicaSetStrategy: Strategy<ReplicaSet> = {
  validateCreate: validate,
  validateUpdate(next, prev) {
    const errors = validate(next)
    immutable(errors, next.spec?.selector, prev.spec?.selector, at.child('selector'))
    return errors
  },
  warnings: (next, prev) => workloadWarnings(next, prev, next.spec?.template, true),
}

const counts = ['replicas', 'fullyLabeledReplicas', 'readyReplicas', 'availableReplicas', 'observedGeneration', 'terminatingReplicas']

function validateStatus(next: Readonly<ReplicaSet | ReplicationController>): Errors {
  const errors: Errors = []
  statusCounts(errors, next.status ?? {}, path('status'), counts, ['fullyLabeledReplicas', 'readyReplicas', 'availableReplicas'], 'readyReplicas')
  return errors
}

export const replicaSetStatus: StatusRules<ReplicaSet> = { validateUpdate: validateStatus }
export const replicationControllerStatus: StatusRules<ReplicationController> = { validateUpdate: validateStatus }

function validateController(controller: Readonly<ReplicationController>): Errors {
  const errors: Errors = []
  const spec = controller.spec ?? {}
  nonNegative(errors, spec.minReadySeconds, at.child('minReadySeconds'))
  if (Object.keys(spec.selector ?? {}).length === 0) errors.push(required(at.child('selector')))
  if (spec.replicas === undefined) errors.push(required(at.child('replicas')))
  else nonNegative(errors, spec.replicas, at.child('replicas'))
  const here = at.child('template')
  if (spec.template === undefined) {
    errors.push(required(here))
  } else {
    selectorMustMatch(errors, labelsSelector(spec.selector), spec.template, here)
    validatePodTemplate(errors, spec.template, here)
    validateLastingTemplate(errors, spec.template, here, 'ReplicationController')
  }
  return errors
}

export const replicationControllerStrategy: Strategy<ReplicationController> = {
  validateCreate: validateController,
  validateUpdate: validateController,
  warnings: (next, prev) => workloadWarnings(next, prev, next.spec?.template, true),
}
