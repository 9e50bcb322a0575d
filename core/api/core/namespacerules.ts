/** How writes of Namespaces behave, and their rules (k8s.io/kubernetes/pkg/registry/core/namespace/strategy.go, pkg/apis/core/validation). */
import { qualified, type Errors } from '../checks.ts'
import { invalidValue, path } from '../field.ts'
import type { StatusRules, Strategy } from '../kind.ts'
import { isBeingDeleted } from '../meta.ts'
import { validateStandardFinalizers } from '../metavalidation.ts'
import type { Namespace } from '../schema/types.ts'

const own = 'kubernetes'

function validate(namespace: Readonly<Namespace>, each: boolean): Errors {
  const errors: Errors = []
  const at = path('spec', 'finalizers')
  namespace.spec?.finalizers?.forEach((finalizer, i) => {
    const here = each ? at.index(i) : at
    qualified(errors, finalizer, here)
    errors.push(...validateStandardFinalizers([finalizer], here, false))
  })
  return errors
}

export const namespaceStrategy: Strategy<Namespace> = {
  prepareCreate(namespace) {
    namespace.status = { phase: 'Active' }
    const finalizers = ((namespace.spec ??= {}).finalizers ??= [])
    if (!finalizers.includes(own)) finalizers.push(own)
  },
  prepareUpdate(next, prev) {
    const spec = (next.spec ??= {})
    if (prev.spec?.finalizers === undefined) delete spec.finalizers
    else spec.finalizers = [...prev.spec.finalizers]
  },
  validateCreate: (namespace) => validate(namespace, false),
  validateUpdate: (next) => validate(next, false),
}

export const namespaceStatus: StatusRules<Namespace> = {
  validateUpdate(next) {
    const phase = next.status?.phase ?? ''
    const at = path('status', 'Phase')
    if (isBeingDeleted(next)) return phase === 'Terminating' ? [] : [invalidValue(at, phase, "may only be 'Terminating' if `deletionTimestamp` is not empty")]
    return phase === 'Active' ? [] : [invalidValue(at, phase, "may only be 'Active' if `deletionTimestamp` is empty")]
  },
}

export const namespaceParts: Readonly<Record<string, StatusRules<Namespace>>> = { finalize: { validateUpdate: (next) => validate(next, true) } }
