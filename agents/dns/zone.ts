/**
 * What the cluster's zone says about a name: a pure function of Services,
 * EndpointSlices and the question, after the Kubernetes DNS specification 1.1.
 * Nothing is built beforehand: the world is read through its indexes at each
 * question, so an answer is never older than what the informers know.
 */
import type { Endpoint, EndpointSlice, Service } from '../../core/api/schema/types.ts'
import { formatIp, parseIp, reverseName } from '../../core/lib/ip.ts'
import { types, type Rec } from './wire.ts'

export interface ZoneWorld {
  /** False until everything is known: what is not found then may well exist. */
  complete(): boolean
  service(namespace: string, name: string): Readonly<Service> | undefined
  slices(namespace: string, service: string): readonly Readonly<EndpointSlice>[]
  hasNamespace(name: string): boolean
  servicesAt(ip: string): readonly Readonly<Service>[]
  slicesAt(ip: string): readonly Readonly<EndpointSlice>[]
}

export interface ZoneConfig {
  /** cluster.local */
  readonly domain: string
  /** Address of the DNS service itself. */
  readonly dnsIp: string
  /** Seconds that clients may believe an answer, and an absence. */
  readonly ttlS: number
}

export type ZoneAnswer =
  | { readonly kind: 'found'; readonly records: readonly Rec[]; readonly additionals: readonly Rec[]; readonly alias?: string }
  | { readonly kind: 'nodata' | 'nxdomain' | 'elsewhere' }

const nodata: ZoneAnswer = { kind: 'nodata' }
const nxdomain: ZoneAnswer = { kind: 'nxdomain' }
const elsewhere: ZoneAnswer = { kind: 'elsewhere' }

export const zoneTtlSDefault = 5

export function lookup(world: ZoneWorld, zone: ZoneConfig, name: string, type: number): ZoneAnswer {
  if (name.endsWith('.in-addr.arpa') || name.endsWith('.ip6.arpa')) return lookupAddress(world, zone, name, type)
  if (name === zone.domain) return lookupApex(zone, type)
  if (!name.endsWith(`.${zone.domain}`)) return elsewhere
  const labels = name.slice(0, -zone.domain.length - 1).split('.')
  const branch = labels.pop()
  if (branch === 'svc') return lookupServices(world, zone, labels, { name, type })
  if (branch === 'pod') return lookupPod(world, zone, labels, { name, type })
  if (branch === 'dns' && labels.length === 0) return nodata
  if (branch === 'dns' && labels.length === 1 && labels[0] === 'ns') return pick([address(zone, name, zone.dnsIp)], type)
  if (branch === 'dns-version' && labels.length === 0) return pick([{ name, ttl: zone.ttlS, type: 'TXT', data: '1.1.0' }], type)
  return nxdomain
}

export function soa(zone: ZoneConfig): Rec {
  const { domain, ttlS } = zone
  return { name: domain, ttl: ttlS, type: 'SOA', data: { mname: `ns.dns.${domain}`, rname: `hostmaster.${domain}`, numbers: [1, 7_200, 1_800, 86_400, ttlS] } }
}

interface Asked {
  readonly name: string
  readonly type: number
}

function lookupApex(zone: ZoneConfig, type: number): ZoneAnswer {
  const ns: Rec = { name: zone.domain, ttl: zone.ttlS, type: 'NS', data: `ns.dns.${zone.domain}` }
  const found = pick([soa(zone), ns], type)
  return found.kind === 'found' && type === types.NS ? { ...found, additionals: [address(zone, `ns.dns.${zone.domain}`, zone.dnsIp)] } : found
}

