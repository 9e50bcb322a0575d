/**
 * Which requests a webhook or a policy is about, as it is written down: rules over groups, versions, resources and
 * operations (k8s.io/kubernetes/pkg/apis/admissionregistration/validation). What they match is admission/match.ts.
 */
import { labelSelector, oneOf, say, type Errors } from '../checks.ts'
import { duplicate, invalidValue, notSupported, required, type Path } from '../field.ts'
import { pathSegment } from '../names.ts'
import type { LabelSelector, MatchResources, NamedRuleWithOperations, RuleWithOperations } from '../schema/types.ts'

export const failurePolicies = ['Fail', 'Ignore']
export const matchPolicies = ['Equivalent', 'Exact']
const operations = ['*', 'CONNECT', 'CREATE', 'DELETE', 'UPDATE']
const scopes = ['*', 'Cluster', 'Namespaced']

export function ruleWithOperations(errors: Errors, rule: Readonly<RuleWithOperations>, at: Path): void {
  const have = rule.operations ?? []
  alone(errors, have, at.child('operations'), 'operations')
  have.forEach((operation, i) => {
    if (!operations.includes(operation)) errors.push(notSupported(at.child('operations').index(i), operation, operations))
  })
  alone(errors, rule.apiGroups ?? [], at.child('apiGroups'), 'API groups')
  alone(errors, rule.apiVersions ?? [], at.child('apiVersions'), 'API versions')
  rule.apiVersions?.forEach((version, i) => {
    if (version === '') errors.push(required(at.child('apiVersions').index(i)))
  })
  resources(errors, rule.resources ?? [], at.child('resources'))
  if (rule.scope !== undefined) oneOf(errors, rule.scope, scopes, at.child('scope'))
}

/** Rules of policies may name single objects. */
function namedRule(errors: Errors, rule: Readonly<NamedRuleWithOperations>, at: Path): void {
  const seen = new Set<string>()
  rule.resourceNames?.forEach((name, i) => {
    const here = at.child('resourceNames').index(i)
    say(errors, here, name, pathSegment(name, false))
    if (seen.has(name)) errors.push(duplicate(here, name))
    seen.add(name)
  })
  ruleWithOperations(errors, rule, at)
}

/** matchConstraints of policies, matchResources of their bindings. */
export function matchResources(errors: Errors, match: Readonly<MatchResources>, at: Path): void {
  if (match.matchPolicy === undefined) errors.push(required(at.child('matchPolicy')))
  else oneOf(errors, match.matchPolicy, matchPolicies, at.child('matchPolicy'))
  neededSelector(errors, match.namespaceSelector, at.child('namespaceSelector'))
  neededSelector(errors, match.objectSelector, at.child('objectSelector'))
  match.resourceRules?.forEach((rule, i) => namedRule(errors, rule, at.child('resourceRules').index(i)))
  match.excludeResourceRules?.forEach((rule, i) => namedRule(errors, rule, at.child('excludeResourceRules').index(i)))
}

function neededSelector(errors: Errors, selector: Readonly<LabelSelector> | undefined, at: Path): void {
  if (selector === undefined) errors.push(required(at))
  else labelSelector(errors, selector, at)
}

/** There is something, and nothing besides `*`. */
function alone(errors: Errors, have: readonly string[], at: Path, others: string): void {
  if (have.length === 0) errors.push(required(at))
  if (have.length > 1 && have.includes('*')) errors.push(invalidValue(at, have, `if '*' is present, must not specify other ${others}`))
}

/** What a wildcard covers already must not be named again. */
function resources(errors: Errors, have: readonly string[], at: Path): void {
  if (have.length === 0) errors.push(required(at))
  const wholeResources = new Set<string>()
  const wholeSubresources = new Set<string>()
  let plain = false
  have.forEach((text, i) => {
    const here = at.index(i)
    if (text === '') return void errors.push(required(here))
    const slash = text.indexOf('/')
    // As upstream: the last resource without a subresource decides.
    if (slash < 0) return void (plain = text !== '*')
    const [resource, subresource] = [text.slice(0, slash), text.slice(slash + 1)]
    if (wholeResources.has(resource)) errors.push(invalidValue(here, text, `if '${resource}/*' is present, must not specify ${text}`))
    if (wholeSubresources.has(subresource)) errors.push(invalidValue(here, text, `if '*/${subresource}' is present, must not specify ${text}`))
    if (subresource === '*') wholeResources.add(resource)
    if (resource === '*') wholeSubresources.add(subresource)
  })
  if (have.length > 1 && have.includes('*/*')) errors.push(invalidValue(at, have, "if '*/*' is present, must not specify other resources"))
  if (have.includes('*') && plain) errors.push(invalidValue(at, have, "if '*' is present, must not specify other resources without subresources"))
}
