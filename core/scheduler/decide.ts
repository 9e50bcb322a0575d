/**
 * One scheduling decision, pure: which node takes the pod, or why none does. First the nodes that can (feasible), then
 * the best of them (choose); extenders are asked in between by who has them.
 */
import type { Random } from '../lib/random.ts'
import type { Pod } from '../api/schema/types.ts'
import { countReasons, excluded, promisedTo, questionsFor, type Questions, type Refused, scoresOf, sentence, verdict } from './evaluate.ts'
import type { Plugin, Profile, Refusal } from './framework.ts'
import type { Remembered, ScaledScore, SortOfPod } from './remembered.ts'
import type { NodeInfo, World } from './world.ts'

export interface Feasible {
  readonly nodes: readonly NodeInfo[]
  readonly refusals: ReadonlyMap<NodeInfo, Refusal>
  /** Plugins whose refusal events may undo. */
  readonly refusedBy: readonly Plugin[]
  /** Why nothing fits; '' when something does. */
  readonly message: string
  /** Only the node that the pod was promised was looked at. */
  readonly promised?: boolean
  readonly questions: Questions
  readonly sort: SortOfPod
}

export type Decision = { readonly fits: true; readonly nodeName: string } | ({ readonly fits: false } & Feasible)

export interface DecideOptions {
  readonly random: Random
  /** Where filtering starts on the ring of nodes, so that all get their turn. */
  readonly start: number
  /** How many nodes were looked at: the next start is that much further. */
  readonly looked: (count: number) => void
  readonly remembered: Remembered
  /** Looks at all nodes although the pod was promised one. */
  readonly everywhere?: boolean
}

/** Below so many nodes all are scored (upstream's minFeasibleNodesToFind). */
const feasibleMin = 100
const feasiblePercentageMin = 5
const isWide = (plugin: Plugin): boolean => plugin.local !== true

export function decide(pod: Readonly<Pod>, world: World, profile: Profile, options: DecideOptions): Decision {
  const feasible = feasibleNodes(pod, world, profile, options)
  if (feasible.nodes.length === 0) return { fits: false, ...feasible }
  return { fits: true, nodeName: choose(pod, world, profile, feasible, options.random).name }
}

/** Nodes that can take the pod: all of a small cluster, enough of a large one. */
export function feasibleNodes(pod: Readonly<Pod>, world: World, profile: Profile, { start, looked, remembered, everywhere = false }: DecideOptions): Feasible {
  const all = world.nodes()
  for (const { plugin } of profile.plugins) plugin.begin?.(pod)
  const sort = remembered.of(pod, world, profile)
  const questions = inOrder(profile, sort.questions, questionsFor(pod, world, profile, askedAfter(sort.questions, profile)))
  const none = { nodes: [], refusals: new Map<NodeInfo, Refusal>(), sort, questions }
  if (all.length === 0) return { ...none, refusedBy: profile.plugins.map(({ plugin }) => plugin).filter(({ wakes }) => wakes !== undefined), message: sentence(0, new Map()) }
  const { refused, only } = questions
  if (refused !== undefined) {
    const refusals = new Map(all.map((node) => [node, refused.refusal]))
    return { ...none, refusals, refusedBy: only === undefined ? [refused.plugin] : [refused.plugin, ...only.plugins], message: `0/${all.length} nodes are available: ${refused.refusal.reasons.join(', ')}.` }
  }
  const promised = everywhere ? undefined : world.node(world.nominationOf(pod.metadata.uid ?? ''))
  if (promised !== undefined && verdict(questions, promised, world) === undefined) return { ...none, nodes: [promised], promised: true, refusedBy: [], message: '' }
  // Where local plugins alone have a say, a thousand equal pods that fit nowhere are refused like one.
  const alike = only === undefined && !world.hasNominations() && questions.filters.length === sort.questions.filters.length
  const nowhere = alike ? sort.nowhere(world) : undefined
  if (nowhere !== undefined) return { ...none, ...nowhere }
  const candidates = only === undefined ? all : [...only.names].map((name) => world.node(name)).filter((node) => node !== undefined)
  const found = search(candidates, world, { questions, sort, wanted: feasibleWanted(candidates.length, profile.percentageOfNodesToScore), start })
  looked(found.looked)
  const answer = told(found, all, only?.plugins)
  if (alike && answer.nodes.length === 0) sort.remember(answer, world)
  return { ...answer, sort, questions }
}

/** Wide plugins; not those after a local one that refuses the pod for good. */
function askedAfter({ refused }: Questions, profile: Profile): (plugin: Plugin) => boolean {
  if (refused?.refusal.unresolvable !== true) return isWide
  const end = profile.plugins.findIndex(({ plugin }) => plugin === refused.plugin)
  const before = new Set(profile.plugins.slice(0, end).map(({ plugin }) => plugin))
  return (plugin) => isWide(plugin) && before.has(plugin)
}

interface Found {
  readonly nodes: NodeInfo[]
  readonly refusals: Map<NodeInfo, Refusal>
  readonly by: Set<Plugin>
  looked: number
}

