/**
 * What a pod's resolv.conf says: from the node's own, the pod's dnsPolicy and its
 * dnsConfig, as k8s.io/kubernetes/pkg/kubelet/network/dns/dns.go puts it together.
 * Pure; the kubelet reads the node's file, writes the pod's and sends the events.
 */
import type { Pod } from '../schema/types.ts'

export interface ResolvConf {
  readonly servers: readonly string[]
  readonly searches: readonly string[]
  readonly options: readonly string[]
}

/** Limits of k8s.io/kubernetes/pkg/apis/core/validation. */
export const nameserversMax = 3
export const searchesMax = 32
export const searchCharsMax = 2_048
const searchPathCharsMax = 253

export interface NodeDns {
  /** Addresses of the cluster's DNS; empty: unknown. */
  readonly clusterDns: readonly string[]
  readonly clusterDomain: string
  /** What the node's own resolv.conf says. */
  readonly host: ResolvConf
}

export interface PodDns {
  readonly conf: ResolvConf
  /** Messages of Warning events, reason DNSConfigForming. */
  readonly warnings: readonly string[]
  /** ClusterFirst was asked for and cannot be given: reason MissingClusterDNS. */
  readonly missingClusterDns: string | undefined
}

export function podDns(pod: Readonly<Pod>, node: NodeDns): PodDns {
  const policy = policyOf(pod)
  const missing = policy === 'cluster' && node.clusterDns.length === 0
  const base = policy === 'none' ? emptyConf : policy === 'cluster' && !missing ? clusterConf(pod, node) : node.host
  const added = withConfig(base, pod)
  const { conf, warnings } = fitted(added)
  return {
    conf,
    warnings,
    missingClusterDns: missing
      ? 'kubelet does not have ClusterDNS IP configured and cannot create Pod using "ClusterFirst" policy. Falling back to "Default" policy.'
      : undefined,
  }
}

const emptyConf: ResolvConf = { servers: [], searches: [], options: [] }

function policyOf(pod: Readonly<Pod>): 'cluster' | 'host' | 'none' {
  const policy = pod.spec?.dnsPolicy ?? 'ClusterFirst'
  if (policy === 'None') return 'none'
  if (policy === 'Default') return 'host'
  return policy === 'ClusterFirst' && pod.spec?.hostNetwork === true ? 'host' : 'cluster'
}

function clusterConf(pod: Readonly<Pod>, node: NodeDns): ResolvConf {
  const domain = node.clusterDomain
  const own = domain === '' ? [] : [`${pod.metadata.namespace}.svc.${domain}`, `svc.${domain}`, domain]
  return { servers: node.clusterDns, searches: unique([...own, ...node.host.searches]), options: ['ndots:5'] }
}

function withConfig(base: ResolvConf, pod: Readonly<Pod>): ResolvConf {
  const config = pod.spec?.dnsConfig
  if (config === undefined || config === null) return base
  const options = new Map(base.options.map((option) => [option.split(':')[0] ?? '', option]))
  for (const { name = '', value } of config.options ?? []) options.set(name, value === undefined || value === '' ? name : `${name}:${value}`)
  return {
    servers: unique([...base.servers, ...(config.nameservers ?? [])]),
    searches: unique([...base.searches, ...(config.searches ?? [])]),
    options: [...options.values()],
  }
}

function fitted(conf: ResolvConf): { readonly conf: ResolvConf; readonly warnings: readonly string[] } {
  const warnings: string[] = []
  const servers = conf.servers.slice(0, nameserversMax)
  if (servers.length < conf.servers.length) {
    warnings.push(`Nameserver limits were exceeded, some nameservers have been omitted, the applied nameserver line is: ${servers.join(' ')}`)
  }
  const searches = conf.searches.slice(0, searchesMax).filter((search) => search.length <= searchPathCharsMax)
  while (searches.join(' ').length > searchCharsMax) searches.pop()
  if (searches.length < conf.searches.length) {
    warnings.push(`Search Line limits were exceeded, some search paths have been omitted, the applied search line is: ${searches.join(' ')}`)
  }
  return { conf: { servers, searches, options: conf.options }, warnings }
}

/** Reads a resolv.conf: nameservers add up, the last search line counts, later options replace earlier ones of their name. */
export function parseResolvConf(text: string): ResolvConf {
  const servers: string[] = []
  let searches: string[] = []
  const options = new Map<string, string>()
  for (const line of text.split('\n')) {
    const [word, ...rest] = line.trim().split(/\s+/)
    if (word === undefined || word.startsWith('#') || word.startsWith(';')) continue
    if (word === 'nameserver' && rest[0] !== undefined) servers.push(rest[0])
    if (word === 'search') searches = rest.filter((search) => search !== '.').map((search) => search.replace(/\.$/, ''))
    if (word === 'options') for (const option of rest) options.set(option.split(':')[0] ?? '', option)
  }
  return { servers, searches, options: [...options.values()] }
}

export function formatResolvConf(conf: ResolvConf): string {
  return [
    ...(conf.searches.length === 0 ? [] : [`search ${conf.searches.join(' ')}`]),
    ...conf.servers.map((server) => `nameserver ${server}`),
    ...(conf.options.length === 0 ? [] : [`options ${conf.options.join(' ')}`]),
    '',
  ].join('\n')
}

function unique(list: readonly string[]): string[] {
  return [...new Set(list)]
}
