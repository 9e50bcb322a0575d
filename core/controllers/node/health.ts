/**
 * A node's health as the node controller sees it: which conditions become unknown when it is silent, which taints follow
 * from its conditions, and when evictions are held back because too much fails at once (upstream's nodelifecycle). Pure.
 */
import { sameTaint, taintKeys } from '../../api/core/taints.ts'
import type { Node, NodeCondition, Taint } from '../../api/schema/types.ts'
import { formatTime } from '../../api/time.ts'
import { conditionOf } from '../conditions.ts'

export type Ready = 'True' | 'False' | 'Unknown' | undefined

export function readyOf(node: Readonly<Node>): Ready {
  return conditionOf(node.status?.conditions, 'Ready')?.status as Ready
}

const watched = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure']

/** Conditions of a node that has been silent for too long. */
export function silentConditions(node: Readonly<Node>, nowMs: number): NodeCondition[] {
  const now = formatTime(nowMs)
  const have = node.status?.conditions ?? []
  const next = have.map((c) =>
    watched.includes(c.type) && c.status !== 'Unknown'
      ? { ...c, status: 'Unknown', reason: 'NodeStatusUnknown', message: 'Kubelet stopped posting node status.', lastTransitionTime: now }
      : c,
  )
  for (const type of watched) {
    if (have.some((c) => c.type === type)) continue
    const { creationTimestamp } = node.metadata
    next.push({
      type, status: 'Unknown', reason: 'NodeStatusNeverUpdated', message: 'Kubelet never posted node status.', lastTransitionTime: now,
      ...(creationTimestamp === undefined ? {} : { lastHeartbeatTime: creationTimestamp }),
    })
  }
  return next
}

/** Taints that this controller owns: nobody else's are touched. */
const owned: readonly Readonly<Taint>[] = [
  ...[taintKeys.notReady, taintKeys.unreachable].flatMap((key) => [{ key, effect: 'NoSchedule' }, { key, effect: 'NoExecute' }]),
  ...[taintKeys.memoryPressure, taintKeys.diskPressure, taintKeys.pidPressure, taintKeys.networkUnavailable, taintKeys.unschedulable].map((key) => ({ key, effect: 'NoSchedule' })),
]

/** Taints that follow from the node's conditions: against new pods, and against those that are there (NoExecute). */
export function taintsOf(node: Readonly<Node>): { readonly schedule: readonly string[]; readonly execute: string | undefined } {
  const is = (type: string, status: string): boolean => conditionOf(node.status?.conditions, type)?.status === status
  const unready = is('Ready', 'False') ? taintKeys.notReady : is('Ready', 'Unknown') ? taintKeys.unreachable : undefined
  const schedule = [
    ...(unready === undefined ? [] : [unready]),
    ...(is('MemoryPressure', 'True') ? [taintKeys.memoryPressure] : []),
    ...(is('DiskPressure', 'True') ? [taintKeys.diskPressure] : []),
    ...(is('PIDPressure', 'True') ? [taintKeys.pidPressure] : []),
    ...(is('NetworkUnavailable', 'True') ? [taintKeys.networkUnavailable] : []),
    ...(node.spec?.unschedulable === true ? [taintKeys.unschedulable] : []),
  ]
  return { schedule, execute: unready }
}

/** The node's taints with this controller's own as they should be; undefined when nothing changes. */
export function nextTaints(node: Readonly<Node>, execute: string | undefined, nowMs: number): Taint[] | undefined {
  const have = node.spec?.taints ?? []
  const want: Taint[] = taintsOf(node).schedule.map((key) => ({ key, effect: 'NoSchedule' }))
  if (execute !== undefined) want.push({ key: execute, effect: 'NoExecute' })
  const kept = have.filter((t) => !owned.some((o) => sameTaint(o, t)) || want.some((w) => sameTaint(w, t)))
  const added = want.filter((w) => !have.some((t) => sameTaint(w, t)))
  if (added.length === 0 && kept.length === have.length) return undefined
  return [...kept, ...added.map((t) => ({ ...t, timeAdded: formatTime(nowMs) }))]
}

/** Labels that have an older name, by which old clients still select. */
const renamed = { 'kubernetes.io/os': 'beta.kubernetes.io/os', 'kubernetes.io/arch': 'beta.kubernetes.io/arch' } as const

/** The older labels as they should be; undefined when they are. */
export function oldLabels(node: Readonly<Node>): Record<string, string> | undefined {
  const labels = node.metadata.labels ?? {}
  const wrong = Object.entries(renamed).flatMap(([name, old]) => {
    const value = labels[name]
    return value === undefined || labels[old] === value ? [] : [[old, value] as const]
  })
  return wrong.length === 0 ? undefined : Object.fromEntries(wrong)
}

export interface Zones {
  /** Every node of the cluster is unready: the fault is more likely ours, nobody is evicted. */
  readonly allDown: boolean
  /** Milliseconds between two evictions of nodes in the zone; Infinity: none. */
  intervalMs(zone: string): number
}

const intervalMs = 10_000
const slowIntervalMs = 100_000
const largeZoneNodes = 50
const partial = { share: 0.55, nodesMin: 3 } as const

/** Region and zone; the older labels count first where a node has both, as upstream has it. */
export function zoneOf(node: Readonly<Node>): string {
  const labels = node.metadata.labels ?? {}
  const part = (name: 'region' | 'zone'): string => labels[`failure-domain.beta.kubernetes.io/${name}`] ?? labels[`topology.kubernetes.io/${name}`] ?? ''
  return `${part('region')}/${part('zone')}`
}

export function judgeZones(nodes: readonly Readonly<Node>[]): Zones {
  const zones = new Map<string, { ready: number; unready: number }>()
  for (const node of nodes) {
    if (node.metadata.labels?.['node.kubernetes.io/exclude-disruption'] !== undefined) continue
    const zone = zones.get(zoneOf(node)) ?? { ready: 0, unready: 0 }
    if (readyOf(node) === 'True') zone.ready++
    else zone.unready++
    zones.set(zoneOf(node), zone)
  }
  const all = [...zones.values()]
  return {
    allDown: all.length > 0 && all.every((z) => z.ready === 0 && z.unready > 0),
    intervalMs(zone) {
      const { ready, unready } = zones.get(zone) ?? { ready: 1, unready: 0 }
      const broken = ready > 0 && unready >= partial.nodesMin && unready / (ready + unready) >= partial.share
      if (!broken) return intervalMs
      return ready + unready > largeZoneNodes ? slowIntervalMs : Infinity
    },
  }
}
