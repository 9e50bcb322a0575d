/**
 * The kubelet: runs the pods that are bound to its node. It wires the parts,
 * registers the node, gives each pod a worker, and takes away what no pod claims.
 * When it ends the containers run on; the next start finds them by their labels.
 * Start reading at runKubelet(); what happens to one pod is worker.ts.
 */
import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { aborted, type Ctx } from '../../core/lib/ctx.ts'
import { Bell } from '../../core/lib/bell.ts'
import { Group } from '../../core/lib/group.ts'
import { nodes } from '../../core/api/core/node.ts'
import { pods } from '../../core/api/core/pod.ts'
import { services } from '../../core/api/core/service.ts'
import { isPodTerminal } from '../../core/api/core/podstate.ts'
import { isBeingDeleted } from '../../core/api/meta.ts'
import type { Node, Pod, Taint } from '../../core/api/schema/types.ts'
import type { Client } from '../../core/client/client.ts'
import type { Informers } from '../../core/client/informers.ts'
import type { Cgroups } from '../host/cgroups.ts'
import type { Mounts } from '../host/mounts.ts'
import type { Runtime } from '../host/runtime.ts'
import type { Unpack } from '../host/unpack.ts'
import { type Rejection, rejectionOf } from './admission.ts'
import { Backoff } from './backoff.ts'
import type { PodDeps } from './deps.ts'
import type { ClusterDns } from './files.ts'
import { collectGarbage } from './garbage.ts'
import { imageManager } from './images.ts'
import { readMachine, type Machine } from './machine.ts'
import { registerNode, runLease, runNodeStatus, type NodeOptions } from './node.ts'
import { objectSource } from './objects.ts'
import { createObserver, type Observer } from './observe.ts'
import { ensurePause } from './pause.ts'
import type { EventRecorder, PodNetwork } from './ports.ts'
import { createProber } from './probes/prober.ts'
import { openRecords, type Records } from './resize/records.ts'
import { podResizes } from './resize/resizes.ts'
import { removeTraces, stopSandboxes } from './remove.ts'
import { statusWriter } from './statuses.ts'
import { tokenSource } from './tokens.ts'
import { tearDownVolumes } from './volumes.ts'
import { PodWorker } from './worker.ts'

export interface KubeletOptions {
  readonly client: Client
  /** Run by whoever made them. */
  readonly informers: Informers
  readonly runtime: Runtime
  readonly mounts: Mounts
  readonly unpack: Unpack
  readonly cgroups: Cgroups
  readonly network: PodNetwork
  readonly recorder: EventRecorder
  readonly nodeName: string
  readonly hostname: string
  /** The node's addresses as they are now, its own family first. */
  readonly nodeIPs: () => readonly string[]
  readonly labels: Readonly<Record<string, string>>
  readonly taints: readonly Taint[]
  readonly dataDir: string
  readonly podsMax: number
  /** Name under which pods' control groups live: kubepods. */
  readonly cgroupRoot: string
  readonly dns: ClusterDns
  readonly resolvConf: string
  readonly port: number
  /** Version that the node shows: v1.36.3. */
  readonly version: string
}

/** What the kubelet's server shows and uses. */
export interface KubeletView {
  readonly runtime: Runtime
  readonly deps: PodDeps
  pods(): readonly Readonly<Pod>[]
  pod(namespace: string, name: string): Readonly<Pod> | undefined
}

export const restartBackoff = { firstMs: 10_000, maxMs: 300_000 } as const

/** Until ctx ends. `serve` is started once the node is registered. */
export async function runKubelet(ctx: Ctx, options: KubeletOptions, serve: (ctx: Ctx, view: KubeletView) => Promise<void>): Promise<void> {
  await using group = new Group(ctx)
  const { runtime, client, informers, nodeName, dataDir } = options
  await mkdir(join(dataDir, 'pods'), { recursive: true, mode: 0o750 })
  const info = await runtime.info(group.ctx)
  const machine = await readMachine({ dataDir, podsMax: options.podsMax, version: options.version }, info)
  await ensurePause(group.ctx, runtime, machine.arch)

  const workers = new Map<string, PodWorker>()
  const mine = informers.of(pods, { fieldSelector: `spec.nodeName=${nodeName}` })
  const current = (): Readonly<Node> | undefined => informers.of(nodes).lister.get({ namespace: '', name: nodeName })
  const records = await openRecords(group, join(dataDir, 'pods'))
  const deps = assemble(group, options, { workers, mine, current, machine, records, cgroupDriver: info.cgroupDriver })
  const { observer } = deps
  const view: KubeletView = { runtime, deps, pods: () => mine.lister.list(), pod: (namespace, name) => mine.lister.get({ namespace, name }) }

  group.go('runtime', (ctx) => observer.run(ctx))
  await Promise.race([observer.synced, aborted(group.ctx.signal)])
  const live = observer.pods().filter((p) => p.sandboxes[0]?.state === 'running')
  for (const [uid, ips] of await options.network.adopt(group.ctx, new Set(live.map((p) => p.uid)))) deps.adopted.set(uid, ips)

  const node: NodeOptions = {
    client,
    runtime,
    recorder: options.recorder,
    machine,
    name: nodeName,
    hostname: options.hostname,
    addresses: options.nodeIPs,
    labels: options.labels,
    taints: options.taints,
    kubeletPort: options.port,
    notReady: () => (isLost(group.ctx, observer) ? 'container runtime is down' : options.network.notReady?.()),
    current,
  }
  group.go('server', (ctx) => serve(ctx, view))
  await registerNode(group.ctx, node)
  const bell = new Bell()
  group.go('lease', (ctx) => runLease(ctx, node))
  group.go('node', (ctx) => runNodeStatus(ctx, node, bell))
  group.go('network ready', (ctx) => watchReadiness(ctx, node, bell))
  group.go('pods', (ctx) => runPods(ctx, deps, { workers, mine, current }))
  group.go('garbage', (ctx) => collectGarbage(ctx, { runtime, imagesDir: info.rootDir, inUse: () => imagesInUse(deps), pulled: deps.images.pulled }))
  options.recorder.event({ apiVersion: 'v1', kind: 'Node', name: nodeName, uid: nodeName }, 'Normal', 'Starting', 'Starting kubelet.')
  await group.wait()
}

