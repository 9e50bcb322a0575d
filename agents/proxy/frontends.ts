/**
 * Which addresses and ports this node answers for Services, and with which
 * endpoints: a pure function of Services, EndpointSlices and the node. It knows
 * the traffic policies and nothing of nftables; ruleset.ts writes the result.
 * IPv4 only: other families of a Service are left out.
 */
import { parseCidr, parseIp } from '../../core/lib/ip.ts'
import type { Endpoint, EndpointSlice, Service, ServicePort } from '../../core/api/schema/types.ts'

export interface NodeView {
  readonly name: string
  readonly zone?: string
  /** Addresses on which NodePorts answer. */
  readonly addresses: readonly string[]
  /** Service addresses that something on the node itself serves (cluster DNS); never programmed. */
  readonly ownIps: readonly string[]
}

export interface Backend {
  readonly ip: string
  readonly port: number
}

export interface Frontend {
  readonly ip: string
  readonly protocol: 'tcp' | 'udp' | 'sctp'
  readonly port: number
  readonly backends: readonly Backend[]
  /** What happens to a packet while there are no backends. */
  readonly empty: 'reject' | 'drop'
  /** 'inside': only for pods and for the node itself; goes before 'all' of the same address. */
  readonly from: 'all' | 'inside'
  /** The endpoint may be elsewhere: clients that are no pods must get this node's address as source. */
  readonly masquerade: boolean
  /** ClientIP affinity: how long a client keeps its endpoint. */
  readonly stickyS?: number
  /** loadBalancerSourceRanges; undefined: anybody. */
  readonly sources?: readonly string[]
}

export function frontendsOf(services: readonly Readonly<Service>[], slices: readonly Readonly<EndpointSlice>[], node: NodeView): Frontend[] {
  const byService = Map.groupBy(
    slices.filter((slice) => slice.addressType === 'IPv4'),
    (slice) => `${slice.metadata.namespace}/${slice.metadata.labels?.['kubernetes.io/service-name'] ?? ''}`,
  )
  const taken = new Set<string>()
  return services
    .filter(isProxied)
    .toSorted((a, b) => order(a, b))
    .flatMap((service) => frontendsOfService(service, byService.get(`${service.metadata.namespace}/${service.metadata.name}`) ?? [], node))
    .filter((frontend) => {
      // Two Services with the same external address and port: the older one has it.
      const id = `${frontend.ip} ${frontend.protocol} ${frontend.port} ${frontend.from}`
      if (taken.has(id) || node.ownIps.includes(frontend.ip)) return false
      taken.add(id)
      return true
    })
}

/** k8s.io/kubernetes/pkg/proxy/util: services of another proxy, headless and external ones are not ours. */
function isProxied(service: Readonly<Service>): boolean {
  const ip = service.spec?.clusterIP
  return ip !== undefined && ip !== '' && ip !== 'None' && service.spec?.type !== 'ExternalName' && service.metadata.labels?.['service.kubernetes.io/service-proxy-name'] === undefined
}

function order(a: Readonly<Service>, b: Readonly<Service>): number {
  const text = (s: Readonly<Service>): string => `${s.metadata.creationTimestamp ?? ''} ${s.metadata.namespace}/${s.metadata.name}`
  return text(a) < text(b) ? -1 : 1
}

function frontendsOfService(service: Readonly<Service>, slices: readonly Readonly<EndpointSlice>[], node: NodeView): Frontend[] {
  const spec = service.spec ?? {}
  const stickyS = spec.sessionAffinity === 'ClientIP' ? (spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? 10_800) : undefined
  const clusterIps = (spec.clusterIPs ?? [spec.clusterIP ?? '']).filter(isV4)
  const balancerIps = (service.status?.loadBalancer?.ingress ?? []).filter((i) => i.ipMode !== 'Proxy').map((i) => i.ip ?? '').filter(isV4)
  const sources = spec.loadBalancerSourceRanges?.map((range) => range.trim()).filter((range) => parseCidr(range)?.family === 4)
  return (spec.ports ?? []).flatMap((port) => {
    const protocol = protocolOf(port)
    const lists = listsOf(service, port, slices, node)
    const base = { protocol, ...(stickyS === undefined ? {} : { stickyS }) }
    const out: Frontend[] = clusterIps.map((ip) => ({ ...base, ip, port: port.port, ...lists.internal, from: 'all', masquerade: true }))
    const outside = (ip: string, number: number, guarded: boolean): void => {
      const local = spec.externalTrafficPolicy === 'Local'
      const guard = guarded && sources !== undefined && sources.length > 0 ? { sources } : {}
      out.push({ ...base, ...guard, ip, port: number, ...lists.external, from: 'all', masquerade: !local })
      // Pods and the node itself have no way through an outside balancer: Local does not narrow their choice.
      if (local && lists.cluster.length > 0) out.push({ protocol, ip, port: number, backends: lists.cluster, empty: 'reject', from: 'inside', masquerade: true })
    }
    for (const ip of (spec.externalIPs ?? []).filter(isV4)) outside(ip, port.port, false)
    for (const ip of balancerIps) outside(ip, port.port, true)
    if (port.nodePort) for (const ip of node.addresses.filter(isV4)) outside(ip, port.nodePort, false)
    return out
  })
}

