/**
 * A priority level: its seats, and its queues of requests that wait, from which the next is taken by fair queuing
 * (k8s.io/apiserver/pkg/util/flowcontrol/fairqueuing/queueset). What differs from upstream: there, time in the virtual world
 * passes with the clock, because seats are what is short; on one event loop it is the loop that is short, so virtual time
 * moves with the work that was handed out (start-time fair queuing). A flow that comes to a level where others wait is next
 * after one request of each of them.
 */
import { Demand } from './demand.ts'
import { deal, flowHash } from './shuffle.ts'
import type { Refusal, Ticket } from './ticket.ts'

export interface Queuing {
  readonly queues: number
  readonly handSize: number
  readonly queueLengthLimit: number
}

/** What a level does with requests beyond its seats. */
export type LevelMode = { readonly type: 'exempt' } | { readonly type: 'reject' } | ({ readonly type: 'queue' } & Queuing)

/** Requests that wait for their turn together. */
export interface Queue {
  /** Its number among the level's queues; of flows that have one for themselves, their name. */
  readonly id: number | string
  readonly waiting: Set<Ticket>
  running: number
  seats: number
  /** Work of those that wait. */
  work: number
  /** Virtual time at which its next request starts. */
  start: number
}

/** Hands that are remembered; beyond this they are dealt anew. */
const handsMax = 10_000
/** What a request is thought to take of each of its seats, in milliseconds. */
export const serviceMs = 3

export class Level {
  readonly name: string
  uid = ''
  mode: LevelMode
  nominal = 0
  min = 0
  max = 0
  /** Seats for now. */
  limit = 0
  /** The widest a request may be; 0: as wide as any. */
  seatsMax = 0
  /** Not wanted any more, and kept until the last of its requests has ended. */
  quiescing = false
  readonly demand: Demand
  readonly running = new Set<Ticket>()
  seatsInUse = 0
  seatsWaiting = 0
  waiting = 0
  dispatched = 0
  rejected = 0
  timedOut = 0
  cancelled = 0
  /** Virtual time: when the request started that started last. */
  virtual = 0
  /** Its own place among levels that want the loop's turns. */
  pass = 0
  readonly #queues = new Map<number, Queue>()
  /** Queues of levels that have none: one for each user, for as long as something waits in it. */
  readonly #own = new Map<string, Queue>()
  /** Queues in which somebody waits, the one that was served last at the end. */
  readonly #busy = new Set<Queue>()
  readonly #hands = new Map<string, readonly number[]>()
  #enqueued = 0

  constructor(name: string, mode: LevelMode, now: number) {
    this.name = name
    this.mode = mode
    this.demand = new Demand(now)
  }

  /** Queues beyond the wanted number are no longer chosen, and are forgotten when nothing waits in them. */
  configure(mode: LevelMode): void {
    const changed = mode.type !== 'queue' || this.mode.type !== 'queue' || mode.queues !== this.mode.queues || mode.handSize !== this.mode.handSize
    this.mode = mode
    if (changed) this.#hands.clear()
    const wanted = mode.type === 'queue' ? mode.queues : 0
    for (const [id, queue] of this.#queues) if (id >= wanted && queue.waiting.size === 0) this.#queues.delete(id)
  }

  get idle(): boolean {
    return this.waiting === 0 && this.running.size === 0
  }

  get queues(): readonly Queue[] {
    return [...this.#queues.values(), ...this.#own.values()]
  }

  /** Whether there are seats; a request wider than the level waits until it has the level for itself. */
  hasSeats(seats: number): boolean {
    if (this.mode.type === 'exempt') return true
    if (seats <= this.limit) return this.seatsInUse + seats <= this.limit
    return this.running.size === 0 && (this.limit > 0 || this.mode.type === 'reject')
  }

  /** Starts a request for which nobody waits. */
  start(ticket: Ticket, now: number): void {
    if (!ticket.seated) this.#sit(ticket)
    ticket.state = 'running'
    ticket.started = now
    this.running.add(ticket)
    this.dispatched++
    this.demand.set(this.seatsInUse + this.seatsWaiting, now)
    ticket.flow.metrics.started(ticket, now)
  }

  /** Puts it where it waits; says why not where there is no room. */
  enqueue(ticket: Ticket, now: number): Refusal | undefined {
    if (this.mode.type === 'queue') {
      const queue = this.#choose(ticket, this.mode)
      // Those that only wait for a turn have as good as taken their seats.
      if (this.seatsInUse + this.seatsWaiting >= this.limit && queue.waiting.size >= this.mode.queueLengthLimit) return this.#reject(ticket, 'queue-full')
      this.#wait(ticket, queue, now)
      return undefined
    }
    if (!this.hasSeats(ticket.seats)) return this.#reject(ticket, 'concurrency-limit')
    this.#sit(ticket)
    this.#wait(ticket, this.#ownQueue(ticket.user.name), now)
    return undefined
  }

  /** Whether the next of those that wait could start now. */
  get ready(): boolean {
    return this.waiting > 0 && (this.mode.type !== 'queue' || this.seatsInUse < this.limit) && this.#first() !== undefined
  }

  /** Starts the one whose turn it is. */
  next(now: number): Ticket | undefined {
    const found = this.#first()
    if (found === undefined) return undefined
    const { queue, ticket } = found
    this.#leaveQueue(ticket, queue)
    this.virtual = Math.max(this.virtual, queue.start)
    queue.start += ticket.work
    queue.running++
    queue.seats += ticket.seats
    // The next time another goes first where all are equal.
    if (this.#busy.delete(queue) && queue.waiting.size > 0) this.#busy.add(queue)
    this.start(ticket, now)
    return ticket
  }

  /** It has ended: its seats are free. */
  finish(ticket: Ticket, now: number): void {
    ticket.state = 'done'
    this.running.delete(ticket)
    this.seatsInUse -= ticket.seats
    this.demand.set(this.seatsInUse + this.seatsWaiting, now)
    ticket.flow.metrics.ended(ticket, now)
    const { queue } = ticket
    if (queue === undefined) return
    queue.running--
    queue.seats -= ticket.seats
    // What took longer than was thought is charged; what was quicker is no merit, or the quick would never wait.
    queue.start += Math.max(0, now - ticket.started - serviceMs) * ticket.seats
    this.#drop(queue)
  }

  /** It waits no longer, and will not start. */
  giveUp(ticket: Ticket, why: 'time-out' | 'cancelled', now: number): void {
    if (ticket.state !== 'waiting' || ticket.queue === undefined) return
    this.#leaveQueue(ticket, ticket.queue)
    if (ticket.seated) this.seatsInUse -= ticket.seats
    this.demand.set(this.seatsInUse + this.seatsWaiting, now)
    if (why === 'time-out') this.timedOut++
    else this.cancelled++
    this.#reject(ticket, why)
    this.#drop(ticket.queue)
  }

  #reject(ticket: Ticket, why: Refusal): Refusal {
    ticket.state = 'refused'
    ticket.refusal = why
    this.rejected++
    ticket.flow.metrics.rejected(why)
    return why
  }

  #sit(ticket: Ticket): void {
    ticket.seated = true
    this.seatsInUse += ticket.seats
  }

  #wait(ticket: Ticket, queue: Queue, now: number): void {
    if (queue.waiting.size === 0) {
      queue.start = Math.max(queue.start, this.virtual)
      this.#busy.add(queue)
    }
    queue.waiting.add(ticket)
    queue.work += ticket.work
    ticket.queue = queue
    this.waiting++
    if (!ticket.seated) this.seatsWaiting += ticket.seats
    this.demand.set(this.seatsInUse + this.seatsWaiting, now)
    ticket.flow.metrics.queued(ticket, queue.waiting.size)
  }

