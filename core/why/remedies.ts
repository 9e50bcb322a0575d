/**
 * The smallest changes that would let a pod fit, each of them tried: the scheduler's plugins were asked about the changed
 * pod in the changed world and took it. What one change does not mend, several of one node may.
 */
import type { Node, Pod } from '../api/schema/types.ts'
import { controllerOf, keyOf, keyText } from '../api/meta.ts'
import { questionsFor } from '../scheduler/evaluate.ts'
import type { Refusal } from '../scheduler/framework.ts'
import { candidatesFor, cheapest } from '../scheduler/preemption.ts'
import { claimOf } from '../scheduler/claim.ts'
import type { NodeInfo } from '../scheduler/world.ts'
import { amountText } from './amounts.ts'
import type { Cluster } from './cluster.ts'
import { editsFor, type Edit } from './edits.ts'
import { count, few, listed } from './finding.ts'
import { shortages, type NodeGroup } from './obstacles.ts'
import { wouldFit, type Verdicts } from './trial.ts'

export interface Remedy {
  readonly says: string
  /** How many things are to be changed. */
  readonly edits: number
  readonly cost: number
}

/** Groups of nodes that are tried, and how many remedies are told. */
const groupsMax = 12
const toldMax = 4
const priorityMax = 2 ** 31 - 1

/** The smallest first. */
export function remediesFor(cluster: Cluster, pod: Readonly<Pod>, verdicts: Verdicts, groups: readonly NodeGroup[]): readonly string[] {
  const found: Remedy[] = [...groups.slice(0, groupsMax).flatMap((group) => changesOn(cluster, pod, verdicts, nearest(pod, group))), ...roomByEviction(cluster, pod, verdicts), ...anotherNode(cluster, pod, verdicts)]
  const ordered = found.toSorted((a, b) => a.edits - b.edits || a.cost - b.cost)
  return [...new Set(ordered.map(({ says }) => says))].slice(0, toldMax)
}

/** Of nodes refused alike, the one that lacks least. */
function nearest(pod: Readonly<Pod>, { nodes }: NodeGroup): NodeInfo {
  const lacks = (node: NodeInfo): number => shortages(pod, node).reduce((sum, { resource, amount }) => sum + amount / (resource === 'cpu' ? 1_000 : resource === 'memory' ? 2 ** 30 : 1), 0)
  return nodes.reduce((best, next) => (lacks(next) < lacks(best) ? next : best))
}

/** For each plugin that refuses the node one edit; where one has several, each in turn. */
function changesOn(cluster: Cluster, pod: Readonly<Pod>, verdicts: Verdicts, node: NodeInfo): readonly Remedy[] {
  const refusing = (verdicts.nodes.get(node) ?? []).map(({ plugin }) => editsFor(plugin, pod, node))
  if (refusing.length === 0 || refusing.some((edits) => edits.length === 0)) return []
  const first = refusing.flatMap((edits) => edits.slice(0, 1))
  const sets = [first, ...refusing.flatMap((edits, at) => edits.slice(1).map((edit) => first.map((other, i) => (i === at ? edit : other))))]
  return sets.flatMap((set) => {
    const edits = [...new Map(set.map((edit) => [edit.says, edit])).values()]
    const changed = edits.reduce<Pod>((mine, edit) => edit.pod?.(mine) ?? mine, pod as Pod)
    const moved = edits.reduce<Readonly<Node>>((mine, edit) => edit.node?.(mine) ?? mine, node.node)
    if (!wouldFit(cluster, changed, moved)) return []
    return [{ says: `${listed(edits.map(({ says }) => says))}: it would fit on node ${node.name}`, edits: edits.length, cost: costOf(edits) }]
  })
}

const costOf = (edits: readonly Edit[]): number => edits.reduce((sum, { cost }) => sum + cost, 0)

