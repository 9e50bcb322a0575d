/** Rules of PodDisruptionBudgets (k8s.io/kubernetes/pkg/apis/policy/validation/validation.go). */
import { atMostAll, intOrPercent, labelSelector, nonNegatives, type Errors } from '../checks.ts'
import { invalidValue, notSupported, path } from '../field.ts'
import type { StatusRules, Strategy } from '../kind.ts'
import type { PodDisruptionBudget } from '../schema/types.ts'

const at = path('spec')

function validate(budget: Readonly<PodDisruptionBudget>): Errors {
  const errors: Errors = []
  const spec = budget.spec ?? {}
  const { minAvailable: least, maxUnavailable: most, unhealthyPodEvictionPolicy: policy } = spec
  if (least !== undefined && most !== undefined) {
    const shown = { MinAvailable: least, Selector: spec.selector ?? null, MaxUnavailable: most, UnhealthyPodEvictionPolicy: policy ?? null }
    errors.push(invalidValue(at, shown, 'minAvailable and maxUnavailable cannot be both set'))
  }
  for (const field of ['minAvailable', 'maxUnavailable'] as const) {
    const value = spec[field]
    if (value === undefined) continue
    intOrPercent(errors, value, at.child(field))
    atMostAll(errors, value, at.child(field))
  }
  labelSelector(errors, spec.selector, at.child('selector'))
  if (policy !== undefined && policy !== 'AlwaysAllow' && policy !== 'IfHealthyBudget') {
    errors.push(notSupported(at.child('unhealthyPodEvictionPolicy'), policy, ['AlwaysAllow', 'IfHealthyBudget']))
  }
  return errors
}

export const budgetStrategy: Strategy<PodDisruptionBudget> = { validateCreate: validate, validateUpdate: validate }

export const budgetStatus: StatusRules<PodDisruptionBudget> = {
  validateUpdate(next) {
    const errors: Errors = []
    nonNegatives(errors, next.status ?? {}, path('status'), 'disruptionsAllowed', 'currentHealthy', 'desiredHealthy', 'expectedPods')
    return errors
  },
}
