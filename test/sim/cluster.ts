/**
 * A cluster on virtual time: the control plane as a fork, hollow nodes, faults between them, and what an operator (or an
 * accident) can do to it. All chance comes from the seed, and each purpose has a stream of its own.
 */
import { namespaces } from '../../core/api/core/namespace.ts'
import { nodes } from '../../core/api/core/node.ts'
import type { Node, Pod } from '../../core/api/schema/types.ts'
import type { Client } from '../../core/client/client.ts'
import { controllers } from '../../core/controllers/controllers.ts'
import { serverIdentity } from '../../core/controllers/controller.ts'
import { bootFork, forkSettings, openFork, type Fork, type Laid } from '../../core/fork/fork.ts'
import { HollowNodes } from '../../core/fork/hollow.ts'
import type { Fate } from '../../core/fork/hollowpod.ts'
import { start, startControllers, startScheduler, type Running, type RunningManager } from '../../core/fork/running.ts'
import { virtualClock, type VirtualClock } from '../../core/lib/clock.ts'
import type { Ctx } from '../../core/lib/ctx.ts'
import { createLog, silentLog } from '../../core/lib/log.ts'
import { seededRandom, type Random } from '../../core/lib/random.ts'
import { Faults } from './faults.ts'
import { History, type Happened } from './history.ts'
import { slowStore, type Slowness } from './slowstore.ts'

/** Where the workloads live. */
export const simNamespace = 'sim'
/** On a pod template: what becomes of its pods, as JSON of a part of a Fate, and the share of them that fails. */
export const fateAnnotation = 'sim/fate'
/** A call of the user's that takes longer has hung. */
const userMsMax = 600_000

export interface ClusterOptions {
  readonly seed: number
  readonly nodes: readonly Node[]
  /** Told of every change, and of what is done to the cluster. */
  readonly happened: (happened: Happened) => void
  readonly note: (text: string) => void
  /** Prints what parts log. */
  readonly log?: boolean
}

export class SimCluster {
  readonly clock: VirtualClock
  readonly history: History
  readonly faults: Faults
  readonly slowness: Slowness = { share: 0, msMax: 0 }
  /** The user's, past all faults but a slow store. */
  readonly client: Client
  readonly ctx: Ctx
  readonly note: (text: string) => void
  readonly #fork: Fork
  readonly #hollow: HollowNodes
  #manager: RunningManager
  #scheduler: Running
  readonly #kubelets: Running

  static async open(options: ClusterOptions): Promise<SimCluster> {
    const state = await base()
    const clock = virtualClock(baseEndMs)
    const log = options.log === true ? createLog({ level: 'debug', format: 'text', write: (line) => console.error(line), now: () => clock.now() }) : silentLog
    const [product, chance] = [stream(options.seed, 1), stream(options.seed, 2)]
    const faults = new Faults({ clock, random: chance, note: options.note })
    const slowness: Slowness = { share: 0, msMax: 0 }
    const fork = await openFork({ clock, log, signal: new AbortController().signal }, {
      random: product, state,
      api: (inner) => faults.between(inner),
      store: (inner) => slowStore(inner, slowness, { clock, random: chance }),
    })
    const history = new History(clock, options.happened)
    await history.open(fork.store, fork.ctx)
    await Promise.resolve() // a watch is live after its first turn
    const cluster = new SimCluster(options, { fork, faults, history, slowness, clock })
    for (const node of options.nodes) await cluster.client.create(cluster.ctx, nodes, node)
    return cluster
  }

  private constructor(options: ClusterOptions, made: { readonly fork: Fork; readonly faults: Faults; readonly history: History; readonly slowness: Slowness; readonly clock: VirtualClock }) {
    const { fork } = made
    this.#fork = fork
    this.faults = made.faults
    this.history = made.history
    this.slowness = made.slowness
    this.clock = made.clock
    this.note = options.note
    this.client = fork.client
    this.ctx = fork.ctx
    const fates = stream(options.seed, 3)
    this.#hollow = new HollowNodes({ reader: fork.clientAs(serverIdentity), clientAs: fork.clientAs, random: fork.random, fate: (pod) => fateOf(pod, fates) })
    this.#kubelets = start(fork.ctx, (ctx) => this.#hollow.run(ctx))
    this.#manager = this.#startManager()
    this.#scheduler = startScheduler(fork)
  }