/** The cheapest pods to take away, as if this pod were the most important: who asks decides whether it is. */
function roomByEviction(cluster: Cluster, pod: Readonly<Pod>, verdicts: Verdicts): readonly Remedy[] {
  const { world, profile, budgets, random } = cluster
  const important: Pod = { ...pod, spec: { containers: [], ...pod.spec, priority: priorityMax, preemptionPolicy: 'PreemptLowerPriority' } }
  const questions = questionsFor(important, world, profile)
  if (questions.refused?.refusal.unresolvable === true || profile.preemption === undefined) return []
  const options = { limits: { minCandidateNodesPercentage: 100, minCandidateNodesAbsolute: world.nodes().length }, budgets, random }
  const { candidates, otherwise } = candidatesFor(questions, world, refusalsOf(verdicts), options)
  const chosen = cheapest({ candidates: candidates.filter(({ victims }) => !victims.some((victim) => returns(victim, pod))), otherwise })
  if (chosen.nodeName === '') return []
  const names = chosen.victims.map((victim) => keyText(keyOf(victim as Pod)))
  return [{ says: `delete ${names.length === 1 ? 'pod' : count(names.length, 'pod')} ${names.length === 1 ? '' : '('}${few(names, 5)}${names.length === 1 ? '' : ')'} on node ${chosen.nodeName}: there would be room`, edits: names.length, cost: 3 + names.length }]
}

/** Whether the room of a victim is taken again at once: by another pod that is as this one, or one that belongs to the node. */
function returns(victim: Readonly<Pod>, pod: Readonly<Pod>): boolean {
  const maker = controllerOf(victim)
  return maker !== undefined && (maker.uid === controllerOf(pod)?.uid || maker.kind === 'DaemonSet' || maker.kind === 'Node')
}

/** The first refusal of each node, as preemption wants it. */
export function refusalsOf({ nodes }: Verdicts): ReadonlyMap<NodeInfo, Refusal> {
  const refusals = new Map<NodeInfo, Refusal>()
  for (const [node, all] of nodes) {
    const [first] = all
    if (first !== undefined) refusals.set(node, all.some(({ refusal }) => refusal.unresolvable) ? { ...first.refusal, unresolvable: true } : first.refusal)
  }
  return refusals
}

/** A node that has exactly what the pod asks for, and the labels it wants. */
function anotherNode(cluster: Cluster, pod: Readonly<Pod>, { questions }: Verdicts): readonly Remedy[] {
  if (questions.refused !== undefined && questions.refused.refusal.unresolvable) return []
  const claim = claimOf(pod)
  const { nodeSelector = {} } = pod.spec ?? {}
  const name = 'another-node'
  const blank: Node = { metadata: { name, uid: name, labels: { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux', 'kubernetes.io/arch': 'amd64' } }, status: { allocatable: { pods: '1', cpu: `${claim.cpuMilli}m`, memory: String(claim.memoryBytes), ...Object.fromEntries(Object.entries(claim.others).map(([resource, amount]) => [resource, String(amount)])) } } }
  const labels = editsFor('NodeAffinity', pod, { name, node: blank } as NodeInfo)[0]
  const node = wouldFit(cluster, pod, blank) ? blank : (labels?.node?.(blank) ?? blank)
  if (!wouldFit(cluster, pod, node)) return []
  const size = [...(claim.cpuMilli === 0 ? [] : [amountText('cpu', claim.cpuMilli)]), ...(claim.memoryBytes === 0 ? [] : [amountText('memory', claim.memoryBytes)]), ...Object.entries(claim.others).filter(([, amount]) => amount > 0).map(([resource, amount]) => amountText(resource, amount))]
  const wanted = node === blank ? [] : Object.entries(node.metadata.labels ?? {}).filter(([key]) => nodeSelector[key] !== undefined || blank.metadata.labels?.[key] === undefined).map(([key, value]) => `${key}=${value}`)
  const more = [...(size.length === 0 ? [] : [`with ${listed(size)} free`]), ...(wanted.length === 0 ? [] : [`labelled ${listed(wanted)}`])]
  return [{ says: `add a node${more.length === 0 ? '' : ` ${more.join(' and ')}`}: it would fit there`, edits: 1, cost: 100 }]
}
