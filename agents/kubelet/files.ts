/**
 * The files that the kubelet writes into every pod: hosts (pkg/kubelet/kubelet_pods.go
 * ensureHostsFile) and resolv.conf (pkg/kubelet/network/dns). Pure: text in, text out.
 */
import type { HostAlias, Pod } from '../../core/api/schema/types.ts'

export interface Names {
  readonly hostname: string
  readonly domain: string
}

/** `node`: the node's own hosts file, which pods on the host network get. */
export function hostsFile(pod: Readonly<Pod>, names: Names, podIPs: readonly string[], node: string): string {
  const aliases = aliasLines(pod.spec?.hostAliases ?? [])
  if (pod.spec?.hostNetwork === true) return `# Kubernetes-managed hosts file (host network).\n${node}${aliases}`
  const fqdn = names.domain === '' ? '' : `${names.hostname}.${names.domain}\t`
  return [
    '# Kubernetes-managed hosts file.\n',
    '127.0.0.1\tlocalhost\n',
    '::1\tlocalhost ip6-localhost ip6-loopback\n',
    'fe00::0\tip6-localnet\n',
    'fe00::0\tip6-mcastprefix\n',
    'fe00::1\tip6-allnodes\n',
    'fe00::2\tip6-allrouters\n',
    ...podIPs.map((ip) => `${ip}\t${fqdn}${names.hostname}\n`),
    aliases,
  ].join('')
}

function aliasLines(aliases: readonly HostAlias[]): string {
  if (aliases.length === 0) return ''
  return `\n# Entries added by HostAliases.\n${aliases.map((a) => `${a.ip}\t${(a.hostnames ?? []).join('\t')}\n`).join('')}`
}

export interface Resolver {
  readonly nameservers: readonly string[]
  readonly searches: readonly string[]
  readonly options: readonly string[]
}

export interface ClusterDns {
  readonly addresses: readonly string[]
  readonly domain: string
}

/** Limits of glibc that upstream keeps (pkg/apis/core/validation). */
const nameserversMax = 3
const searchesMax = 32
const searchCharsMax = 2048

export function parseResolver(text: string): Resolver {
  const nameservers: string[] = []
  let searches: string[] = []
  const options = new Map<string, string>()
  for (const line of text.split('\n')) {
    const [word, ...rest] = line.trim().split(/\s+/)
    if (word === 'nameserver' && rest[0] !== undefined) nameservers.push(rest[0])
    else if (word === 'search') searches = rest.filter((s) => s !== '.').map((s) => s.replace(/\.$/, ''))
    else if (word === 'options') for (const option of rest) options.set(option.split(':')[0] ?? '', option)
  }
  return { nameservers, searches, options: [...options.values()] }
}

/** The pod's resolver; `trimmed` names what did not fit the limits, for an event. */
export function podResolver(pod: Readonly<Pod>, host: Resolver, cluster: ClusterDns): { readonly resolver: Resolver; readonly trimmed: readonly string[] } {
  const { dnsPolicy = 'ClusterFirst', dnsConfig, hostNetwork } = pod.spec ?? { containers: [] }
  const usesCluster = dnsPolicy === 'ClusterFirstWithHostNet' || (dnsPolicy === 'ClusterFirst' && hostNetwork !== true)
  let base: Resolver = host
  if (dnsPolicy === 'None') base = { nameservers: [], searches: [], options: [] }
  else if (usesCluster && cluster.addresses.length > 0) {
    const own = cluster.domain === '' ? [] : [`${pod.metadata.namespace}.svc.${cluster.domain}`, `svc.${cluster.domain}`, cluster.domain]
    base = { nameservers: cluster.addresses, searches: [...own, ...host.searches], options: ['ndots:5'] }
  }
  const options = new Map(base.options.map((option) => [option.split(':')[0] ?? '', option]))
  for (const { name = '', value } of dnsConfig?.options ?? []) options.set(name, value === undefined ? name : `${name}:${value}`)
  return fit({
    nameservers: unique([...base.nameservers, ...(dnsConfig?.nameservers ?? [])]),
    searches: unique([...base.searches, ...(dnsConfig?.searches ?? [])]),
    options: [...options.values()],
  })
}

function fit(wanted: Resolver): { readonly resolver: Resolver; readonly trimmed: readonly string[] } {
  const trimmed: string[] = []
  const nameservers = wanted.nameservers.slice(0, nameserversMax)
  if (nameservers.length < wanted.nameservers.length) {
    trimmed.push(`Nameserver limits were exceeded, some nameservers have been omitted, the applied nameserver line is: ${nameservers.join(' ')}`)
  }
  const searches = wanted.searches.slice(0, searchesMax).filter((s) => s.length <= 253)
  while (searches.join(' ').length > searchCharsMax) searches.pop()
  if (searches.length < wanted.searches.length) {
    trimmed.push(`Search Line limits were exceeded, some search paths have been omitted, the applied search line is: ${searches.join(' ')}`)
  }
  return { resolver: { ...wanted, nameservers, searches }, trimmed }
}

export function resolverFile({ nameservers, searches, options }: Resolver): string {
  return [
    ...(searches.length === 0 ? [] : [`search ${searches.join(' ')}\n`]),
    ...nameservers.map((server) => `nameserver ${server}\n`),
    ...(options.length === 0 ? [] : [`options ${options.join(' ')}\n`]),
  ].join('')
}

const unique = (list: readonly string[]): string[] => [...new Set(list)]
