/** The expressions of x-kubernetes-validations: that they compile, what they may cost, and that they look at nothing they cannot see. */
import type { Errors } from '../checks.ts'
import { FieldError, forbiddenField, invalidValue, type Path } from '../field.ts'
import type { JSONSchemaProps } from '../schema/types.ts'
import { costSentence, expressionCostMax, multiply } from './costs.ts'
import { shownRule } from './internalform.ts'
import { rulesField } from './ruletexts.ts'
import type { RuleScope } from './rulescope.ts'
import type { Standing } from './standing.ts'
import { declare } from './structural/declared.ts'
import { type Rule, rulesOf } from './structural/rules.ts'

type Schema = Readonly<JSONSchemaProps>

export function validateExpressions(errors: Errors, source: Schema, at: Path, standing: Standing, lenient: { readonly anyRuleCost: boolean }, scope: RuleScope): void {
  const rules = source[rulesField] ?? []
  if (rules.length === 0) return
  const schema = scope.shapes.of(source)
  const declared = declare(schema, standing.root || schema.embedded, 'selfType')
  if (declared === undefined) {
    const why = 'internal error: failed to construct type information for x-kubernetes-validations rules: unable to convert structural schema to CEL declarations'
    errors.push(new FieldError('InternalError', at.child(rulesField), '', why))
    return
  }
  rulesOf(rules, schema, declared).forEach((rule, i) => validateOne(errors, rule, { at: at.child(rulesField).index(i), standing, scope, anyCost: lenient.anyRuleCost }))
}

interface Place {
  readonly at: Path
  readonly standing: Standing
  readonly scope: RuleScope
  readonly anyCost: boolean
}

function validateOne(errors: Errors, rule: Rule, { at, standing, scope, anyCost }: Place): void {
  const { source } = rule
  const price = (field: string, what: string, cost: number): void => {
    if (!anyCost && cost > expressionCostMax) errors.push(forbiddenField(at.child(field), costSentence(what, cost, expressionCostMax)))
    scope.costs.add(at.child(field), cost)
  }
  price('rule', 'estimated rule cost', multiply(rule.cost, scope.cardinality ?? rule.cardinality))
  if (rule.error !== undefined) errors.push(invalidValue(at.child('rule'), shownRule(source), rule.error))
  if (rule.messageError !== undefined) errors.push(invalidValue(at.child('messageExpression'), shownRule(source), rule.messageError))
  else if (rule.messageCost !== undefined) price('messageExpression', 'estimated messageExpression cost', rule.messageCost)
  if (rule.readsOldSelf) {
    if (standing.uncorrelated === undefined) return
    errors.push(invalidValue(at.child('rule'), source.rule, `oldSelf cannot be used on the uncorrelatable portion of the schema within ${standing.uncorrelated.text}`))
  } else if (source.optionalOldSelf !== undefined) {
    errors.push(invalidValue(at.child('optionalOldSelf'), source.optionalOldSelf, 'may not be set if oldSelf is not used in rule'))
  }
}
