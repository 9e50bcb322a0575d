/**
 * Rules that both kinds of policies share, and those of their bindings' references to parameters
 * (k8s.io/kubernetes/pkg/apis/admissionregistration/validation).
 */
import { equalJson } from '../../lib/json.ts'
import { labelSelector, oneOf, say, type Errors } from '../checks.ts'
import { forbiddenField, invalidValue, notSupported, required, type Path } from '../field.ts'
import { dns1035Label, dns1123Subdomain, pathSegment } from '../names.ts'
import type { MatchCondition, MatchResources, ParamKind, ParamRef, Variable } from '../schema/types.ts'
import { expressionError, type CompiledExpression } from './expressions.ts'
import { failurePolicies, matchResources } from './resourcerules.ts'
import type { PolicyCompiler } from './policycompiler.ts'

const notFoundActions = ['Deny', 'Allow']

export interface PolicySpec {
  readonly failurePolicy?: string
  readonly matchConditions?: readonly Readonly<MatchCondition>[]
  readonly matchConstraints?: Readonly<MatchResources>
  readonly paramKind?: Readonly<ParamKind>
}

/** All but expressions, and without matchConditions. */
export function policySpec(errors: Errors, spec: PolicySpec, at: Path): void {
  if (spec.failurePolicy === undefined) errors.push(required(at.child('failurePolicy')))
  else oneOf(errors, spec.failurePolicy, failurePolicies, at.child('failurePolicy'))
  if (spec.paramKind !== undefined) paramKind(errors, spec.paramKind, at.child('paramKind'))
  const here = at.child('matchConstraints')
  if (spec.matchConstraints === undefined) return void errors.push(required(here))
  matchResources(errors, spec.matchConstraints, here)
  if ((spec.matchConstraints.resourceRules ?? []).length === 0) errors.push(required(here.child('resourceRules')))
}

/** Conditions that stood there before stay as they are. */
export function sameConditions(next: PolicySpec | undefined, prev: PolicySpec | undefined): boolean {
  return equalJson(next?.paramKind ?? null, prev?.paramKind ?? null) && equalJson(next?.matchConditions ?? [], prev?.matchConditions ?? [])
}

function paramKind(errors: Errors, { apiVersion = '', kind = '' }: Partial<Readonly<ParamKind>>, at: Path): void {
  if (apiVersion === '') errors.push(required(at.child('apiVersion')))
  else groupVersion(errors, apiVersion, at.child('apiVersion'))
  if (kind === '') return void errors.push(required(at.child('kind')))
  const sentences = dns1035Label(kind.toLowerCase())
  if (sentences.length > 0) errors.push(invalidValue(at.child('kind'), kind, `may have mixed case, but should otherwise match: ${sentences.join(',')}`))
}

function groupVersion(errors: Errors, apiVersion: string, at: Path): void {
  const parts = apiVersion === '/' ? [''] : apiVersion.split('/')
  if (parts.length > 2) return void errors.push(invalidValue(at, apiVersion, `unexpected GroupVersion string: ${apiVersion}`))
  const [group, version] = parts.length === 1 ? ['', parts[0] ?? ''] : [parts[0] ?? '', parts[1] ?? '']
  const wrongGroup = group === '' ? [] : dns1123Subdomain(group)
  if (wrongGroup.length > 0) errors.push(invalidValue(at, group, wrongGroup.join(',')))
  if (version === '') return void errors.push(invalidValue(at, apiVersion, 'version must be specified'))
  const wrongVersion = dns1035Label(version)
  if (wrongVersion.length > 0) errors.push(invalidValue(at, version, wrongVersion.join(',')))
}

/** Compiles them, in order. */
export function variables(errors: Errors, all: readonly Readonly<Variable>[] | undefined, compiler: PolicyCompiler, at: Path): void {
  all?.forEach(({ name, expression }, i) => {
    const here = at.index(i)
    if (name.trim() === '') errors.push(required(here.child('name'), 'name is not specified'))
    else if (!isIdentifier(name)) errors.push(invalidValue(here.child('name'), name, 'must be a valid CEL identifier'))
    if (expression.trim() === '') return void errors.push(required(here.child('expression'), 'expression is not specified'))
    compiled(errors, compiler.variable(name, expression), expression, here.child('expression'))
  })
}

export function compiled(errors: Errors, result: CompiledExpression, text: string, at: Path): void {
  if (!result.ok) errors.push(expressionError(result, text, at))
}

const reserved = new Set([
  'true', 'false', 'null', 'in', 'as', 'break', 'const', 'continue', 'else', 'for', 'function', 'if', 'import', 'let', 'loop', 'package', 'namespace',
  'return', 'var', 'void', 'while',
])

const isIdentifier = (name: string): boolean => /^[_a-zA-Z][_a-zA-Z0-9]*$/.test(name) && !reserved.has(name)

export function policyName(errors: Errors, name: string | undefined, at: Path): void {
  if ((name ?? '') === '') errors.push(required(at))
  else say(errors, at, name, dns1123Subdomain(name ?? ''))
}

export function paramRef(errors: Errors, reference: Readonly<ParamRef> | undefined, at: Path): void {
  if (reference === undefined) return
  const { name = '', selector, parameterNotFoundAction: action = '' } = reference
  if (name !== '') {
    say(errors, at.child('name'), name, pathSegment(name, false))
    if (selector !== undefined) errors.push(forbiddenField(at.child('name'), 'name and selector are mutually exclusive'))
  }
  if (selector !== undefined) {
    labelSelector(errors, selector, at.child('selector'))
    if (name !== '') errors.push(forbiddenField(at.child('selector'), 'name and selector are mutually exclusive'))
  }
  if (name === '' && selector === undefined) errors.push(required(at, 'one of name or selector must be specified'))
  if (action === '') errors.push(required(at.child('parameterNotFoundAction')))
  else if (!notFoundActions.includes(action)) errors.push(notSupported(at.child('parameterNotFoundAction'), action, notFoundActions))
}

/** Mutating policies: a deletion has nothing to mutate. */
export function mutableOperations(errors: Errors, match: Readonly<MatchResources> | undefined, at: Path): void {
  for (const rule of match?.resourceRules ?? []) {
    for (const operation of rule.operations ?? []) {
      if (!mutable.includes(operation)) errors.push(notSupported(at.child('resourceRules', 'operations'), operation, mutable))
    }
  }
}

const mutable = ['*', 'CONNECT', 'CREATE', 'UPDATE']


