/** What is wrong with a node: gone silent, not ready, under pressure, cordoned, and which budgets hold up its draining. */
import { leases } from '../api/coordination/lease.ts'
import { pods } from '../api/core/pod.ts'
import { podDisruptionBudgets } from '../api/policy/poddisruptionbudget.ts'
import { selectorOf } from '../api/selector.ts'
import { since } from '../api/age.ts'
import { controllerOf, keyOf, keyText } from '../api/meta.ts'
import { isPodActive } from '../api/core/podstate.ts'
import type { Lease, Node, NodeCondition, Pod } from '../api/schema/types.ts'
import { few, section, type Finding } from './finding.ts'
import type { Reader } from './reader.ts'
import { taintText } from './obstacles.ts'
import { oneLine } from './crash.ts'

type Clause = Omit<Finding, 'about'>

const pressures: Readonly<Record<string, string>> = { MemoryPressure: 'memory', DiskPressure: 'disk space', PIDPressure: 'process numbers' }

const conditionOf = (node: Readonly<Node>, type: string): Readonly<NodeCondition> | undefined => node.status?.conditions?.find((condition) => condition.type === type)

/** Pure: why pods do not run there. Undefined: they do. */
export function nodeClause(node: Readonly<Node>, now: number, lease?: Readonly<Lease>): string | undefined {
  const ready = conditionOf(node, 'Ready')
  if (ready === undefined) return 'has never said that it is ready: no kubelet runs for it'
  if (ready.status === 'Unknown') {
    const last = lease?.spec?.renewTime ?? ready.lastHeartbeatTime
    return `is silent: its kubelet has given no sign of life${last === undefined ? '' : ` for ${since(last, now)}`} (the machine is down, or cut off)`
  }
  if (ready.status !== 'True') return `is not ready: ${oneLine(ready.message ?? ready.reason ?? 'it does not say why')}`
  if (conditionOf(node, 'NetworkUnavailable')?.status === 'True') return `has no pod network: ${oneLine(conditionOf(node, 'NetworkUnavailable')?.message ?? '')}`
  const short = Object.entries(pressures).find(([type]) => conditionOf(node, type)?.status === 'True')
  if (short !== undefined) return `runs out of ${short[1]}: ${oneLine(conditionOf(node, short[0])?.message ?? '')}`
  return undefined
}

export async function whyNode(reader: Reader, node: Readonly<Node>): Promise<Clause | undefined> {
  const name = node.metadata.name ?? ''
  const lease = await reader.get(leases, name, 'kube-node-lease')
  const wrong = nodeClause(node, reader.now, typeof lease === 'string' ? undefined : lease)
  const conditions = section('conditions', (node.status?.conditions ?? []).map(({ type, status, reason, message }) => `${type} ${status} ${reason ?? ''}: ${message ?? ''}`))
  const taints = section('taints', (node.spec?.taints ?? []).map(taintText))
  if (wrong !== undefined) return { because: wrong, sections: [...conditions, ...taints] }
  if (node.spec?.unschedulable !== true) return undefined
  const held = await heldPods(reader, name)
  const because = held.length === 0 ? 'is cordoned: it is ready and takes no new pods until it is uncordoned' : `is cordoned and cannot be drained: ${held[0]}`
  return { because, sections: [...section('pods that cannot be evicted', held), ...section('what would help', [`uncordon node ${name}`]), ...taints] }
}

/** Pods there whose budget allows no eviction now, as sentences. */
async function heldPods(reader: Reader, nodeName: string): Promise<readonly string[]> {
  const there = ((await reader.list(pods, '', `spec.nodeName=${nodeName}`)) ?? []).filter((pod) => isPodActive(pod) && controllerOf(pod)?.kind !== 'DaemonSet')
  const budgets = (await reader.list(podDisruptionBudgets)) ?? []
  return there.flatMap((pod) => {
    const closed = budgets.filter(({ metadata, spec, status }) => metadata.namespace === pod.metadata.namespace && (status?.disruptionsAllowed ?? 0) === 0 && spec?.selector !== undefined && selectorOf(spec.selector).matches(pod.metadata.labels))
    return closed.length === 0 ? [] : [`pod ${keyText(keyOf(pod as Pod))} must stay: disruption budget ${few(closed.map(({ metadata }) => metadata.name ?? ''))} allows no eviction now (${closed[0]?.status?.currentHealthy ?? 0} of ${closed[0]?.status?.desiredHealthy ?? 0} healthy pods that it demands)`]
  })
}
