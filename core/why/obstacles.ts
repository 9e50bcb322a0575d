/**
 * What stands between a pod and a node, in words: what exactly is lacking, which taint, which label. The plugins say that
 * they refuse; this says about what. Nodes refused alike become one group.
 */
import { nodeMatchesPod } from '../api/core/nodeaffinity.ts'
import { isTolerated, taintKeys } from '../api/core/taints.ts'
import type { Node, NodeSelectorTerm, Pod, Taint } from '../api/schema/types.ts'
import { claimOf } from '../scheduler/claim.ts'
import type { NodeInfo } from '../scheduler/world.ts'
import { keyOf, keyText } from '../api/meta.ts'
import { amountText, quantityText } from './amounts.ts'
import { few, listed } from './finding.ts'
import type { PluginVerdict } from './trial.ts'

export type Obstacle =
  /** `amount`: of cpu in thousandths, else in units. */
  | { readonly plugin: string; readonly resource: string; readonly amount: number }
  /** As said of one node, and of several. */
  | { readonly plugin: string; readonly one: string; readonly many: string }

export interface NodeGroup {
  readonly nodes: readonly NodeInfo[]
  /** Of the first node; amounts of the others may differ. */
  readonly obstacles: readonly Obstacle[]
  readonly text: string
}

function obstaclesOf(pod: Readonly<Pod>, node: NodeInfo, verdicts: readonly PluginVerdict[]): readonly Obstacle[] {
  return verdicts.flatMap(({ plugin, refusal }) => {
    const found = explain(pod, node, plugin, verdicts)
    return found ?? [{ plugin, one: `refuses the pod: ${refusal.reasons.join(', ')}`, many: `refuse the pod: ${refusal.reasons.join(', ')}` }]
  })
}

function explain(pod: Readonly<Pod>, info: NodeInfo, plugin: string, verdicts: readonly PluginVerdict[]): readonly Obstacle[] | undefined {
  const say = (one: string, many: string): readonly Obstacle[] => [{ plugin, one, many }]
  switch (plugin) {
    case 'NodeUnschedulable':
      return say('is cordoned', 'are cordoned')
    case 'NodeName':
      return say(`is not ${pod.spec?.nodeName}, which the pod names`, `are not ${pod.spec?.nodeName}, which the pod names`)
    case 'TaintToleration':
      return taintWords(pod, info.node, plugin, verdicts.some((other) => other.plugin === 'NodeUnschedulable'))
    case 'NodeAffinity':
      return say(`lacks ${missingLabels(pod, info.node)}`, `lack ${missingLabels(pod, info.node)}`)
    case 'NodePorts': {
      const port = takenPorts(pod, info)
      return say(`has ${port}`, `have ${port}`)
    }
    case 'NodeResourcesFit':
      return shortages(pod, info).map((short) => ({ plugin, ...short }))
    case 'InterPodAffinity':
      return affinityWords(pod, plugin, verdicts)
    case 'PodTopologySpread':
      return spreadWords(pod, info, plugin)
    default:
      return undefined
  }
}

/** Hard taints of the node that the pod does not tolerate. */
export function standingTaints(pod: Readonly<Pod>, node: Readonly<Node>): readonly Readonly<Taint>[] {
  return (node.spec?.taints ?? []).filter((taint) => taint.effect !== 'PreferNoSchedule' && !isTolerated(pod.spec?.tolerations, taint))
}

export function taintText({ key, value = '', effect }: Readonly<Taint>): string {
  return `${key}${value === '' ? '' : `=${value}`}:${effect}`
}

