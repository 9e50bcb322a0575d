/**
 * kubernetes.authz and kubernetes.authzSelectors: asking in an expression what somebody may do
 * (k8s.io/apiserver/pkg/cel/library/authz.go). `authorizer` and `authorizer.requestResource` are made here and handed in
 * as bindings; who decides is handed in with them.
 *
 * Expressions never wait. A Decider that cannot answer at once throws Undecided with a promise. It comes out of
 * evaluate() as it is: whoever evaluates awaits it and evaluates again, with a Decider that then knows the answer.
 */
import { dns1123Label, dns1123Subdomain } from '../../names.ts'
import { parseFieldSelector, parseLabelSelector, type FieldRequirement, type Requirement } from '../../selector.ts'
import type { CallEstimate, Estimated, Library } from '../library.ts'
import { exactly, scaled, sum } from '../range.ts'
import { bool, opaque, string, type OpaqueType, type SimpleType } from '../type.ts'
import { CelError, OpaqueValue, type Value } from '../value.ts'
import { actualSize, listBaseCost, sizeOf, stringFactor, structBaseCost } from './cost.ts'
import { declare, member, type Costs } from './declare.ts'

export interface Asker {
  readonly name: string
  readonly uid?: string
  readonly groups: readonly string[]
  readonly extra?: Readonly<Record<string, readonly string[]>>
}

/** The question: auth's own Attributes, with selectors also as they were understood. */
export type Asked = AskedResource | AskedPath

export interface AskedResource {
  readonly type: 'resource'
  readonly user: Asker
  readonly verb: string
  readonly group: string
  /** `*` */
  readonly version: string
  readonly resource: string
  readonly subresource: string
  readonly namespace: string
  readonly name: string
  /** As written; there only where it could be parsed. */
  readonly fieldSelector?: string
  readonly labelSelector?: string
  readonly fieldRequirements?: readonly FieldRequirement[]
  readonly labelRequirements?: readonly Requirement[]
}

export interface AskedPath {
  readonly type: 'path'
  readonly user: Asker
  readonly verb: string
  readonly path: string
}

/** `error` stands beside a decision, as an authorizer may both fail and decide. */
export type Decided = { readonly allowed: boolean; readonly reason: string; readonly error?: string } | { readonly error: string }

export interface Decider {
  /** Throws Undecided when the answer has to be waited for. */
  decide(asked: Asked): Decided
}

/** Not an answer: await `until`, then evaluate the expression again. */
export class Undecided extends Error {
  readonly until: PromiseLike<unknown>

  constructor(until: PromiseLike<unknown>) {
    super('the decision has to be waited for')
    this.until = until
  }
}

export const authorizerType = opaque('kubernetes.authorization.Authorizer')
const pathCheckType = opaque('kubernetes.authorization.PathCheck')
const groupCheckType = opaque('kubernetes.authorization.GroupCheck')
export const resourceCheckType = opaque('kubernetes.authorization.ResourceCheck')
const decisionType = opaque('kubernetes.authorization.Decision')

/** Nothing of these can be compared, not even with itself. */
abstract class Incomparable extends OpaqueValue {
  override equals(): boolean {
    throw new CelError('no such overload')
  }
}

class Authorizer extends Incomparable {
  readonly type = authorizerType
  readonly user: Asker
  readonly decider: Decider

  constructor(user: Asker, decider: Decider) {
    super()
    this.user = user
    this.decider = decider
  }
}

class PathCheck extends Incomparable {
  readonly type = pathCheckType
  readonly authorizer: Authorizer
  readonly path: string

  constructor(authorizer: Authorizer, path: string) {
    super()
    this.authorizer = authorizer
    this.path = path
  }
}

class GroupCheck extends Incomparable {
  readonly type = groupCheckType
  readonly authorizer: Authorizer
  readonly group: string

  constructor(authorizer: Authorizer, group: string) {
    super()
    this.authorizer = authorizer
    this.group = group
  }
}

interface ResourceFields {
  readonly group: string
  readonly resource: string
  readonly subresource: string
  readonly namespace: string
  readonly name: string
  readonly fieldSelector: string
  readonly labelSelector: string
}

class ResourceCheck extends Incomparable {
  readonly type = resourceCheckType
  readonly authorizer: Authorizer
  readonly fields: ResourceFields

  constructor(authorizer: Authorizer, fields: ResourceFields) {
    super()
    this.authorizer = authorizer
    this.fields = fields
  }
}

class Decision extends Incomparable {
  readonly type = decisionType
  readonly allowed: boolean
  readonly reason: string
  readonly error: string | undefined

  constructor(decided: Decided) {
    super()
    this.allowed = 'allowed' in decided && decided.allowed
    this.reason = 'reason' in decided ? decided.reason : ''
    this.error = decided.error
  }
}

/** The variable `authorizer`. */
export function authorizerValue(user: Asker, decider: Decider): OpaqueValue {
  return new Authorizer(user, decider)
}

export interface RequestResource {
  readonly group: string
  readonly resource: string
  readonly subresource: string
  readonly namespace: string
  readonly name: string
}

