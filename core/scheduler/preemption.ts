/**
 * DefaultPreemption: when nothing fits, looks for the node where taking away pods of
 * lower priority makes room at the least cost. Pure: says which pods to evict; the
 * scheduler does it. Upstream's order of cost: the lowest highest-priority victim,
 * then the smallest sum of priorities, then the fewest victims
 * (k8s.io/kubernetes/pkg/scheduler/framework/preemption/preemption.go). Disruption
 * budgets are not weighed.
 */
import { isBeingDeleted } from '../api/meta.ts'
import type { Pod } from '../api/schema/types.ts'
import { ask, filtersFor } from './decide.ts'
import type { Profile, Refusal } from './framework.ts'
import type { NodeInfo, World } from './world.ts'

export interface Preemption {
  /** '' when evictions do not help. */
  readonly nodeName: string
  readonly victims: readonly Readonly<Pod>[]
  /** What upstream adds to the pod's condition; '' when victims were found. */
  readonly message: string
}

interface Candidate {
  readonly node: NodeInfo
  readonly victims: readonly Readonly<Pod>[]
}

const notHelpful = 'Preemption is not helpful for scheduling'
const noVictims = 'No preemption victims found for incoming pod'

/** Nodes looked at before the search is content with what it has (upstream: a tenth of the nodes, at least 100). */
const candidatesMin = 100

export function preempt(pod: Readonly<Pod>, world: World, profile: Profile, refusals: ReadonlyMap<NodeInfo, Refusal>): Preemption {
  const nodes = world.nodes()
  const none = (message: string): Preemption => ({ nodeName: '', victims: [], message })
  if (nodes.length === 0 || (pod.spec?.schedulingGates ?? []).length > 0) return none('')
  if (pod.spec?.preemptionPolicy === 'Never') return none('preemption: not eligible due to preemptionPolicy=Never.')
  if (awaitsVictims(pod, world)) return none('preemption: not eligible due to a terminating pod on the nominated node.')
  const hopeful = [...refusals].filter(([, refusal]) => !refusal.unresolvable).map(([node]) => node)
  const candidates: Candidate[] = []
  const wanted = Math.max(candidatesMin, Math.floor(nodes.length / 10))
  for (const node of hopeful) {
    const victims = victimsOn(pod, node, world, profile)
    if (victims !== undefined) candidates.push({ node, victims })
    if (candidates.length >= wanted) break
  }
  const chosen = candidates.reduce<Candidate | undefined>((best, next) => (best === undefined || cheaper(next, best) ? next : best), undefined)
  if (chosen !== undefined) return { nodeName: chosen.node.name, victims: chosen.victims, message: '' }
  return none(said(nodes.length, new Map([[notHelpful, nodes.length - hopeful.length], [noVictims, hopeful.length]])))
}

function said(nodes: number, counts: ReadonlyMap<string, number>): string {
  const parts = [...counts].filter(([, count]) => count > 0).map(([reason, count]) => `${count} ${reason}`).sort()
  return `preemption: 0/${nodes} nodes are available: ${parts.join(', ')}.`
}

const priorityOf = (pod: Readonly<Pod>): number => pod.spec?.priority ?? 0

/** Victims chosen for this pod earlier are still on their way out: it does not ask for more. */
function awaitsVictims(pod: Readonly<Pod>, world: World): boolean {
  const node = world.node(pod.status?.nominatedNodeName ?? '')
  return node !== undefined && [...node.pods.values()].some((p) => isBeingDeleted(p) && priorityOf(p) < priorityOf(pod))
}

/** The fewest pods of lower priority whose going makes room, the most important ones spared first; undefined when that is not enough. */
function victimsOn(pod: Readonly<Pod>, node: NodeInfo, world: World, profile: Profile): readonly Readonly<Pod>[] | undefined {
  const lower = [...node.pods.values()].filter((p) => priorityOf(p) < priorityOf(pod))
  if (lower.length === 0) return undefined
  const trial = node.copy()
  for (const victim of lower) trial.remove(victim)
  const filters = filtersFor(pod, world, profile)
  if (ask(filters, trial) !== undefined) return undefined
  const byImportance = lower.toSorted((a, b) => priorityOf(b) - priorityOf(a) || startOf(a).localeCompare(startOf(b)))
  const victims: Readonly<Pod>[] = []
  for (const candidate of byImportance) {
    trial.add(candidate)
    if (ask(filters, trial) === undefined) continue
    trial.remove(candidate)
    victims.push(candidate)
  }
  return victims.length === 0 ? undefined : victims
}

const startOf = (pod: Readonly<Pod>): string => pod.status?.startTime ?? '9999'

function cheaper(a: Candidate, b: Candidate): boolean {
  const highest = (c: Candidate): number => Math.max(...c.victims.map(priorityOf))
  const sum = (c: Candidate): number => c.victims.reduce((total, p) => total + priorityOf(p) + 2 ** 31, 0)
  const order = highest(a) - highest(b) || sum(a) - sum(b) || a.victims.length - b.victims.length
  return order < 0
}
