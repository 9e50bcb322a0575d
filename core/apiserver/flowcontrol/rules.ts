/**
 * Whether a FlowSchema speaks of a request: by who asks, and for what (k8s.io/apiserver/pkg/util/flowcontrol/rule.go). It is
 * asked of every request, so nothing is made on the way.
 */
import type { FlowSchemaSpec, FlowcontrolV1Subject, NonResourcePolicyRule, ResourcePolicyRule } from '../../api/schema/types.ts'
import type { User } from '../../auth/user.ts'
import type { RequestInfo } from '../request.ts'

export function matchesSchema(spec: Readonly<FlowSchemaSpec>, info: RequestInfo, user: User): boolean {
  const { rules } = spec
  if (rules === undefined) return false
  for (const rule of rules) {
    if (!someSubject(rule.subjects, user)) continue
    if (info.isResource ? someResource(rule.resourceRules, info) : somePath(rule.nonResourceRules, info)) return true
  }
  return false
}

function someSubject(subjects: readonly FlowcontrolV1Subject[], user: User): boolean {
  for (const subject of subjects) if (matchesSubject(subject, user)) return true
  return false
}

function matchesSubject({ kind, user: named, group, serviceAccount }: Readonly<FlowcontrolV1Subject>, user: User): boolean {
  if (kind === 'User') return named !== undefined && (named.name === '*' || named.name === user.name)
  if (kind === 'Group') return group !== undefined && (group.name === '*' || user.groups.includes(group.name))
  return kind === 'ServiceAccount' && serviceAccount !== undefined && isAccount(user.name, serviceAccount)
}

const accountPrefix = 'system:serviceaccount:'

function isAccount(user: string, { namespace, name }: { readonly namespace: string; readonly name: string }): boolean {
  if (!user.startsWith(accountPrefix) || !user.startsWith(namespace, accountPrefix.length)) return false
  const colon = accountPrefix.length + namespace.length
  if (user[colon] !== ':') return false
  return name === '*' || (user.length === colon + 1 + name.length && user.endsWith(name))
}

/** `*` stands for everything only where it stands alone. */
function holds(list: readonly string[] | undefined, value: string): boolean {
  if (list === undefined) return false
  return (list.length === 1 && list[0] === '*') || list.includes(value)
}

function someResource(rules: readonly ResourcePolicyRule[] | undefined, info: RequestInfo): boolean {
  if (rules === undefined) return false
  for (const rule of rules) {
    if (!holds(rule.verbs, info.verb) || !namesResource(rule.resources, info) || !holds(rule.apiGroups, info.group)) continue
    if (info.namespace === '' ? rule.clusterScope === true : holds(rule.namespaces, info.namespace)) return true
  }
  return false
}

function namesResource(list: readonly string[], { resource, subresource }: RequestInfo): boolean {
  if (list.length === 1 && list[0] === '*') return true
  return list.includes(subresource === '' ? resource : `${resource}/${subresource}`)
}

function somePath(rules: readonly NonResourcePolicyRule[] | undefined, info: RequestInfo): boolean {
  if (rules === undefined) return false
  for (const rule of rules) if (holds(rule.verbs, info.verb) && somePrefix(rule.nonResourceURLs, info.path)) return true
  return false
}

/** Every URL of a rule stands for what lies below it, too. */
function somePrefix(urls: readonly string[], path: string): boolean {
  for (const url of urls) {
    if (url === '*' || url === path) return true
    const prefix = url.endsWith('*') ? url.slice(0, -1) : url
    if (path.startsWith(prefix.endsWith('/') ? prefix : `${prefix}/`)) return true
  }
  return false
}
