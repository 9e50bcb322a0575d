/**
 * A pod's way to the world: a veth pair, an address of the node's range, and a
 * /32 route; no bridge, so that traffic of pods on one node is routed (and
 * translated, and refused) like any other. The kubelet calls attach and detach;
 * host ports come along. Which range the node has is handed in.
 */
import { createHash } from 'node:crypto'
import { withTimeout, type Ctx } from '../../core/lib/ctx.ts'
import { parseIp } from '../../core/lib/ip.ts'
import type { Link } from '../host/link.ts'
import type { Nft } from '../host/nft.ts'
import { Addresses, type HostPort, type Lease } from './addresses.ts'
import { hostPortTable, renderHostPorts } from './hostports.ts'

export interface PodNetworkDeps {
  readonly link: Link
  readonly nft: Nft
  /** Folder of the address leases. */
  readonly dir: string
  /** The node's range as it is now; undefined while the node has none. */
  readonly podCidr: () => string | undefined
  readonly mtu: number
  /** Names of this node's devices begin with it: `kb` and 10 letters of the pod. Two agents on one machine need two. */
  readonly prefix?: string
}

export interface PodAttach {
  readonly podUid: string
  readonly namespace: string
  readonly name: string
  /** Path of the pod's network namespace (/proc/PID/ns/net, /run/netns/NAME). */
  readonly netns: string
  readonly hostPorts?: readonly HostPort[]
}

export interface PodNetwork {
  /** Connects the pod; again for a pod that is connected already gives the same address. */
  attach(ctx: Ctx, pod: PodAttach): Promise<{ readonly ips: readonly string[] }>
  /** Quiet when there is nothing to take down. */
  detach(ctx: Ctx, podUid: string): Promise<void>
  /** At start: keeps the pods that live, takes down everything else. Says who has which address; who is not named is to be attached. */
  adopt(ctx: Ctx, livePodUids: ReadonlySet<string>): Promise<ReadonlyMap<string, readonly string[]>>
  ipsOf(podUid: string): readonly string[]
  /** Takes down every pod's device and the host ports: at uninstall. */
  removeAll(ctx: Ctx): Promise<void>
}

/** What pods see as their gateway; no machine has it, a permanent neighbour entry answers for it. */
export const gatewayIp = '169.254.1.1'
export const podDevice = 'eth0'
export const devicePrefixDefault = 'kb'

export async function podNetwork(ctx: Ctx, deps: PodNetworkDeps): Promise<PodNetwork> {
  const prefix = deps.prefix ?? devicePrefixDefault
  const leases = await Addresses.open(deps.dir)
  let shownHostPorts: string | undefined
  const syncHostPorts = async (inner: Ctx): Promise<void> => {
    const text = renderHostPorts(leases.all(), prefix)
    if (text === shownHostPorts) return
    await deps.nft.load(inner, text)
    shownHostPorts = text
  }
  const remove = async (inner: Ctx, podUid: string): Promise<void> => {
    await deps.link.ip(inner, [`link delete ${leases.get(podUid)?.device ?? deviceName(prefix, podUid)}`], { force: true })
    await leases.release(podUid)
  }
  ctx.log.debug('pod addresses', { known: leases.all().length })
  return {
    async attach(inner, pod) {
      const lease = await takeLease(deps, leases, prefix, pod)
      try {
        await connect(inner, deps.link, lease, { netns: pod.netns, mtu: deps.mtu })
        await syncHostPorts(inner)
        await leases.settle(lease)
      } catch (error) {
        const fresh = { ...inner, signal: new AbortController().signal } // whatever became of the caller
        await withTimeout(fresh, cleanupMs, (bounded) => remove(bounded, pod.podUid)).catch(() => {})
        throw new Error(`connect pod ${pod.namespace}/${pod.name}`, { cause: error })
      }
      return { ips: [lease.ip] }
    },
    async detach(inner, podUid) {
      await remove(inner, podUid)
      await syncHostPorts(inner)
    },
    async adopt(inner, live) {
      for (const lease of leases.all()) if (!live.has(lease.podUid)) await remove(inner, lease.podUid)
      const known = new Set(leases.all().map((lease) => lease.device))
      const devices = (await deps.link.show(inner, ['link', 'show', 'type', 'veth'])).map((row) => String(row['ifname']))
      const strays = devices.filter((name) => isPodDevice(prefix, name) && !known.has(name))
      await deps.link.ip(inner, strays.map((name) => `link delete ${name}`), { force: true })
      await syncHostPorts(inner)
      return new Map(leases.all().filter((lease) => lease.pending !== true).map((lease) => [lease.podUid, [lease.ip]]))
    },
    ipsOf: (podUid) => [leases.get(podUid)?.ip].filter((ip) => ip !== undefined),
    async removeAll(inner) {
      for (const lease of leases.all()) await remove(inner, lease.podUid)
      await deps.nft.remove(inner, hostPortTable)
      shownHostPorts = undefined
    },
  }
}

