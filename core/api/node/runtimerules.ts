/** Rules of RuntimeClasses (k8s.io/kubernetes/pkg/apis/node/validation/validation.go). */
import { immutable, label, type Errors } from '../checks.ts'
import { validateTolerations } from '../core/podspec/affinity.ts'
import { validateResources } from '../core/podspec/resources.ts'
import { deprecatedNodeLabels } from '../core/podspec/warnings.ts'
import { duplicate, path, required } from '../field.ts'
import type { Strategy } from '../kind.ts'
import { validateLabels } from '../metavalidation.ts'
import type { RuntimeClass } from '../schema/types.ts'

function validate(of: Readonly<RuntimeClass>): Errors {
  const errors: Errors = []
  if (of.handler === '') errors.push(required(path('handler')))
  else label(errors, of.handler, path('handler'))
  if (of.overhead !== undefined) validateResources(errors, { limits: of.overhead.podFixed ?? {} }, path('overhead'))
  const { nodeSelector, tolerations = [] } = of.scheduling ?? {}
  const at = path('scheduling')
  if (nodeSelector !== undefined) errors.push(...validateLabels(nodeSelector, at.child('nodeSelector')))
  validateTolerations(errors, tolerations, at.child('tolerations'))
  const seen = new Set<string>()
  tolerations.forEach(({ key = '', operator = '', value = '', effect = '', tolerationSeconds }, i) => {
    const id = JSON.stringify([key, operator, value, effect])
    if (seen.has(id)) errors.push(duplicate(at.child('tolerations').index(i), { Key: key, Operator: operator, Value: value, Effect: effect, TolerationSeconds: tolerationSeconds ?? null }))
    seen.add(id)
  })
  return errors
}

export const runtimeClassStrategy: Strategy<RuntimeClass> = {
  validateCreate: validate,
  validateUpdate(next, prev) {
    const errors = validate(next)
    immutable(errors, next.handler, prev.handler, path('handler'))
    return errors
  },
  warnings: (next) => Object.keys(next.scheduling?.nodeSelector ?? {}).flatMap((key) => (deprecatedNodeLabels[key] === undefined ? [] : [`scheduling.nodeSelector: ${deprecatedNodeLabels[key]}`])),
}
