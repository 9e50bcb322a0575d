/**
 * Pods that wait for a node, in three places: active (to be tried next, by priority), backing off (tried and failed; 1 s
 * doubling to 10 s), unschedulable (until an event wakes them, or five minutes have passed). Upstream's
 * pkg/scheduler/backend/queue. Time comes in as a parameter; timers are the scheduler's business.
 */
import { backoffMs, type BackoffOptions } from '../lib/backoff.ts'
import type { Pod } from '../api/schema/types.ts'
import { waitsOtherwise } from './changes.ts'
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

/** A pod that is out to be tried. */
interface Out {
  /** As it is by now. */
  pod: Readonly<Pod>
  /** What happened meanwhile; undefined: it does not matter. */
  events: ClusterEvent[] | undefined
}

/** Back-offs that end in the same second end together, the more important pod first. */
const windowMs = 1_000
const windowOf = (ms: number): number => Math.floor(ms / windowMs)

export class Queue {
  readonly #options: QueueOptions
  readonly #active: Heap<Waiting>
  readonly #backoff: Heap<Waiting>
  /** Pods that back off because something broke: to the millisecond, and never cut short. */
  readonly #broken = new Heap<Waiting>((a, b) => a.until - b.until)
  readonly #unschedulable = new Map<string, Waiting>()
  /** Where each pod is, by uid; a heap entry that is not this one is stale. */
  readonly #current = new Map<string, Waiting>()
  readonly #out = new Map<string, Out>()

