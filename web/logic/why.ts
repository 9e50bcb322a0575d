/** The server's answer to why something does not run: for which kinds it is asked, and what is shown of it. Pure. */
import type { Resource } from './resources.ts'

export interface WhySection {
  readonly title: string
  readonly lines: readonly string[]
}

/** What GET /kubun/v1/why answers. */
export interface WhyAnswer {
  readonly healthy: boolean
  readonly cause: string
  readonly findings: readonly { readonly because: string; readonly about: { readonly kind: string; readonly namespace: string; readonly name: string }; readonly sections: readonly WhySection[] }[]
  readonly unread: readonly string[]
}

const asked: ReadonlySet<string> = new Set([
  '/pods', '/nodes', '/namespaces', '/services', '/persistentvolumeclaims', '/replicationcontrollers',
  'apps/deployments', 'apps/replicasets', 'apps/statefulsets', 'apps/daemonsets', 'batch/jobs', 'batch/cronjobs',
  'autoscaling/horizontalpodautoscalers', 'policy/poddisruptionbudgets',
])

/** Where to ask; undefined for kinds of which the server would know nothing to say. */
export function whyPath({ group, resource }: Pick<Resource, 'group' | 'resource'>, at: { readonly namespace: string; readonly name: string }): string | undefined {
  if (!asked.has(`${group}/${resource}`)) return undefined
  const query = new URLSearchParams({ kind: group === '' ? resource : `${resource}.${group}`, ...(at.namespace === '' ? {} : { namespace: at.namespace }), name: at.name })
  return `/kubun/v1/why?${query.toString()}`
}

export interface WhyNotice {
  readonly cause: string
  readonly sections: readonly WhySection[]
}

/** Undefined: nothing is wrong. Other findings follow as sections of their own. */
export function whyNotice({ healthy, cause, findings, unread }: WhyAnswer): WhyNotice | undefined {
  if (healthy) return undefined
  const [first, ...others] = findings
  const also = others.map(({ about, because, sections }): WhySection => ({ title: `Also: ${about.kind} ${about.name} ${because}`, lines: sections.flatMap(({ title, lines }) => [`${title}:`, ...lines]) }))
  const missing = unread.length === 0 ? [] : [{ title: 'You may not read', lines: unread }]
  return { cause: capital(cause), sections: [...(first?.sections ?? []), ...also, ...missing].map(({ title, lines }) => ({ title: capital(title), lines })) }
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)
