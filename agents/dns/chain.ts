/** The DNS plugins in call order. To add one: a file in plugins/, a line here. */
import type { Random } from '../../core/lib/random.ts'
import { refusal, type DnsHandler, type DnsPlugin } from './plugin.ts'
import { cache } from './plugins/cache.ts'
import { forward, type Exchange, type Forwarder, type Upstream } from './plugins/forward.ts'
import { kubernetes } from './plugins/kubernetes.ts'
import { rcodes } from './wire.ts'
import type { ZoneConfig, ZoneWorld } from './zone.ts'

export interface ChainDeps {
  readonly world: ZoneWorld
  readonly zone: ZoneConfig
  readonly random: Random
  readonly exchange: Exchange
  readonly upstreams: () => readonly Upstream[]
}

export function dnsChain(deps: ChainDeps): { readonly handler: DnsHandler; readonly forwarder: Forwarder } {
  const forwarder = forward(deps.exchange, deps.upstreams, deps.random)
  const plugins: readonly DnsPlugin[] = [
    kubernetes(deps.world, deps.zone, deps.random), // knows its names at once; never cached, so never stale
    cache(), // of what is asked elsewhere
    forwarder.plugin, // the last: everything that is left
  ]
  const end: DnsHandler = () => refusal(rcodes.refused)
  return { handler: plugins.reduceRight((next, plugin) => plugin(next), end), forwarder }
}