/** Time to clean up after a failed attach. */
const cleanupMs = 10_000

async function takeLease(deps: PodNetworkDeps, leases: Addresses, prefix: string, pod: PodAttach): Promise<Lease> {
  const podCidr = deps.podCidr()
  if (podCidr === undefined) throw new Error('the node has no pod range yet')
  const { podUid, namespace, name, hostPorts = [] } = pod
  const lease = await leases.take(podCidr, { podUid, namespace, name, hostPorts, device: deviceName(prefix, podUid) })
  if (lease === undefined) throw new Error(`no free address in ${podCidr}`)
  return lease
}

/** Two processes: one here, one in the pod. A device of an earlier try is in the way and goes first. */
async function connect(ctx: Ctx, link: Link, lease: Lease, pod: { readonly netns: string; readonly mtu: number }): Promise<void> {
  const { device, ip } = lease
  const [here, there] = [hostMac, podMac(ip)]
  const made = `link add ${device} mtu ${pod.mtu} address ${here} type veth peer name ${podDevice} mtu ${pod.mtu} address ${there} netns ${pod.netns}`
  const rest = [`link set ${device} up`, `neigh replace ${ip} lladdr ${there} dev ${device} nud permanent`, `route replace ${ip}/32 dev ${device}`]
  await link.ip(ctx, [made, ...rest]).catch(async (error: unknown) => {
    if (ctx.signal.aborted) throw error
    await link.ip(ctx, [`link delete ${device}`], { force: true })
    await link.ip(ctx, [made, ...rest])
  })
  await link.ip(ctx, [
    'link set lo up',
    `addr replace ${ip}/32 dev ${podDevice}`,
    `link set ${podDevice} up`,
    `neigh replace ${gatewayIp} lladdr ${here} dev ${podDevice} nud permanent`,
    `route replace default via ${gatewayIp} dev ${podDevice} onlink`,
  ], { netns: pod.netns })
  // Host ports on 127.0.0.1 need loopback sources to pass this device; the host port table keeps pods away from 127/8.
  await link.sysctl(ctx, { [`ipv4/conf/${device}/forwarding`]: '1', ...(lease.hostPorts.length > 0 ? { [`ipv4/conf/${device}/route_localnet`]: '1' } : {}) })
}

/** The node's end of every pair; the same everywhere, as each pair is a link of its own. */
const hostMac = 'ee:ee:ee:ee:ee:ee'

/** A locally administered address that follows from the pod's IP. */
export function podMac(ip: string): string {
  return macOf('0a:58', ip)
}

export function macOf(prefix: string, ip: string): string {
  const value = Number(parseIp(ip)?.value ?? 0n)
  return [prefix, ...[24, 16, 8, 0].map((shift) => ((value >>> shift) & 255).toString(16).padStart(2, '0'))].join(':')
}

/** Within the kernel's 15 letters, and the same for the same pod for ever. */
export function deviceName(prefix: string, podUid: string): string {
  return `${prefix}${createHash('sha256').update(podUid).digest('hex').slice(0, 10)}`
}

function isPodDevice(prefix: string, name: string): boolean {
  return name.startsWith(prefix) && /^[0-9a-f]{10}$/.test(name.slice(prefix.length))
}
