/**
 * Whether a webhook or a policy is about a request, and in which of its equivalent forms (k8s.io/apiserver/pkg/admission
 * plugin/webhook/predicates and plugin/policy/matching). Criteria are compiled once, from what is written in objects.
 */
import { ApiError, internal, notFound } from '../api/errors.ts'
import type { Kind } from '../api/kind.ts'
import { namespaces } from '../api/core/namespace.ts'
import type { LabelSelector, MatchResources, NamedRuleWithOperations } from '../api/schema/types.ts'
import { selectorOf, type Labels, type Selector } from '../api/selector.ts'
import type { Lookup } from '../auth/lookup.ts'
import type { AdmissionRequest, GroupVersionKind } from './plugin.ts'

export interface GroupVersionResource {
  readonly group: string
  readonly version: string
  readonly resource: string
}

/** A request as whoever matched it wants to see it. */
export interface Match {
  readonly resource: GroupVersionResource
  readonly kind: GroupVersionKind
  /** The kind of `resource`. */
  readonly as: Kind
}

export interface Criteria {
  readonly rules: readonly Readonly<NamedRuleWithOperations>[]
  readonly excluded: readonly Readonly<NamedRuleWithOperations>[]
  /** Without rules, everything is meant: so it is with policies, not with webhooks. */
  readonly allByDefault: boolean
  readonly equivalent: boolean
  readonly namespaceSelector: Selector
  readonly objectSelector: Selector
}

export interface CriteriaInit {
  readonly rules?: readonly Readonly<NamedRuleWithOperations>[]
  readonly excludeResourceRules?: readonly Readonly<NamedRuleWithOperations>[]
  readonly matchPolicy?: string
  readonly namespaceSelector?: Readonly<LabelSelector>
  readonly objectSelector?: Readonly<LabelSelector>
}

export interface MatchWorld {
  readonly lookup: Lookup
  /** Kinds that are served now. */
  readonly kinds: () => readonly Kind[]
}

/** Of a webhook. */
export function criteriaOf(init: CriteriaInit): Criteria {
  return {
    rules: init.rules ?? [],
    excluded: init.excludeResourceRules ?? [],
    allByDefault: false,
    equivalent: init.matchPolicy === 'Equivalent',
    namespaceSelector: selectorOf(init.namespaceSelector ?? {}),
    objectSelector: selectorOf(init.objectSelector ?? {}),
  }
}

/** Of a policy or its binding. */
export function policyCriteria({ resourceRules, ...rest }: Readonly<MatchResources>): Criteria {
  return { ...criteriaOf({ ...rest, ...(resourceRules === undefined ? {} : { rules: resourceRules }) }), allByDefault: true }
}

/** Undefined: it is not meant. An ApiError: it would be meant, but that could not be found out. */
export function matchRequest(criteria: Criteria, request: AdmissionRequest, world: MatchWorld): Match | ApiError | undefined {
  const inNamespace = matchesNamespace(criteria.namespaceSelector, request, world.lookup)
  if (inNamespace === false) return undefined
  if (!matchesObject(criteria.objectSelector, request)) return undefined
  if (criteria.excluded.length > 0 && matchRules(criteria.excluded, criteria, request, world) !== undefined) return undefined
  const match = criteria.rules.length === 0 && criteria.allByDefault ? asAsked(request) : matchRules(criteria.rules, criteria, request, world)
  return match !== undefined && inNamespace instanceof ApiError ? inNamespace : match
}

/** Objects that decide what webhooks and policies do are kept from them, or nobody could repair a broken one. */
export function isExempt({ kind }: AdmissionRequest): boolean {
  return kind.group === 'admissionregistration.k8s.io' && exempt.has(kind.kind)
}

const exempt = new Set([
  'ValidatingWebhookConfiguration', 'MutatingWebhookConfiguration', 'ValidatingAdmissionPolicy', 'ValidatingAdmissionPolicyBinding',
  'MutatingAdmissionPolicy', 'MutatingAdmissionPolicyBinding',
])

/** As webhooks and policies are told it: a namespace is in itself. */
export function namespaceOf(request: AdmissionRequest): string {
  return isNamespace(request) ? request.name : request.namespace
}

export function resourceOf(kind: Kind): GroupVersionResource {
  return { group: kind.group, version: kind.version, resource: kind.plural }
}

