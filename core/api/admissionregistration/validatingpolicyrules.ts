/** Rules of validating policies and their bindings (k8s.io/kubernetes/pkg/apis/admissionregistration/validation). */
import { say, type Errors } from '../checks.ts'
import { duplicate, invalidValue, notSupported, path, required, type Path } from '../field.ts'
import { bool, nullType, string } from '../cel/type.ts'
import type { Strategy } from '../kind.ts'
import { qualifiedName } from '../names.ts'
import type { AuditAnnotation, ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding, ValidatingAdmissionPolicySpec, ValidatingAdmissionPolicyStatus, Validation } from '../schema/types.ts'
import { conditionCheck } from './conditioncheck.ts'
import { expressionError } from './expressions.ts'
import { matchConditions } from './matchconditions.ts'
import { PolicyCompiler } from './policycompiler.ts'
import { compiled, paramRef, policyName, policySpec, sameConditions, variables } from './policyrules.ts'
import { matchResources } from './resourcerules.ts'
import { staticNameWarnings } from './staticnames.ts'

const actions = ['Audit', 'Deny', 'Warn']
const reasons = ['Forbidden', 'Invalid', 'RequestEntityTooLarge']
const annotationsMax = 20
const annotationExpressionBytesMax = 5 * 1_024

export const validatingPolicyStrategy: Strategy<ValidatingAdmissionPolicy> = {
  validateCreate: (policy) => validate(policy, undefined),
  validateUpdate: (next, prev) => validate(next, prev),
  warnings: staticNameWarnings,
}

export const validatingBindingStrategy: Strategy<ValidatingAdmissionPolicyBinding> = {
  validateCreate: validateBinding,
  validateUpdate: validateBinding,
  warnings: staticNameWarnings,
}

function validate({ metadata, spec = {} }: Readonly<ValidatingAdmissionPolicy>, prev: Readonly<ValidatingAdmissionPolicy> | undefined): Errors {
  const errors: Errors = []
  const at = path('spec')
  const params = spec.paramKind !== undefined
  policySpec(errors, spec, at)
  if (prev === undefined || !sameConditions(spec, prev.spec)) matchConditions(errors, spec.matchConditions, at.child('matchConditions'), conditionCheck({ params }))
  const compiler = new PolicyCompiler({ params, composed: (spec.variables ?? []).length > 0 })
  variables(errors, spec.variables, compiler, at.child('variables'))
  judgements(errors, spec, { name: metadata.name ?? '', compiler }, at)
  return errors
}

interface Scope {
  readonly name: string
  readonly compiler: PolicyCompiler
}

function judgements(errors: Errors, { validations = [], auditAnnotations = [] }: Readonly<ValidatingAdmissionPolicySpec>, scope: Scope, at: Path): void {
  if (validations.length === 0 && auditAnnotations.length === 0) {
    for (const field of ['validations', 'auditAnnotations']) errors.push(required(at.child(field), 'validations or auditAnnotations must contain at least one item'))
    return
  }
  validations.forEach((one, i) => validation(errors, one, scope, at.child('validations').index(i)))
  const here = at.child('auditAnnotations')
  if (auditAnnotations.length > annotationsMax) errors.push(invalidValue(here, auditAnnotations.map(asInGo), `must not have more than ${annotationsMax} auditAnnotations`))
  const keys = new Set<string>()
  auditAnnotations.forEach((one, i) => {
    auditAnnotation(errors, one, scope, here.index(i))
    if (keys.has(one.key)) errors.push(duplicate(here.index(i).child('key'), one.key))
    keys.add(one.key)
  })
}

const asInGo = ({ key, valueExpression }: Readonly<AuditAnnotation>): object => ({ Key: key, ValueExpression: valueExpression })

function validation(errors: Errors, { expression, message = '', messageExpression = '', reason }: Readonly<Validation>, { compiler }: Scope, at: Path): void {
  if (expression.trim() === '') errors.push(required(at.child('expression'), 'expression is not specified'))
  else compiled(errors, compiler.compile(expression, [bool]), expression, at.child('expression'))
  if (messageExpression !== '' && messageExpression.trim() === '') errors.push(invalidValue(at.child('messageExpression'), messageExpression, 'must be non-empty if specified'))
  else if (messageExpression !== '') compiled(errors, compiler.compile(messageExpression, [string], { authorizer: false }), messageExpression, at.child('messageExpression'))
  if (message !== '' && message.trim() === '') errors.push(invalidValue(at.child('message'), message, 'must be non-empty if specified'))
  else if (/[\n\r]/.test(message.trim())) errors.push(invalidValue(at.child('message'), message, 'must not contain line breaks'))
  if (reason !== undefined && !reasons.includes(reason)) errors.push(notSupported(at.child('reason'), reason, reasons))
}

function auditAnnotation(errors: Errors, { key, valueExpression }: Readonly<AuditAnnotation>, { name, compiler }: Scope, at: Path): void {
  const keyAt = at.child('key')
  if (name === '') errors.push(invalidValue(keyAt, key, 'requires metadata.name be non-empty'))
  else say(errors, keyAt, `${name}/${key}`, qualifiedName(`${name}/${key}`))
  const here = at.child('valueExpression')
  const trimmed = valueExpression.trim()
  if (trimmed === '') return void errors.push(required(here, 'valueExpression is not specified'))
  if (new TextEncoder().encode(trimmed).length > annotationExpressionBytesMax) {
    return void errors.push(required(here, `must not exceed ${annotationExpressionBytesMax} bytes in length`))
  }
  const result = compiler.compile(trimmed, [string, nullType])
  if (!result.ok) errors.push(expressionError(result, valueExpression, here))
}

function validateBinding({ spec }: Readonly<ValidatingAdmissionPolicyBinding>): Errors {
  const errors: Errors = []
  const at = path('spec')
  policyName(errors, spec?.policyName, at.child('policyName'))
  paramRef(errors, spec?.paramRef, at.child('paramRef'))
  if (spec?.matchResources !== undefined) matchResources(errors, spec.matchResources, at.child('matchResources'))
  validationActions(errors, spec?.validationActions ?? [], at.child('validationActions'))
  return errors
}

function validationActions(errors: Errors, have: readonly string[], at: Path): void {
  const seen = new Set<string>()
  have.forEach((action, i) => {
    if (!actions.includes(action)) errors.push(notSupported(at.index(i), action, actions))
    if (seen.has(action)) errors.push(duplicate(at.index(i), action))
    seen.add(action)
  })
  if (seen.has('Deny') && seen.has('Warn')) {
    errors.push(invalidValue(at, have, 'must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)'))
  }
  if (have.length === 0) errors.push(required(at, 'at least one validation action is required'))
}

export function validatingPolicyStatus(status: Readonly<ValidatingAdmissionPolicyStatus> | undefined): Errors {
  const errors: Errors = []
  const at = path('status', 'typeChecking', 'expressionWarnings')
  status?.typeChecking?.expressionWarnings?.forEach(({ fieldRef, warning }, i) => {
    if (warning === '') errors.push(required(at.index(i).child('warning')))
    if (fieldRef.trim() === '') errors.push(required(at.index(i).child('fieldRef')))
  })
  return errors
}
