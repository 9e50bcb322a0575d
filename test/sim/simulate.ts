/** One run: a cluster from a seed, with what befalls it, watched by every invariant from its first change to its rest. */
import type { Pod } from '../../core/api/schema/types.ts'
import { SimCluster } from './cluster.ts'
import { fair } from './faults.ts'
import type { Happened } from './history.ts'
import { invariants } from './invariants.ts'
import { wouldTake } from './invariants/bindings.ts'
import { drawScenario, lateMsOf, type Scenario } from './scenario.ts'
import { User } from './workload.ts'
import { isFull } from './workloads/quota.ts'

export interface SimOptions {
  /** Told of everything that happens. */
  readonly trace?: (line: string) => void
  /** Also what parts log. */
  readonly log?: boolean
}

export interface Verdict {
  readonly seed: number
  /** Over every change there was. */
  readonly hash: string
  readonly changes: number
  readonly virtualMs: number
  /** The first thing that was wrong. */
  readonly broken?: { readonly invariant: string; readonly why: string; readonly atMs: number }
}

/** Everything must have come to rest so long after the last fault: back-offs of what failed often are a quarter of an hour. */
const convergenceMsMax = 2_400_000
const restMs = 12_000
/** Nobody writes anything in so long a time of rest. */
const steadyMs = 25_000

export async function simulate(seed: number, options: SimOptions = {}): Promise<Verdict> {
  return await new Simulation(seed, options).run()
}

class Broken extends Error {
  readonly invariant: string

  constructor(invariant: string, why: string) {
    super(why)
    this.invariant = invariant
  }
}

class Simulation {
  readonly #seed: number
  readonly #options: SimOptions
  readonly #scenario: Scenario
  #watching: readonly { readonly name: string; readonly after?: (happened: Happened) => string | undefined; readonly end?: () => string | undefined }[] = []
  #cluster: SimCluster | undefined
  #broken: { readonly invariant: string; readonly why: string; readonly atMs: number } | undefined

  constructor(seed: number, options: SimOptions) {
    this.#seed = seed
    this.#options = options
    this.#scenario = drawScenario(seed)
  }

  async run(): Promise<Verdict> {
    const note = (text: string): void => this.#options.trace?.(`${this.#at()} ${text}`)
    const { nodes, workloads } = this.#scenario
    const cluster = await SimCluster.open({ seed: this.#seed, nodes, note, happened: (happened) => this.#take(happened), ...(this.#options.log === true ? { log: true } : {}) })
    this.#cluster = cluster
    const { history, faults } = cluster
    this.#watching = invariants.map(({ name, begin }) => ({ name, ...begin({ history, faults, lateMs: lateMsOf(this.#scenario) }) }))
    note(`${nodes.length} nodes, ${workloads.map(({ name }) => name).join(' ')}, weather ${JSON.stringify(this.#scenario.weather)}, slow ${JSON.stringify(this.#scenario.slowness)}`)
    try {
      await this.#play(cluster)
      await this.#rest(cluster)
      for (const { name, end } of this.#watching) {
        const why = end?.()
        if (why !== undefined) throw new Broken(name, why)
      }
      await this.#stayStill(cluster)
    } catch (error) {
      this.#fail(error instanceof Broken ? error.invariant : 'nothing throws', error instanceof Broken ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error))
    }
    const verdict: Verdict = { seed: this.#seed, hash: cluster.history.digest(), changes: cluster.history.count, virtualMs: cluster.clock.monotonic(), ...(this.#broken === undefined ? {} : { broken: this.#broken }) }
    await cluster.close()
    return verdict
  }

  async #play(cluster: SimCluster): Promise<void> {
    const { workloads, steps, weather, slowness, endMs } = this.#scenario
    const user = new User(cluster.ctx, cluster.client)
    const begun = cluster.clock.monotonic()
    cluster.faults.weather = weather
    Object.assign(cluster.slowness, slowness)
    for (const { begin } of workloads) await cluster.during(begin(user))
    for (const { atMs, name, act, befall } of steps) {
      await this.#until(cluster, begun + atMs)
      if (act !== undefined) cluster.note(`user: ${name}`)
      if (act !== undefined) await cluster.during(act.run(user))
      await befall?.(cluster)
    }
    await this.#until(cluster, begun + endMs)
    cluster.note('faults end')
    cluster.faults.weather = fair
    Object.assign(cluster.slowness, { share: 0, msMax: 0 })
    for (const name of cluster.nodeNames()) if (!cluster.isAlive(name)) cluster.revive(name)
    for (const { last } of workloads) if (last !== undefined) await cluster.during(last.run(user))
  }

  async #until(cluster: SimCluster, ms: number): Promise<void> {
    const wait = ms - cluster.clock.monotonic()
    if (wait > 0) await cluster.clock.advance(wait)
    this.#check(cluster)
  }

  #check(cluster: SimCluster): void {
    const failure = cluster.failure()
    if (failure !== undefined) throw failure
    if (this.#broken !== undefined) throw new Broken(this.#broken.invariant, this.#broken.why)
  }

  /** Until every workload is as it should be and nothing has changed for a while. */
  async #rest(cluster: SimCluster): Promise<void> {
    const { history, clock } = cluster
    const limit = clock.monotonic() + convergenceMsMax
    for (;;) {
      await this.#until(cluster, clock.monotonic() + 2_000)
      const quiet = clock.monotonic() - history.lastMs >= restMs
      const lacks = quiet || clock.monotonic() > limit ? this.#lacks(cluster) : undefined
      if (quiet && lacks === undefined) return
      if (clock.monotonic() > limit) throw new Broken('everything converges', lacks ?? 'something is written again and again')
    }
  }

