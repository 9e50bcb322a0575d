/** Rules of PriorityClasses (k8s.io/kubernetes/pkg/apis/scheduling/validation/validation.go). */
import { immutable, needsOneOf, type Errors } from '../checks.ts'
import { forbiddenField, path } from '../field.ts'
import type { Strategy } from '../kind.ts'
import type { PriorityClass } from '../schema/types.ts'

const systemPrefix = 'system-'
const userMax = 1_000_000_000
const system: Readonly<Record<string, number>> = { 'system-node-critical': 2_000_001_000, 'system-cluster-critical': 2_000_000_000 }

function notSystem(of: Readonly<PriorityClass>): string | undefined {
  const name = of.metadata.name ?? ''
  const value = system[name]
  if (value === undefined) return `${name} is not a known system priority class`
  if (of.value !== value) return `value of ${name} PriorityClass must be ${value}`
  return of.globalDefault === true ? `globalDefault of ${name} PriorityClass must be false` : undefined
}

export const priorityClassStrategy: Strategy<PriorityClass> = {
  prepareCreate(of) {
    of.metadata.generation = 1 // and never another
  },
  validateCreate(of) {
    const errors: Errors = []
    const wrong = (of.metadata.name ?? '').startsWith(systemPrefix) ? notSystem(of) : undefined
    if (wrong !== undefined) {
      errors.push(forbiddenField(path('metadata', 'name'), `priority class names with '${systemPrefix}' prefix are reserved for system use only. error: ${wrong}`))
    } else if (!(of.metadata.name ?? '').startsWith(systemPrefix) && (of.value ?? 0) > userMax) {
      errors.push(forbiddenField(path('value'), `maximum allowed value of a user defined priority is ${userMax}`))
    }
    if (of.preemptionPolicy !== undefined) needsOneOf(errors, of.preemptionPolicy, ['PreemptLowerPriority', 'Never'], path('preemptionPolicy'))
    return errors
  },
  validateUpdate(next, prev) {
    const errors: Errors = []
    if (next.value !== prev.value) errors.push(forbiddenField(path('value'), 'may not be changed in an update.'))
    immutable(errors, next.preemptionPolicy, prev.preemptionPolicy, path('preemptionPolicy'))
    return errors
  },
}