function search(
  candidates: readonly NodeInfo[], world: World,
  { questions, sort, wanted, start }: { readonly questions: Questions; readonly sort: SortOfPod; readonly wanted: number; readonly start: number },
): Found {
  const found: Found = { nodes: [], refusals: new Map(), by: new Set(), looked: 0 }
  const wide = { ...questions, filters: questions.filters.filter(([plugin]) => isWide(plugin)) }
  for (; found.looked < candidates.length && found.nodes.length < wanted; found.looked++) {
    const node = candidates[(start + found.looked) % candidates.length]
    if (node === undefined) continue
    const refused = refusalOf(node, world, { questions, wide, sort })
    if (refused === undefined) found.nodes.push(node)
    else {
      found.refusals.set(node, refused.refusal)
      found.by.add(refused.plugin)
    }
  }
  return found
}

/** What was remembered of local plugins serves where no other pod was promised the node. */
function refusalOf(node: NodeInfo, world: World, { questions, wide, sort }: { readonly questions: Questions; readonly wide: Questions; readonly sort: SortOfPod }): Refused | undefined {
  const local = sort.refusal(node)
  if (local !== undefined) return local
  if (world.hasNominations() && promisedTo(questions.pod, node, world).length > 0) return verdict(questions, node, world)
  for (const [plugin, filter] of wide.filters) {
    const refusal = filter.check(node)
    if (refusal !== undefined) return { plugin, refusal }
  }
  return undefined
}

function told(found: Found, all: readonly NodeInfo[], onlyBy: readonly Plugin[] | undefined): Omit<Feasible, 'sort' | 'questions' | 'promised'> {
  const { nodes, refusals, by } = found
  if (nodes.length > 0) return { nodes, refusals, refusedBy: [], message: '' }
  if (onlyBy !== undefined) {
    const refusal = excluded(onlyBy)
    for (const node of all) if (!refusals.has(node)) refusals.set(node, refusal)
    for (const plugin of onlyBy) by.add(plugin)
  }
  return { nodes, refusals, refusedBy: [...by], message: sentence(all.length, countReasons(refusals.values())) }
}

const known = new WeakMap<Profile, ReadonlyMap<Plugin, number>>()

function placesOf(profile: Profile): ReadonlyMap<Plugin, number> {
  let places = known.get(profile)
  if (places === undefined) known.set(profile, (places = new Map(profile.plugins.map(({ plugin }, place) => [plugin, place]))))
  return places
}

/** Local and other questions as one, in the order of the profile. */
function inOrder(profile: Profile, local: Questions, wide: Questions): Questions {
  const places = placesOf(profile)
  const place = (plugin: Plugin): number => places.get(plugin) ?? 0
  const filters = local.filters.length === 0 ? wide.filters : wide.filters.length === 0 ? local.filters : [...local.filters, ...wide.filters].sort(([a], [b]) => place(a) - place(b))
  const only = local.only === undefined || wide.only === undefined ? (local.only ?? wide.only) : { names: local.only.names.intersection(wide.only.names), plugins: [...local.only.plugins, ...wide.only.plugins] }
  return { pod: wide.pod, filters, refused: local.refused ?? wide.refused, only }
}

/** How many feasible nodes are enough in a large cluster (numFeasibleNodesToFind in upstream's schedule_one.go). */
export function feasibleWanted(nodes: number, percentage = 0): number {
  if (nodes < feasibleMin) return nodes
  const share = percentage > 0 ? percentage : Math.max(50 - Math.floor(nodes / 125), feasiblePercentageMin)
  return Math.max(Math.floor((nodes * share) / 100), feasibleMin)
}

/** The node with the highest score; one of them by chance where several have it. `extra`: what extenders add, by node name. */
export function choose(pod: Readonly<Pod>, world: World, profile: Profile, { nodes, sort }: Pick<Feasible, 'nodes' | 'sort'>, random: Random, extra?: ReadonlyMap<string, number>): NodeInfo {
  const [first] = nodes
  if (first === undefined) throw new Error('no node to choose from')
  if (nodes.length === 1) return first
  const totals = new Float64Array(nodes.length)
  for (let i = 0; i < nodes.length; i++) totals[i] = sort.plain[nodes[i]?.index ?? 0] ?? 0
  for (const scaled of sort.scaled) addScaled(totals, scaled, nodes)
  for (const { scores, weight } of scoresOf(pod, world, profile, nodes, isWide)) for (let i = 0; i < scores.length; i++) totals[i] = (totals[i] ?? 0) + (scores[i] ?? 0) * weight
  if (extra !== undefined) nodes.forEach((node, i) => (totals[i] = (totals[i] ?? 0) + (extra.get(node.name) ?? 0)))
  return nodes[winner(totals, random)] ?? first
}

/** What is the same for all nodes decides nothing. */
function addScaled(totals: Float64Array, { scorer, weight, raw }: ScaledScore, nodes: readonly NodeInfo[]): void {
  const one = raw[nodes[0]?.index ?? 0]
  if (nodes.every(({ index }) => raw[index] === one)) return
  const scores = nodes.map(({ index }) => raw[index] ?? 0)
  scorer.normalize(scores, nodes)
  for (let i = 0; i < scores.length; i++) totals[i] = (totals[i] ?? 0) + (scores[i] ?? 0) * weight
}

/** Each of the equal best wins with the same chance. */
function winner(totals: Float64Array, random: Random): number {
  let best = -Infinity
  let ties = 0
  for (let i = 0; i < totals.length; i++) {
    const total = totals[i] ?? 0
    if (total > best) {
      best = total
      ties = 1
    } else if (total === best) ties++
  }
  let skip = ties === 1 ? 0 : random.int(ties)
  return totals.findIndex((total) => total === best && skip-- === 0)
}
