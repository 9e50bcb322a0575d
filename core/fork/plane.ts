/**
 * A fork that lives on by itself on virtual time: controllers, scheduler, hollow nodes and hollow provisioners over the
 * state it is given, until nothing changes any more. Containers of new pods are taken to start at once and to run; what
 * ran runs on, and what failed goes on failing. What is asked of it is others' business.
 */
import { apiServiceAvailability } from '../controllers/apiservices/availability.ts'
import { csrApprover, csrCleaner, csrSigner, servingApprover } from '../controllers/certificates/certificates.ts'
import { clusterTrust } from '../controllers/clustertrust.ts'
import { serverIdentity, type Controller, type Settings } from '../controllers/controller.ts'
import { controllers } from '../controllers/controllers.ts'
import { cronJobController } from '../controllers/cronjob/cronjob.ts'
import { garbageCollector } from '../controllers/garbage/garbage.ts'
import { kubernetesService } from '../controllers/kubernetesservice.ts'
import { tokenCleaner } from '../controllers/tokencleaner.ts'
import { localProvisioner } from '../controllers/volumes/localprovisioner.ts'
import type { Client } from '../client/client.ts'
import type { Identity } from '../client/inprocess.ts'
import { pods } from '../api/core/pod.ts'
import type { Node, Pod } from '../api/schema/types.ts'
import { parseTime } from '../api/time.ts'
import type { Kind } from '../api/kind.ts'
import { virtualClock, type VirtualClock } from '../lib/clock.ts'
import type { Ctx } from '../lib/ctx.ts'
import { seededRandom } from '../lib/random.ts'
import { forkSettings, openFork, type Fork, type ForkOptions, type Laid } from './fork.ts'
import { HollowNodes, type NodeCondition } from './hollow.ts'
import type { Fate } from './hollowpod.ts'
import { Journal, type World } from './journal.ts'
import { runProvisioner } from './provisioner.ts'
import { start, startControllers, startScheduler, type Running } from './running.ts'

/** They keep up what belongs to a real server, act by the time of day alone, or have a hollow one in their place. */
const left: ReadonlySet<Controller> = new Set([apiServiceAvailability, csrApprover, csrCleaner, csrSigner, servingApprover, clusterTrust, cronJobController, kubernetesService, tokenCleaner, localProvisioner])

/** Nothing has changed for so long: nothing will. Longer than the back-off of what failed a few times. */
const quietMs = 20_000
const settleMsMax = 600_000
const writesMax = 100_000
const stepMs = 1_000
const startMs = 1_000
/** A container that has been starting for longer does not start. */
const startingMsMax = 600_000

export interface PlaneOptions extends Omit<ForkOptions, 'random' | 'state'> {
  readonly state: readonly Laid[]
  /** Of the real cluster: its time goes on from here. */
  readonly nowMs: number
  readonly settings?: Partial<Settings>
  /** False: owners are not all known, and what they own must not be taken for orphaned. */
  readonly collects?: boolean
  /** Before anything runs: what the state lacks. */
  readonly prepare?: (fork: Fork) => Promise<void>
}

export type Settled = 'quiet' | 'time' | 'writes'

export class Plane {
  readonly journal: Journal
  readonly clock: VirtualClock
  readonly ctx: Ctx
  readonly #fork: Fork
  readonly #parts: readonly Running[]

  static async open(parent: Ctx, options: PlaneOptions): Promise<Plane> {
    const clock = virtualClock(Math.floor(options.nowMs))
    const random = seededRandom(1)
    const fork = await openFork({ ...parent, clock }, { ...options, random })
    await options.prepare?.(fork)
    const journal = await Journal.open(fork.ctx, fork.store)
    const manager = startControllers(fork, controllers.filter((one) => !left.has(one) && (options.collects !== false || one !== garbageCollector)), { settings: { ...forkSettings(fork), ...options.settings } })
    const hollow = new HollowNodes({ reader: fork.clientAs(serverIdentity), clientAs: fork.clientAs, random, fate: fates(journal.world(), options.nowMs), condition: conditions(journal.world()) })
    const parts = [
      manager,
      startScheduler(fork),
      start(fork.ctx, (ctx) => hollow.run(ctx)),
      start(fork.ctx, (ctx) => runProvisioner(ctx, { client: fork.clientAs(serverIdentity), random })),
    ]
    await clock.until(() => manager.state !== undefined || parts.some(({ failure }) => failure !== undefined))
    return new Plane({ fork, clock, journal, parts })
  }

