/** Conditions in CEL under which a webhook or policy is asked at all: their names, their number, their expressions. */
import { qualified, type Errors } from '../checks.ts'
import { duplicate, required, tooMany, type FieldError, type Path } from '../field.ts'
import type { MatchCondition } from '../schema/types.ts'

const conditionsMax = 64

/** What is wrong with an expression; undefined: nothing. */
export type ExpressionCheck = (expression: string, at: Path) => FieldError | undefined

export function matchConditions(errors: Errors, conditions: readonly Readonly<MatchCondition>[] | undefined, at: Path, check: ExpressionCheck): void {
  const seen = new Set<string>()
  if ((conditions?.length ?? 0) > conditionsMax) errors.push(tooMany(at, conditions?.length ?? 0, conditionsMax))
  conditions?.forEach(({ name, expression }, i) => {
    const here = at.index(i)
    const trimmed = expression.trim()
    const wrong = trimmed === '' ? required(here.child('expression')) : check(trimmed, here.child('expression'))
    if (wrong !== undefined) errors.push(wrong)
    if (name === '') errors.push(required(here.child('name')))
    else qualified(errors, name, here.child('name'))
    if (name !== '' && seen.has(name)) errors.push(duplicate(here.child('name'), name))
    seen.add(name)
  })
}
