/**
 * Pods that wait for a node, in three places: active (to be tried next, by priority), backing off (tried and failed; 1 s
 * doubling to 10 s), unschedulable (until an event wakes them, or five minutes have passed). Upstream's
 * pkg/scheduler/backend/queue. Time comes in as a parameter; timers are the scheduler's business.
 */
import { backoffMs, type BackoffOptions } from '../lib/backoff.ts'
import type { Pod } from '../api/schema/types.ts'
import type { ClusterEvent, Plugin, QueuedPod } from './framework.ts'
import { Heap } from './heap.ts'
import type { World } from './world.ts'

export const podBackoff: BackoffOptions = { firstMs: 1_000, maxMs: 10_000 }
/** A pod that no event woke is tried again after this long. */
export const unschedulableMsMax = 5 * 60_000

interface Waiting extends QueuedPod {
  readonly uid: string
  /** End of the back-off; 0 when there is none. */
  readonly until: number
  /** Plugins that refused it at the last try, or that hold it back before the first. */
  readonly refusedBy: readonly Plugin[]
  /** It waits because something broke, not because nothing fits: the back-off is kept even when there is nothing else to do. */
  readonly broke: boolean
}

export interface QueueOptions {
  readonly before: (a: QueuedPod, b: QueuedPod) => number
  /** Plugins that hold a pod back before it is tried. */
  readonly gates: (pod: Readonly<Pod>) => readonly Plugin[]
  readonly backoff?: BackoffOptions
}

export class Queue {
  readonly #options: QueueOptions
  readonly #active: Heap<Waiting>
  readonly #backoff = new Heap<Waiting>((a, b) => a.until - b.until)
  readonly #unschedulable = new Map<string, Waiting>()
  /** Where each pod is, by uid; a heap entry that is not this one is stale. */
  readonly #current = new Map<string, Waiting>()
  /** Pods that are out to be tried, and what happened meanwhile. */
  readonly #tried = new Map<string, ClusterEvent[]>()

  constructor(options: QueueOptions) {
    this.#options = options
    this.#active = new Heap<Waiting>(options.before)
  }

