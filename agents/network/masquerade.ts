/**
 * Pods and the world beyond the cluster: the node's address as their source
 * (table `inet kubun-network`), and a way through Docker's firewall, which drops
 * what it forwards for others. Docker's own rules stay untouched.
 */
import type { Ctx } from '../../core/lib/ctx.ts'
import { ExecError, type Exec } from '../host/exec.ts'
import type { Nft } from '../host/nft.ts'

export const networkTable = 'inet kubun-network'

export interface MasqueradeConfig {
  readonly clusterCidrs: readonly string[]
}

/** Pod to pod keeps its source; multicast is nobody's business here. */
export function renderMasquerade(config: MasqueradeConfig): string {
  const ranges = config.clusterCidrs.filter((range) => !range.includes(':')).join(', ')
  return `add table ${networkTable}
delete table ${networkTable}
table ${networkTable} {
  set pods { type ipv4_addr; flags interval; auto-merge; elements = { ${ranges} } }
  chain postrouting {
    type nat hook postrouting priority 101; policy accept;
    ip saddr != @pods return
    ip daddr @pods return
    ip daddr 224.0.0.0/4 return
    fib saddr type local return
    masquerade fully-random
  }
}
`
}

/** Loads the table and opens the forward chain; harmless when repeated. */
export async function ensureMasquerade(ctx: Ctx, deps: { readonly nft: Nft; readonly exec: Exec }, config: MasqueradeConfig): Promise<void> {
  if (!(await deps.nft.has(ctx, networkTable))) await deps.nft.load(ctx, renderMasquerade(config))
  await openForward(ctx, deps.exec, config)
}

export async function removeMasquerade(ctx: Ctx, deps: { readonly nft: Nft; readonly exec: Exec }, config: MasqueradeConfig): Promise<void> {
  await deps.nft.remove(ctx, networkTable)
  for (const chain of ['DOCKER-USER', 'FORWARD']) {
    for (const rule of acceptRules(config)) await iptables(ctx, deps.exec, ['-D', chain, ...rule])
  }
}

/** iptables knows our rules again by this comment. */
const comment = 'kubun pods'

function acceptRules(config: MasqueradeConfig): string[][] {
  const tail = ['-m', 'comment', '--comment', comment, '-j', 'ACCEPT']
  return config.clusterCidrs.filter((range) => !range.includes(':')).flatMap((range) => [['-s', range, ...tail], ['-d', range, ...tail]])
}

/**
 * An accept in a table of ours does not undo a drop in another's, so the accept must stand in the one that drops:
 * in DOCKER-USER, which Docker keeps for this, or in FORWARD itself when its policy is DROP without Docker.
 */
async function openForward(ctx: Ctx, exec: Exec, config: MasqueradeConfig): Promise<void> {
  const forward = await iptables(ctx, exec, ['-S', 'FORWARD'])
  if (forward === undefined) return // no iptables: nobody drops through it
  const docker = forward.includes('-j DOCKER-USER')
  if (!docker && !forward.includes('-P FORWARD DROP')) return
  const chain = docker ? 'DOCKER-USER' : 'FORWARD'
  for (const rule of acceptRules(config)) {
    if ((await iptables(ctx, exec, ['-C', chain, ...rule])) === undefined) await iptables(ctx, exec, ['-I', chain, ...rule])
  }
}

/** What iptables said; undefined when it is missing or says no. `-w`: Docker writes the same tables. */
async function iptables(ctx: Ctx, exec: Exec, args: readonly string[]): Promise<string | undefined> {
  try {
    return (await exec.run(ctx, 'iptables', ['-w', '5', ...args])).stdout
  } catch (error) {
    if (!(error instanceof ExecError)) throw error
    return undefined
  }
}
