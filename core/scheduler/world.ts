/**
 * What the scheduler knows of the cluster: nodes with what stands on them, counting pods that it has just placed
 * (assumed) before the API shows them, and which pods were promised a node (nominated). Knows nothing of queues and
 * plugins.
 */
import { quantityMilli } from '../api/quantity.ts'
import type { ContainerPort, Node, Pod } from '../api/schema/types.ts'
import { equalJson } from '../lib/json.ts'
import { type Claim, claimOf, sameClaim, units } from './claim.ts'
import { Tally } from './tally.ts'
import { HeldTerms } from './terms.ts'

export class NodeInfo {
  readonly name: string
  node: Readonly<Node>
  /** Another number after each change of the node or of what stands on it. */
  generation = 0
  /** Its place in world.nodes(). */
  index = 0
  cpuMilli = 0
  memoryBytes = 0
  podsMax = 0
  /** What it has of every other resource, in units. */
  others: Readonly<Record<string, number>> = {}
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

  label(key: string): string | undefined {
    return this.node.metadata.labels?.[key]
  }

  setNode(node: Readonly<Node>): void {
    this.node = node
    this.generation++
    const { cpu = '0', memory = '0', pods = '0', ...others } = node.status?.allocatable ?? {}
    this.cpuMilli = quantityMilli(cpu)
    this.memoryBytes = units(quantityMilli(memory))
    this.podsMax = units(quantityMilli(pods))
    this.others = Object.fromEntries(Object.entries(others).map(([name, quantity]) => [name, units(quantityMilli(quantity))]))
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

  /** A copy on which pods can be put and taken away to see what then would fit. */
  copy(): NodeInfo {
    const copy = new NodeInfo(this.node)
    copy.index = this.index
    for (const pod of this.pods.values()) copy.add(pod)
    return copy
  }

  #count(claim: Claim, sign: 1 | -1): void {
    this.generation++
    this.usedCpuMilli += sign * claim.cpuMilli
    this.usedMemoryBytes += sign * claim.memoryBytes
    this.scoredCpuMilli += sign * claim.scoredCpuMilli
    this.scoredMemoryBytes += sign * claim.scoredMemoryBytes
    for (const name in claim.others) this.usedOthers[name] = (this.usedOthers[name] ?? 0) + sign * (claim.others[name] ?? 0)
    if (claim.ports.length === 0) return
    // Another version of the pod may have come meanwhile, with ports of its own: what goes is not found by identity.
    this.ports = sign === 1 ? [...this.ports, ...claim.ports] : [...this.pods.values()].flatMap((pod) => claimOf(pod).ports)
  }
}

/** A pod that has ended holds nothing. */
export function holdsResources(pod: Readonly<Pod>): boolean {
  return pod.status?.phase !== 'Succeeded' && pod.status?.phase !== 'Failed'
}

/** Tallies kept up to date; then the oldest is forgotten. */
const talliesMax = 128

interface Placed {
  readonly pod: Readonly<Pod>
  readonly nodeName: string
  readonly assumed: boolean
}

export class World {
  /** Another number after each change that makes what local plugins said of nodes void: nodes came, went or have other images. */
  epoch = 0
  /** Another number after each change of nodes, of what stands on them, and of what is promised. */
  version = 0
  /** Terms of the placed pods' inter-pod affinity. */
  readonly terms = new HeldTerms()
  readonly #nodes = new Map<string, NodeInfo>()
  #order: readonly NodeInfo[] | undefined = []
  readonly #placed = new Map<string, Placed>()
  /** Pods whose node is not known (yet): they are put on it when it comes. */
  readonly #homeless = new Map<string, Set<string>>()
  readonly #tallies = new Map<string, Tally>()
  readonly #domains = new Map<string, Map<string, number>>()
  /** Pods that wait for room on a node, by node. */
  readonly #nominated = new Map<string, Map<string, Readonly<Pod>>>()
  readonly #nominations = new Map<string, string>()

