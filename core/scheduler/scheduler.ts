/**
 * The scheduler: takes pods from the queue one by one, decides, assumes, and binds while it goes on with the next. What
 * happens in the cluster comes in through handle*(); the informers that call them are wired in run.ts.
 */
import { named, type Ctx } from '../lib/ctx.ts'
import { errorPath } from '../lib/log.ts'
import type { Timer } from '../lib/clock.ts'
import type { Random } from '../lib/random.ts'
import type { BackoffOptions } from '../lib/backoff.ts'
import { isApiError } from '../api/errors.ts'
import type { KindRef } from '../api/kind.ts'
import { isBeingDeleted, keyOf, keyText, type KubeObject } from '../api/meta.ts'
import { deviceClasses } from '../api/resource/deviceclass.ts'
import type { Node, Pod, PodDisruptionBudget } from '../api/schema/types.ts'
import type { Client } from '../client/client.ts'
import { bind, prebind, release, reserve } from './binding.ts'
import { offersOtherwise, standsOtherwise } from './changes.ts'
import { choose, type Feasible, feasibleNodes } from './decide.ts'
import { sentence } from './evaluate.ts'
import type { Extender } from './extender.ts'
import { acceptedBy, askExtenders, pointsOf } from './extending.ts'
import type { ClusterEvent, Plugin, Profile, QueuedPod, Rescue } from './framework.ts'
import { type Candidates, candidatesFor, cheapest, noPreemption, type Preemption } from './preemption.ts'
import { Queue } from './queue.ts'
import { Remembered } from './remembered.ts'
import { type RecordEvent, Telling, type Verdict } from './telling.ts'
import { holdsResources, type NodeInfo, World } from './world.ts'

/** Bindings in flight at once; the loop waits for one to end beyond that. */
const bindingsMax = 512
/** The loop gives way to the rest of the process after so long, or so many decisions. */
const turnMs = 5
const decisionsPerTurn = 32
const flushEveryMs = 30_000

export interface SchedulerDeps {
  readonly client: Client
  readonly random: Random
  readonly profiles: readonly Profile[]
  readonly extenders?: readonly Extender[]
  readonly backoff?: BackoffOptions
  /** Disruption budgets that evictions are to spare. */
  readonly budgets?: () => readonly Readonly<PodDisruptionBudget>[]
  readonly event: RecordEvent
}

export class Scheduler {
  readonly world = new World()
  readonly queue: Queue
  readonly #ctx: Ctx
  readonly #deps: SchedulerDeps
  readonly #extenders: readonly Extender[]
  readonly #profiles: ReadonlyMap<string, Profile>
  readonly #remembered = new Remembered()
  readonly #telling: Telling
  #start = 0
  #bindings = 0
  #bound = 0
  #running = false
  #timer: Timer | undefined
  #flushAt = 0