  /** Why a part ended by itself, if one did. */
  failure(): unknown {
    return this.#manager.failure ?? this.#scheduler.failure ?? this.#kubelets.failure
  }

  /** Something that waits, while time goes on. */
  async during<T>(work: Promise<T>): Promise<T> {
    let over = false
    const watched = work.finally(() => (over = true))
    watched.catch(() => {})
    await this.clock.until(() => over, userMsMax)
    return await watched
  }

  nodeNames(): readonly string[] {
    return this.#hollow.names()
  }

  isAlive(name: string): boolean {
    return this.#hollow.isAlive(name)
  }

  kill(name: string): void {
    this.note(`node ${name} dies`)
    this.#hollow.kill(name)
  }

  revive(name: string): void {
    this.note(`node ${name} returns`)
    this.#hollow.revive(name)
  }

  /** All controllers forget what they had in mind. */
  async restartManager(): Promise<void> {
    this.note('the controllers begin again')
    await this.during(this.#manager.stop())
    this.#manager = this.#startManager()
  }

  async restartScheduler(): Promise<void> {
    this.note('the scheduler begins again')
    await this.during(this.#scheduler.stop())
    this.#scheduler = startScheduler(this.#fork)
  }

  cutWatches(share: number, tooOld: boolean): void {
    this.note(`watches end${tooOld ? ', too old' : ''}`)
    this.faults.cutWatches(share, tooOld)
  }

  jump(ms: number): void {
    this.note(`the clock jumps by ${ms} ms`)
    this.clock.jump(ms)
  }

  async close(): Promise<void> {
    await this.during(Promise.all([this.#manager.stop(), this.#scheduler.stop(), this.#kubelets.stop()]))
    await this.#fork.close()
  }

  #startManager(): RunningManager {
    return startControllers(this.#fork, controllers, { settings: forkSettings(this.#fork) })
  }
}

/** The same for the same seed and purpose. */
export function stream(seed: number, purpose: number): Random {
  return seededRandom(Math.imul(seed, 0x9e3779b1) + Math.imul(purpose, 0x85ebca6b))
}

/** Most pods start within seconds; a few take long. What the template says comes first. */
function fateOf(pod: Readonly<Pod>, random: Random): Fate {
  const told = pod.metadata.annotations?.[fateAnnotation]
  const slow = random.fraction() < 0.05
  const fate: Fate = { startMs: 200 + random.int(slow ? 20_000 : 2_000), readyMs: random.int(slow ? 15_000 : 1_500), stopMs: random.int(3_000) }
  if (told === undefined) return fate
  const { failShare = 0, ...rest } = JSON.parse(told) as Partial<Fate> & { readonly failShare?: number }
  return { ...fate, exitCodes: [random.fraction() < failShare ? 1 : 0, 0], ...rest }
}

/** A cluster that nothing has happened to yet is the same for all seeds, and made once a process. */
let made: Promise<readonly Laid[]> | undefined
const baseStartMs = Date.UTC(2026, 0, 1)
const baseEndMs = baseStartMs + 3_600_000

async function base(): Promise<readonly Laid[]> {
  return await (made ??= makeBase())
}

async function makeBase(): Promise<readonly Laid[]> {
  const clock = virtualClock(baseStartMs)
  const fork = await openFork({ clock, log: silentLog, signal: new AbortController().signal }, { random: seededRandom(0) })
  await bootFork(fork)
  await fork.client.create(fork.ctx, namespaces, { metadata: { name: simNamespace } })
  const manager = startControllers(fork, controllers, { settings: forkSettings(fork) })
  await clock.until(() => manager.state !== undefined)
  await clock.advance(30_000)
  const state = await fork.state()
  await manager.stop()
  await fork.close()
  return state.filter(({ key }) => !key.startsWith('events/'))
}

