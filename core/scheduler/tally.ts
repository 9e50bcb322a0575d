/**
 * Tally: how many placed pods match something, by node and by domain (the nodes that share a value of a label). The world
 * keeps it up to date, so that who asks again and again counts nothing again.
 */
import type { Pod } from '../api/schema/types.ts'
import type { NodeInfo } from './world.ts'

const nowhere: ReadonlyMap<string, number> = new Map()

export class Tally {
  readonly matches: (pod: Readonly<Pod>) => boolean
  readonly #nodes = new Map<NodeInfo, number>()
  /** By label key, then by its value; only keys that were asked for. */
  readonly #domains = new Map<string, Map<string, number>>()
  #total = 0

  constructor(matches: (pod: Readonly<Pod>) => boolean) {
    this.matches = matches
  }

  get total(): number {
    return this.#total
  }

  on(node: NodeInfo): number {
    return this.#nodes.get(node) ?? 0
  }

  /** Nodes with at least one. */
  nodes(): ReadonlyMap<NodeInfo, number> {
    return this.#nodes
  }

  /** Value of the label -> pods on nodes that have it; no entry where there are none. */
  by(key: string): ReadonlyMap<string, number> {
    if (this.#total === 0) return nowhere
    let domains = this.#domains.get(key)
    if (domains !== undefined) return domains
    domains = new Map()
    this.#domains.set(key, domains)
    for (const [node, count] of this.#nodes) add(domains, node.label(key), count)
    return domains
  }

  /** A pod came (1) or went (-1). */
  count(node: NodeInfo, pod: Readonly<Pod>, sign: 1 | -1): void {
    if (this.matches(pod)) this.shift(node, sign)
  }

  shift(node: NodeInfo, by: number): void {
    this.#total += by
    const next = this.on(node) + by
    if (next === 0) this.#nodes.delete(node)
    else this.#nodes.set(node, next)
    for (const [key, domains] of this.#domains) add(domains, node.label(key), by)
  }

  /** Labels of a node change: what is known by domain is counted anew when it is asked for. */
  relabel(): void {
    this.#domains.clear()
  }
}

function add(domains: Map<string, number>, value: string | undefined, by: number): void {
  if (value === undefined) return
  const next = (domains.get(value) ?? 0) + by
  if (next === 0) domains.delete(value)
  else domains.set(value, next)
}
