/**
 * The scheduler: takes pods from the queue one by one, decides, assumes, and binds
 * while it goes on with the next. What happens in the cluster comes in through
 * handle*(); the informers that call them are wired in run.ts.
 */
import { named, type Ctx } from '../lib/ctx.ts'
import { errorPath } from '../lib/log.ts'
import type { Timer } from '../lib/clock.ts'
import type { Random } from '../lib/random.ts'
import { isApiError } from '../api/errors.ts'
import { isBeingDeleted, keyOf, keyText } from '../api/meta.ts'
import { formatTime } from '../api/time.ts'
import { pods } from '../api/core/pod.ts'
import type { Node, Pod, PodCondition } from '../api/schema/types.ts'
import type { Client } from '../client/client.ts'
import { decide } from './decide.ts'
import type { Plugin, Profile, QueuedPod } from './framework.ts'
import { preempt, type Preemption } from './preemption.ts'
import { Queue } from './queue.ts'
import { holdsResources, World } from './world.ts'

/** Bindings in flight at once; the loop waits for one to end beyond that. */
const bindingsMax = 128
/** The loop gives way to the rest of the process after this many decisions. */
const decisionsPerTurn = 32
const flushEveryMs = 30_000

export interface SchedulerDeps {
  readonly client: Client
  readonly random: Random
  readonly profiles: readonly Profile[]
  /** Records an event on a pod. */
  readonly event: (pod: Readonly<Pod>, type: 'Normal' | 'Warning', reason: string, message: string) => void
}

export class Scheduler {
  readonly world = new World()
  readonly queue: Queue
  readonly #ctx: Ctx
  readonly #deps: SchedulerDeps
  readonly #profiles: ReadonlyMap<string, Profile>
  /** Conditions as last written, by pod uid: a steady refusal is written once. */
  readonly #told = new Map<string, string>()
  #start = 0
  #bindings = 0
  #bound = 0
  #running = false
  #timer: Timer | undefined

  constructor(ctx: Ctx, deps: SchedulerDeps) {
    this.#ctx = named(ctx, 'scheduler')
    this.#deps = deps
    this.#profiles = new Map(deps.profiles.map((profile) => [profile.schedulerName, profile]))
    const sort = deps.profiles[0]?.plugins.find(({ plugin }) => plugin.before !== undefined)?.plugin.before
    if (sort === undefined) throw new Error('scheduler profile has no plugin that orders the queue')
    this.queue = new Queue(sort)
  }

  /** Pods bound since the start. */
  get bound(): number {
    return this.#bound
  }

  handleNode(node: Readonly<Node>, prev: Readonly<Node> | undefined): void {
    this.world.setNode(node)
    const now = this.#ctx.clock.now()
    this.queue.happened(prev === undefined ? { type: 'node added', node } : { type: 'node changed', node, prev }, now)
    this.#kick()
  }

  handleNodeGone(name: string): void {
    this.world.removeNode(name)
  }

