/**
 * Hollow nodes: what kubelets would say of nodes and pods if there were machines. A node gives signs of life, starts what
 * is bound to it after a while, lets it run, end or fail as its fate says, and lets go what is deleted; it can die and
 * return. Each writes as its own kubelet would, under its own rights. Fates are handed in, how a pod looks is hollowpod.ts.
 */
import { leases } from '../api/coordination/lease.ts'
import { nodes } from '../api/core/node.ts'
import { pods } from '../api/core/pod.ts'
import { isApiError } from '../api/errors.ts'
import { isBeingDeleted, keyOf } from '../api/meta.ts'
import type { Lease, Node, Pod, PodStatus } from '../api/schema/types.ts'
import { formatMicroTime, formatTime } from '../api/time.ts'
import type { Client } from '../client/client.ts'
import type { Identity } from '../client/inprocess.ts'
import { Informers } from '../client/informers.ts'
import type { Timer } from '../lib/clock.ts'
import type { Ctx } from '../lib/ctx.ts'
import { Group } from '../lib/group.ts'
import type { Random } from '../lib/random.ts'
import { bornPod, differs, HollowPod, type Fate, type Moment } from './hollowpod.ts'

export interface HollowOptions {
  /** Reads for all nodes. */
  readonly reader: Client
  readonly clientAs: (who: Identity) => Client
  readonly random: Random
  readonly fate: (pod: Readonly<Pod>) => Fate
  /** How it is with a node when it is first seen: it lives, unless this says otherwise. */
  readonly condition?: (node: Readonly<Node>) => NodeCondition
}

/** `unready`: it gives signs of life, but stays as its status says; `dead`: nothing is heard of it. */
export type NodeCondition = 'alive' | 'unready' | 'dead'

const leaseEveryMs = 10_000
const leaseDurationS = 40
/** A write that was refused or lost is tried again after so long. */
const againMs = 1_000
const leaseNamespace = 'kube-node-lease'

export function kubeletIdentity(name: string): Identity {
  return { name: `system:node:${name}`, groups: ['system:nodes', 'system:authenticated'], agent: 'kubelet' }
}