/** Group, version and kind of the object as it was sent. */
export function kindOf(request: AdmissionRequest): GroupVersionKind {
  return request.objectKind ?? gvk(request.kind)
}

/** Whether a rule is about the request, were it made to this kind's resource. */
function matchesRule(rule: Readonly<NamedRuleWithOperations>, request: AdmissionRequest, kind: Kind = request.kind): boolean {
  return (
    inScope(rule.scope, request) &&
    has(rule.operations, request.operation) &&
    has(rule.apiGroups, kind.group) &&
    has(rule.apiVersions, kind.version) &&
    matchesResource(rule.resources, kind.plural, request.subresource) &&
    isNamed(rule.resourceNames, request.name)
  )
}

function matchRules(rules: Criteria['rules'], criteria: Criteria, request: AdmissionRequest, world: MatchWorld): Match | undefined {
  if (rules.some((rule) => matchesRule(rule, request))) return asAsked(request)
  if (!criteria.equivalent) return undefined
  const others = equivalents(request, world)
  if (others.length === 0) return undefined
  for (const rule of rules) {
    const as = others.find((kind) => matchesRule(rule, request, kind))
    if (as !== undefined) return { as, resource: resourceOf(as), kind: request.objectKind ?? gvk(as) }
  }
  return undefined
}

function asAsked(request: AdmissionRequest): Match {
  return { as: request.kind, resource: resourceOf(request.kind), kind: kindOf(request) }
}

/** Other versions, and other groups, in which the same stored objects are served. */
function equivalents({ kind, subresource }: AdmissionRequest, world: MatchWorld): readonly Kind[] {
  return world.kinds().filter((other) => other.prefix === kind.prefix && !(other.group === kind.group && other.version === kind.version) && serves(other, subresource))
}

function serves(kind: Kind, subresource: string): boolean {
  if (subresource === '') return true
  if (subresource === 'status') return kind.status !== undefined
  return subresource === 'scale' ? kind.scale !== undefined : kind.subresources.includes(subresource)
}

function gvk({ group, version, kind }: Kind): GroupVersionKind {
  return { group, version, kind }
}

const isNamespace = ({ kind }: AdmissionRequest): boolean => kind.group === '' && kind.plural === 'namespaces'

function inScope(scope: string | undefined, request: AdmissionRequest): boolean {
  if (scope === undefined || scope === '*') return true
  const clusterScoped = isNamespace(request) || request.namespace === ''
  return scope === (clusterScoped ? 'Cluster' : 'Namespaced')
}

function has(items: readonly string[] | undefined, wanted: string): boolean {
  return items?.some((item) => item === '*' || item === wanted) === true
}

/** `*` alone are all resources without their subresources. */
function matchesResource(items: readonly string[] | undefined, resource: string, subresource: string): boolean {
  return items?.some((item) => {
    const slash = item.indexOf('/')
    const [name, part] = slash < 0 ? [item, ''] : [item.slice(0, slash), item.slice(slash + 1)]
    return (name === '*' || name === resource) && (part === '*' || part === subresource)
  }) === true
}

function isNamed(names: readonly string[] | undefined, name: string): boolean {
  return names === undefined || names.length === 0 || names.includes(name)
}

/** What is in no namespace no selector takes out. */
function matchesNamespace(selector: Selector, request: AdmissionRequest, lookup: Lookup): boolean | ApiError {
  const name = namespaceOf(request)
  if ((name === '' && !isNamespace(request)) || selector.empty) return true
  if (isNamespace(request) && request.subresource === '' && (request.operation === 'CREATE' || request.operation === 'UPDATE')) {
    return request.object === undefined ? internal('object does not implement the Object interfaces') : selector.matches(request.object.metadata.labels)
  }
  const namespace = lookup.get(namespaces, { namespace: '', name })
  return namespace === undefined ? notFound({ group: '', resource: 'namespaces' }, name) : selector.matches(namespace.metadata.labels)
}

/** Either as it is to be, or as it was. */
function matchesObject(selector: Selector, { object, oldObject }: AdmissionRequest): boolean {
  if (selector.empty) return true
  const selects = (one: { readonly metadata?: { readonly labels?: Labels } } | undefined): boolean => one?.metadata !== undefined && selector.matches(one.metadata.labels)
  return selects(object) || selects(oldObject)
}
