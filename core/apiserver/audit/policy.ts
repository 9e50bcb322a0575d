/**
 * The audit policy: which requests are noted, and how much of them. Rules are asked in order, the first that speaks of a
 * request decides (k8s.io/apiserver/pkg/audit/policy, pkg/apis/audit/validation). Without a file, the policy at the end.
 */
import { FieldError, invalidValue, notSupported, path, required, type Path } from '../../api/field.ts'
import { dns1123Subdomain } from '../../api/names.ts'
import type { User } from '../../auth/user.ts'
import type { RequestInfo } from '../request.ts'

export const levels = ['None', 'Metadata', 'Request', 'RequestResponse'] as const
export type Level = (typeof levels)[number]
export const stages = ['RequestReceived', 'ResponseStarted', 'ResponseComplete', 'Panic'] as const
export type Stage = (typeof stages)[number]

export interface GroupResources {
  readonly group?: string
  readonly resources?: readonly string[]
  readonly resourceNames?: readonly string[]
}

export interface PolicyRule {
  readonly level: Level
  readonly users?: readonly string[]
  readonly userGroups?: readonly string[]
  readonly verbs?: readonly string[]
  readonly resources?: readonly GroupResources[]
  readonly namespaces?: readonly string[]
  readonly nonResourceURLs?: readonly string[]
  readonly omitStages?: readonly Stage[]
  readonly omitManagedFields?: boolean
}

export interface Policy {
  readonly rules: readonly PolicyRule[]
  readonly omitStages?: readonly Stage[]
  readonly omitManagedFields?: boolean
}

/** What is to be noted of one request. */
export interface Wanted {
  readonly level: Level
  readonly omitStages: ReadonlySet<Stage>
  readonly omitManagedFields: boolean
}

/** A policy, ready to be asked. `user` is who sent the request, before impersonation; undefined where nobody is known. */
export type Evaluate = (info: RequestInfo, user: User | undefined) => Wanted | undefined

/** undefined: nothing is noted. */
export function evaluator(policy: Policy): Evaluate {
  const rules = policy.rules.map((rule) => ({
    rule,
    wanted: rule.level === 'None' ? undefined : {
      level: rule.level,
      omitStages: new Set([...(policy.omitStages ?? []), ...(rule.omitStages ?? [])]),
      omitManagedFields: rule.omitManagedFields ?? policy.omitManagedFields ?? false,
    },
  }))
  return (info, user) => {
    for (const { rule, wanted } of rules) if (matches(rule, info, user)) return wanted
    return undefined
  }
}

const some = (list: readonly unknown[] | null | undefined): list is readonly unknown[] => (list?.length ?? 0) > 0

function matches(rule: PolicyRule, info: RequestInfo, user: User | undefined): boolean {
  if (some(rule.verbs) && !rule.verbs.includes(info.verb)) return false
  if (some(rule.users) && (user === undefined || !rule.users.includes(user.name))) return false
  if (some(rule.userGroups) && (user === undefined || !user.groups.some((group) => rule.userGroups?.includes(group)))) return false
  if (some(rule.namespaces) || some(rule.resources)) return info.isResource && matchesResource(rule, info)
  if (some(rule.nonResourceURLs)) return !info.isResource && rule.nonResourceURLs.some((url) => matchesPath(info.path, url))
  return true
}

function matchesPath(sent: string, url: string): boolean {
  return url === '*' || url === sent || (url.endsWith('*') && sent.startsWith(url.replace(/\*+$/, '')))
}

function matchesResource({ namespaces, resources }: PolicyRule, info: RequestInfo): boolean {
  if (some(namespaces) && !namespaces.includes(info.namespace)) return false
  return !some(resources) || resources.some((of) => matchesGroup(of, info))
}

function matchesGroup({ group = '', resources = [], resourceNames = [] }: GroupResources, info: RequestInfo): boolean {
  if (group !== '*' && group !== info.group) return false
  if (resources.length === 0) return true
  if (resourceNames.length > 0 && !resourceNames.includes(info.name)) return false
  return resources.some((wanted) => matchesName(wanted, info))
}

function matchesName(wanted: string, { resource, subresource }: RequestInfo): boolean {
  if (wanted === '*' || wanted === (subresource === '' ? resource : `${resource}/${subresource}`)) return true
  if (subresource !== '' && wanted.startsWith('*/') && wanted.slice(2) === subresource) return true
  return wanted.endsWith('/*') && wanted.slice(0, -2) === resource
}

const apiVersion = 'audit.k8s.io/v1'
const policyFields = ['apiVersion', 'kind', 'metadata', 'rules', 'omitStages', 'omitManagedFields']
const ruleFields = ['level', 'users', 'userGroups', 'verbs', 'resources', 'namespaces', 'nonResourceURLs', 'omitStages', 'omitManagedFields']
const resourceFields = ['group', 'resources', 'resourceNames']

export class PolicyError extends Error {}

