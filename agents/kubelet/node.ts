/**
 * The node's own objects: registers the Node, keeps its status (at once when it
 * changes, else every five minutes) and renews its lease every ten seconds
 * (pkg/kubelet/kubelet_node_status.go, component-helpers/apimachinery/lease).
 */
import { backoffMs } from '../../core/lib/backoff.ts'
import type { Bell } from '../../core/lib/bell.ts'
import type { Ctx } from '../../core/lib/ctx.ts'
import { isApiError } from '../../core/api/errors.ts'
import { formatMicroTime, formatTime } from '../../core/api/time.ts'
import { leases } from '../../core/api/coordination/lease.ts'
import { nodes } from '../../core/api/core/node.ts'
import type { ContainerImage, Lease, Node, NodeCondition, NodeStatus, Taint } from '../../core/api/schema/types.ts'
import type { Client } from '../../core/client/client.ts'
import type { Runtime } from '../host/runtime.ts'
import type { Machine } from './machine.ts'
import type { EventRecorder } from './ports.ts'

export interface NodeOptions {
  readonly client: Client
  readonly runtime: Runtime
  readonly recorder: EventRecorder
  readonly machine: Machine
  readonly name: string
  readonly hostname: string
  readonly addresses: () => readonly string[]
  readonly labels: Readonly<Record<string, string>>
  readonly taints: readonly Taint[]
  readonly kubeletPort: number
  /** Why pods cannot run now; undefined when they can. */
  readonly notReady: () => string | undefined
  /** The node as the API shows it, as far as that is known. */
  readonly current?: () => Readonly<Node> | undefined
}

const statusEveryMs = 10_000
const reportEveryMs = 300_000
const leaseEveryMs = 10_000
const leaseDurationS = 40
const imagesMax = 50
const retry = { firstMs: 200, maxMs: 7_000 } as const

/** Registers the node; tries until the API takes it. */
export async function registerNode(ctx: Ctx, options: NodeOptions): Promise<void> {
  for (let failures = 0; ; failures++) {
    try {
      return await register(ctx, options)
    } catch (error) {
      ctx.signal.throwIfAborted()
      ctx.log.warn('node not registered', { node: options.name, error })
      await ctx.clock.sleep(backoffMs(retry, failures), ctx.signal)
    }
  }
}

async function register(ctx: Ctx, options: NodeOptions): Promise<void> {
  const { client, name } = options
  const labels = labelsOf(options)
  const there = await client.get(ctx, nodes, { namespace: '', name })
  if (there !== undefined) {
    const differs = Object.entries(labels).some(([key, value]) => there.metadata.labels?.[key] !== value)
    if (differs) await client.patch(ctx, nodes, { namespace: '', name }, 'strategic', { metadata: { labels } })
    return
  }
  const node: Node = {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels, annotations: { 'volumes.kubernetes.io/controller-managed-attach-detach': 'true' } },
    spec: options.taints.length === 0 ? {} : { taints: [...options.taints] },
    status: await statusOf(ctx, options, undefined),
  }
  try {
    await client.create(ctx, nodes, node)
  } catch (error) {
    if (!isApiError(error, 'AlreadyExists')) throw error
  }
}

function labelsOf({ hostname, machine, labels }: NodeOptions): Record<string, string> {
  return {
    'beta.kubernetes.io/arch': machine.arch,
    'beta.kubernetes.io/os': 'linux',
    'kubernetes.io/arch': machine.arch,
    'kubernetes.io/hostname': hostname,
    'kubernetes.io/os': 'linux',
    ...labels,
  }
}

/** Until ctx ends. `changed` rings when readiness may have changed. */
export async function runNodeStatus(ctx: Ctx, options: NodeOptions, changed: Bell): Promise<void> {
  let reported: { readonly atMs: number; readonly status: NodeStatus } | undefined
  let prev = (await options.client.get(ctx, nodes, { namespace: '', name: options.name }).catch(() => undefined))?.status
  while (!ctx.signal.aborted) {
    changed.clear()
    try {
      // While nothing was heard of this node the control plane has written conditions of its own: only we can take them back.
      const shown = options.current?.()?.status
      const overruled = reported !== undefined && shown !== undefined && readyOf(shown) !== readyOf(reported.status)
      if (overruled) prev = shown
      const next = await statusOf(ctx, options, prev)
      const due = overruled || reported === undefined || ctx.clock.now() - reported.atMs >= reportEveryMs
      if (due || reported === undefined || !alike(reported.status, next)) {
        await options.client.patch(ctx, nodes, { namespace: '', name: options.name }, 'strategic', { status: next }, { subresource: 'status' })
        tellTransitions(options, prev, next)
        reported = { atMs: ctx.clock.now(), status: next }
        prev = next
      }
    } catch (error) {
      if (ctx.signal.aborted) return
      ctx.log.warn('node status not written', { error })
      if (isApiError(error, 'NotFound')) await register(ctx, options).catch(() => undefined)
      reported = undefined
    }
    await changed.wait(ctx, statusEveryMs)
  }
}

