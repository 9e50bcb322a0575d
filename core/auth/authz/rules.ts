/**
 * RBAC rules as pure functions: does a rule allow a request, do rules cover other
 * rules, how is a rule written in a refusal (pkg/apis/rbac/v1/evaluation_helpers.go,
 * component-helpers auth/rbac/validation). Whose rules they are is rbac.ts.
 */
import { goQuote } from '../../api/field.ts'
import type { LabelSelector, LabelSelectorRequirement, PolicyRule } from '../../api/schema/types.ts'
import type { Attributes } from '../user.ts'

type Rule = Readonly<PolicyRule>

export function ruleAllows(rule: Rule, asked: Attributes): boolean {
  if (!rule.verbs.includes('*') && !rule.verbs.includes(asked.verb)) return false
  if (asked.type === 'path') return rule.nonResourceURLs?.some((url) => urlCovers(url, asked.path)) ?? false
  const groups = rule.apiGroups
  if (groups === undefined || !(groups.includes('*') || groups.includes(asked.group))) return false
  if (rule.resources === undefined || !resourceMatches(rule.resources, asked.resource, asked.subresource)) return false
  return rule.resourceNames === undefined || rule.resourceNames.length === 0 || rule.resourceNames.includes(asked.name)
}

/** Of the rights in `wanted`, in their smallest parts, those that `held` does not give. */
export function uncovered(held: readonly Rule[], wanted: readonly Rule[]): readonly PolicyRule[] {
  return wanted.flatMap(parts).filter((part) => !held.some((rule) => covers(rule, part)))
}

/** Parts that differ in their verb alone are joined: what a refusal lists. */
export function compact(rules: readonly Rule[]): readonly PolicyRule[] {
  const joined = new Map<string, PolicyRule>()
  for (const rule of rules) {
    const id = JSON.stringify([rule.apiGroups, rule.resources, rule.resourceNames, rule.nonResourceURLs, rule.nonResourceURLs === undefined ? '' : rule.verbs])
    const same = joined.get(id)
    if (same === undefined) joined.set(id, { ...rule, verbs: [...rule.verbs] })
    else same.verbs.push(...rule.verbs)
  }
  return [...joined.values()]
}

/** `{APIGroups:["apps"], Resources:["deployments"], Verbs:["get" "list"]}`. */
export function ruleText(rule: Rule): string {
  const parts: string[] = []
  const add = (name: string, values: readonly string[] | undefined): void => {
    if (values !== undefined && values.length > 0) parts.push(`${name}:${quoteAll(values)}`)
  }
  add('APIGroups', rule.apiGroups)
  add('Resources', rule.resources)
  add('NonResourceURLs', rule.nonResourceURLs)
  add('ResourceNames', rule.resourceNames)
  add('Verbs', rule.verbs)
  return `{${parts.join(', ')}}`
}

/** Go's %q of a list. */
export function quoteAll(values: readonly string[]): string {
  return `[${values.map(goQuote).join(' ')}]`
}

/** The rules of an aggregated cluster role: those of the roles its selectors pick, by name, each rule once (pkg/controller/clusterroleaggregation). */
export function aggregate(
  target: { readonly metadata: { readonly name?: string }; readonly aggregationRule?: { readonly clusterRoleSelectors?: readonly LabelSelector[] } },
  all: readonly { readonly metadata: { readonly name?: string; readonly labels?: Readonly<Record<string, string>> }; readonly rules?: readonly PolicyRule[] }[],
): readonly PolicyRule[] {
  const rules = new Map<string, PolicyRule>()
  const sorted = all.toSorted((a, b) => ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1))
  for (const selector of target.aggregationRule?.clusterRoleSelectors ?? []) {
    for (const role of sorted) {
      if (role.metadata.name === target.metadata.name || !selects(selector, role.metadata.labels ?? {})) continue
      for (const rule of role.rules ?? []) rules.set(JSON.stringify(rule), rule)
    }
  }
  return [...rules.values()]
}

function selects(selector: LabelSelector, labels: Readonly<Record<string, string>>): boolean {
  for (const [key, value] of Object.entries(selector.matchLabels ?? {})) if (labels[key] !== value) return false
  return (selector.matchExpressions ?? []).every((e) => requirementHolds(e, labels))
}

function requirementHolds(e: LabelSelectorRequirement, labels: Readonly<Record<string, string>>): boolean {
  const value = labels[e.key]
  if (e.operator === 'In') return value !== undefined && (e.values ?? []).includes(value)
  if (e.operator === 'NotIn') return value === undefined || !(e.values ?? []).includes(value)
  return e.operator === 'Exists' ? value !== undefined : value === undefined
}

function resourceMatches(resources: readonly string[], resource: string, subresource: string): boolean {
  if (resources.includes('*')) return true
  if (subresource === '') return resources.includes(resource)
  return resources.includes(`${resource}/${subresource}`) || resources.includes(`*/${subresource}`)
}

function urlCovers(own: string, asked: string): boolean {
  if (own === '*' || own === asked) return true
  return own.endsWith('*') && asked.startsWith(own.replace(/\*+$/, ''))
}

function parts(rule: Rule): PolicyRule[] {
  const out: PolicyRule[] = []
  const names = rule.resourceNames ?? []
  for (const group of rule.apiGroups ?? []) {
    for (const resource of rule.resources ?? []) {
      for (const verb of rule.verbs) {
        const part = { apiGroups: [group], resources: [resource], verbs: [verb] }
        if (names.length === 0) out.push(part)
        else out.push(...names.map((name) => ({ ...part, resourceNames: [name] })))
      }
    }
  }
  for (const url of rule.nonResourceURLs ?? []) out.push(...rule.verbs.map((verb) => ({ nonResourceURLs: [url], verbs: [verb] })))
  return out
}

/** Whether a rule gives a part (one verb, one resource or URL, at most one name). */
function covers(rule: Rule, part: Rule): boolean {
  const has = (set: readonly string[] | undefined, values: readonly string[] | undefined): boolean =>
    (set ?? []).includes('*') || (values ?? []).every((v) => (set ?? []).includes(v))
  if (!has(rule.verbs, part.verbs) || !has(rule.apiGroups, part.apiGroups)) return false
  const resource = part.resources?.[0]
  if (resource !== undefined) {
    const [main = '', sub = ''] = resource.split(/\/(.*)/s)
    if (!resourceMatches(rule.resources ?? [], main, sub)) return false
  }
  const url = part.nonResourceURLs?.[0]
  if (url !== undefined && !(rule.nonResourceURLs ?? []).some((own) => own === url || (own.endsWith('*') && url.startsWith(own.replace(/\*+$/, ''))))) return false
  const names = rule.resourceNames ?? []
  return names.length === 0 || (part.resourceNames !== undefined && part.resourceNames.every((n) => names.includes(n)))
}
