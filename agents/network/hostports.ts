/** Host ports of pods as the nftables table `inet kubun-hostports`: a pure text, whole every time, for they are few. */
import { parseIp } from '../../core/lib/ip.ts'
import type { Lease } from './addresses.ts'

export const hostPortTable = 'inet kubun-hostports'

/** `prefix`: how the names of pods' devices begin. */
export function renderHostPorts(leases: readonly Lease[], prefix: string): string {
  const rows = leases.flatMap((lease) => lease.hostPorts.map((port) => ({ ...port, podIp: lease.ip })))
  const any = rows.filter((row) => isAny(row.hostIp))
  // The API takes any text for it; what is no address must not get into the rules.
  const bound = rows.filter((row) => !isAny(row.hostIp) && parseIp(row.hostIp ?? '')?.family === 4)
  const to = (row: (typeof rows)[number]): string => `${row.podIp} . ${row.containerPort}`
  return [
    `add table ${hostPortTable}`,
    `delete table ${hostPortTable}`,
    `table ${hostPortTable} {`,
    map('any', 'type inet_proto . inet_service : ipv4_addr . inet_service', [...new Map(any.map((row) => [`${row.protocol} . ${row.hostPort}`, to(row)]))]),
    map('bound', 'type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service', [...new Map(bound.map((row) => [`${row.hostIp} . ${row.protocol} . ${row.hostPort}`, to(row)]))]),
    set('hairpin', 'type ipv4_addr . ipv4_addr', [...new Set(rows.map((row) => `${row.podIp} . ${row.podIp}`))]),
    set('served', 'type ipv4_addr', [...new Set(rows.map((row) => row.podIp))]),
    ...chains(prefix),
    '}',
    '',
  ].join('\n')
}

function isAny(hostIp: string | undefined): boolean {
  return hostIp === undefined || hostIp === '' || hostIp === '0.0.0.0' || hostIp === '::'
}

function map(name: string, type: string, elements: readonly (readonly [string, string])[]): string {
  return `  map ${name} { ${type}; ${list(elements.map(([k, v]) => `${k} : ${v}`))}}`
}

function set(name: string, type: string, elements: readonly string[]): string {
  return `  set ${name} { ${type}; ${list(elements)}}`
}

function list(elements: readonly string[]): string {
  return elements.length === 0 ? '' : `elements = { ${elements.join(', ')} } `
}

function chains(prefix: string): string[] {
  return `
  chain translate {
    dnat ip to ip daddr . meta l4proto . th dport map @bound
    dnat ip to meta l4proto . th dport map @any
  }
  chain prerouting {
    type nat hook prerouting priority -99; policy accept;
    fib daddr type local jump translate
  }
  chain output {
    type nat hook output priority -99; policy accept;
    fib daddr type local jump translate
  }
  chain postrouting {
    type nat hook postrouting priority 99; policy accept;
    ip saddr . ip daddr @hairpin masquerade
    ip saddr 127.0.0.0/8 ip daddr @served masquerade
  }
  chain loopback {
    type filter hook prerouting priority -300; policy accept;
    iifname "${prefix}*" ip daddr 127.0.0.0/8 drop
  }`.split('\n').slice(1)
}