/** Docker may be restarted without the node's being given up for it (upstream's maxWaitForContainerRuntime). */
const runtimeGraceMs = 30_000

function isLost(ctx: Ctx, observer: Observer): boolean {
  const since = observer.lostMs()
  return since !== undefined && ctx.clock.monotonic() - since > runtimeGraceMs
}

interface Made extends Pods {
  readonly machine: Machine
  readonly records: Records
  readonly cgroupDriver: 'cgroupfs' | 'systemd'
}

/** The parts that pods share, tied to the workers that they ring for. */
function assemble(group: Group, options: KubeletOptions, made: Made): PodDeps {
  const { client, runtime, nodeName, dataDir, recorder } = options
  const { workers, machine, mine, records } = made
  const links = options.informers.of(services)
  const observer = createObserver(runtime, nodeName, (uid) => workers.get(uid)?.poke())
  const resizes = podResizes({
    clock: group.ctx.clock,
    records,
    recorder,
    pod: (uid) => (workers.get(uid)?.ended === false ? mine.lister.byUid(uid) : undefined),
    refusal: (pod) => rejectionBeside(pod, made, { observer, resizes }),
    changed: (uid) => workers.get(uid)?.resized(),
  })
  return {
    group,
    client,
    runtime,
    mounts: options.mounts,
    unpack: options.unpack,
    cgroups: options.cgroups,
    network: options.network,
    adopted: new Map(),
    recorder,
    images: imageManager(runtime),
    objects: objectSource(group, client, (uid) => workers.get(uid)?.refreshVolumes()),
    tokens: tokenSource(client),
    prober: createProber(group, runtime, (uid) => workers.get(uid)?.poke()),
    observer,
    resizes,
    records,
    statuses: statusWriter(group, client),
    restarts: new Backoff(restartBackoff.firstMs, restartBackoff.maxMs),
    services: () => links.lister.list(),
    node: { name: nodeName, hostIPs: options.nodeIPs(), allocatable: machine.allocatable, machineBytes: machine.memoryBytes, cgroupDriver: made.cgroupDriver },
    podsDir: join(dataDir, 'pods'),
    seccompDir: join(dataDir, 'seccomp'),
    cgroupRoot: options.cgroupRoot,
    dns: options.dns,
    resolvConf: options.resolvConf,
  }
}

/** The network says whether it is ready but not when: it is asked often until it is, so that a node is Ready without delay. */
async function watchReadiness(ctx: Ctx, node: NodeOptions, bell: Bell): Promise<void> {
  let last = node.notReady()
  while (!ctx.signal.aborted) {
    await ctx.clock.sleep(last === undefined ? readyLookMs : notReadyLookMs, ctx.signal)
    const next = node.notReady()
    if (next !== last) bell.ring()
    last = next
  }
}

const readyLookMs = 5_000
const notReadyLookMs = 100

type PodInformer = ReturnType<Informers['of']> & { readonly lister: { list(): readonly Readonly<Pod>[]; byUid(uid: string): Readonly<Pod> | undefined } }

interface Pods {
  readonly workers: Map<string, PodWorker>
  readonly mine: PodInformer
  /** The node as the API has it. */
  readonly current: () => Readonly<Node> | undefined
}

function hasBegun(pod: Readonly<Pod>, observer: Observer): boolean {
  return (pod.status?.phase ?? 'Pending') !== 'Pending' || (pod.status?.containerStatuses ?? []).length > 0 || observer.pod(pod.metadata.uid ?? '') !== undefined
}