  /** In the order in which they are looked at: zones take turns, as upstream's node tree does. */
  nodes(): readonly NodeInfo[] {
    if (this.#order !== undefined) return this.#order
    this.#order = inTurns([...this.#nodes.values()])
    this.#order.forEach((info, index) => (info.index = index))
    return this.#order
  }

  node(name: string): NodeInfo | undefined {
    return this.#nodes.get(name)
  }

  setNode(node: Readonly<Node>): void {
    const name = node.metadata.name ?? ''
    const known = this.#nodes.get(name)
    if (known !== undefined) return this.#renew(known, node)
    const info = new NodeInfo(node)
    this.#nodes.set(name, info)
    this.#reorder()
    for (const uid of this.#homeless.get(name) ?? []) {
      const placed = this.#placed.get(uid)
      if (placed !== undefined) this.#put(placed.pod, info, 1)
    }
    this.#homeless.delete(name)
  }

  removeNode(name: string): void {
    const info = this.#nodes.get(name)
    if (info === undefined) return
    if (info.pods.size > 0) this.#homeless.set(name, new Set(info.pods.keys()))
    for (const pod of info.pods.values()) this.#count(pod, info, -1)
    this.#nodes.delete(name)
    this.#reorder()
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

  /** The node that the pod stands on, or will once it is bound. */
  nodeNameOf(uid: string): string | undefined {
    return this.#placed.get(uid)?.nodeName
  }

  removePod(uid: string): void {
    const placed = this.#placed.get(uid)
    if (placed === undefined) return
    this.#placed.delete(uid)
    const info = this.#nodes.get(placed.nodeName)
    if (info !== undefined) return this.#put(placed.pod, info, -1)
    const waiting = this.#homeless.get(placed.nodeName)
    waiting?.delete(uid)
    if (waiting?.size === 0) this.#homeless.delete(placed.nodeName)
  }

  /** The placed pods that match, counted; `id` says what `matches` does, and is the same for the same. */
  tally(id: string, matches: (pod: Readonly<Pod>) => boolean): Tally {
    let tally = this.#tallies.get(id)
    if (tally === undefined) {
      tally = new Tally(matches)
      for (const info of this.#nodes.values()) for (const pod of info.pods.values()) tally.count(info, pod, 1)
      const [oldest] = this.#tallies.keys()
      if (this.#tallies.size >= talliesMax && oldest !== undefined) this.#tallies.delete(oldest)
    } else this.#tallies.delete(id)
    this.#tallies.set(id, tally) // last used, last forgotten
    return tally
  }

  /** Room is being made for the pod on this node; '' when it is promised none. */
  nominate(pod: Readonly<Pod>, nodeName: string): void {
    const uid = pod.metadata.uid ?? ''
    const before = this.#nominations.get(uid)
    if (before === undefined && nodeName === '') return
    this.version++
    if (before !== undefined && before !== nodeName) {
      const there = this.#nominated.get(before)
      there?.delete(uid)
      if (there?.size === 0) this.#nominated.delete(before)
      this.#nominations.delete(uid)
    }
    if (nodeName === '') return
    this.#nominations.set(uid, nodeName)
    const there = this.#nominated.get(nodeName) ?? new Map<string, Readonly<Pod>>()
    this.#nominated.set(nodeName, there.set(uid, pod))
  }

  nominationOf(uid: string): string {
    return this.#nominations.get(uid) ?? ''
  }

  hasNominations(): boolean {
    return this.#nominated.size > 0
  }

  nominatedOn(nodeName: string): Iterable<Readonly<Pod>> | undefined {
    return this.#nominated.get(nodeName)?.values()
  }

  /** Value of the label -> nodes that have it. */
  domains(key: string): ReadonlyMap<string, number> {
    let domains = this.#domains.get(key)
    if (domains !== undefined) return domains
    domains = new Map()
    this.#domains.set(key, domains)
    for (const info of this.#nodes.values()) {
      const value = info.label(key)
      if (value !== undefined) domains.set(value, (domains.get(value) ?? 0) + 1)
    }
    return domains
  }

  #renew(info: NodeInfo, node: Readonly<Node>): void {
    const { node: prev } = info
    this.version++
    info.setNode(node)
    if (!sameRecord(prev.metadata.labels, node.metadata.labels)) {
      if (zoneOf(prev) !== zoneOf(node)) this.#reorder()
      this.#domains.clear()
      for (const tally of this.#tallies.values()) tally.relabel()
      this.terms.relabel()
    }
    if (!equalJson(prev.status?.images ?? [], node.status?.images ?? [])) this.epoch++
  }

  #reorder(): void {
    this.version++
    this.#order = undefined
    this.#domains.clear()
    this.epoch++
  }

  #place(pod: Readonly<Pod>, nodeName: string, assumed: boolean): void {
    const uid = pod.metadata.uid ?? ''
    if (this.#stays(uid, pod, nodeName)) return void this.#placed.set(uid, { pod, nodeName, assumed })
    this.removePod(uid)
    if (!holdsResources(pod)) return
    this.#placed.set(uid, { pod, nodeName, assumed })
    const info = this.#nodes.get(nodeName)
    if (info !== undefined) return this.#put(pod, info, 1)
    const waiting = this.#homeless.get(nodeName) ?? new Set<string>()
    this.#homeless.set(nodeName, waiting.add(uid))
  }

  /** Most changes of a placed pod (its status) change nothing of what is counted. */
  #stays(uid: string, pod: Readonly<Pod>, nodeName: string): boolean {
    const placed = this.#placed.get(uid)
    const info = this.#nodes.get(nodeName)
    if (placed === undefined || info === undefined || placed.nodeName !== nodeName || !countsAlike(placed.pod, pod)) return false
    this.version++
    info.pods.set(uid, pod)
    return true
  }

  #put(pod: Readonly<Pod>, info: NodeInfo, sign: 1 | -1): void {
    if (sign === 1) info.add(pod)
    else info.remove(pod)
    this.#count(pod, info, sign)
  }

  #count(pod: Readonly<Pod>, info: NodeInfo, sign: 1 | -1): void {
    this.version++
    for (const tally of this.#tallies.values()) tally.count(info, pod, sign)
    this.terms.count(info, pod, sign)
  }
}

/** Whether tallies, terms and resources are the same for both versions of a placed pod; its affinity cannot change. */
function countsAlike(prev: Readonly<Pod>, next: Readonly<Pod>): boolean {
  const going = (pod: Readonly<Pod>): boolean => pod.metadata.deletionTimestamp !== undefined
  return holdsResources(next) && going(prev) === going(next) && sameRecord(prev.metadata.labels, next.metadata.labels) && sameClaim(claimOf(prev), claimOf(next))
}

function sameRecord(a: Readonly<Record<string, string>> | undefined, b: Readonly<Record<string, string>> | undefined): boolean {
  if (a === b) return true
  const [before, after] = [a ?? {}, b ?? {}]
  const keys = Object.keys(before)
  return keys.length === Object.keys(after).length && keys.every((key) => before[key] === after[key])
}

/** Region and zone, the older labels too (GetZoneKey in k8s.io/component-helpers/node/topology). */
function zoneOf(node: Readonly<Node>): string {
  const labels = node.metadata.labels ?? {}
  const zone = labels['failure-domain.beta.kubernetes.io/zone'] ?? labels['topology.kubernetes.io/zone'] ?? ''
  const region = labels['failure-domain.beta.kubernetes.io/region'] ?? labels['topology.kubernetes.io/region'] ?? ''
  return `${region}:${zone}`
}

function inTurns(nodes: readonly NodeInfo[]): readonly NodeInfo[] {
  const zones = Map.groupBy(nodes, ({ node }) => zoneOf(node))
  if (zones.size < 2) return nodes
  const order: NodeInfo[] = []
  for (let turn = 0; order.length < nodes.length; turn++) {
    for (const zone of zones.values()) {
      const node = zone[turn]
      if (node !== undefined) order.push(node)
    }
  }
  return order
}