type Choice = Pick<Frontend, 'backends' | 'empty'>

/** The endpoints for each kind of traffic, as k8s.io/kubernetes/pkg/proxy/topology.go chooses them. */
function listsOf(
  service: Readonly<Service>,
  port: ServicePort,
  slices: readonly Readonly<EndpointSlice>[],
  node: NodeView,
): { readonly internal: Choice; readonly external: Choice; readonly cluster: readonly Backend[] } {
  const all = slices.flatMap((slice) => {
    const match = slice.ports?.find((p) => (p.name ?? '') === (port.name ?? '') && p.port !== undefined)
    return match?.port === undefined ? [] : (slice.endpoints ?? []).map((endpoint) => ({ endpoint, port: match.port ?? 0 }))
  })
  const cluster = usable(all, (ready) => nearby(ready, node))
  const local = usable(all.filter(({ endpoint }) => endpoint.nodeName === node.name), (ready) => ready)
  const none = cluster.length > 0 ? 'drop' : 'reject'
  const narrow: Choice = { backends: local, empty: none }
  const wide: Choice = { backends: cluster, empty: 'reject' }
  return {
    internal: service.spec?.internalTrafficPolicy === 'Local' ? narrow : wide,
    external: service.spec?.externalTrafficPolicy === 'Local' ? narrow : wide,
    cluster,
  }
}

interface Candidate {
  readonly endpoint: Readonly<Endpoint>
  readonly port: number
}

/** Ready endpoints; when there are none, those that end but still serve. */
function usable(all: readonly Candidate[], choose: (ready: readonly Candidate[]) => readonly Candidate[]): Backend[] {
  const ready = all.filter(({ endpoint }) => endpoint.conditions?.ready !== false)
  const some = ready.length > 0 ? choose(ready) : all.filter(({ endpoint }) => endpoint.conditions?.serving !== false && endpoint.conditions?.terminating === true)
  const byText = new Map(some.flatMap(({ endpoint, port }) => endpoint.addresses.slice(0, 1).filter(isV4).map((ip) => [`${ip} ${port}`, { ip, port }] as const)))
  return [...byText.keys()].toSorted().map((text) => byText.get(text) as Backend)
}

/** Topology hints count only when every endpoint has them and one of them is meant for here. */
function nearby(ready: readonly Candidate[], node: NodeView): readonly Candidate[] {
  if (ready.every(({ endpoint }) => (endpoint.hints?.forNodes?.length ?? 0) > 0)) {
    const here = ready.filter(({ endpoint }) => endpoint.hints?.forNodes?.some((hint) => hint.name === node.name))
    if (here.length > 0) return here
  }
  if (node.zone !== undefined && ready.every(({ endpoint }) => (endpoint.hints?.forZones?.length ?? 0) > 0)) {
    const here = ready.filter(({ endpoint }) => endpoint.hints?.forZones?.some((hint) => hint.name === node.zone))
    if (here.length > 0) return here
  }
  return ready
}

function protocolOf(port: ServicePort): 'tcp' | 'udp' | 'sctp' {
  return port.protocol === 'UDP' ? 'udp' : port.protocol === 'SCTP' ? 'sctp' : 'tcp'
}

/** Strict: one element that nft cannot read refuses the whole transaction. */
function isV4(address: string): boolean {
  return parseIp(address)?.family === 4
}
