/**
 * Match conditions of a webhook or a policy, compiled once: whether it is asked about a request
 * (k8s.io/apiserver/pkg/admission/plugin/webhook/matchconditions).
 */
import { admissionEnvironment, compileExpression, type CompiledExpression } from '../../api/admissionregistration/expressions.ts'
import { bool } from '../../api/cel/type.ts'
import type { MatchCondition } from '../../api/schema/types.ts'
import { bindingsOf, evaluateExpression, outOfBudget, type ExpressionInput } from '../expressions.ts'

export interface Conditions {
  readonly list: readonly { readonly text: string; readonly expression: CompiledExpression }[]
  /** What cannot be evaluated takes the request out instead of failing it. */
  readonly ignoresFailure: boolean
}

/** What all conditions of one webhook may cost for one request. */
const budget = 2_500_000

export function compileConditions(list: readonly Readonly<MatchCondition>[], init: { readonly ignoresFailure: boolean; readonly params?: boolean }): Conditions | undefined {
  if (list.length === 0) return undefined
  const env = admissionEnvironment({ authorizer: true, params: init.params === true })
  return { ignoresFailure: init.ignoresFailure, list: list.map(({ expression }) => ({ text: expression, expression: compileExpression(env, expression, [bool]) })) }
}

/** Text: why it cannot be said, where that ends the request. One that is false decides, whatever the others failed with. */
export async function evaluateConditions({ list, ignoresFailure }: Conditions, input: ExpressionInput): Promise<boolean | string> {
  const bindings = bindingsOf(input)
  const errors = new Set<string>()
  let left = budget
  let excluded = false
  for (const { text, expression } of list) {
    if (!expression.ok) {
      errors.add(`compilation error: ${expression.detail}`)
      continue
    }
    const evaluated = await evaluateExpression(expression.compiled, text, bindings)
    left -= evaluated.cost
    if (left < 0) return ignoresFailure ? false : outOfBudget
    if ('error' in evaluated) errors.add(evaluated.error)
    else if (evaluated.value === false) excluded = true
  }
  if (excluded) return false
  if (errors.size === 0) return true
  if (ignoresFailure) return false
  const [first = ''] = errors
  return errors.size === 1 ? first : `[${[...errors].join(', ')}]`
}
