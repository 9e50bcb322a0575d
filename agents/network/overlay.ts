/**
 * Pods of other nodes: a VXLAN device and, for each other node, a route, a
 * neighbour and a forwarding entry. Level-triggered: hand the nodes in and the
 * device becomes what they say. A node's hardware address follows from its IP,
 * so that nobody has to publish anything.
 */
import type { Node } from '../../core/api/schema/types.ts'
import type { Ctx } from '../../core/lib/ctx.ts'
import { formatCidr, formatIp, parseCidr, parseIp } from '../../core/lib/ip.ts'
import type { Link } from '../host/link.ts'
import { macOf } from './pods.ts'

export interface OverlayConfig {
  readonly nodeName: string
  readonly device: string
  readonly vni: number
  readonly port: number
  /** MTU of the pods' devices. */
  readonly mtu: number
}

/** The kernel's and Linux CNIs' habit; IANA's 4789 is taken by other overlays on many networks. */
export const vxlanPortDefault = 8472
export const vniDefault = 1
export const overlayDeviceDefault = 'kubun.1'
/** What VXLAN over IPv4 adds to a packet. */
export const vxlanOverheadBytes = 50

export interface Peer {
  readonly nodeIp: string
  readonly podCidr: string
  /** First address of the peer's range: the peer's end of the overlay. */
  readonly gateway: string
  readonly mac: string
}

/** What this node's device must be: its own end, and the others. undefined while the node has no range or address. */
export interface OverlayPlan {
  readonly self: Peer
  readonly peers: readonly Peer[]
}

export function planOverlay(nodes: readonly Readonly<Node>[], nodeName: string): OverlayPlan | undefined {
  const own = nodes.find((node) => node.metadata.name === nodeName)
  const self = own === undefined ? undefined : peerOf(own)
  if (self === undefined) return undefined
  const others = nodes.filter((node) => node !== own).flatMap((node) => peerOf(node) ?? [])
  // Two nodes that claim one range or one address: the first by name has it, until somebody repairs it.
  const taken = new Set([self.podCidr, self.nodeIp])
  const peers = others.toSorted((a, b) => (a.nodeIp < b.nodeIp ? -1 : 1)).filter((peer) => {
    if (taken.has(peer.podCidr) || taken.has(peer.nodeIp)) return false
    taken.add(peer.podCidr).add(peer.nodeIp)
    return true
  })
  return { self, peers }
}

function peerOf(node: Readonly<Node>): Peer | undefined {
  const nodeIp = node.status?.addresses?.find((a) => a.type === 'InternalIP' && parseIp(a.address)?.family === 4)?.address
  const podCidr = (node.spec?.podCIDRs ?? [node.spec?.podCIDR ?? '']).find((range) => range.includes('.'))
  const cidr = podCidr === undefined ? undefined : parseCidr(podCidr)
  if (nodeIp === undefined || podCidr === undefined || cidr === undefined) return undefined
  return { nodeIp, podCidr: formatCidr(cidr), gateway: formatIp({ family: 4, value: cidr.base }), mac: macOf('0a:42', nodeIp) }
}

export interface Overlay {
  /** Makes the device what the plan says; cheap when nothing changed. `check` looks at the kernel even so. */
  sync(ctx: Ctx, plan: OverlayPlan, options?: { readonly check?: boolean }): Promise<void>
  removeAll(ctx: Ctx): Promise<void>
}

export function overlay(link: Link, config: OverlayConfig): Overlay {
  let applied: string | undefined
  return {
    async sync(ctx, plan, options = {}) {
      const text = JSON.stringify(plan)
      if (text === applied && options.check !== true) return
      applied = undefined
      await ensureDevice(ctx, link, config, plan.self)
      await ensurePeers(ctx, link, config, plan.peers)
      applied = text
    },
    removeAll: async (ctx) => {
      applied = undefined
      await link.ip(ctx, [`link delete ${config.device}`], { force: true })
    },
  }
}

async function ensureDevice(ctx: Ctx, link: Link, config: OverlayConfig, self: Peer): Promise<void> {
  const { device } = config
  const [row] = await link.show(ctx, ['-d', 'link', 'show', 'dev', device])
  const have = row === undefined ? undefined : deviceText(row)
  const want = `${config.vni} ${config.port} ${self.nodeIp} ${self.mac} ${config.mtu}`
  // Of a VXLAN device neither id nor addresses can be changed: another one takes its place.
  const add = `link add ${device} mtu ${config.mtu} address ${self.mac} type vxlan id ${config.vni} local ${self.nodeIp} dstport ${config.port} nolearning`
  const held = (await link.show(ctx, ['-4', 'addr', 'show', 'dev', device])).flatMap((r) => (r['addr_info'] as { local?: string }[] | undefined) ?? [])
  const strays = have === want ? held.map((a) => a.local ?? '').filter((ip) => ip !== self.gateway) : []
  await link.ip(ctx, [
    ...(have === undefined || have === want ? [] : [`link delete ${device}`]),
    ...(have === want ? [] : [add]),
    ...strays.map((ip) => `addr delete ${ip}/32 dev ${device}`),
    `addr replace ${self.gateway}/32 dev ${device}`,
    `link set ${device} up`,
  ])
  await link.sysctl(ctx, { 'ipv4/ip_forward': '1', [`ipv4/conf/${device}/forwarding`]: '1', [`ipv4/conf/${device}/rp_filter`]: '0' })
}

function deviceText(row: Readonly<Record<string, unknown>>): string {
  const data = ((row['linkinfo'] as { info_data?: Record<string, unknown> } | undefined)?.info_data ?? {}) as Record<string, unknown>
  return `${data['id']} ${data['port']} ${data['local']} ${row['address']} ${row['mtu']}`
}

async function ensurePeers(ctx: Ctx, link: Link, config: OverlayConfig, peers: readonly Peer[]): Promise<void> {
  const { device } = config
  const routes = (await link.show(ctx, ['-4', 'route', 'show', 'dev', device])).map((r) => String(r['dst']))
  const neighbours = (await link.show(ctx, ['-4', 'neigh', 'show', 'dev', device, 'nud', 'permanent'])).map((r) => String(r['dst']))
  const forwards = (await link.fdb(ctx, device)).filter((r) => r['dst'] !== undefined).map((r) => ({ mac: String(r['mac']), dst: String(r['dst']) }))
  const want = { routes: new Set(peers.map((p) => p.podCidr)), gateways: new Set(peers.map((p) => p.gateway)), macs: new Map(peers.map((p) => [p.mac, p.nodeIp])) }
  await link.bridge(ctx, forwards.filter((f) => want.macs.get(f.mac) !== f.dst).map((f) => `fdb delete ${f.mac} dev ${device} dst ${f.dst}`), { force: true })
  await link.ip(ctx, [
    ...routes.filter((dst) => !want.routes.has(dst)).map((dst) => `route delete ${dst} dev ${device}`),
    ...neighbours.filter((dst) => !want.gateways.has(dst)).map((dst) => `neigh delete ${dst} dev ${device}`),
  ], { force: true })
  await link.bridge(ctx, peers.map((p) => `fdb replace ${p.mac} dev ${device} dst ${p.nodeIp}`))
  await link.ip(ctx, peers.flatMap((p) => [
    `neigh replace ${p.gateway} lladdr ${p.mac} dev ${device} nud permanent`,
    `route replace ${p.podCidr} via ${p.gateway} dev ${device} onlink`,
  ]))
}
