/**
 * Asks the plugins of a profile about one pod: which nodes they refuse and why, and how they score the others. Pure:
 * changes nothing, decides nothing. What is asked for every decision, for evictions, and by who wants to know why.
 */
import type { Pod } from '../api/schema/types.ts'
import { type Filter, isRefusal, type Plugin, type Profile, type Refusal, type Supposition } from './framework.ts'
import type { NodeInfo, World } from './world.ts'

export interface Refused {
  readonly plugin: Plugin
  readonly refusal: Refusal
}

/** What the plugins want to ask about a pod. */
export interface Questions {
  readonly pod: Readonly<Pod>
  /** In the order of the profile; a node is refused by the first that refuses it. */
  readonly filters: readonly (readonly [Plugin, Filter])[]
  /** A plugin refuses the pod whatever the node. */
  readonly refused: Refused | undefined
  /** Only nodes of these names can take the pod, because these plugins say so. */
  readonly only: { readonly names: ReadonlySet<string>; readonly plugins: readonly Plugin[] } | undefined
}

/** `which` leaves plugins out. Throws what a plugin throws. */
export function questionsFor(pod: Readonly<Pod>, world: World, profile: Profile, which: (plugin: Plugin) => boolean = () => true): Questions {
  const filters: (readonly [Plugin, Filter])[] = []
  let only: Questions['only']
  let refused: Refused | undefined
  for (const { plugin } of profile.plugins) {
    const answer = which(plugin) ? plugin.filter?.(pod, world) : undefined
    if (answer === undefined) continue
    if (isRefusal(answer)) {
      refused = { plugin, refusal: answer }
      if (answer.unresolvable) break
      continue // evictions may help, and will need what the other plugins say
    }
    filters.push([plugin, answer])
    if (answer.only === undefined) continue
    only = { names: only === undefined ? answer.only : only.names.intersection(answer.only), plugins: [...(only?.plugins ?? []), plugin] }
    if (only.names.size > 0) continue
    refused = { plugin, refusal: nowhere(only.plugins) }
    break
  }
  return { pod, filters, refused, only }
}

function nowhere(plugins: readonly Plugin[]): Refusal {
  const names = plugins.map(({ name }) => name).toSorted()
  const said = names.length === 1 ? `node(s) didn't satisfy plugin ${names[0]}` : `node(s) didn't satisfy plugin(s) [${names.join(' ')}] simultaneously`
  return { reasons: [said], unresolvable: true }
}

/** Of nodes that are not asked, because of `only`. */
export function excluded(plugins: readonly Plugin[]): Refusal {
  return { reasons: [`node(s) didn't satisfy plugin(s) [${plugins.map(({ name }) => name).toSorted().join(' ')}]`], unresolvable: true }
}

/**
 * The first refusal of this node. Pods of at least this one's priority that were promised the node count as standing on
 * it; and because they may yet go elsewhere, the pod must fit without them, too.
 */
export function verdict(questions: Questions, node: NodeInfo, world: World): Refused | undefined {
  const promised = promisedTo(questions.pod, node, world)
  if (promised.length === 0) return ask(questions.filters, node)
  const supposed = suppose(questions, node)
  for (const pod of promised) supposed.put(pod)
  return supposed.ask() ?? ask(questions.filters, node)
}

export function promisedTo(pod: Readonly<Pod>, node: NodeInfo, world: World): readonly Readonly<Pod>[] {
  const nominated = world.nominatedOn(node.name)
  if (nominated === undefined) return []
  const { uid } = pod.metadata
  return [...nominated].filter((other) => other.metadata.uid !== uid && (other.spec?.priority ?? 0) >= (pod.spec?.priority ?? 0))
}

export function ask(filters: Questions['filters'], node: NodeInfo): Refused | undefined {
  for (const [plugin, filter] of filters) {
    const refusal = filter.check(node)
    if (refusal !== undefined) return { plugin, refusal }
  }
  return undefined
}

/** One node as it would be with other pods on it. */
export interface Supposed {
  put(pod: Readonly<Pod>): void
  take(pod: Readonly<Pod>): void
  ask(): Refused | undefined
}

export function suppose(questions: Questions, of: NodeInfo): Supposed {
  const node = of.copy()
  const filters = questions.filters.map(([plugin, filter]): readonly [Plugin, Filter | Supposition] => [plugin, filter.supposing?.() ?? filter])
  const tell = (what: 'put' | 'take', pod: Readonly<Pod>): void => {
    for (const [, filter] of filters) if ('put' in filter) filter[what](pod, node)
  }
  return {
    put(pod) {
      node.add(pod)
      tell('put', pod)
    },
    take(pod) {
      node.remove(pod)
      tell('take', pod)
    },
    ask: () => ask(filters, node),
  }
}

export interface PluginScores {
  readonly plugin: Plugin
  readonly weight: number
  /** For each of the nodes, 0..100 and not yet weighted. */
  readonly scores: readonly number[]
}

/** How each plugin scores these nodes; plugins that have no say are left out. */
export function scoresOf(
  pod: Readonly<Pod>, world: World, profile: Profile, nodes: readonly NodeInfo[], which: (plugin: Plugin) => boolean = () => true,
): readonly PluginScores[] {
  const all: PluginScores[] = []
  for (const { plugin, weight } of profile.plugins) {
    const scorer = weight === 0 || !which(plugin) ? undefined : plugin.score?.(pod, world, nodes)
    if (scorer === undefined) continue
    const scores = nodes.map(scorer.score)
    scorer.normalize?.(scores, nodes)
    all.push({ plugin, weight, scores })
  }
  return all
}

/** `0/3 nodes are available: 1 Insufficient cpu, 2 node(s) had untolerated taint(s).` */
export function sentence(nodes: number, counts: ReadonlyMap<string, number>): string {
  if (nodes === 0) return 'no nodes available to schedule pods'
  const parts = [...counts].filter(([, count]) => count > 0).map(([reason, count]) => `${count} ${reason}`).sort()
  return `0/${nodes} nodes are available:${parts.length === 0 ? '' : ` ${parts.join(', ')}.`}`
}

export function countReasons(refusals: Iterable<Refusal>): Map<string, number> {
  const counts = new Map<string, number>()
  for (const { reasons } of refusals) for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1)
  return counts
}
