/** Whether a match condition's expression compiles to a bool over the variables that conditions have. */
import type { ExpressionCheck } from './matchconditions.ts'

export interface ConditionInit {
  /** Expressions that stand there already: they may use what new ones may not yet. */
  readonly stored: ReadonlySet<string>
  /** Whether there is a variable `params`: in policies that have a paramKind. */
  readonly params?: boolean
}

export function conditionCheck(_init: ConditionInit): ExpressionCheck {
  return () => undefined
}
