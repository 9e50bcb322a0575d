/** The expressions of x-kubernetes-validations: that they compile, what they may cost, and that they look at nothing they cannot see. */
import type { Errors } from '../checks.ts'
import { FieldError, forbiddenField, invalidValue, required, type Path } from '../field.ts'
import type { JSONSchemaProps } from '../schema/types.ts'
import { costSentence, expressionCostMax, multiply } from './costs.ts'
import { shownRule } from './internalform.ts'
import { rulesField } from './ruletexts.ts'
import { compileRules, type CompiledRule } from './rulecompiler.ts'
import type { RuleScope } from './schemarules.ts'
import type { Standing } from './standing.ts'

type Schema = Readonly<JSONSchemaProps>

export function validateExpressions(errors: Errors, schema: Schema, at: Path, standing: Standing, lenient: { readonly anyRuleCost: boolean }, scope: RuleScope): void {
  const rules = schema[rulesField] ?? []
  if (rules.length === 0) return
  const compiled = compileRules(schema, { whole: standing.root || schema['x-kubernetes-embedded-resource'] === true })
  if (typeof compiled === 'string') {
    errors.push(new FieldError('InternalError', at.child(rulesField), '', compiled))
    return
  }
  compiled.forEach((one, i) => validateOne(errors, one, schema, i, { at: at.child(rulesField).index(i), standing, scope, anyCost: lenient.anyRuleCost }))
}

interface Place {
  readonly at: Path
  readonly standing: Standing
  readonly scope: RuleScope
  readonly anyCost: boolean
}

function validateOne(errors: Errors, one: CompiledRule, schema: Schema, i: number, { at, standing, scope, anyCost }: Place): void {
  const rule = schema[rulesField]?.[i]
  if (rule === undefined) return
  const price = (field: string, what: string, cost: number): void => {
    if (!anyCost && cost > expressionCostMax) errors.push(forbiddenField(at.child(field), costSentence(what, cost, expressionCostMax)))
    scope.costs.add(at.child(field), cost)
  }
  price('rule', 'estimated rule cost', multiply(one.cost, scope.cardinality ?? one.cardinality))
  if (one.error !== undefined) errors.push(one.missing === true ? required(at.child('rule'), one.error) : invalidValue(at.child('rule'), shownRule(rule), one.error))
  if (one.messageError !== undefined) errors.push(invalidValue(at.child('messageExpression'), shownRule(rule), one.messageError))
  else if (one.messageCost !== undefined) price('messageExpression', 'estimated messageExpression cost', one.messageCost)
  if (one.readsOldSelf) {
    if (standing.uncorrelated === undefined) return
    errors.push(invalidValue(at.child('rule'), rule.rule, `oldSelf cannot be used on the uncorrelatable portion of the schema within ${standing.uncorrelated.text}`))
  } else if (rule.optionalOldSelf !== undefined) {
    errors.push(invalidValue(at.child('optionalOldSelf'), rule.optionalOldSelf, 'may not be set if oldSelf is not used in rule'))
  }
}