/** A node as its kubelet would first register it. */
export function hollowNode(name: string, more: { readonly labels?: Record<string, string>; readonly taints?: NonNullable<Node['spec']>['taints']; readonly size?: Record<string, string> } = {}): Node {
  const size = { cpu: '4', memory: '8Gi', pods: '110', 'ephemeral-storage': '100Gi', ...more.size }
  return {
    apiVersion: 'v1', kind: 'Node',
    metadata: { name, labels: { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux', 'kubernetes.io/arch': 'amd64', ...more.labels } },
    ...(more.taints === undefined ? {} : { spec: { taints: more.taints } }),
    status: { capacity: size, allocatable: size },
  }
}

export class HollowNodes {
  readonly #options: HollowOptions
  readonly #informers: Informers
  readonly #nodes = new Map<string, HollowKubelet>()
  #begun = 0
  #ctx: Ctx | undefined

  constructor(options: HollowOptions) {
    this.#options = options
    this.#informers = new Informers({ client: options.reader, random: options.random })
    this.#informers.of(pods)
    this.#informers.of(nodes)
  }

  /** Every Node that there is, or comes, is kept alive here until ctx ends. */
  async run(parent: Ctx, ready: () => void = () => {}): Promise<void> {
    await using group = new Group(parent)
    const { ctx } = group
    this.#ctx = ctx
    group.go('informers', (part) => this.#informers.run(part))
    try {
      await this.#informers.synced(ctx)
      const of = (pod: Readonly<Pod>): HollowKubelet | undefined => this.#nodes.get(pod.spec?.nodeName ?? '')
      this.#informers.of(nodes).on({
        added: (node) => this.#begin(ctx, node),
        updated: (node) => this.#nodes.get(node.metadata.name ?? '')?.sees(node),
        deleted: (node) => this.#end(node.metadata.name ?? ''),
      })
      this.#informers.of(pods).on({ added: (pod) => of(pod)?.take(pod), updated: (pod) => of(pod)?.take(pod), deleted: (pod) => of(pod)?.gone(pod) })
      ready()
      await group.wait()
    } finally {
      for (const name of this.#nodes.keys()) this.#end(name)
    }
  }

  names(): readonly string[] {
    return [...this.#nodes.keys()]
  }

  isAlive(name: string): boolean {
    return this.#nodes.get(name)?.alive === true
  }

  /** It falls silent: its pods are no longer spoken for. Containers die with the machine. */
  kill(name: string): void {
    this.#nodes.get(name)?.die()
  }

  /** It comes back with nothing running, and starts what is still bound to it. */
  revive(name: string): void {
    const node = this.#nodes.get(name)
    if (node === undefined || node.alive || this.#ctx === undefined) return
    node.live()
    for (const pod of this.#informers.of(pods).lister.list()) if (pod.spec?.nodeName === name) node.take(pod, true)
  }

  #begin(ctx: Ctx, node: Readonly<Node>): void {
    const name = node.metadata.name ?? ''
    this.#end(name)
    const kubelet = new HollowKubelet(ctx, this.#options, node, this.#begun++)
    this.#nodes.set(name, kubelet)
    const condition = this.#options.condition?.(node) ?? 'alive'
    if (condition === 'dead') return
    kubelet.live(condition === 'unready')
    for (const pod of this.#informers.of(pods).lister.list()) if (pod.spec?.nodeName === name) kubelet.take(pod)
  }

  #end(name: string): void {
    this.#nodes.get(name)?.die()
    this.#nodes.delete(name)
  }
}

class HollowKubelet {
  alive = false
  readonly #ctx: Ctx
  readonly #options: HollowOptions
  readonly #client: Client
  readonly #index: number
  readonly #pods = new Map<string, HollowPod>()
  #node: Readonly<Node>
  #lease: Readonly<Lease> | undefined
  #beat: Timer | undefined
  #started = 0
  /** The Ready condition as it was last said; its heartbeat alone is nothing to write. */
  #saidReady = false
  /** It says nothing of its own condition. */
  #unready = false

  constructor(ctx: Ctx, options: HollowOptions, node: Readonly<Node>, index: number) {
    this.#ctx = ctx
    this.#options = options
    this.#node = node
    this.#index = index
    this.#client = options.clientAs(kubeletIdentity(node.metadata.name ?? ''))
  }

  live(unready = false): void {
    this.alive = true
    this.#unready = unready
    this.#saidReady = unready
    void this.#signOfLife()
  }

  die(): void {
    this.alive = false
    this.#beat?.stop()
    for (const pod of this.#pods.values()) pod.timer?.stop()
    this.#pods.clear()
  }

  /** Somebody else (node lifecycle) may have called it unready meanwhile. */
  sees(node: Readonly<Node>): void {
    this.#node = node
    if (readyOf(node) !== 'True') this.#saidReady = this.#unready
  }

  /** `afresh`: it was bound here before the machine came up anew. */
  take(pod: Readonly<Pod>, afresh = false): void {
    if (!this.alive) return
    const uid = pod.metadata.uid ?? ''
    let mine = this.#pods.get(uid)
    if (mine === undefined) {
      mine = bornPod(pod, this.#options.fate(pod), { ip: podAddress(this.#index, this.#started++), hostIp: nodeAddress(this.#index), now: this.#now(), afresh })
      this.#pods.set(uid, mine)
    }
    mine.pod = pod
    this.#tick(mine)
  }

  gone(pod: Readonly<Pod>): void {
    const uid = pod.metadata.uid ?? ''
    this.#pods.get(uid)?.timer?.stop()
    this.#pods.delete(uid)
  }

  #now(): Moment {
    const { clock } = this.#ctx
    return { monotonicMs: clock.monotonic(), timeMs: clock.now() }
  }

  /** Brings the pod as far as it is by now, says so, and comes again when there is more. */
  #tick(mine: HollowPod): void {
    if (!this.alive || this.#ctx.signal.aborted || this.#pods.get(mine.uid) !== mine) return
    const now = this.#now()
    mine.advance(now)
    if (!mine.writing && (mine.released || differs(mine))) void this.#say(mine)
    const next = mine.nextAt()
    this.#wakeAt(mine, next === undefined ? undefined : next - now.monotonicMs)
  }

  #wakeAt(mine: HollowPod, ms: number | undefined): void {
    mine.timer?.stop()
    mine.timer = ms === undefined ? undefined : this.#ctx.clock.after(Math.max(1, ms), () => this.#tick(mine))
  }

  async #say(mine: HollowPod): Promise<void> {
    const { pod } = mine
    const { uid = '' } = pod.metadata
    mine.writing = true
    try {
      if (differs(mine)) mine.pod = await this.#client.patch(this.#ctx, pods, keyOf(pod), 'strategic', { metadata: { uid }, status: patchOf(mine.status()) }, { subresource: 'status' })
      if (mine.released) await this.#client.delete(this.#ctx, pods, keyOf(pod), { gracePeriodSeconds: 0, preconditions: { uid } })
      mine.writing = false
    } catch (error) {
      mine.writing = false
      // Gone, or another of its name: the informer will say so.
      if (this.#ctx.signal.aborted || isApiError(error, 'NotFound')) return
      return void (this.#pods.get(mine.uid) === mine && this.#wakeAt(mine, againMs))
    }
    if (!isBeingDeleted(mine.pod) || !mine.released) this.#tick(mine)
  }

  async #signOfLife(): Promise<void> {
    const { clock, signal } = this.#ctx
    try {
      await this.#renew()
      if (!this.#saidReady) await this.#register()
    } catch (error) {
      if (signal.aborted) return
      this.#lease = undefined
      this.#ctx.log.debug('no sign of life', { node: this.#node.metadata.name ?? '', error })
    }
    if (!this.alive || signal.aborted) return
    this.#beat?.stop()
    this.#beat = clock.after(this.#lease === undefined || !this.#saidReady ? againMs : leaseEveryMs, () => void this.#signOfLife())
  }

  async #renew(): Promise<void> {
    const name = this.#node.metadata.name ?? ''
    const renewTime = formatMicroTime(this.#ctx.clock.now())
    this.#lease ??= await this.#client.get(this.#ctx, leases, { namespace: leaseNamespace, name })
    if (this.#lease === undefined) {
      const { uid = '' } = this.#node.metadata
      const metadata = { name, namespace: leaseNamespace, ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name, uid }] }
      this.#lease = await this.#client.create(this.#ctx, leases, { metadata, spec: { holderIdentity: name, leaseDurationSeconds: leaseDurationS, renewTime } })
    } else this.#lease = await this.#client.update(this.#ctx, leases, { ...this.#lease, spec: { ...this.#lease.spec, renewTime } })
  }

  async #register(): Promise<void> {
    const name = this.#node.metadata.name ?? ''
    const now = formatTime(this.#ctx.clock.now())
    const was = this.#node.status?.conditions?.find(({ type }) => type === 'Ready')
    const since = was?.status === 'True' ? (was.lastTransitionTime ?? now) : now
    const ready = { type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'kubelet is posting ready status', lastHeartbeatTime: now, lastTransitionTime: since }
    const addresses = this.#node.status?.addresses ?? [{ type: 'InternalIP', address: nodeAddress(this.#index) }]
    await this.#client.patch(this.#ctx, nodes, { namespace: '', name }, 'strategic', { status: { addresses, conditions: [ready] } }, { subresource: 'status' })
    this.#saidReady = true
  }
}

/** Nodes have a network each, and their pods its addresses in turn. */
function podAddress(node: number, pod: number): string {
  return `10.${node < 256 ? 42 : 127 + (node >> 8)}.${node & 255}.${1 + (pod % 254)}`
}

function nodeAddress(node: number): string {
  return `192.168.${node >> 8}.${node & 255}`
}

/** Addresses are merged one by one unless they are told to replace each other. */
function patchOf({ podIPs, hostIPs, ...status }: PodStatus): object {
  const instead = (name: string, ips: readonly object[] | undefined): object => (ips === undefined ? {} : { [name]: [...ips, { $patch: 'replace' }] })
  return { ...status, ...instead('podIPs', podIPs), ...instead('hostIPs', hostIPs) }
}

function readyOf(node: Readonly<Node>): string | undefined {
  return node.status?.conditions?.find(({ type }) => type === 'Ready')?.status
}