/** A worker for each pod of the node. */
async function runPods(ctx: Ctx, deps: PodDeps, nodePods: Pods): Promise<void> {
  const { workers, mine } = nodePods
  await using group = new Group(ctx)
  /** Pods whose last trace is gone though the API still has them (finalizers): no second worker. */
  const finished = new Set<string>()
  /** Pods that have begun before are not asked again. */
  const admit = (pod: Readonly<Pod>): Rejection | undefined => {
    if (isBeingDeleted(pod) || hasBegun(pod, deps.observer)) return undefined
    return rejectionBeside(pod, nodePods, deps)
  }
  const begin = (pod: Readonly<Pod>): void => {
    const uid = pod.metadata.uid ?? ''
    if (finished.has(uid)) return
    const known = workers.get(uid)
    if (known !== undefined) {
      known.update(pod)
      return deps.resizes.look(pod)
    }
    const rejection = admit(pod)
    if (rejection === undefined && !isPodTerminal(pod)) deps.resizes.admitted(pod)
    const worker = new PodWorker(deps, pod)
    if (rejection !== undefined) worker.reject(rejection)
    workers.set(uid, worker)
    deps.resizes.look()
    group.go('pod', async (ctx) => {
      await worker.run(ctx)
      if (ctx.signal.aborted) return
      workers.delete(uid)
      if (mine.lister.byUid(uid) !== undefined) finished.add(uid)
    })
  }
  await Promise.race([mine.synced, aborted(ctx.signal)])
  const stop = mine.on({
    added: (pod) => begin(pod as Readonly<Pod>),
    updated: (pod) => begin(pod as Readonly<Pod>),
    deleted: (pod) => {
      finished.delete(pod.metadata.uid ?? '')
      workers.get(pod.metadata.uid ?? '')?.update('gone')
      deps.resizes.look()
    },
  })
  deps.resizes.begin()
  group.go('resizes', (ctx) => lookAtResizes(ctx, deps))
  try {
    while (!group.ctx.signal.aborted) {
      await removeOrphans(group.ctx, deps, (uid) => workers.has(uid) || mine.lister.byUid(uid) !== undefined).catch((error: unknown) => {
        if (!group.ctx.signal.aborted) ctx.log.warn('orphaned pods', { error })
      })
      await group.ctx.clock.sleep(orphansMs, group.ctx.signal).catch(() => undefined)
    }
    await group.wait() // a worker that broke is told, not swallowed: without workers no pod would move
  } finally {
    stop()
  }
}

/** Why a pod has no place on the node beside those that are here; undefined: it has, or nobody knows the node yet. */
function rejectionBeside(pod: Readonly<Pod>, { workers, mine, current }: Pods, { observer, resizes }: Pick<PodDeps, 'observer' | 'resizes'>): Rejection | undefined {
  const node = current()
  if (node === undefined) return undefined
  const here = (other: Readonly<Pod>): boolean => other.metadata.uid !== pod.metadata.uid && !isPodTerminal(other) && (workers.get(other.metadata.uid ?? '')?.ended === false || hasBegun(other, observer))
  return rejectionOf(pod, node, mine.lister.list().filter(here).map((other) => resizes.allocated(other)))
}

/** Room may have come without any event about a pod: the node's own size. */
async function lookAtResizes(ctx: Ctx, { resizes }: PodDeps): Promise<void> {
  while (!ctx.signal.aborted) {
    await ctx.clock.sleep(resizesMs, ctx.signal)
    resizes.look()
  }
}

const resizesMs = 180_000

const orphansMs = 60_000
/** Grace of containers whose pod the API has forgotten. */
const orphanGraceS = 2

/** Containers and folders of pods that nobody knows: deleted while Kubun was away. */
async function removeOrphans(ctx: Ctx, deps: PodDeps, claimed: (uid: string) => boolean): Promise<void> {
  for (const observed of deps.observer.pods()) {
    if (claimed(observed.uid)) continue
    ctx.log.info('removing an orphaned pod', { pod: `${observed.namespace}/${observed.name}`, uid: observed.uid })
    await unlessStuck(ctx, observed.uid, async () => {
      await Promise.all(observed.containers.filter((c) => c.state === 'running').map((c) => deps.runtime.stop(ctx, c.id, orphanGraceS)))
      await stopSandboxes(ctx, deps, observed.uid, observed, { remove: true })
      await removeTraces(ctx, deps, observed.uid)
    })
  }
  for (const uid of await readdir(deps.podsDir)) {
    if (claimed(uid) || deps.observer.pod(uid) !== undefined) continue
    await unlessStuck(ctx, uid, async () => await tearDownVolumes(ctx, deps.mounts, join(deps.podsDir, uid)))
  }
}

/** One that cannot be removed now must not keep the others. */
async function unlessStuck(ctx: Ctx, uid: string, remove: () => Promise<void>): Promise<void> {
  try {
    await remove()
  } catch (error) {
    if (ctx.signal.aborted) throw error
    ctx.log.warn('orphaned pod not removed', { uid, error })
  }
}

function imagesInUse(deps: PodDeps): ReadonlySet<string> {
  return new Set(deps.observer.pods().flatMap((p) => [...p.containers, ...p.sandboxes, ...p.holders].map((c) => c.imageId)))
}
