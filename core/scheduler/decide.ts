/**
 * One scheduling decision, pure: which node takes the pod, or why none does. Asks
 * the plugins of a profile over the world; changes nothing.
 */
import type { Random } from '../lib/random.ts'
import type { Pod } from '../api/schema/types.ts'
import type { Filter, Plugin, Profile, Refusal } from './framework.ts'
import type { NodeInfo, World } from './world.ts'

export type Decision =
  | { readonly fits: true; readonly nodeName: string }
  | { readonly fits: false; readonly message: string; readonly refusedBy: readonly Plugin[]; readonly refusals: ReadonlyMap<NodeInfo, Refusal> }

export interface DecideOptions {
  readonly random: Random
  /** Where filtering starts on the ring of nodes, so that all get their turn. */
  readonly start: number
  /** How many nodes were looked at: the next start is that much further. */
  readonly looked: (count: number) => void
}

/** Below so many nodes all are scored (upstream's minFeasibleNodesToFind). */
const feasibleMin = 100

export function decide(pod: Readonly<Pod>, world: World, profile: Profile, options: DecideOptions): Decision {
  const nodes = world.nodes()
  const filters = filtersFor(pod, world, profile)
  const refusals = new Map<NodeInfo, Refusal>()
  const refusedBy = new Set<Plugin>()
  const feasible: NodeInfo[] = []
  const enough = feasibleWanted(nodes.length)
  let looked = 0
  for (; looked < nodes.length && feasible.length < enough; looked++) {
    const node = nodes[(options.start + looked) % nodes.length]
    if (node === undefined) continue
    const refused = ask(filters, node)
    if (refused === undefined) feasible.push(node)
    else {
      refusals.set(node, refused.refusal)
      refusedBy.add(refused.plugin)
    }
  }
  options.looked(looked)
  if (feasible.length > 0) return { fits: true, nodeName: best(pod, world, profile, feasible, options.random).name }
  const wakeable = nodes.length === 0 ? profile.plugins.map((p) => p.plugin).filter((p) => p.wakes !== undefined) : [...refusedBy]
  return { fits: false, message: sentence(nodes.length, refusals), refusedBy: wakeable, refusals }
}

type Asked = readonly (readonly [Plugin, Filter])[]

export function filtersFor(pod: Readonly<Pod>, world: World, profile: Profile): Asked {
  return profile.plugins.flatMap(({ plugin }) => {
    const filter = plugin.filter?.(pod, world)
    return filter === undefined ? [] : [[plugin, filter] as const]
  })
}

/** The first refusal counts, as upstream stops at the first filter that refuses. */
export function ask(filters: Asked, node: NodeInfo): { readonly plugin: Plugin; readonly refusal: Refusal } | undefined {
  for (const [plugin, filter] of filters) {
    const refusal = filter(node)
    if (refusal !== undefined) return { plugin, refusal }
  }
  return undefined
}

/** How many feasible nodes are enough in a large cluster (numFeasibleNodesToFind in upstream's schedule_one.go). */
export function feasibleWanted(nodes: number): number {
  if (nodes < feasibleMin) return nodes
  const percentage = Math.max(50 - Math.floor(nodes / 125), 5)
  return Math.max(Math.floor((nodes * percentage) / 100), feasibleMin)
}

function best(pod: Readonly<Pod>, world: World, profile: Profile, feasible: readonly NodeInfo[], random: Random): NodeInfo {
  const [only] = feasible
  if (only !== undefined && feasible.length === 1) return only
  const totals = feasible.map(() => 0)
  for (const { plugin, weight } of profile.plugins) {
    const scorer = weight === 0 ? undefined : plugin.score?.(pod, world)
    if (scorer === undefined) continue
    const scores = feasible.map(scorer.score)
    scorer.normalize?.(scores)
    for (let i = 0; i < scores.length; i++) totals[i] = (totals[i] ?? 0) + (scores[i] ?? 0) * weight
  }
  let winner = 0
  let ties = 1
  for (let i = 1; i < totals.length; i++) {
    const ahead = (totals[i] ?? 0) - (totals[winner] ?? 0)
    if (ahead > 0) {
      winner = i
      ties = 1
    } else if (ahead === 0 && random.int(++ties) === 0) winner = i // each of n equals wins with 1/n
  }
  return feasible[winner] ?? (only as NodeInfo)
}

/** `0/3 nodes are available: 1 Insufficient cpu, 2 node(s) had untolerated taint(s).` */
export function sentence(nodes: number, refusals: ReadonlyMap<NodeInfo, Refusal>): string {
  if (nodes === 0) return 'no nodes available to schedule pods'
  const counts = new Map<string, number>()
  for (const { reasons } of refusals.values()) for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1)
  const parts = [...counts].map(([reason, count]) => `${count} ${reason}`).sort()
  return `0/${nodes} nodes are available:${parts.length === 0 ? '' : ` ${parts.join(', ')}.`}`
}