/** A policy from what its file says. Throws PolicyError that names every fault; fields that nobody knows are faults, too. */
export function readPolicy(document: unknown): Policy {
  const policy = objectOf(document, 'an audit policy')
  if (policy['apiVersion'] !== apiVersion || policy['kind'] !== 'Policy') {
    throw new PolicyError(`unknown group version field ${String(policy['apiVersion'])}, Kind=${String(policy['kind'])} in policy: it must be ${apiVersion}, Kind=Policy`)
  }
  known(policy, policyFields, '')
  const rules = listOf(policy['rules'], 'rules')
  rules.forEach((one, i) => {
    const rule = objectOf(one, `rules[${i}]`)
    known(rule, ruleFields, `rules[${i}].`)
    for (const field of ['users', 'userGroups', 'verbs', 'namespaces', 'nonResourceURLs', 'omitStages']) texts(rule[field], `rules[${i}].${field}`)
    listOf(rule['resources'], `rules[${i}].resources`).forEach((of, j) => {
      const at = `rules[${i}].resources[${j}]`
      known(objectOf(of, at), resourceFields, `${at}.`)
      for (const field of ['resources', 'resourceNames']) texts((of as Record<string, unknown>)[field], `${at}.${field}`)
    })
  })
  texts(policy['omitStages'], 'omitStages')
  const read = { ...policy, rules } as unknown as Policy
  const errors = validate(read)
  if (errors.length > 0) throw new PolicyError(errors.map((error) => error.message()).join('; '))
  if (rules.length === 0) throw new PolicyError('loaded illegal policy with 0 rules')
  return read
}

function objectOf(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new PolicyError(`${what} is not an object`)
  return value as Readonly<Record<string, unknown>>
}

function listOf(value: unknown, what: string): readonly unknown[] {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value)) throw new PolicyError(`${what} is not a list`)
  return value
}

function texts(value: unknown, what: string): void {
  if (listOf(value, what).some((one) => typeof one !== 'string')) throw new PolicyError(`${what} is not a list of strings`)
}

function known(object: Readonly<Record<string, unknown>>, fields: readonly string[], at: string): void {
  const unknown = Object.keys(object).filter((field) => !fields.includes(field))
  if (unknown.length > 0) throw new PolicyError(`strict decoding error: ${unknown.map((field) => `unknown field "${at}${field}"`).join(', ')}`)
}

function validate(policy: Policy): readonly FieldError[] {
  const errors: FieldError[] = []
  omitted(errors, policy.omitStages, path('omitStages'))
  policy.rules.forEach((rule, i) => {
    const at = path('rules').index(i)
    if ((rule.level as string | undefined) === undefined || (rule.level as string) === '') errors.push(required(at.child('level')))
    else if (!levels.includes(rule.level)) errors.push(notSupported(at.child('level'), rule.level, levels))
    const urls = at.child('nonResourceURLs')
    rule.nonResourceURLs?.forEach((url, j) => {
      if (url === '*') return
      if (!url.startsWith('/')) errors.push(invalidValue(urls.index(j), url, "non-resource URL rules must begin with a '/' character"))
      if (url.slice(0, -1).includes('*')) errors.push(invalidValue(urls.index(j), url, "non-resource URL wildcards '*' must be the final character of the rule"))
    })
    rule.resources?.forEach((of) => groupResources(errors, of, at.child('resources')))
    omitted(errors, rule.omitStages, at.child('omitStages'))
    if (some(rule.nonResourceURLs) && (some(rule.resources) || some(rule.namespaces))) {
      errors.push(invalidValue(urls, rule.nonResourceURLs, 'rules cannot apply to both regular resources and non-resource URLs'))
    }
  })
  return errors
}

function groupResources(errors: FieldError[], { group = '', resources = [], resourceNames = [] }: GroupResources, at: Path): void {
  const wrong = group === '' || group === '*' ? [] : dns1123Subdomain(group)
  if (wrong.length > 0) errors.push(invalidValue(at.child('group'), group, wrong.join(',')))
  if (resourceNames.length > 0 && resources.length === 0) errors.push(invalidValue(at.child('resourceNames'), resourceNames, 'using resourceNames requires at least one resource'))
}

function omitted(errors: FieldError[], list: readonly Stage[] | undefined, at: Path): void {
  list?.forEach((stage, i) => {
    if (!stages.includes(stage)) errors.push(invalidValue(at.index(i), stage, `allowed stages are ${stages.join(',')}`))
  })
}

const reviews = [{ group: 'authentication.k8s.io' }, { group: 'authorization.k8s.io' }]

/** Who changed what, and who went into which container; not what the cluster's own parts report all the time. */
export const builtInPolicy: Policy = {
  omitStages: ['RequestReceived'],
  rules: [
    { level: 'Metadata', resources: [{ resources: ['pods/exec', 'pods/attach', 'pods/portforward', 'nodes/proxy'] }] },
    { level: 'None', verbs: ['get', 'list', 'watch'] },
    { level: 'None', nonResourceURLs: ['*'] },
    { level: 'None', resources: [...reviews, { resources: ['events', 'serviceaccounts/token'] }, { group: 'events.k8s.io' }, { group: 'coordination.k8s.io', resources: ['leases'] }] },
    { level: 'None', userGroups: ['system:nodes', 'system:serviceaccounts:kube-system'], resources: [{ group: '*', resources: ['*/status'] }] },
    { level: 'None', users: ['system:apiserver', 'system:kube-scheduler'], resources: [{ group: '*', resources: ['*/status'] }] },
    { level: 'None', userGroups: ['system:serviceaccounts:kube-system'], resources: [{ resources: ['endpoints'] }, { group: 'discovery.k8s.io', resources: ['endpointslices'] }] },
    { level: 'Metadata' },
  ],
}