  handlePod(pod: Readonly<Pod>): void {
    const uid = pod.metadata.uid ?? ''
    if (!holdsResources(pod)) return this.handlePodGone(pod)
    if ((pod.spec?.nodeName ?? '') !== '') {
      this.queue.delete(uid)
      this.#told.delete(uid)
      return this.world.setPod(pod)
    }
    if (isBeingDeleted(pod) || !this.#profiles.has(pod.spec?.schedulerName ?? '')) return this.queue.delete(uid)
    if (this.world.isAssumed(uid)) return // its binding is under way
    this.queue.set(pod, this.#ctx.clock.now())
    this.#kick()
  }

  handlePodGone(pod: Readonly<Pod>): void {
    const uid = pod.metadata.uid ?? ''
    this.queue.delete(uid)
    this.#told.delete(uid)
    this.world.removePod(uid)
    if ((pod.spec?.nodeName ?? '') === '') return
    this.queue.happened({ type: 'pod gone', pod }, this.#ctx.clock.now())
    this.#kick()
  }

  /** Stops timers; nothing is decided any more. */
  stop(): void {
    this.#timer?.stop()
    this.#running = true
  }

  #kick(): void {
    if (this.#running) return
    this.#running = true
    setImmediate(() => this.#turn())
  }

  #turn(): void {
    if (this.#ctx.signal.aborted) return
    for (let i = 0; i < decisionsPerTurn && this.#bindings < bindingsMax; i++) {
      const next = this.queue.pop(this.#ctx.clock.now())
      if (next === undefined) return this.#rest()
      try {
        this.#try(next)
      } catch (error) {
        // One pod that no plugin can make sense of must not end the server, nor hold up the others.
        this.#ctx.log.error('scheduling a pod', { pod: keyText(keyOf(next.pod)), error: errorPath(error) })
        this.queue.failed(next, [], this.#ctx.clock.now())
      }
    }
    this.#running = false
    if (this.#bindings < bindingsMax) this.#kick() // else the end of a binding kicks
  }

  /** Nothing is ready: sleep until a back-off ends or the flush is due. */
  #rest(): void {
    this.#running = false
    this.#timer?.stop()
    const { clock } = this.#ctx
    const [, backing, unschedulable] = this.queue.sizes()
    if (backing + unschedulable === 0) return
    const wait = Math.min((this.queue.nextDeadline() ?? Infinity) - clock.now(), flushEveryMs)
    this.#timer = clock.after(Math.max(wait, 1), () => {
      this.queue.flush(clock.now())
      this.#kick()
    })
  }

  #try(tried: QueuedPod): void {
    const { pod } = tried
    const profile = this.#profiles.get(pod.spec?.schedulerName ?? '')
    if (profile === undefined) return
    const decision = decide(pod, this.world, profile, {
      random: this.#deps.random,
      start: this.#start,
      looked: (count) => (this.#start = (this.#start + count) % Math.max(this.world.nodes().length, 1)),
    })
    if (decision.fits) {
      this.world.assume(pod, decision.nodeName)
      this.#bindings++
      void this.#bind(tried, profile, decision.nodeName)
      return
    }
    const preemption = preempt(pod, this.world, profile, decision.refusals)
    this.#refuse(tried, decision.refusedBy, `${decision.message}${preemption.message === '' ? '' : ` ${preemption.message}`}`, preemption)
  }

  async #bind(tried: QueuedPod, profile: Profile, nodeName: string): Promise<void> {
    const { pod } = tried
    const uid = pod.metadata.uid ?? ''
    try {
      await profile.plugins.find(({ plugin }) => plugin.bind !== undefined)?.plugin.bind?.(this.#ctx, pod, nodeName)
      this.#bound++
      this.#told.delete(uid)
      this.#deps.event(pod, 'Normal', 'Scheduled', `Successfully assigned ${keyText(keyOf(pod))} to ${nodeName}`)
    } catch (error) {
      this.world.forget(uid)
      if (!this.#ctx.signal.aborted && !isApiError(error, 'NotFound') && !isApiError(error, 'Conflict')) {
        this.#ctx.log.warn('binding failed', { pod: keyText(keyOf(pod)), node: nodeName, error: errorPath(error) })
        this.queue.failed(tried, [], this.#ctx.clock.now())
      }
    } finally {
      this.#bindings--
      this.#kick()
    }
  }

  #refuse(tried: QueuedPod, refusedBy: readonly Plugin[], message: string, preemption: Preemption): void {
    this.queue.failed(tried, refusedBy, this.#ctx.clock.now())
    const gated = (tried.pod.spec?.schedulingGates ?? []).length > 0
    void this.#tell(tried.pod, gated ? undefined : message, preemption).catch((error: unknown) => {
      this.#told.delete(tried.pod.metadata.uid ?? '')
      if (!this.#ctx.signal.aborted && !isApiError(error, 'NotFound')) this.#ctx.log.warn('telling why a pod waits', { pod: keyText(keyOf(tried.pod)), error: errorPath(error) })
    })
  }

  /** Writes PodScheduled=False with the reason, an event, and evicts what preemption chose. */
  async #tell(pod: Readonly<Pod>, message: string | undefined, preemption: Preemption): Promise<void> {
    const uid = pod.metadata.uid ?? ''
    if (message === undefined || (this.#told.get(uid) === message && preemption.victims.length === 0)) return
    this.#told.set(uid, message)
    this.#deps.event(pod, 'Warning', 'FailedScheduling', message)
    const at = new Date(this.#ctx.clock.now()).toISOString().replace(/\.\d+Z$/, 'Z')
    const old = pod.status?.conditions?.find((c) => c.type === 'PodScheduled')
    const condition: PodCondition = {
      type: 'PodScheduled',
      status: 'False',
      reason: 'Unschedulable',
      message,
      lastTransitionTime: old?.status === 'False' && old.lastTransitionTime !== undefined ? old.lastTransitionTime : at,
    }
    const nominated = preemption.nodeName === '' ? {} : { nominatedNodeName: preemption.nodeName }
    await this.#deps.client.patch(this.#ctx, pods, keyOf(pod), 'strategic', { status: { conditions: [condition], ...nominated } }, { subresource: 'status' })
    for (const victim of preemption.victims) await this.#evict(pod, victim, preemption.nodeName)
  }

  async #evict(pod: Readonly<Pod>, victim: Readonly<Pod>, nodeName: string): Promise<void> {
    const { uid } = victim.metadata
    const condition: PodCondition = {
      type: 'DisruptionTarget',
      status: 'True',
      reason: 'PreemptionByScheduler',
      message: `${pod.spec?.schedulerName ?? ''}: preempting to accommodate a higher priority pod`,
      lastTransitionTime: formatTime(this.#ctx.clock.now()),
      ...(victim.metadata.generation === undefined ? {} : { observedGeneration: victim.metadata.generation }),
    }
    // Pods of sets come again under their names: the one that was judged goes, or none. First it is told why.
    try {
      await this.#deps.client.patch(this.#ctx, pods, keyOf(victim), 'strategic', { ...(uid === undefined ? {} : { metadata: { uid } }), status: { conditions: [condition] } }, { subresource: 'status' })
      await this.#deps.client.delete(this.#ctx, pods, keyOf(victim), uid === undefined ? {} : { preconditions: { uid } })
    } catch (error) {
      if (isApiError(error, 'Conflict') || isApiError(error, 'NotFound')) return
      throw error
    }
    this.#deps.event(victim, 'Normal', 'Preempted', `Preempted by pod ${pod.metadata.uid} on node ${nodeName}`)
  }
}
