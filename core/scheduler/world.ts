/**
 * What the scheduler knows of the cluster: nodes with what stands on them, counting
 * pods that it has just placed (assumed) before the API shows them. Knows nothing
 * of queues and plugins.
 */
import { podAmounts } from '../api/core/podresources.ts'
import { quantityMilli } from '../api/quantity.ts'
import type { ContainerPort, Node, Pod } from '../api/schema/types.ts'

/** What a pod takes from a node. */
export interface Claim {
  /** Thousandths of a core. */
  readonly cpuMilli: number
  readonly memoryBytes: number
  /** Every other resource it asks for, in thousandths of its unit. */
  readonly others: Readonly<Record<string, number>>
  /** For scoring: a container that asks for nothing counts as 100m and 200 MiB (upstream's non-zero defaults). */
  readonly scoredCpuMilli: number
  readonly scoredMemoryBytes: number
  readonly ports: readonly Readonly<ContainerPort>[]
}

const claims = new WeakMap<object, Claim>()

/** Computed once for each version of a pod. */
export function claimOf(pod: Readonly<Pod>): Claim {
  let claim = claims.get(pod)
  if (claim === undefined) claims.set(pod, (claim = computeClaim(pod)))
  return claim
}

const defaultCpuMilli = 100
const defaultMemoryBytes = 200 * 1024 * 1024

function computeClaim(pod: Readonly<Pod>): Claim {
  const { cpu = 0, memory = 0, ...others } = podAmounts(pod, 'requests')
  let unnamedCpu = 0
  let unnamedMemory = 0
  for (const container of pod.spec?.containers ?? []) {
    if (container.resources?.requests?.['cpu'] === undefined) unnamedCpu += defaultCpuMilli
    if (container.resources?.requests?.['memory'] === undefined) unnamedMemory += defaultMemoryBytes
  }
  const podLevel = pod.spec?.resources?.requests
  const memoryBytes = memory / 1_000
  return {
    cpuMilli: cpu,
    memoryBytes,
    others,
    scoredCpuMilli: cpu + (podLevel?.['cpu'] === undefined ? unnamedCpu : 0),
    scoredMemoryBytes: memoryBytes + (podLevel?.['memory'] === undefined ? unnamedMemory : 0),
    ports: (pod.spec?.containers ?? []).concat(sidecars(pod)).flatMap((c) => (c.ports ?? []).filter((p) => (p.hostPort ?? 0) > 0)),
  }
}

function sidecars(pod: Readonly<Pod>): NonNullable<Pod['spec']>['containers'] {
  return (pod.spec?.initContainers ?? []).filter((c) => c.restartPolicy === 'Always')
}

export class NodeInfo {
  readonly name: string
  node: Readonly<Node>
  cpuMilli = 0
  memoryBytes = 0
  podsMax = 0
  others: Record<string, number> = {}
  usedCpuMilli = 0
  usedMemoryBytes = 0
  usedOthers: Record<string, number> = {}
  scoredCpuMilli = 0
  scoredMemoryBytes = 0
  readonly pods = new Map<string, Readonly<Pod>>()
  /** Host ports in use; few nodes have any. */
  ports: Readonly<ContainerPort>[] = []

  constructor(node: Readonly<Node>) {
    this.name = node.metadata.name ?? ''
    this.node = node
    this.setNode(node)
  }

  setNode(node: Readonly<Node>): void {
    this.node = node
    const { cpu = '0', memory = '0', pods = '0', ...others } = node.status?.allocatable ?? {}
    this.cpuMilli = quantityMilli(cpu)
    this.memoryBytes = quantityMilli(memory) / 1_000
    this.podsMax = quantityMilli(pods) / 1_000
    this.others = Object.fromEntries(Object.entries(others).map(([name, quantity]) => [name, quantityMilli(quantity)]))
  }

  add(pod: Readonly<Pod>): void {
    this.pods.set(pod.metadata.uid ?? '', pod)
    this.#count(claimOf(pod), 1)
  }

  remove(pod: Readonly<Pod>): void {
    const uid = pod.metadata.uid ?? ''
    const held = this.pods.get(uid)
    if (held === undefined) return
    this.pods.delete(uid)
    this.#count(claimOf(held), -1)
  }

