/** Whether a match condition's expression compiles to a bool over the variables that conditions have. */
import { bool } from '../cel/type.ts'
import { admissionEnvironment, compileExpression, expressionError } from './expressions.ts'
import type { ExpressionCheck } from './matchconditions.ts'

export interface ConditionInit {
  /** Whether there is a variable `params`: in policies that have a paramKind. */
  readonly params?: boolean
}

export function conditionCheck({ params = false }: ConditionInit = {}): ExpressionCheck {
  return (text, at) => {
    const compiled = compileExpression(admissionEnvironment({ params, authorizer: true }), text, [bool])
    return compiled.ok ? undefined : expressionError(compiled, text, at)
  }
}