  private constructor({ fork, clock, journal, parts }: { readonly fork: Fork; readonly clock: VirtualClock; readonly journal: Journal; readonly parts: readonly Running[] }) {
    this.#fork = fork
    this.clock = clock
    this.ctx = fork.ctx
    this.journal = journal
    this.#parts = parts
  }

  kinds(): readonly Kind[] {
    return this.#fork.registry.kinds()
  }

  /** Acts with all rights. */
  get client(): Client {
    return this.#fork.client
  }

  /** Of the last change. */
  revision(): number {
    return this.#fork.store.revision()
  }

  clientAs(who: Identity): Client {
    return this.#fork.clientAs(who)
  }

  /** Something that waits, while time goes on. */
  async during<T>(work: Promise<T>): Promise<T> {
    let over = false
    const watched = work.finally(() => (over = true))
    watched.catch(() => {})
    await this.clock.until(() => over)
    return await watched
  }

  /** Until nothing changes any more; `patienceMs`: how long something may wait by its own word and still come. */
  async settle(patienceMs = 0): Promise<Settled> {
    const [begun, writes] = [this.clock.monotonic(), this.journal.count]
    for (;;) {
      this.ctx.signal.throwIfAborted()
      await this.clock.advance(stepMs)
      for (const { failure } of this.#parts) if (failure !== undefined) throw new Error('the fork', { cause: failure })
      const now = this.clock.monotonic()
      if (now - Math.max(begun, this.journal.lastMs) >= quietMs + patienceMs) return 'quiet'
      if (now - begun >= settleMsMax) return 'time'
      if (this.journal.count - writes >= writesMax) return 'writes'
    }
  }

  async close(): Promise<void> {
    await this.during(Promise.all(this.#parts.map((part) => part.stop())))
    await this.#fork.close()
  }
}

function fates(world: World, nowMs: number): (pod: Readonly<Pod>) => Fate {
  const bound = [...(world.get(pods.plural)?.values() ?? [])].filter((pod) => ((pod as Pod).spec?.nodeName ?? '') !== '')
  const before = new Set(bound.map(({ metadata }) => metadata.uid))
  const plain: Fate = { startMs, readyMs: 0, stopMs: startMs }
  return (pod) => (before.has(pod.metadata.uid) && !isStarting(pod, nowMs) ? { ...plain, still: true } : plain)
}

/** On its way, as far as one can see: what waits for anything else than its containers, or failed once, is not. */
function isStarting({ metadata, status }: Readonly<Pod>, nowMs: number): boolean {
  const since = parseTime(status?.startTime ?? metadata.creationTimestamp ?? '')
  if (since !== undefined && nowMs - since > startingMsMax) return false
  if (status?.phase !== undefined && status.phase !== 'Pending' && status.phase !== 'Running') return false
  if (status?.conditions?.some(({ type, status: holds }) => type === 'Ready' && holds === 'True') === true) return false
  return [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])].every(({ restartCount, state }) => {
    const reason = state?.waiting?.reason
    return restartCount === 0 && (state?.waiting === undefined || reason === 'ContainerCreating' || reason === 'PodInitializing')
  })
}

/** Nodes that are new come with their kubelets. */
function conditions(world: World): (node: Readonly<Node>) => NodeCondition {
  const before = new Set([...(world.get('nodes')?.values() ?? [])].map(({ metadata }) => metadata.uid))
  return ({ metadata, status }) => {
    if (!before.has(metadata.uid)) return 'alive'
    const ready = status?.conditions?.find(({ type }) => type === 'Ready')?.status
    return ready === 'True' ? 'alive' : ready === 'False' ? 'unready' : 'dead'
  }
}
