/**
 * The hosts file that the kubelet writes into every pod (pkg/kubelet/kubelet_pods.go
 * ensureHostsFile). Pure: text in, text out. resolv.conf is core/api/core/resolvconf.ts.
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

/** The cluster's DNS as pods are told it. */
export interface ClusterDns {
  readonly addresses: readonly string[]
  readonly domain: string
}