  #leaveQueue(ticket: Ticket, queue: Queue): void {
    queue.waiting.delete(ticket)
    queue.work -= ticket.work
    this.waiting--
    if (!ticket.seated) this.seatsWaiting -= ticket.seats
    if (queue.waiting.size === 0) this.#busy.delete(queue)
    ticket.flow.metrics.unqueued(ticket)
  }

  /** The first of the queue that would be done first, if it has its seats. */
  #first(): { readonly queue: Queue; readonly ticket: Ticket } | undefined {
    let best: Queue | undefined
    let first: Ticket | undefined
    let least = Number.POSITIVE_INFINITY
    for (const queue of this.#busy) {
      const [head] = queue.waiting
      if (head === undefined || queue.start + head.work >= least) continue
      least = queue.start + head.work
      best = queue
      first = head
    }
    if (best === undefined || first === undefined) return undefined
    return first.seated || this.hasSeats(first.seats) ? { queue: best, ticket: first } : undefined
  }

  #choose(ticket: Ticket, { queues, handSize }: Queuing): Queue {
    const hand = this.#hand(ticket, queues, handSize)
    const offset = this.#enqueued++ % hand.length
    let best: Queue | undefined
    for (let i = 0; i < hand.length; i++) {
      const queue = this.#queueAt(hand[(offset + i) % hand.length] as number)
      if (best === undefined || queue.work < best.work) best = queue
    }
    return best as Queue
  }

  #hand(ticket: Ticket, queues: number, handSize: number): readonly number[] {
    const flow = `${ticket.flow.name}\0${ticket.distinguisher}`
    const known = this.#hands.get(flow)
    if (known !== undefined) return known
    const hand = deal(flowHash(ticket.flow.name, ticket.distinguisher), queues, handSize)
    if (this.#hands.size >= handsMax) this.#hands.clear()
    this.#hands.set(flow, hand)
    return hand
  }

  #queueAt(id: number): Queue {
    let queue = this.#queues.get(id)
    if (queue === undefined) this.#queues.set(id, (queue = emptyQueue(id)))
    return queue
  }

  #ownQueue(user: string): Queue {
    const known = this.#own.get(user)
    if (known !== undefined) return known
    const made = emptyQueue(user)
    this.#own.set(user, made)
    return made
  }

  #drop(queue: Queue): void {
    if (queue.waiting.size > 0 || queue.running > 0) return
    if (typeof queue.id === 'string') this.#own.delete(queue.id)
    else if (this.mode.type !== 'queue' || queue.id >= this.mode.queues) this.#queues.delete(queue.id)
  }
}

function emptyQueue(id: number | string): Queue {
  return { id, waiting: new Set(), running: 0, seats: 0, work: 0, start: 0 }
}