  #lacks(cluster: SimCluster): string | undefined {
    this.#isFull = isFull(cluster.history)
    const waiting = [...cluster.history.all<Pod>('pods')].filter(([, pod]) => (pod.spec?.nodeName ?? '') === '' && pod.metadata.deletionTimestamp === undefined)
    for (const [key, pod] of waiting) {
      const node = wouldTake(cluster.history, key, pod)
      if (node !== undefined) return `${key} waits, and ${node} would take it`
    }
    this.#isFull ||= waiting.length > 0
    if (this.#isFull) return undefined // others may wait for these, or for their turn of the quota
    for (const workload of this.#scenario.workloads) {
      const lacks = workload.lacks(cluster.history)
      if (lacks !== undefined) return lacks
    }
    return undefined
  }

  /** Where there is no room for all, what was refused is tried again, ever more rarely. */
  async #stayStill(cluster: SimCluster): Promise<void> {
    if (this.#isFull) return
    const since = cluster.history.lastMs
    await this.#until(cluster, cluster.clock.monotonic() + steadyMs)
    if (cluster.history.lastMs !== since) throw new Broken('nobody writes in a steady state', this.#lastWrite)
  }

  #lastWrite = ''
  #isFull = false

  #take(happened: Happened): void {
    const { type, prefix, key, revision, object } = happened
    this.#options.trace?.(`${this.#at()} ${revision} ${type} ${prefix} ${key}${detail(happened)}`)
    if (prefix !== 'events' && prefix !== 'coordination.k8s.io/leases') this.#lastWrite = `${prefix} ${key} was ${type}: ${JSON.stringify(object.metadata.managedFields?.at(-1)?.manager)}`
    for (const { name, after } of this.#watching) {
      const why = after?.(happened)
      if (why !== undefined) this.#fail(name, why)
    }
  }

  #fail(invariant: string, why: string): void {
    if (this.#broken !== undefined) return
    this.#broken = { invariant, why, atMs: this.#cluster?.clock.monotonic() ?? 0 }
    this.#options.trace?.(`${this.#at()} BROKEN ${invariant}: ${why}`)
  }

  #at(): string {
    return ((this.#cluster?.clock.monotonic() ?? 0) / 1_000).toFixed(3).padStart(9)
  }
}

/** The little that one wants to see of a change. */
function detail({ prefix, object }: Happened): string {
  const { spec, status, metadata } = object as { spec?: { replicas?: number; nodeName?: string }; status?: { phase?: string; replicas?: number; availableReplicas?: number; conditions?: { type: string; status: string }[] }; metadata: { deletionTimestamp?: string } }
  const going = metadata.deletionTimestamp === undefined ? '' : ' going'
  if (prefix === 'pods') return ` ${spec?.nodeName ?? '-'} ${status?.phase ?? ''} ready=${status?.conditions?.find(({ type }) => type === 'Ready')?.status ?? ''}${going}`
  if (spec?.replicas !== undefined) return ` replicas=${spec.replicas} status=${status?.replicas ?? 0}/${status?.availableReplicas ?? 0}${going}`
  return going
}