function taintWords(pod: Readonly<Pod>, node: Readonly<Node>, plugin: string, cordoned: boolean): readonly Obstacle[] {
  const standing = standingTaints(pod, node).filter(({ key }) => !cordoned || key !== taintKeys.unschedulable)
  const isDown = ({ key }: Readonly<Taint>): boolean => key === taintKeys.notReady || key === taintKeys.unreachable
  const down = standing.filter(isDown).map(taintText)
  const taints = standing.filter((taint) => !isDown(taint)).map(taintText)
  const names = `the taint${taints.length === 1 ? '' : 's'} ${listed(taints)}`
  return [
    ...(down.length === 0 ? [] : [{ plugin, one: `is not ready (taint ${listed(down)})`, many: `are not ready (taint ${listed(down)})` }]),
    ...(taints.length === 0 ? [] : [{ plugin, one: `has ${names}`, many: `have ${names}` }]),
  ]
}

function missingLabels(pod: Readonly<Pod>, node: Readonly<Node>): string {
  const labels = node.metadata.labels ?? {}
  const missing = Object.entries(pod.spec?.nodeSelector ?? {}).filter(([key, value]) => labels[key] !== value).map(([key, value]) => `the label ${key}=${value}`)
  const { nodeSelector: _, ...rest } = pod.spec ?? { containers: [] }
  if (!nodeMatchesPod({ ...pod, spec: rest }, node)) missing.push(`what its node affinity requires (${affinityText(pod)})`)
  return listed(missing)
}

export function affinityText(pod: Readonly<Pod>): string {
  const terms = pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? []
  return terms.map(termText).join(', or ')
}

function termText({ matchExpressions = [], matchFields = [] }: Readonly<NodeSelectorTerm>): string {
  return [...matchExpressions, ...matchFields].map(({ key, operator, values = [] }) => (values.length === 0 ? `${key} ${operator}` : `${key} ${operator} [${values.join(' ')}]`)).join(' and ')
}

function takenPorts(pod: Readonly<Pod>, { pods, ports }: NodeInfo): string {
  const wanted = claimOf(pod).ports
  const taken = wanted.filter((port) => ports.some((used) => used.hostPort === port.hostPort && (used.protocol ?? 'TCP') === (port.protocol ?? 'TCP')))
  const holders = [...pods.values()].filter((other) => claimOf(other).ports.some((used) => taken.some((port) => used.hostPort === port.hostPort)))
  return `host port ${listed(taken.map((port) => String(port.hostPort)))} taken${holders.length === 0 ? '' : ` by pod ${few(holders.map((other) => keyText(keyOf(other as Pod))))}`}`
}

/** A resource whose free amount is less than what the pod asks for, and by how much; 'pods' for a place. */
export function shortages(pod: Readonly<Pod>, node: NodeInfo): readonly { readonly resource: string; readonly amount: number }[] {
  const claim = claimOf(pod)
  const asked: readonly (readonly [string, number, number, number])[] = [
    ['pods', 1, node.pods.size, node.podsMax],
    ['cpu', claim.cpuMilli, node.usedCpuMilli, node.cpuMilli],
    ['memory', claim.memoryBytes, node.usedMemoryBytes, node.memoryBytes],
    ...Object.entries(claim.others).map(([name, amount]) => [name, amount, node.usedOthers[name] ?? 0, node.others[name] ?? 0] as const),
  ]
  return asked.filter(([, wants, used, has]) => wants > 0 && used + wants > has).map(([resource, wants, used, has]) => ({ resource, amount: Math.min(used + wants - has, wants) }))
}

function affinityWords(pod: Readonly<Pod>, plugin: string, verdicts: readonly PluginVerdict[]): readonly Obstacle[] {
  const reasons = verdicts.find((verdict) => verdict.plugin === plugin)?.refusal.reasons.join(' ') ?? ''
  const { podAffinity, podAntiAffinity } = pod.spec?.affinity ?? {}
  const terms = (all: readonly { readonly topologyKey: string; readonly labelSelector?: object }[] = []): string => all.map((term) => `${selectorText(term.labelSelector)} per ${term.topologyKey}`).join(', ')
  if (reasons.includes('existing pods')) return [{ plugin, one: 'has a pod whose anti-affinity keeps this one away', many: 'have pods whose anti-affinity keeps this one away' }]
  if (reasons.includes('anti-affinity')) {
    const what = `that its anti-affinity keeps it away from (${terms(podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution)})`
    return [{ plugin, one: `has a pod ${what}`, many: `have a pod ${what}` }]
  }
  const what = `none of the pods that its affinity wants near (${terms(podAffinity?.requiredDuringSchedulingIgnoredDuringExecution)})`
  return [{ plugin, one: `has ${what}`, many: `have ${what}` }]
}