  /** A copy on which pods can be taken away to see what then would fit. */
  copy(): NodeInfo {
    const copy = new NodeInfo(this.node)
    for (const pod of this.pods.values()) copy.add(pod)
    return copy
  }

  #count(claim: Claim, sign: 1 | -1): void {
    this.usedCpuMilli += sign * claim.cpuMilli
    this.usedMemoryBytes += sign * claim.memoryBytes
    this.scoredCpuMilli += sign * claim.scoredCpuMilli
    this.scoredMemoryBytes += sign * claim.scoredMemoryBytes
    for (const name in claim.others) this.usedOthers[name] = (this.usedOthers[name] ?? 0) + sign * (claim.others[name] ?? 0)
    if (claim.ports.length === 0) return
    this.ports = sign === 1 ? [...this.ports, ...claim.ports] : this.ports.filter((port) => !claim.ports.includes(port))
  }
}

/** A pod that has ended holds nothing. */
export function holdsResources(pod: Readonly<Pod>): boolean {
  return pod.status?.phase !== 'Succeeded' && pod.status?.phase !== 'Failed'
}

export class World {
  readonly #nodes = new Map<string, NodeInfo>()
  /** Nodes in an order that stays: filtering goes round it. */
  #order: NodeInfo[] = []
  readonly #placed = new Map<string, { readonly pod: Readonly<Pod>; readonly nodeName: string; readonly assumed: boolean }>()
  /** Pods whose node is not known (yet): they are put on it when it comes. */
  readonly #homeless = new Map<string, Set<string>>()

  nodes(): readonly NodeInfo[] {
    return this.#order
  }

  node(name: string): NodeInfo | undefined {
    return this.#nodes.get(name)
  }

  setNode(node: Readonly<Node>): void {
    const name = node.metadata.name ?? ''
    const known = this.#nodes.get(name)
    if (known !== undefined) return known.setNode(node)
    const info = new NodeInfo(node)
    this.#nodes.set(name, info)
    this.#order = [...this.#order, info]
    for (const uid of this.#homeless.get(name) ?? []) {
      const placed = this.#placed.get(uid)
      if (placed !== undefined) info.add(placed.pod)
    }
    this.#homeless.delete(name)
  }

  removeNode(name: string): void {
    const info = this.#nodes.get(name)
    if (info === undefined) return
    this.#nodes.delete(name)
    this.#order = this.#order.filter((n) => n !== info)
    this.#homeless.set(name, new Set(info.pods.keys()))
  }

  /** The pod as the API shows it, on its node. */
  setPod(pod: Readonly<Pod>): void {
    this.#place(pod, pod.spec?.nodeName ?? '', false)
  }

  /** Counts the pod on the node before the API does; ends with setPod, removePod or forget. */
  assume(pod: Readonly<Pod>, nodeName: string): void {
    this.#place(pod, nodeName, true)
  }

  /** The binding failed: the pod is nowhere. An API-confirmed place stays. */
  forget(uid: string): void {
    if (this.#placed.get(uid)?.assumed === true) this.removePod(uid)
  }

  isAssumed(uid: string): boolean {
    return this.#placed.get(uid)?.assumed ?? false
  }

  removePod(uid: string): void {
    const placed = this.#placed.get(uid)
    if (placed === undefined) return
    this.#placed.delete(uid)
    this.#nodes.get(placed.nodeName)?.remove(placed.pod)
    this.#homeless.get(placed.nodeName)?.delete(uid)
  }

  #place(pod: Readonly<Pod>, nodeName: string, assumed: boolean): void {
    const uid = pod.metadata.uid ?? ''
    this.removePod(uid)
    if (!holdsResources(pod)) return
    this.#placed.set(uid, { pod, nodeName, assumed })
    const info = this.#nodes.get(nodeName)
    if (info !== undefined) return info.add(pod)
    const waiting = this.#homeless.get(nodeName) ?? new Set<string>()
    this.#homeless.set(nodeName, waiting.add(uid))
  }
}
