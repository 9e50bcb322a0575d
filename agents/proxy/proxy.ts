/**
 * The service proxy of a node: whenever Services, EndpointSlices or their ranges change, the
 * whole wanted state is computed and the difference goes to nftables as one
 * transaction. Rules stay when Kubun stops; a start replaces them in one step.
 * Start reading at runProxy().
 */
import type { EndpointSlice, Node, Service, ServiceCIDR } from '../../core/api/schema/types.ts'
import { feedsSynced, onChange, type Feed } from '../../core/client/feed.ts'
import { Bell } from '../../core/lib/bell.ts'
import type { Ctx } from '../../core/lib/ctx.ts'
import { formatCidr, parseCidr } from '../../core/lib/ip.ts'
import { equalJson } from '../../core/lib/json.ts'
import type { Exec } from '../host/exec.ts'
import type { Nft } from '../host/nft.ts'
import { conntrackCleaner, staleFlows } from './conntrack.ts'
import { frontendsOf, type Frontend } from './frontends.ts'
import { contentOf, emptyContent, render, renderChange, serviceTable, type Content, type RulesetConfig } from './ruleset.ts'

export interface ProxyDeps {
  readonly services: Feed<Service>
  readonly endpointSlices: Feed<EndpointSlice>
  /** Ranges that came to those of the configuration. */
  readonly serviceCidrs: Feed<ServiceCIDR>
  readonly nft: Nft
  /** Runs conntrack. */
  readonly exec: Exec
  readonly nodeName: string
  readonly config: RulesetConfig
  /** The node's addresses as they are now: NodePorts answer there. */
  readonly nodeAddresses: () => readonly string[]
  /** The node's own zone is among them: hints speak of it. */
  readonly nodes: Feed<Node>
}

/** Changes that come within this time share a transaction. */
export const proxySyncMsMin = 30
/** How often addresses and the table's being there are looked at without a reason. */
export const proxyCheckMs = 30_000
/** Wait after a transaction that failed. */
const retryMs = 1_000

/** Runs until ctx ends; leaves the rules. */
export async function runProxy(ctx: Ctx, deps: ProxyDeps): Promise<void> {
  const forget = conntrackCleaner(deps.exec)
  const wake = new Bell()
  const feeds = [deps.services, deps.endpointSlices, deps.serviceCidrs]
  const stop = onChange(feeds, () => wake.ring())
  const zone = followZone(deps, () => wake.ring())
  try {
    // Before anything is known, every Service address is refused; rules of an earlier run go on until the state is whole.
    while (!(await isThere(ctx, deps, async () => await deps.nft.load(ctx, render(deps.config, emptyContent))))) await ctx.clock.sleep(retryMs, ctx.signal)
    await feedsSynced(ctx, [...feeds, deps.nodes])
    zone.look()
    let loaded: Loaded | undefined
    while (!ctx.signal.aborted) {
      wake.clear()
      const next = wanted(deps, zone.now())
      loaded = await sync(ctx, deps, loaded, next, forget)
      if (loaded === undefined) await ctx.clock.sleep(retryMs, ctx.signal)
      else if (await wake.wait(ctx, proxyCheckMs)) await ctx.clock.sleep(proxySyncMsMin, ctx.signal)
      else if (!(await isThere(ctx, deps))) loaded = undefined
    }
  } finally {
    stop()
    zone.stop()
  }
}

interface Zone {
  now(): string | undefined
  look(): void
  stop(): void
}

/** A node may get its zone after it came, from a cloud provider; everything else of nodes is no concern of the proxy. */
function followZone({ nodes, nodeName }: ProxyDeps, changed: () => void): Zone {
  let zone: string | undefined
  const take = ({ metadata }: Readonly<Node>): void => {
    const next = metadata.labels?.['topology.kubernetes.io/zone'] ?? ''
    if (metadata.name !== nodeName || next === (zone ?? '')) return
    zone = next === '' ? undefined : next
    changed()
  }
  return { now: () => zone, look: () => nodes.lister.list().forEach(take), stop: nodes.on({ added: take, updated: take }) }
}

/** Whether the table is there, or could be made. An nft that fails for a while must not end the node's other parts. */
async function isThere(ctx: Ctx, deps: ProxyDeps, make?: () => Promise<void>): Promise<boolean> {
  try {
    if (await deps.nft.has(ctx, serviceTable)) return true
    await make?.()
    return make !== undefined
  } catch (error) {
    if (ctx.signal.aborted) throw error
    ctx.log.warn('look for service rules', { error })
    return false
  }
}

/** At uninstall. */
export async function removeProxy(ctx: Ctx, nft: Nft): Promise<void> {
  await nft.remove(ctx, serviceTable)
}

interface Loaded {
  readonly frontends: readonly Frontend[]
  readonly content: Content
  /** Whatever in them is nobody's is refused. */
  readonly ranges: readonly string[]
}

function wanted(deps: ProxyDeps, zone: string | undefined): Loaded {
  const node = {
    name: deps.nodeName,
    addresses: deps.nodeAddresses(),
    ownIps: deps.config.ownIps,
    ...(zone === undefined ? {} : { zone }),
  }
  const frontends = frontendsOf(deps.services.lister.list(), deps.endpointSlices.lister.list(), node)
  return { frontends, content: contentOf(frontends), ranges: rangesOf(deps) }
}

function rangesOf({ config, serviceCidrs }: ProxyDeps): readonly string[] {
  const all = [...config.serviceCidrs, ...serviceCidrs.lister.list().flatMap(({ spec }) => spec?.cidrs ?? [])]
  return [...new Set(all.map(parseCidr).filter((range) => range !== undefined).filter(({ family }) => family === 4).map(formatCidr))].toSorted()
}

/** Loads `next`; undefined when the kernel refused it, and then the whole table is to be loaded next time. */
async function sync(ctx: Ctx, deps: ProxyDeps, prev: Loaded | undefined, next: Loaded, forget: ReturnType<typeof conntrackCleaner>): Promise<Loaded | undefined> {
  // Ranges change once in a while: then the table is made anew.
  const isWhole = prev === undefined || !equalJson(prev.ranges, next.ranges)
  const text = isWhole ? render({ ...deps.config, serviceCidrs: next.ranges }, next.content) : renderChange(prev.content, next.content)
  if (text === '') return next
  try {
    await deps.nft.load(ctx, text)
  } catch (error) {
    if (ctx.signal.aborted) throw error
    ctx.log.warn('load service rules', { error, whole: isWhole })
    return undefined
  }
  await forget(ctx, staleFlows(prev?.frontends ?? [], next.frontends))
  return next
}