function alike(a: NodeStatus, b: NodeStatus): boolean {
  const still = (s: NodeStatus): string => JSON.stringify({ ...s, conditions: (s.conditions ?? []).map((c) => ({ ...c, lastHeartbeatTime: '' })) })
  return still(a) === still(b)
}

async function statusOf(ctx: Ctx, options: NodeOptions, prev: Readonly<NodeStatus> | undefined): Promise<NodeStatus> {
  const { machine, kubeletPort } = options
  const images = await options.runtime.images(ctx).catch(() => [])
  const listed: ContainerImage[] = images
    .filter((i) => i.tags.length + i.digests.length > 0)
    .toSorted((a, b) => b.sizeBytes - a.sizeBytes)
    .slice(0, imagesMax)
    .map((i) => ({ names: [...i.digests, ...i.tags].slice(0, 5), sizeBytes: i.sizeBytes }))
  return {
    addresses: [...options.addresses().map((address) => ({ type: 'InternalIP', address })), { type: 'Hostname', address: options.hostname }],
    allocatable: { ...machine.allocatable },
    capacity: { ...machine.capacity },
    conditions: conditionsOf(options, prev, ctx.clock.now()),
    daemonEndpoints: { kubeletEndpoint: { Port: kubeletPort } },
    images: listed,
    nodeInfo: machine.info,
  }
}

function conditionsOf({ notReady }: NodeOptions, prev: Readonly<NodeStatus> | undefined, nowMs: number): NodeCondition[] {
  const now = formatTime(nowMs)
  const why = notReady()
  const make = (type: string, status: string, reason: string, message: string): NodeCondition => {
    const before = prev?.conditions?.find((c) => c.type === type)
    return { type, status, lastHeartbeatTime: now, lastTransitionTime: before?.status === status ? (before.lastTransitionTime ?? now) : now, reason, message }
  }
  return [
    make('MemoryPressure', 'False', 'KubeletHasSufficientMemory', 'kubelet has sufficient memory available'),
    make('DiskPressure', 'False', 'KubeletHasNoDiskPressure', 'kubelet has no disk pressure'),
    make('PIDPressure', 'False', 'KubeletHasSufficientPID', 'kubelet has sufficient PID available'),
    why === undefined ? make('Ready', 'True', 'KubeletReady', 'kubelet is posting ready status') : make('Ready', 'False', 'KubeletNotReady', why),
  ]
}

function readyOf(status: Readonly<NodeStatus> | undefined): string | undefined {
  return status?.conditions?.find((c) => c.type === 'Ready')?.status
}

function tellTransitions({ recorder, name }: NodeOptions, prev: Readonly<NodeStatus> | undefined, next: NodeStatus): void {
  if (readyOf(prev) === readyOf(next)) return
  // Upstream's events about nodes carry the name as uid.
  const about = { apiVersion: 'v1', kind: 'Node', name, uid: name }
  const is = readyOf(next) === 'True' ? 'NodeReady' : 'NodeNotReady'
  if (prev !== undefined || is === 'NodeReady') recorder.event(about, 'Normal', is, `Node ${name} status is now: ${is}`)
}

/** Until ctx ends: the sign of life that the control plane watches. */
export async function runLease(ctx: Ctx, { client, name }: NodeOptions): Promise<void> {
  const key = { namespace: 'kube-node-lease', name }
  let lease: Readonly<Lease> | undefined
  while (!ctx.signal.aborted) {
    try {
      lease ??= await client.get(ctx, leases, key)
      const spec = { holderIdentity: name, leaseDurationSeconds: leaseDurationS, renewTime: formatMicroTime(ctx.clock.now()) }
      if (lease === undefined) lease = await client.create(ctx, leases, { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { ...key, ...(await ownerOf(ctx, client, name)) }, spec })
      else lease = await client.update(ctx, leases, { ...lease, spec: { ...lease.spec, ...spec } })
    } catch (error) {
      if (ctx.signal.aborted) return
      lease = undefined
      ctx.log.debug('lease not renewed', { error })
      await ctx.clock.sleep(leaseRetryMs, ctx.signal).catch(() => undefined)
      continue
    }
    await ctx.clock.sleep(leaseEveryMs, ctx.signal)
  }
}

const leaseRetryMs = 1_000

async function ownerOf(ctx: Ctx, client: Client, name: string): Promise<Pick<Lease['metadata'], 'ownerReferences'>> {
  const node = await client.get(ctx, nodes, { namespace: '', name })
  if (node?.metadata.uid === undefined) return {}
  return { ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name, uid: node.metadata.uid }] }
}