  /** How many wait: [active, backing off, unschedulable]. */
  sizes(): readonly [number, number, number] {
    let backing = 0
    for (const waiting of this.#current.values()) if (waiting.until > 0 && !this.#unschedulable.has(waiting.uid)) backing++
    return [this.#current.size - backing - this.#unschedulable.size, backing, this.#unschedulable.size]
  }

  has(uid: string): boolean {
    return this.#current.has(uid)
  }

  /** The pod as it waits, whatever it waits for. */
  waiting(uid: string): Readonly<Pod> | undefined {
    return this.#current.get(uid)?.pod
  }

  /** A new pod, or a new version of one that waits. A changed unschedulable pod is tried again where a plugin says that it may help. */
  set(pod: Readonly<Pod>, world: World, now: number): void {
    const uid = pod.metadata.uid ?? ''
    const old = this.#current.get(uid)
    if (old === undefined) {
      const fresh: Waiting = { uid, pod, since: now, queued: now, attempts: 0, until: 0, refusedBy: this.#options.gates(pod), broke: false }
      if (fresh.refusedBy.length === 0) return this.#activate(fresh, now)
      this.#current.set(uid, fresh)
      this.#unschedulable.set(uid, fresh)
      return
    }
    const next = { ...old, pod }
    this.#current.set(uid, next)
    if (!this.#unschedulable.has(uid)) {
      if (old.until > 0) this.#backoff.push(next)
      else this.#active.push(next)
      return
    }
    this.#unschedulable.set(uid, next)
    if (old.attempts === 0) {
      if (this.#options.gates(pod).length === 0) this.#release(next, now)
    } else this.#wake(next, { type: 'pod changed', pod, prev: old.pod }, world, now)
  }

  delete(uid: string): void {
    this.#current.delete(uid)
    this.#unschedulable.delete(uid)
    this.#tried.delete(uid)
  }

  /** The next pod to try; it is out of the queue until failed() or set() puts it back. done() ends it. */
  pop(now: number): QueuedPod | undefined {
    this.#endBackoffs(now)
    const next = this.#take(this.#active) ?? this.#early()
    if (next === undefined) return undefined
    this.#current.delete(next.uid)
    this.#tried.set(next.uid, [])
    return { ...next, attempts: next.attempts + 1 }
  }

  /** The pod was placed, or is nobody's business any more. */
  done(uid: string): void {
    this.#tried.delete(uid)
  }

  /** Puts a popped pod back: refused by plugins (it waits for events), or failed otherwise (it backs off). */
  failed(tried: QueuedPod, refusedBy: readonly Plugin[], world: World, now: number): void {
    const uid = tried.pod.metadata.uid ?? ''
    const meanwhile = this.#tried.get(uid) ?? []
    this.#tried.delete(uid)
    if (this.#current.has(uid)) return
    const until = now + backoffMs(this.#options.backoff ?? podBackoff, tried.attempts - 1)
    const waiting: Waiting = { ...tried, uid, queued: now, until, refusedBy, broke: refusedBy.length === 0 }
    this.#current.set(uid, waiting)
    if (waiting.broke) return this.#backoff.push(waiting)
    this.#unschedulable.set(uid, waiting)
    for (const event of meanwhile) if (this.#unschedulable.has(uid)) this.#wake(waiting, event, world, now)
  }

  /** Wakes the unschedulable pods that this event may help. */
  happened(event: ClusterEvent, world: World, now: number): void {
    for (const events of this.#tried.values()) events.push(event)
    for (const waiting of this.#unschedulable.values()) this.#wake(waiting, event, world, now)
  }

  /** Wakes those that have waited too long. */
  flush(now: number): void {
    for (const waiting of this.#unschedulable.values()) {
      if (waiting.attempts > 0 && now - waiting.queued >= unschedulableMsMax) this.#release(waiting, now)
    }
  }

  /** When a back-off ends next. */
  nextDeadline(): number | undefined {
    for (;;) {
      const first = this.#backoff.peek()
      if (first === undefined) return undefined
      if (this.#current.get(first.uid) === first) return first.until
      this.#backoff.pop()
    }
  }

  #wake(waiting: Waiting, event: ClusterEvent, world: World, now: number): void {
    if (!waiting.refusedBy.some((plugin) => plugin.wakes?.(waiting.pod, event, world) ?? false)) return
    if (waiting.attempts > 0 || this.#options.gates(waiting.pod).length === 0) this.#release(waiting, now)
  }

  #release(waiting: Waiting, now: number): void {
    this.#unschedulable.delete(waiting.uid)
    if (waiting.until <= now) return this.#activate(waiting, now)
    this.#current.set(waiting.uid, waiting)
    this.#backoff.push(waiting)
  }

  #activate(waiting: Waiting, now: number): void {
    const next = { ...waiting, queued: now, until: 0 }
    this.#current.set(next.uid, next)
    this.#active.push(next)
  }

  #take(heap: Heap<Waiting>): Waiting | undefined {
    for (;;) {
      const next = heap.pop()
      if (next === undefined || this.#current.get(next.uid) === next) return next
    }
  }

  /** With nothing else to do, a back-off of who just did not fit is cut short. */
  #early(): Waiting | undefined {
    if (this.nextDeadline() === undefined) return undefined
    const next = this.#backoff.peek()
    return next === undefined || next.broke ? undefined : this.#take(this.#backoff)
  }

  #endBackoffs(now: number): void {
    for (;;) {
      const deadline = this.nextDeadline()
      if (deadline === undefined || deadline > now) return
      const waiting = this.#backoff.pop()
      if (waiting !== undefined) this.#activate(waiting, now)
    }
  }
}
