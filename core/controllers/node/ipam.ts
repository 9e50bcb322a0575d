/** Node IPAM: gives every node a range of its own for its pods, one a family, from the cluster's ranges (upstream's nodeipam). */
import { nodes } from '../../api/core/node.ts'
import { keyOf } from '../../api/meta.ts'
import type { Node } from '../../api/schema/types.ts'
import { type Cidr, contains, formatCidr, parseCidr } from '../../lib/ip.ts'
import { type Controller, serviceAccountIdentity } from '../controller.ts'
import { itself } from '../run.ts'

export const nodeIpamController: Controller = {
  name: 'node-ipam-controller',
  identity: serviceAccountIdentity('node-controller'),
  component: 'cidrAllocator',
  workers: 1, // ranges are given out one after the other
  setUp(env) {
    const { podCidrs, nodeMaskBits } = env.settings
    const pools = podCidrs.map((text) => {
      const cidr = parseCidr(text)
      if (cidr === undefined) throw new Error(`cluster CIDR ${text} is not valid`)
      return new Pool(cidr, cidr.family === 4 ? nodeMaskBits.v4 : nodeMaskBits.v6)
    })
    const lister = env.watch(nodes, itself)
    env.informers.of(nodes).on({
      added: (node) => podCidrsOf(node).forEach((text) => pools.forEach((pool) => pool.take(text, node.metadata.name ?? ''))),
      deleted: (node) => pools.forEach((pool) => pool.free(node.metadata.name ?? '')),
    })
    return async (ctx, name, client) => {
      const node = lister.at(name)
      if (node === undefined || podCidrsOf(node).length > 0) return
      const given = pools.map((pool) => pool.give(name))
      if (given.includes(undefined)) {
        pools.forEach((pool) => pool.free(name))
        env.recorder.event(nodes, node, 'Normal', 'CIDRNotAvailable', `Node ${name} status is now: CIDRNotAvailable`)
        throw new Error('CIDR allocation failed; there are no remaining CIDRs left to allocate in the accepted range')
      }
      const { uid, resourceVersion } = node.metadata
      await client.patch(ctx, nodes, keyOf(node), 'merge', { metadata: { uid, resourceVersion }, spec: { podCIDR: given[0], podCIDRs: given } })
    }
  },
}

function podCidrsOf(node: Readonly<Node>): readonly string[] {
  const { podCIDR, podCIDRs } = node.spec ?? {}
  return podCIDRs ?? (podCIDR === undefined || podCIDR === '' ? [] : [podCIDR])
}

/** A range cut into nodes' ranges. A range that was freed is given out again only after all others. */
export class Pool {
  readonly #range: Cidr
  readonly #bits: number
  readonly #count: number
  readonly #taken = new Map<string, string>()
  readonly #byNode = new Map<string, string>()
  #next = 0

  constructor(range: Cidr, bits: number) {
    if (bits < range.bits) throw new Error(`nodes' ranges of /${bits} do not fit into ${formatCidr(range)}`)
    this.#range = range
    this.#bits = bits
    this.#count = 2 ** Math.min(bits - range.bits, 24)
  }

  /** The node's range; undefined when there is none left. */
  give(node: string): string | undefined {
    const known = this.#byNode.get(node)
    if (known !== undefined) return known
    if (this.#taken.size >= this.#count) return undefined // nodes ask again and again: nothing is searched for in vain
    for (let i = 0; i < this.#count; i++) {
      const at = (this.#next + i) % this.#count
      const text = this.#at(at)
      if (this.#taken.has(text)) continue
      this.#next = at + 1
      this.#set(text, node)
      return text
    }
    return undefined
  }

  /** Notes what a node has already, if it is of this range. */
  take(text: string, node: string): void {
    const cidr = parseCidr(text)
    if (cidr === undefined || cidr.family !== this.#range.family || !contains(this.#range, { family: cidr.family, value: cidr.base })) return
    this.#set(text, node)
    const step = 1n << BigInt((cidr.family === 4 ? 32 : 128) - this.#bits)
    this.#next = Math.max(this.#next, Number((cidr.base - this.#range.base) / step) + 1) % this.#count
  }

  free(node: string): void {
    const text = this.#byNode.get(node)
    this.#byNode.delete(node)
    if (text !== undefined && this.#taken.get(text) === node) this.#taken.delete(text)
  }

  #set(text: string, node: string): void {
    this.#taken.set(text, node)
    this.#byNode.set(node, text)
  }

  #at(index: number): string {
    const step = 1n << BigInt((this.#range.family === 4 ? 32 : 128) - this.#bits)
    return formatCidr({ family: this.#range.family, base: this.#range.base + BigInt(index) * step, bits: this.#bits })
  }
}
