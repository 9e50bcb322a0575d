/**
 * The node's network: forwarding, masquerade, and the overlay kept as the Nodes
 * say. pods.ts connects pods; this keeps the ways between nodes. Everything it
 * makes stays when Kubun stops, and removeNetwork() takes it away.
 */
import type { Node } from '../../core/api/schema/types.ts'
import { feedsSynced, onChange, type Feed } from '../../core/client/feed.ts'
import { Bell } from '../../core/lib/bell.ts'
import type { Ctx } from '../../core/lib/ctx.ts'
import type { Exec } from '../host/exec.ts'
import type { Link } from '../host/link.ts'
import type { Nft } from '../host/nft.ts'
import { ensureMasquerade, removeMasquerade } from './masquerade.ts'
import { overlay, planOverlay, type Overlay, type OverlayConfig } from './overlay.ts'

export interface NetworkDeps {
  readonly nodes: Feed<Node>
  readonly link: Link
  readonly nft: Nft
  readonly exec: Exec
  readonly clusterCidrs: readonly string[]
  readonly overlay: OverlayConfig
}

/** How often kernel and wish are compared without a reason: others change firewalls and devices too. */
export const networkCheckMs = 30_000
/** Node objects change with every heartbeat; changes within this time are one look. */
const settleMs = 100

/** Runs until ctx ends; leaves everything as it is. */
export async function runNetwork(ctx: Ctx, deps: NetworkDeps): Promise<void> {
  const mesh = overlay(deps.link, deps.overlay)
  const bell = new Bell()
  const stop = onChange([deps.nodes], () => bell.ring())
  try {
    const begin = async (): Promise<void> => {
      await deps.link.sysctl(ctx, { 'ipv4/ip_forward': '1' })
      await ensureMasquerade(ctx, deps, deps)
    }
    while (!(await attempt(ctx, begin))) await ctx.clock.sleep(retryMs, ctx.signal)
    await feedsSynced(ctx, [deps.nodes])
    let checkAt = ctx.clock.monotonic() + networkCheckMs
    while (!ctx.signal.aborted) {
      const check = ctx.clock.monotonic() >= checkAt
      if (check) checkAt = ctx.clock.monotonic() + networkCheckMs
      bell.clear()
      if (!(await look(ctx, deps, mesh, check))) await ctx.clock.sleep(retryMs, ctx.signal)
      else if (await bell.wait(ctx, networkCheckMs)) await ctx.clock.sleep(settleMs, ctx.signal)
    }
  } finally {
    stop()
  }
}

const retryMs = 2_000

async function look(ctx: Ctx, deps: NetworkDeps, mesh: Overlay, check: boolean): Promise<boolean> {
  return await attempt(ctx, async () => {
    if (check) await ensureMasquerade(ctx, deps, deps)
    const plan = planOverlay(deps.nodes.lister.list(), deps.overlay.nodeName)
    if (plan !== undefined) await mesh.sync(ctx, plan, { check })
  })
}

/** A tool that fails for a while is tried again: it must not end the node's other parts. */
async function attempt(ctx: Ctx, work: () => Promise<void>): Promise<boolean> {
  try {
    await work()
    return true
  } catch (error) {
    if (ctx.signal.aborted) throw error
    ctx.log.warn('set up the way to other nodes', { error })
    return false
  }
}

/** At uninstall. */
export async function removeNetwork(ctx: Ctx, deps: Omit<NetworkDeps, 'nodes'>): Promise<void> {
  await overlay(deps.link, deps.overlay).removeAll(ctx)
  await removeMasquerade(ctx, deps, deps)
}