/** `labels` without `svc.<domain>`: [namespace], [name, namespace], [endpoint, name, namespace], [_port, _proto, name, namespace]. */
function lookupServices(world: ZoneWorld, zone: ZoneConfig, labels: readonly string[], asked: Asked): ZoneAnswer {
  const namespace = labels.at(-1)
  const name = labels.at(-2)
  if (namespace === undefined) return nodata
  if (name === undefined) return world.hasNamespace(namespace) ? nodata : nxdomain
  const service = world.service(namespace, name)
  if (service === undefined || labels.length > 4) return nxdomain
  const base = `${name}.${namespace}.svc.${zone.domain}`
  const [first = '', second = ''] = labels
  if (service.spec?.type === 'ExternalName') return labels.length === 2 ? external(service, zone, asked) : nxdomain
  if (labels.length === 3) {
    if (first === '_tcp' || first === '_udp' || first === '_sctp') return nodata
    const ends = endpointsOf(world, service).filter((end) => end.host === first)
    return ends.length === 0 ? nxdomain : answerEndpoints(zone, asked, base, ends)
  }
  const ports: PortFilter | undefined = labels.length === 4 ? { name: first.replace(/^_/, ''), protocol: second.replace(/^_/, '') } : undefined
  if (ports !== undefined && (!first.startsWith('_') || !second.startsWith('_'))) return nxdomain
  if (service.spec?.clusterIP === 'None') {
    const ends = endpointsOf(world, service, ports)
    return ends.length === 0 ? nxdomain : answerEndpoints(zone, asked, base, ends)
  }
  return answerClusterIps(service, zone, asked, { base, ports })
}

interface PortFilter {
  readonly name: string
  readonly protocol: string
}

function matches(filter: PortFilter | undefined, port: { readonly name?: string; readonly protocol?: string }): boolean {
  return filter === undefined || ((port.name ?? '') === filter.name && (port.protocol ?? 'TCP').toLowerCase() === filter.protocol)
}

function answerClusterIps(service: Readonly<Service>, zone: ZoneConfig, asked: Asked, at: { readonly base: string; readonly ports: PortFilter | undefined }): ZoneAnswer {
  const spec = service.spec ?? {}
  const ips = (spec.clusterIPs ?? [spec.clusterIP ?? '']).filter((ip) => ip !== '')
  const ports = (spec.ports ?? []).filter((port) => matches(at.ports, port))
  if (at.ports !== undefined && ports.length === 0) return nxdomain
  if (asked.type !== types.SRV) return pick(ips.map((ip) => address(zone, asked.name, ip)), asked.type)
  const records = ports.map((port) => srv(zone, asked.name, { port: port.port, target: at.base, weight: Math.max(1, Math.floor(100 / ports.length)) }))
  return found(records, ips.map((ip) => address(zone, at.base, ip)))
}

function external(service: Readonly<Service>, zone: ZoneConfig, asked: Asked): ZoneAnswer {
  const target = (service.spec?.externalName ?? '').replace(/\.$/, '').toLowerCase()
  if (target === '') return nodata
  // A name that is an address in letters: what upstream's DNS does with it as well.
  const ip = parseIp(target)
  if (ip !== undefined) return pick([address(zone, asked.name, formatIp(ip))], asked.type)
  const record: Rec = { name: asked.name, ttl: zone.ttlS, type: 'CNAME', data: target }
  return { kind: 'found', records: [record], additionals: [], ...(asked.type === types.CNAME ? {} : { alias: target }) }
}

interface End {
  readonly ip: string
  /** First label of the endpoint's own name. */
  readonly host: string
  readonly ports: readonly number[]
}

function endpointsOf(world: ZoneWorld, service: Readonly<Service>, filter?: PortFilter): End[] {
  const ends = new Map<string, End>()
  for (const slice of world.slices(service.metadata.namespace ?? '', service.metadata.name ?? '')) {
    if (slice.addressType === 'FQDN') continue
    const ports = (slice.ports ?? []).filter((port) => matches(filter, port)).flatMap((port) => port.port ?? [])
    if (filter !== undefined && ports.length === 0) continue
    for (const endpoint of slice.endpoints ?? []) {
      if (endpoint.conditions?.ready === false) continue
      for (const ip of endpoint.addresses) {
        const prev = ends.get(ip)
        ends.set(ip, { ip, host: hostOf(endpoint, ip), ports: [...new Set([...(prev?.ports ?? []), ...ports])] })
      }
    }
  }
  return [...ends.values()]
}