export function selectorText(selector: Readonly<{ matchLabels?: Readonly<Record<string, string>>; matchExpressions?: readonly { readonly key: string; readonly operator: string; readonly values?: readonly string[] }[] }> = {}): string {
  const labels = Object.entries(selector.matchLabels ?? {}).map(([key, value]) => `${key}=${value}`)
  return [...labels, ...(selector.matchExpressions ?? []).map(({ key, operator, values = [] }) => `${key} ${operator}${values.length === 0 ? '' : ` [${values.join(' ')}]`}`)].join(',')
}

function spreadWords(pod: Readonly<Pod>, info: NodeInfo, plugin: string): readonly Obstacle[] {
  const hard = (pod.spec?.topologySpreadConstraints ?? []).filter(({ whenUnsatisfiable }) => whenUnsatisfiable === 'DoNotSchedule')
  const unlabelled = hard.filter(({ topologyKey }) => info.label(topologyKey) === undefined)
  if (unlabelled.length > 0) {
    const labels = `the label ${listed(unlabelled.map(({ topologyKey }) => topologyKey))}, over which its pods are spread`
    return [{ plugin, one: `lacks ${labels}`, many: `lack ${labels}` }]
  }
  const what = hard.map(({ topologyKey, maxSkew, labelSelector }) => `${selectorText(labelSelector)} over ${topologyKey} with maxSkew ${maxSkew}`).join(', ')
  return [{ plugin, one: `would get too many of its kind (spread of ${what})`, many: `would get too many of its kind (spread of ${what})` }]
}

/** Nodes with the same obstacles, the larger groups first. */
export function grouped(pod: Readonly<Pod>, refused: ReadonlyMap<NodeInfo, readonly PluginVerdict[]>): readonly NodeGroup[] {
  const groups = new Map<string, { nodes: NodeInfo[]; all: (readonly Obstacle[])[] }>()
  for (const [node, verdicts] of refused) {
    if (verdicts.length === 0) continue
    const obstacles = obstaclesOf(pod, node, verdicts)
    const id = JSON.stringify(obstacles.map((obstacle) => ('resource' in obstacle ? obstacle.resource : obstacle.one)))
    const group = groups.get(id) ?? { nodes: [], all: [] }
    group.nodes.push(node)
    group.all.push(obstacles)
    groups.set(id, group)
  }
  return [...groups.values()].toSorted((a, b) => b.nodes.length - a.nodes.length).map(({ nodes, all }) => ({ nodes, obstacles: all[0] ?? [], text: obstacleText(all) }))
}

/** `lack 500m cpu and have the taint x`: of as many nodes as there are lists. */
function obstacleText(all: readonly (readonly Obstacle[])[]): string {
  const [first = []] = all
  const single = all.length === 1
  const verb = single ? 'lacks' : 'lack'
  const parts: string[] = []
  const short: string[] = []
  first.forEach((obstacle, place) => {
    if (!('resource' in obstacle)) return void parts.push(single ? obstacle.one : obstacle.many)
    if (obstacle.resource === 'pods') return void parts.push(single ? 'has no place for another pod' : 'have no place for another pod')
    const amounts = all.map((list) => list[place]).map((other) => (other !== undefined && 'resource' in other ? other.amount : 0))
    const [least, most] = [Math.min(...amounts), Math.max(...amounts)]
    short.push(least === most ? amountText(obstacle.resource, least) : `${quantityText(obstacle.resource, least)} to ${amountText(obstacle.resource, most)}`)
  })
  return listed([...(short.length === 0 ? [] : [`${verb} ${listed(short)}`]), ...parts])
}
