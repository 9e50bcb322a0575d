/**
 * Pods that wait for a node, in three places: active (to be tried next, by
 * priority), backing off (tried and failed; 1 s doubling to 10 s), unschedulable
 * (until an event wakes them, or five minutes have passed). Upstream's
 * pkg/scheduler/backend/queue. Time comes in as a parameter; timers are the
 * scheduler's business.
 */
import { backoffMs } from '../lib/backoff.ts'
import { Heap } from './heap.ts'
import type { ClusterEvent, Plugin, QueuedPod } from './framework.ts'
import type { Pod } from '../api/schema/types.ts'

export const podBackoff = { firstMs: 1_000, maxMs: 10_000 } as const
/** A pod that no event woke is tried again after this long. */
export const unschedulableMsMax = 5 * 60_000

interface Waiting extends QueuedPod {
  readonly uid: string
  /** End of the back-off; 0 when there is none. */
  readonly until: number
  /** Plugins that refused it at the last try. */
  readonly refusedBy: readonly Plugin[]
}

export class Queue {
  readonly #active: Heap<Waiting>
  readonly #backoff = new Heap<Waiting>((a, b) => a.until - b.until)
  readonly #unschedulable = new Map<string, Waiting>()
  /** Where each pod is, by uid; a heap entry that is not this one is stale. */
  readonly #current = new Map<string, Waiting>()

  constructor(before: (a: QueuedPod, b: QueuedPod) => number) {
    this.#active = new Heap<Waiting>(before)
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

  /** A new pod, or a new version of one that waits. A changed unschedulable pod is tried again where a plugin says that it may help. */
  set(pod: Readonly<Pod>, now: number): void {
    const uid = pod.metadata.uid ?? ''
    const old = this.#current.get(uid)
    if (old === undefined) return this.#activate({ uid, pod, since: now, queued: now, attempts: 0, until: 0, refusedBy: [] }, now)
    const next = { ...old, pod }
    if (!this.#unschedulable.has(uid)) {
      this.#current.set(uid, next)
      if (old.until > 0) this.#backoff.push(next)
      else this.#active.push(next)
      return
    }
    this.#unschedulable.set(uid, next)
    this.#current.set(uid, next)
    this.#wake(next, { type: 'pod changed', pod }, now)
  }

  delete(uid: string): void {
    this.#current.delete(uid)
    this.#unschedulable.delete(uid)
  }

  /** The next pod to try; it is out of the queue until failed() or set() puts it back. */
  pop(now: number): QueuedPod | undefined {
    this.#endBackoffs(now)
    for (;;) {
      const next = this.#active.pop()
      if (next === undefined) return undefined
      if (this.#current.get(next.uid) !== next) continue
      this.#current.delete(next.uid)
      return { ...next, attempts: next.attempts + 1 }
    }
  }

  /** Puts a popped pod back: refused by plugins (it waits for events), or failed otherwise (it backs off). */
  failed(tried: QueuedPod, refusedBy: readonly Plugin[], now: number): void {
    const uid = tried.pod.metadata.uid ?? ''
    if (this.#current.has(uid)) return
    const until = now + backoffMs(podBackoff, tried.attempts - 1)
    const waiting: Waiting = { ...tried, uid, queued: now, until, refusedBy }
    this.#current.set(uid, waiting)
    if (refusedBy.length > 0) this.#unschedulable.set(uid, waiting)
    else this.#backoff.push(waiting)
  }

  /** Wakes the unschedulable pods that this event may help. */
  happened(event: ClusterEvent, now: number): void {
    for (const waiting of this.#unschedulable.values()) this.#wake(waiting, event, now)
  }

  /** Wakes those that have waited too long. */
  flush(now: number): void {
    for (const waiting of this.#unschedulable.values()) {
      if (now - waiting.queued >= unschedulableMsMax) this.#release(waiting, now)
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

  #wake(waiting: Waiting, event: ClusterEvent, now: number): void {
    if (waiting.refusedBy.some((plugin) => plugin.wakes?.(waiting.pod, event) ?? false)) this.#release(waiting, now)
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

  #endBackoffs(now: number): void {
    for (;;) {
      const deadline = this.nextDeadline()
      if (deadline === undefined || deadline > now) return
      const waiting = this.#backoff.pop()
      if (waiting !== undefined) this.#activate(waiting, now)
    }
  }
}