function hostOf(endpoint: Readonly<Endpoint>, ip: string): string {
  return endpoint.hostname !== undefined && endpoint.hostname !== '' ? endpoint.hostname.toLowerCase() : ip.replaceAll(/[.:]/g, '-')
}

function answerEndpoints(zone: ZoneConfig, asked: Asked, base: string, ends: readonly End[]): ZoneAnswer {
  if (asked.type !== types.SRV) return pick(ends.map((end) => address(zone, asked.name, end.ip)), asked.type)
  const all = ends.flatMap((end) => end.ports.map((port) => ({ port, target: `${end.host}.${base}` })))
  const distinct = [...new Map(all.map((one) => [`${one.target} ${one.port}`, one])).values()]
  const weight = Math.max(1, Math.floor(100 / Math.max(1, distinct.length)))
  return found(distinct.map((one) => srv(zone, asked.name, { ...one, weight })), ends.map((end) => address(zone, `${end.host}.${base}`, end.ip)))
}

/** `10-42-0-5.namespace.pod`: any address in a namespace that exists, as upstream's `pods insecure`. */
function lookupPod(world: ZoneWorld, zone: ZoneConfig, labels: readonly string[], asked: Asked): ZoneAnswer {
  const namespace = labels.at(-1)
  if (namespace === undefined) return nodata
  if (!world.hasNamespace(namespace) || labels.length > 2) return nxdomain
  const dashed = labels.length === 2 ? (labels[0] ?? '') : undefined
  if (dashed === undefined) return nodata
  const ip = parseIp(dashed.replaceAll('-', '.')) ?? parseIp(dashed.replaceAll('-', ':'))
  return ip === undefined ? nxdomain : pick([address(zone, asked.name, formatIp(ip))], asked.type)
}

function lookupAddress(world: ZoneWorld, zone: ZoneConfig, name: string, type: number): ZoneAnswer {
  const ip = addressOf(name)
  if (ip === undefined) return elsewhere
  const services = world.servicesAt(ip).map((s) => `${s.metadata.name}.${s.metadata.namespace}.svc.${zone.domain}`)
  const ends = services.length > 0 ? [] : world.slicesAt(ip).flatMap((slice) => {
    const service = slice.metadata.labels?.['kubernetes.io/service-name']
    const endpoint = slice.endpoints?.find((one) => one.addresses.includes(ip) && one.conditions?.ready !== false)
    return service === undefined || endpoint === undefined ? [] : [`${hostOf(endpoint, ip)}.${service}.${slice.metadata.namespace}.svc.${zone.domain}`]
  })
  const names = [...new Set([...services, ...ends])]
  if (names.length === 0) return elsewhere
  return pick(names.map((data): Rec => ({ name, ttl: zone.ttlS, type: 'PTR', data })), type)
}

function addressOf(name: string): string | undefined {
  const v4 = name.endsWith('.in-addr.arpa')
  const parts = name.slice(0, v4 ? -'.in-addr.arpa'.length : -'.ip6.arpa'.length).split('.').toReversed()
  const text = v4 ? parts.join('.') : parts.length === 32 ? (parts.join('').match(/.{4}/g) ?? []).join(':') : ''
  const ip = parseIp(text)
  return ip === undefined || reverseName(ip) !== name ? undefined : formatIp(ip)
}

function address(zone: ZoneConfig, name: string, ip: string): Rec {
  return { name, ttl: zone.ttlS, type: ip.includes(':') ? 'AAAA' : 'A', data: ip }
}

function srv(zone: ZoneConfig, name: string, to: { readonly port: number; readonly target: string; readonly weight: number }): Rec {
  return { name, ttl: zone.ttlS, type: 'SRV', data: { priority: 0, ...to } }
}

/** The name exists; whether with records of that type is another matter. */
function pick(records: readonly Rec[], type: number): ZoneAnswer {
  return found(type === types.ANY ? records : records.filter((record) => types[record.type] === type), [])
}

function found(records: readonly Rec[], additionals: readonly Rec[]): ZoneAnswer {
  return records.length === 0 ? nodata : { kind: 'found', records, additionals }
}
