/** What the overview counts: nodes with what their pods ask for, workloads of namespaces, the latest warnings. Pure. */
import type { DaemonSet, Deployment, Event, Job, Node, Pod, StatefulSet } from '../../core/api/schema/types.ts'
import { quantityMilli, quantityValue } from '../../core/api/quantity.ts'

export interface Share {
  readonly used: number
  readonly of: number
}

export interface NodeSum {
  readonly name: string
  readonly ready: 'Ready' | 'NotReady' | 'Unknown'
  readonly cordoned: boolean
  /** MemoryPressure and the like that hold. */
  readonly pressures: readonly string[]
  readonly roles: readonly string[]
  readonly version: string
  readonly address: string
  readonly created: string | undefined
  readonly pods: Share
  /** Thousandths of a core that pods ask for. */
  readonly cpu: Share
  readonly memoryBytes: Share
}

const rolePrefix = 'node-role.kubernetes.io/'

export function nodeSums(nodes: readonly Node[], pods: readonly Pod[]): readonly NodeSum[] {
  const byNode = Map.groupBy(pods.filter((pod) => !isOver(pod)), (pod) => pod.spec?.nodeName ?? '')
  return nodes.map((node) => nodeSum(node, byNode.get(node.metadata.name ?? '') ?? [])).toSorted((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }))
}

function nodeSum({ metadata, spec, status }: Node, pods: readonly Pod[]): NodeSum {
  const conditions = status?.conditions ?? []
  const ready = conditions.find((condition) => condition.type === 'Ready')?.status
  const can = status?.allocatable ?? status?.capacity ?? {}
  const requests = pods.flatMap((pod) => (pod.spec?.containers ?? []).map((container) => container.resources?.requests ?? {}))
  return {
    name: metadata.name ?? '',
    ready: ready === 'True' ? 'Ready' : ready === 'False' ? 'NotReady' : 'Unknown',
    cordoned: spec?.unschedulable === true,
    pressures: conditions.filter((condition) => condition.type !== 'Ready' && condition.status === 'True').map((condition) => condition.type),
    roles: Object.keys(metadata.labels ?? {}).filter((label) => label.startsWith(rolePrefix)).map((label) => label.slice(rolePrefix.length)),
    version: status?.nodeInfo?.kubeletVersion ?? '',
    address: status?.addresses?.find((address) => address.type === 'InternalIP')?.address ?? '',
    created: metadata.creationTimestamp,
    pods: { used: pods.length, of: number(can['pods']) },
    cpu: { used: sum(requests.map((of) => quantityMilli(of['cpu'] ?? 0))), of: quantityMilli(can['cpu'] ?? 0) },
    memoryBytes: { used: sum(requests.map((of) => quantityValue(of['memory'] ?? 0))), of: quantityValue(can['memory'] ?? 0) },
  }
}

function number(quantity: string | number | undefined): number {
  return quantityValue(quantity ?? 0)
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0)
}

export function isOver({ status }: Pod): boolean {
  return status?.phase === 'Succeeded' || status?.phase === 'Failed'
}

function isReady({ status }: Pod): boolean {
  return status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') === true
}

export interface Workloads {
  readonly pods: readonly Pod[]
  readonly deployments: readonly Deployment[]
  readonly statefulsets: readonly StatefulSet[]
  readonly daemonsets: readonly DaemonSet[]
  readonly jobs: readonly Job[]
}

/** So many of so many are as they should be. */
export interface Count {
  readonly ready: number
  readonly of: number
}

export type Sums = Readonly<Record<keyof Workloads, Count>>

export interface NamespaceSum extends Sums {
  readonly namespace: string
}

/** Namespaces that have any. */
export function namespaceSums(workloads: Workloads): readonly NamespaceSum[] {
  const sums = new Map<string, Record<keyof Workloads, { ready: number; of: number }>>()
  const count = (what: keyof Workloads, namespace: string, isGood: boolean): void => {
    let at = sums.get(namespace)
    if (at === undefined) sums.set(namespace, (at = { pods: zero(), deployments: zero(), statefulsets: zero(), daemonsets: zero(), jobs: zero() }))
    at[what].of++
    if (isGood) at[what].ready++
  }
  for (const pod of workloads.pods) if (!isOver(pod)) count('pods', pod.metadata.namespace ?? '', isReady(pod))
  for (const { metadata, spec, status } of workloads.deployments) count('deployments', metadata.namespace ?? '', (status?.availableReplicas ?? 0) >= (spec?.replicas ?? 1))
  for (const { metadata, spec, status } of workloads.statefulsets) count('statefulsets', metadata.namespace ?? '', (status?.readyReplicas ?? 0) >= (spec?.replicas ?? 1))
  for (const { metadata, status } of workloads.daemonsets) count('daemonsets', metadata.namespace ?? '', (status?.numberReady ?? 0) >= (status?.desiredNumberScheduled ?? 0))
  for (const { metadata, status } of workloads.jobs) count('jobs', metadata.namespace ?? '', status?.conditions?.some((of) => of.type === 'Failed' && of.status === 'True') !== true)
  return [...sums].map(([namespace, of]) => ({ namespace, ...of })).toSorted((a, b) => a.namespace.localeCompare(b.namespace))
}

function zero(): { ready: number; of: number } {
  return { ready: 0, of: 0 }
}

export function eventTime(event: Event): string {
  return event.series?.lastObservedTime ?? event.lastTimestamp ?? event.eventTime ?? event.metadata.creationTimestamp ?? ''
}

/** Latest first. */
export function latest(events: readonly Event[], most: number): readonly Event[] {
  return events.toSorted((a, b) => Date.parse(eventTime(b)) - Date.parse(eventTime(a)) || (a.metadata.name ?? '').localeCompare(b.metadata.name ?? '')).slice(0, most)
}

export function eventCount(event: Event): number {
  return event.series?.count ?? event.count ?? 1
}

/** 1536 MiB -> "1.5 GiB". */
export function bytesText(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let value = bytes
  let unit = 0
  while (value >= 1_024 && unit < units.length - 1) {
    value /= 1_024
    unit++
  }
  return `${value >= 100 || Number.isInteger(value) ? Math.round(value) : value.toFixed(1)} ${units[unit]}`
}