/** The variable `authorizer.requestResource`. */
export function requestResourceValue(user: Asker, decider: Decider, resource: RequestResource): OpaqueValue {
  return new ResourceCheck(new Authorizer(user, decider), { ...noFields, ...resource })
}

const noFields = { group: '', subresource: '', namespace: '', name: '', fieldSelector: '', labelSelector: '' }

/** So dear that an expression cannot afford a third. */
const checkCost = 350_000
const checking: Costs = { cost: () => checkCost, estimate: () => ({ cost: exactly(checkCost) }) }

/** A selector is parsed into requirements, of which the shortest takes two characters: each is a struct with a list. */
const requirementFactor = 0.5
const requirementCost = listBaseCost + structBaseCost
const selecting: Costs = {
  cost: ([, selector]) => listBaseCost + Math.ceil(actualSize(selector) * stringFactor) + Math.ceil(actualSize(selector) * requirementFactor) * requirementCost,
  estimate: ([, selector]: readonly Estimated[]): CallEstimate => {
    const size = sizeOf(selector)
    return { cost: sum(sum(exactly(listBaseCost), scaled(size, stringFactor)), scaled(scaled(size, requirementFactor), requirementCost)) }
  },
}

const narrowed = (id: string, field: keyof ResourceFields, costs: Costs = {}) =>
  declare(field, member(id, [resourceCheckType, string], resourceCheckType, (check: ResourceCheck, value: string) => new ResourceCheck(check.authorizer, { ...check.fields, [field]: value }), costs))

const answer = (name: string, result: SimpleType, get: (decision: Decision) => Value) =>
  declare(name, member(`decision_${name}`, [decisionType], result, get))

const check = (id: string, type: OpaqueType, decide: (check: never, verb: string) => Decision) => member(id, [type, string], decisionType, decide, checking)

export const authorizerLibrary: Library = {
  name: 'kubernetes.authz',
  functions: [
    declare('path', member('authorizer_path', [authorizerType, string], pathCheckType, pathCheck)),
    declare('group', member('authorizer_group', [authorizerType, string], groupCheckType, (authorizer: Authorizer, group: string) => new GroupCheck(authorizer, group))),
    declare('serviceAccount', member('authorizer_serviceaccount', [authorizerType, string, string], authorizerType, serviceAccount)),
    declare('resource', member('groupcheck_resource', [groupCheckType, string], resourceCheckType, resourceCheck)),
    narrowed('resourcecheck_subresource', 'subresource'),
    narrowed('resourcecheck_namespace', 'namespace'),
    narrowed('resourcecheck_name', 'name'),
    declare('check', check('pathcheck_check', pathCheckType, decidePath), check('resourcecheck_check', resourceCheckType, decideResource)),
    answer('errored', bool, (decision) => decision.error !== undefined),
    answer('error', string, (decision) => decision.error ?? ''),
    answer('allowed', bool, (decision) => decision.allowed),
    answer('reason', string, (decision) => decision.reason),
  ],
}

export const authorizerSelectorsLibrary: Library = {
  name: 'kubernetes.authzSelectors',
  functions: [narrowed('authorizer_fieldselector', 'fieldSelector', selecting), narrowed('authorizer_labelselector', 'labelSelector', selecting)],
}

function pathCheck(authorizer: Authorizer, path: string): PathCheck {
  if (path.trim() === '') throw new CelError('path must not be empty')
  return new PathCheck(authorizer, path)
}

function resourceCheck({ authorizer, group }: GroupCheck, resource: string): ResourceCheck {
  if (resource.trim() === '') throw new CelError('resource must not be empty')
  return new ResourceCheck(authorizer, { ...noFields, group, resource })
}

function serviceAccount({ decider }: Authorizer, namespace: string, name: string): Authorizer {
  if (dns1123Subdomain(name).length > 0) throw new CelError('Invalid service account name')
  if (dns1123Label(namespace).length > 0) throw new CelError('Invalid service account namespace')
  return new Authorizer({ name: `system:serviceaccount:${namespace}:${name}`, groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`] }, decider)
}

function decidePath({ authorizer, path }: PathCheck, verb: string): Decision {
  return new Decision(authorizer.decider.decide({ type: 'path', user: authorizer.user, verb, path }))
}

function decideResource({ authorizer, fields }: ResourceCheck, verb: string): Decision {
  const { fieldSelector, labelSelector, ...resource } = fields
  const fieldRequirements = parsed(fieldSelector, parseFieldSelector)
  const labelRequirements = parsed(labelSelector, (text) => parseLabelSelector(text).requirements)
  return new Decision(
    authorizer.decider.decide({
      type: 'resource', user: authorizer.user, verb, version: '*', ...resource,
      ...(fieldRequirements === undefined ? {} : { fieldSelector, fieldRequirements }),
      ...(labelRequirements === undefined ? {} : { labelSelector, labelRequirements }),
    }),
  )
}

/** A selector that cannot be parsed does not count: the question is then about everything. */
function parsed<T>(selector: string, parse: (text: string) => T): T | undefined {
  if (selector === '') return undefined
  try {
    return parse(selector)
  } catch {
    return undefined
  }
}
