/** Whether a webhook is asked about a question at all: every match condition must hold (k8s.io/apiserver/pkg/authorization/cel/matcher.go). */
import { reviewSpecType, type MatchCondition } from '../../api/apiserver/matchconditions.ts'
import { costPerCallMax } from '../../api/cel/environments.ts'
import { fromJson } from '../../api/cel/json.ts'
import { CelError, CostExceeded } from '../../api/cel/value.ts'
import type { SubjectAccessReviewSpec } from '../../api/schema/types.ts'

/** A sentence: why it cannot be said. One that is false decides, whatever others failed with. */
export function conditionsHold(conditions: readonly MatchCondition[], spec: Readonly<SubjectAccessReviewSpec>): boolean | string {
  if (conditions.length === 0) return true
  const request = fromJson(shown(spec), reviewSpecType)
  const errors = new Set<string>()
  for (const { text, compiled } of conditions) {
    try {
      if (compiled.evaluate({ request }, costPerCallMax).value === false) return false
    } catch (error) {
      if (!(error instanceof CelError) && !(error instanceof CostExceeded)) throw error
      errors.add(`cel evaluation error: expression '${text}' resulted in error: ${error.message}`)
    }
  }
  const all = [...errors]
  return all.length === 0 ? true : all.length === 1 ? (all[0] ?? '') : `[${all.join(', ')}]`
}

/** Texts and lists are always there, so that conditions need not ask for them. */
function shown({ user = '', groups = [], uid = '', extra = {}, resourceAttributes, nonResourceAttributes }: Readonly<SubjectAccessReviewSpec>): object {
  const { namespace = '', verb = '', group = '', version = '', resource = '', subresource = '', name = '', ...selectors } = resourceAttributes ?? {}
  return {
    user, groups, uid, extra,
    ...(resourceAttributes === undefined ? {} : { resourceAttributes: { namespace, verb, group, version, resource, subresource, name, ...selectors } }),
    ...(nonResourceAttributes === undefined ? {} : { nonResourceAttributes: { verb: nonResourceAttributes.verb ?? '', path: nonResourceAttributes.path ?? '' } }),
  }
}
