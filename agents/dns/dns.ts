/**
 * The DNS of a node: binds the cluster's DNS address here and answers from what
 * the informers know; everything else goes to the node's resolvers. Start
 * reading at runDns(); names are zone.ts, the order of plugins is chain.ts.
 */
import type { EndpointSlice, Namespace, Service } from '../../core/api/schema/types.ts'
import { onChange } from '../../core/client/feed.ts'
import type { Informer } from '../../core/client/informer.ts'
import { aborted, type Ctx } from '../../core/lib/ctx.ts'
import type { Random } from '../../core/lib/random.ts'
import type { Link } from '../host/link.ts'
import { dnsChain } from './chain.ts'
import { ensureDnsDevice } from './device.ts'
import { socketExchange } from './exchange.ts'
import type { Upstream } from './plugins/forward.ts'
import { serveDns } from './server.ts'
import type { ZoneConfig, ZoneWorld } from './zone.ts'

/** As much of an informer as the zone reads. */
export type Indexed<T extends { metadata: object }> = Pick<Informer<T>, 'lister' | 'on' | 'addIndex' | 'hasSynced'>

export interface DnsDeps {
  readonly services: Indexed<Service>
  readonly endpointSlices: Indexed<EndpointSlice>
  readonly namespaces: Indexed<Namespace>
  readonly random: Random
  readonly zone: ZoneConfig
  readonly port?: number
  /** The node's resolvers as they are now, e.g. from its resolv.conf. */
  readonly upstreams: () => readonly string[]
  /** Where the address is bound; without it, it is there already. */
  readonly device?: { readonly link: Link; readonly name: string }
  /** Opens the sockets, e.g. in another network namespace. */
  readonly enter?: <T>(open: () => T) => T
}

/** Runs until ctx ends. Answers for other names work from the first moment; the cluster's own need the first sync. */
export async function runDns(ctx: Ctx, deps: DnsDeps): Promise<void> {
  const { zone } = deps
  if (deps.device !== undefined) await ensureDnsDevice(ctx, deps.device.link, { device: deps.device.name, ip: zone.dnsIp })
  const exchange = socketExchange(deps.random, deps.enter)
  // Ourselves as a resolver is a loop that needs no probe to be seen.
  const upstreams = (): Upstream[] => deps.upstreams().filter((ip) => ip !== zone.dnsIp).map((ip) => ({ ip, port: 53 }))
  const { handler, forwarder } = dnsChain({ world: worldOf(deps), zone, random: deps.random, exchange, upstreams })
  let generation = 0
  const stopWatching = onChange([deps.services, deps.endpointSlices, deps.namespaces], () => generation++)
  const server = await serveDns(ctx, {
    ip: zone.dnsIp,
    port: deps.port ?? 53,
    handler,
    generation: () => generation,
    ...(deps.enter === undefined ? {} : { enter: deps.enter }),
  })
  ctx.log.info('answering', { ip: zone.dnsIp, port: server.port, domain: zone.domain })
  try {
    await forwarder.probe(ctx)
    await aborted(ctx.signal)
  } finally {
    server.stop()
    exchange.close()
    stopWatching()
  }
}

export function worldOf(deps: Pick<DnsDeps, 'services' | 'endpointSlices' | 'namespaces'>): ZoneWorld {
  deps.services.addIndex('dns/ip', (service) => service.spec?.clusterIPs ?? [service.spec?.clusterIP ?? ''])
  deps.endpointSlices.addIndex('dns/service', (slice) => [`${slice.metadata.namespace}/${slice.metadata.labels?.['kubernetes.io/service-name'] ?? ''}`])
  deps.endpointSlices.addIndex('dns/address', (slice) => (slice.endpoints ?? []).flatMap((endpoint) => endpoint.addresses))
  const feeds = [deps.services, deps.endpointSlices, deps.namespaces]
  return {
    complete: () => feeds.every((feed) => feed.hasSynced),
    service: (namespace, name) => deps.services.lister.get({ namespace, name }),
    slices: (namespace, service) => deps.endpointSlices.lister.by('dns/service', `${namespace}/${service}`),
    hasNamespace: (name) => deps.namespaces.lister.get({ namespace: '', name }) !== undefined,
    servicesAt: (ip) => deps.services.lister.by('dns/ip', ip),
    slicesAt: (ip) => deps.endpointSlices.lister.by('dns/address', ip),
  }
}