  constructor(ctx: Ctx, deps: SchedulerDeps) {
    this.#ctx = named(ctx, 'scheduler')
    this.#deps = deps
    this.#extenders = deps.extenders ?? []
    this.#profiles = new Map(deps.profiles.map((profile) => [profile.schedulerName, profile]))
    this.#telling = new Telling(this.#ctx, deps.client, deps.event)
    const before = deps.profiles[0]?.plugins.find(({ plugin }) => plugin.before !== undefined)?.plugin.before
    if (before === undefined) throw new Error('scheduler profile has no plugin that orders the queue')
    this.queue = new Queue({ before, gates: (pod) => this.#gatesOf(pod), ...(deps.backoff === undefined ? {} : { backoff: deps.backoff }) })
  }

  /** Pods bound since the start. */
  get bound(): number {
    return this.#bound
  }

  handleNode(node: Readonly<Node>, prev: Readonly<Node> | undefined): void {
    this.world.setNode(node)
    if (prev === undefined) this.#happened({ type: 'node added', node })
    else if (offersOtherwise(node, prev)) this.#happened({ type: 'node changed', node, prev })
  }

  handleNodeGone(node: Readonly<Node>): void {
    this.world.removeNode(node.metadata.name ?? '')
    this.#happened({ type: 'node gone', node })
  }

  handlePod(pod: Readonly<Pod>, prev?: Readonly<Pod>): void {
    if (!holdsResources(pod)) return this.handlePodGone(pod)
    if ((pod.spec?.nodeName ?? '') !== '') return this.#placed(pod, prev)
    const uid = pod.metadata.uid ?? ''
    if (isBeingDeleted(pod) || !this.#profiles.has(pod.spec?.schedulerName ?? '')) return this.handlePodGone(pod)
    const assumed = this.world.isAssumed(uid)
    if (assumed && !this.queue.isOut(uid)) return // it is bound, and not shown so yet
    if (!assumed) this.#nominated(pod, prev)
    this.queue.set(pod, this.world, this.#ctx.clock.now())
    this.#kick()
  }

  /** Also of a pod that is going and has no node yet: what was meant for it is free. */
  handlePodGone(pod: Readonly<Pod>): void {
    const uid = pod.metadata.uid ?? ''
    const nodeName = this.world.nodeNameOf(uid) ?? this.world.nominationOf(uid)
    this.#leave(uid, pod)
    this.world.removePod(uid)
    if (nodeName !== '') this.#happened({ type: 'pod gone', pod: standingOn(pod, nodeName) })
  }

  /** An object of a kind that plugins read came, changed or went. */
  handleObject(kind: KindRef, object: Readonly<KubeObject> | undefined, prev: Readonly<KubeObject> | undefined): void {
    // Which resources are devices, local plugins take from these.
    if (kind.plural === deviceClasses.plural && kind.group === deviceClasses.group) this.world.epoch++
    this.#happened({ type: 'object', kind, object, prev })
  }

  /** Stops timers; nothing is decided any more. */
  stop(): void {
    this.#timer?.stop()
    this.#running = true
  }

  #gatesOf(pod: Readonly<Pod>): readonly Plugin[] {
    const profile = this.#profiles.get(pod.spec?.schedulerName ?? '')
    return (profile?.plugins ?? []).map(({ plugin }) => plugin).filter(({ gate }) => gate?.(pod) !== undefined)
  }

  /** What was promised here and is not written yet, stays; what was written and is not any more, does not. */
  #nominated(pod: Readonly<Pod>, prev: Readonly<Pod> | undefined): void {
    const [now, was] = [pod.status?.nominatedNodeName ?? '', prev?.status?.nominatedNodeName ?? '']
    this.world.nominate(pod, now === '' && was === '' ? this.world.nominationOf(pod.metadata.uid ?? '') : now)
    if (was !== '' && was !== now && prev !== undefined) this.#happened({ type: 'pod gone', pod: standingOn(prev, was) })
  }

  #placed(pod: Readonly<Pod>, prev: Readonly<Pod> | undefined): void {
    const uid = pod.metadata.uid ?? ''
    this.#leave(uid, pod)
    this.world.setPod(pod)
    if (prev === undefined || (prev.spec?.nodeName ?? '') === '') this.#happened({ type: 'pod placed', pod })
    else if (standsOtherwise(pod, prev)) this.#happened({ type: 'placed pod changed', pod, prev })
  }

  #leave(uid: string, pod: Readonly<Pod>): void {
    this.queue.delete(uid)
    this.world.nominate(pod, '')
    this.#telling.forget(uid)
  }

  #happened(event: ClusterEvent): void {
    this.queue.happened(event, this.world, this.#ctx.clock.now())
    this.#kick()
  }

