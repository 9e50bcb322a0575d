/** The texts of x-kubernetes-validations: what has to be said, and how. Whether expressions make sense is celrules.ts. */
import type { Errors } from '../checks.ts'
import { invalidValue, notSupported, required, type Path } from '../field.ts'
import type { JSONSchemaProps, ValidationRule } from '../schema/types.ts'
import { findField } from './fieldpath.ts'
import { structuralError } from './structuralrules.ts'

export const rulesField = 'x-kubernetes-validations'

const reasons: readonly string[] = ['FieldValueDuplicate', 'FieldValueForbidden', 'FieldValueInvalid', 'FieldValueRequired']

const hasNewlines = (text: string): boolean => /[\n\r]/.test(text)

export function validateRuleTexts(errors: Errors, schema: Readonly<JSONSchemaProps>, at: Path): void {
  schema[rulesField]?.forEach((rule, i) => {
    const here = at.child(rulesField).index(i)
    validateTexts(errors, rule, here)
    const { messageExpression = '', reason, fieldPath = '' } = rule
    if (messageExpression !== '' && messageExpression.trim() === '') errors.push(required(here.child('messageExpression'), 'messageExpression must be non-empty if specified'))
    if (reason !== undefined && !reasons.includes(reason)) errors.push(notSupported(here.child('reason'), reason, reasons))
    if (fieldPath === '') return
    const pathAt = here.child('fieldPath')
    if (fieldPath.trim() === '') errors.push(invalidValue(pathAt, fieldPath, 'must be non-empty if specified'))
    if (hasNewlines(fieldPath)) errors.push(invalidValue(pathAt, fieldPath, 'must not contain line breaks'))
    if (structuralError(schema) === undefined && !findField(fieldPath, schema, { brackets: true }).ok) errors.push(invalidValue(pathAt, fieldPath, 'must be a valid path'))
  })
}

function validateTexts(errors: Errors, { rule, message = '' }: Readonly<ValidationRule>, at: Path): void {
  const [ruleText, messageText] = [rule.trim(), message.trim()]
  if (ruleText === '') errors.push(required(at.child('rule'), 'rule is not specified'))
  else if (message !== '' && messageText === '') errors.push(invalidValue(at.child('message'), message, 'must be non-empty if specified'))
  else if (hasNewlines(messageText)) errors.push(invalidValue(at.child('message'), message, 'must not contain line breaks'))
  else if (hasNewlines(ruleText) && messageText === '') errors.push(required(at.child('message'), 'message must be specified if rule contains line breaks'))
}