  constructor(options: QueueOptions) {
    this.#options = options
    this.#active = new Heap<Waiting>(options.before)
    this.#backoff = new Heap<Waiting>((a, b) => windowOf(a.until) - windowOf(b.until) || options.before(a, b))
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

  /** Whether it was taken out to be tried, and has neither come back nor gone. */
  isOut(uid: string): boolean {
    return this.#out.has(uid)
  }

  /** Whether any waits for time to pass. */
  hasWaiting(): boolean {
    return this.#unschedulable.size > 0 || this.nextDeadline() !== undefined
  }

  /** The pod as it waits, whatever it waits for. */
  waiting(uid: string): Readonly<Pod> | undefined {
    return this.#current.get(uid)?.pod
  }

  /** A new pod, or a new version of one that is known. A changed unschedulable pod is tried again where a plugin says that it may help. */
  set(pod: Readonly<Pod>, world: World, now: number): void {
    const uid = pod.metadata.uid ?? ''
    const out = this.#out.get(uid)
    if (out !== undefined) return changed(out, pod)
    const old = this.#current.get(uid)
    if (old === undefined) return this.#release({ uid, pod, since: now, queued: now, attempts: 0, until: 0, refusedBy: [], broke: false }, now)
    const next = { ...old, pod }
    this.#current.set(uid, next)
    if (!this.#unschedulable.has(uid)) return this.#heapOf(next).push(next)
    this.#unschedulable.set(uid, next)
    if (old.attempts === 0) this.#release(next, now)
    else if (waitsOtherwise(pod, old.pod)) this.#wake(next, { type: 'pod changed', pod, prev: old.pod }, world, now)
  }

  delete(uid: string): void {
    this.#current.delete(uid)
    this.#unschedulable.delete(uid)
    this.#out.delete(uid)
  }

  /** The next pod to try; it is out of the queue until failed() puts it back. done() ends it. */
  pop(now: number): QueuedPod | undefined {
    this.#endBackoffs(now)
    // With nothing else to do, the back-off of who just did not fit is cut short.
    const next = this.#take(this.#active) ?? this.#take(this.#backoff)
    if (next === undefined) return undefined
    this.#current.delete(next.uid)
    this.#out.set(next.uid, { pod: next.pod, events: [] })
    return { ...next, attempts: next.attempts + 1 }
  }

  /** The popped pod comes back after a time or never, whatever happens meanwhile. */
  deafen(uid: string): void {
    const out = this.#out.get(uid)
    if (out !== undefined) out.events = undefined
  }

  /** The pod was placed, or is nobody's business any more. */
  done(uid: string): void {
    this.#out.delete(uid)
  }

  /** Puts a popped pod back, as it is now: refused by plugins (it waits for events), or failed otherwise (it backs off). One that is not out stays away. */
  failed(tried: QueuedPod, refusedBy: readonly Plugin[], world: World, now: number): void {
    const uid = tried.pod.metadata.uid ?? ''
    const out = this.#out.get(uid)
    if (out === undefined) return
    this.#out.delete(uid)
    const until = now + backoffMs(this.#options.backoff ?? podBackoff, tried.attempts - 1)
    const waiting: Waiting = { ...tried, pod: out.pod, uid, queued: now, until, refusedBy, broke: refusedBy.length === 0 }
    this.#current.set(uid, waiting)
    if (waiting.broke) return this.#broken.push(waiting)
    this.#unschedulable.set(uid, waiting)
    for (const event of out.events ?? []) if (this.#unschedulable.has(uid)) this.#wake(waiting, event, world, now)
  }

  /** Wakes the unschedulable pods that this event may help. */
  happened(event: ClusterEvent, world: World, now: number): void {
    for (const { events } of this.#out.values()) events?.push(event)
    for (const waiting of this.#unschedulable.values()) this.#wake(waiting, event, world, now)
  }

  /** Wakes those that have waited too long. */
  flush(now: number): void {
    for (const waiting of this.#unschedulable.values()) if (now - waiting.queued >= unschedulableMsMax) this.#release(waiting, now)
  }

  /** When a back-off ends next. */
  nextDeadline(): number | undefined {
    const [refused, broken] = [this.#peek(this.#backoff), this.#peek(this.#broken)]
    if (refused === undefined) return broken?.until
    return Math.min(windowOf(refused.until) * windowMs, broken?.until ?? Infinity)
  }

  #wake(waiting: Waiting, event: ClusterEvent, world: World, now: number): void {
    if (waiting.refusedBy.some((plugin) => mayHelp(plugin, waiting.pod, event, world))) this.#release(waiting, now)
  }

  /** Lets it go on: a pod that was never tried only where nothing holds it back, and one that was tried only after its back-off. */
  #release(waiting: Waiting, now: number): void {
    const { uid } = waiting
    const gates = waiting.attempts > 0 ? [] : this.#options.gates(waiting.pod)
    if (gates.length > 0) {
      const held = { ...waiting, refusedBy: gates }
      this.#current.set(uid, held)
      this.#unschedulable.set(uid, held)
      return
    }
    this.#unschedulable.delete(uid)
    if (waiting.until <= now) return this.#activate(waiting, now)
    this.#current.set(uid, waiting)
    this.#heapOf(waiting).push(waiting)
  }

  #activate(waiting: Waiting, now: number): void {
    const next = { ...waiting, queued: now, until: 0 }
    this.#current.set(next.uid, next)
    this.#active.push(next)
  }

  #heapOf({ until, broke }: Waiting): Heap<Waiting> {
    return until === 0 ? this.#active : broke ? this.#broken : this.#backoff
  }

  #peek(heap: Heap<Waiting>): Waiting | undefined {
    for (;;) {
      const first = heap.peek()
      if (first === undefined || this.#current.get(first.uid) === first) return first
      heap.pop()
    }
  }

  #take(heap: Heap<Waiting>): Waiting | undefined {
    this.#peek(heap)
    return heap.pop()
  }

  #endBackoffs(now: number): void {
    this.#end(this.#backoff, ({ until }) => windowOf(until) <= windowOf(now), now)
    this.#end(this.#broken, ({ until }) => until <= now, now)
  }

  #end(heap: Heap<Waiting>, isOver: (waiting: Waiting) => boolean, now: number): void {
    for (let first = this.#peek(heap); first !== undefined && isOver(first); first = this.#peek(heap)) {
      heap.pop()
      this.#activate(first, now)
    }
  }
}

function changed(out: Out, pod: Readonly<Pod>): void {
  if (waitsOtherwise(pod, out.pod)) out.events?.push({ type: 'pod changed', pod, prev: out.pod })
  out.pod = pod
}

/** Where a plugin cannot say, it may: nobody waits for ever over it, nor are the others held up. */
function mayHelp(plugin: Plugin, pod: Readonly<Pod>, event: ClusterEvent, world: World): boolean {
  try {
    return plugin.wakes?.(pod, event, world) ?? false
  } catch {
    return true
  }
}