  #kick(): void {
    if (this.#running) return
    this.#running = true
    setImmediate(() => void this.#turn())
  }

  async #turn(): Promise<void> {
    try {
      this.#flush()
      if (!(await this.#trySome())) return this.#rest()
    } catch (error) {
      this.#ctx.log.error('scheduling', { error: errorPath(error) })
      return this.#rest()
    }
    if (this.#ctx.signal.aborted) return
    this.#running = false
    if (this.#bindings < bindingsMax) this.#kick() // else the end of a binding kicks
  }

  /** False: nothing is left to be tried. */
  async #trySome(): Promise<boolean> {
    const until = this.#ctx.clock.monotonic() + turnMs
    for (let i = 0; i < decisionsPerTurn && this.#bindings < bindingsMax && !this.#ctx.signal.aborted; i++) {
      const next = this.queue.pop(this.#ctx.clock.now())
      if (next === undefined) return false
      const asked = this.#try(next)
      if (asked !== undefined) await asked // an extender was asked: pods are still decided one after the other
      if (this.#ctx.clock.monotonic() >= until) break
    }
    return true
  }

  /** By its own time: events that come without end do not put it off. */
  #flush(): void {
    const now = this.#ctx.clock.now()
    if (now < this.#flushAt) return
    this.#flushAt = now + flushEveryMs
    this.queue.flush(now)
  }

  /** Nothing is ready: sleep until a back-off ends or the flush is due. */
  #rest(): void {
    this.#running = false
    this.#timer?.stop()
    if (!this.queue.hasWaiting()) return
    const { clock } = this.#ctx
    const wait = Math.min(this.queue.nextDeadline() ?? Infinity, this.#flushAt) - clock.now()
    this.#timer = clock.after(Math.max(wait, 1), () => this.#kick())
  }

  /** A promise only where an extender has to be waited for. */
  #try(tried: QueuedPod): Promise<void> | undefined {
    const { pod } = tried
    const profile = this.#profiles.get(pod.spec?.schedulerName ?? '')
    if (profile === undefined) return undefined
    try {
      const feasible = this.#feasible(pod, profile)
      if (this.#extenders.some((extender) => extender.isInterested(pod))) return this.#tryExtended(tried, profile, feasible)
      this.#decided(tried, profile, feasible)
    } catch (error) {
      this.#broke(tried, error)
    }
    return undefined
  }

  #feasible(pod: Readonly<Pod>, profile: Profile, { everywhere = false } = {}): Feasible {
    return feasibleNodes(pod, this.world, profile, {
      random: this.#deps.random,
      start: this.#start,
      remembered: this.#remembered,
      looked: (count) => (this.#start = (this.#start + count) % Math.max(this.world.nodes().length, 1)),
      everywhere,
    })
  }

  async #tryExtended(tried: QueuedPod, profile: Profile, own: Feasible): Promise<void> {
    try {
      const ask = async (nodes: Feasible): Promise<Feasible> => await askExtenders(this.#ctx, tried.pod, this.world, nodes, this.#extenders)
      let feasible = await ask(own)
      // An extender may not take the node that the pod was promised, and others yet.
      if (own.promised === true && feasible.nodes.length === 0) feasible = await ask(this.#feasible(tried.pod, profile, { everywhere: true }))
      const points = feasible.nodes.length > 1 ? await pointsOf(this.#ctx, tried.pod, feasible.nodes, this.#extenders) : undefined
      const candidates = feasible.nodes.length > 0 ? undefined : await acceptedBy(this.#ctx, this.#candidates(profile, feasible), this.#extenders, tried.pod)
      if (this.#isStillOut(tried)) this.#decided(tried, profile, feasible.nodes.length === 0 ? feasible : this.#renewed(tried.pod, profile, feasible), { points, candidates })
    } catch (error) {
      if (this.#isStillOut(tried)) this.#broke(tried, error)
    }
  }

  /** What has changed while others were asked: nodes went, or were filled. */
  #renewed(pod: Readonly<Pod>, profile: Profile, feasible: Feasible): Feasible {
    const sort = this.#remembered.of(pod, this.world, profile)
    const nodes = feasible.nodes.filter((node) => this.world.node(node.name) === node && sort.refusal(node) === undefined)
    if (nodes.length === 0) throw new Error('nodes that could take the pod went or were filled while extenders were asked')
    return { ...feasible, nodes, sort }
  }

  #decided(tried: QueuedPod, profile: Profile, feasible: Feasible, said: { readonly points?: ReadonlyMap<string, number> | undefined; readonly candidates?: Candidates | undefined } = {}): void {
    const { pod } = tried
    if (feasible.nodes.length > 0) return this.#take(tried, profile, choose(pod, this.world, profile, feasible, this.#deps.random, said.points))
    const { rescues, preemption } = this.#helped(pod, profile, () => cheapest(said.candidates ?? this.#candidates(profile, feasible)))
    const messages = rescues.map(({ message }) => message)
    // Who found victims has nothing to say, and others are not heard.
    const more = preemption.nodeName !== '' ? [] : (profile.preemptsFirst === true ? [preemption.message, ...messages] : [...messages, preemption.message]).filter((message) => message !== '')
    this.#refuse(tried, feasible.refusedBy, { reason: 'Unschedulable', message: `${feasible.message}${more.length === 0 ? '' : ` ${more.join(', ')}`}` }, preemption)
    for (const { act } of rescues) if (act !== undefined) void this.#act(act, pod)
  }

  /** Who comes first may leave nothing to do for the other. */
  #helped(pod: Readonly<Pod>, profile: Profile, preempt: () => Preemption): { readonly rescues: readonly Rescue[]; readonly preemption: Preemption } {
    if (profile.preemptsFirst === true) {
      const preemption = preempt()
      return { preemption, rescues: preemption.nodeName === '' ? this.#rescues(pod, profile) : [] }
    }
    const rescues = this.#rescues(pod, profile)
    return { rescues, preemption: rescues.some(({ last }) => last === true) ? noPreemption : preempt() }
  }

  /** Each plugin's, up to the last that lets others speak. Without nodes there is nothing to be done. */
  #rescues(pod: Readonly<Pod>, profile: Profile): readonly Rescue[] {
    if (this.world.nodes().length === 0) return []
    const rescues: Rescue[] = []
    for (const { plugin } of profile.plugins) {
      const rescue = plugin.rescue?.(pod)
      if (rescue !== undefined) rescues.push(rescue)
      if (rescue?.last === true) break
    }
    return rescues
  }

  async #act(act: (ctx: Ctx) => Promise<void>, pod: Readonly<Pod>): Promise<void> {
    try {
      await act(this.#ctx)
    } catch (error) {
      this.#ctx.log.debug('a pod was not helped', { pod: keyText(keyOf(pod)), error: errorPath(error) })
    }
  }

  #candidates(profile: Profile, feasible: Feasible): Candidates {
    if (profile.preemption === undefined || this.world.nodes().length === 0) return { candidates: [], otherwise: noPreemption }
    return candidatesFor(feasible.questions, this.world, feasible.refusals, { limits: profile.preemption, budgets: this.#deps.budgets?.() ?? [], random: this.#deps.random })
  }

  #take(tried: QueuedPod, profile: Profile, node: NodeInfo): void {
    const { pod } = tried
    const refused = reserve(pod, node, profile)
    if (refused !== undefined) {
      const counts = new Map(refused.refusal.reasons.map((reason) => [reason, 1]))
      return this.#refuse(tried, [refused.plugin], { reason: 'Unschedulable', message: sentence(1, counts) }, noPreemption)
    }
    this.world.assume(pod, node.name)
    this.world.nominate(pod, '')
    void this.#bind(tried, profile, node.name)
  }

  async #bind(tried: QueuedPod, profile: Profile, nodeName: string): Promise<void> {
    const { pod } = tried
    const { uid = '' } = pod.metadata
    let counted = false
    let told = tried
    try {
      const ready = prebind(this.#ctx, pod, nodeName, profile)
      if (ready !== undefined) {
        told = { ...tried, pod: { ...pod, status: { ...pod.status, nominatedNodeName: nodeName } } }
        this.queue.deafen(uid) // it comes back after a time, whatever happens meanwhile
        await Promise.allSettled([this.#telling.expected(pod, nodeName), ready])
        await ready
      }
      this.#bindings++
      counted = true
      await bind(this.#ctx, pod, nodeName, { profile, extenders: this.#extenders })
      this.#bound++
      this.queue.done(uid)
      this.#telling.scheduled(pod, nodeName)
    } catch (error) {
      if (this.world.nodeNameOf(uid) === nodeName && !this.world.isAssumed(uid)) return // it was bound, and only the answer was lost
      release(pod, nodeName, profile)
      this.world.forget(uid)
      this.#unbound(told, error)
      this.#happened({ type: 'pod gone', pod: standingOn(pod, nodeName) })
    } finally {
      if (counted) this.#bindings--
      this.#kick()
    }
  }

  /** Nothing is said of a pod that the API says is gone or placed: that will be shown. */
  #unbound(tried: QueuedPod, error: unknown): void {
    if (this.#ctx.signal.aborted || !this.#isStillOut(tried)) return this.queue.done(tried.pod.metadata.uid ?? '')
    if (isApiError(error, 'NotFound') || isApiError(error, 'Conflict')) return this.queue.failed(tried, [], this.world, this.#ctx.clock.now())
    this.#broke(tried, error, { ...noPreemption, clears: true })
  }

  /** Something failed that should not: one pod that no plugin can make sense of must not end the server, nor hold up the others. */
  #broke(tried: QueuedPod, error: unknown, preemption = noPreemption): void {
    this.#ctx.log.warn('scheduling a pod', { pod: keyText(keyOf(tried.pod)), error: errorPath(error) })
    this.#refuse(tried, [], { reason: 'SchedulerError', message: error instanceof Error ? error.message : String(error) }, preemption)
  }

  #refuse(tried: QueuedPod, refusedBy: readonly Plugin[], verdict: Verdict, preemption: Preemption): void {
    const { pod } = tried
    if (preemption.victims.length === 0) this.queue.failed(tried, refusedBy, this.world, this.#ctx.clock.now())
    if (preemption.nodeName !== '') this.#promise(pod, preemption.nodeName)
    else if (preemption.clears) this.world.nominate(pod, '')
    const told = this.#telling.refused(pod, verdict, preemption)
    if (preemption.victims.length > 0) void told.then((done) => this.#evicted(tried, done ? refusedBy : []))
  }

  /** Else it went while others were asked. */
  #isStillOut({ pod }: QueuedPod): boolean {
    return this.queue.isOut(pod.metadata.uid ?? '')
  }

  /** Only now the pod is tried again: with evictions half done it would choose others, and more would go. */
  #evicted(tried: QueuedPod, refusedBy: readonly Plugin[]): void {
    if (!this.#isStillOut(tried)) return
    this.queue.failed(tried, refusedBy, this.world, this.#ctx.clock.now())
    this.#kick()
  }

  /** Keeps the node for the pod; less important pods that were promised it look elsewhere. */
  #promise(pod: Readonly<Pod>, nodeName: string): void {
    const priority = pod.spec?.priority ?? 0
    const lesser = [...(this.world.nominatedOn(nodeName) ?? [])].filter((other) => (other.spec?.priority ?? 0) < priority)
    for (const other of lesser) {
      this.world.nominate(other, '')
      void this.#telling.renounce(other).catch((error: unknown) => this.#ctx.log.debug('a promise was not taken back', { pod: keyText(keyOf(other)), error: errorPath(error) }))
    }
    this.world.nominate(pod, nodeName)
  }
}

/** As plugins are to see a pod that the API shows without its node. */
function standingOn(pod: Readonly<Pod>, nodeName: string): Readonly<Pod> {
  return pod.spec === undefined || (pod.spec.nodeName ?? '') !== '' ? pod : { ...pod, spec: { ...pod.spec, nodeName } }
}
