/** One request on its way through flow control: whose it is, what it costs, and where it waits. */
import type { User } from '../../auth/user.ts'
import type { Headers } from '../exchange.ts'
import type { RequestInfo } from '../request.ts'
import type { Level, Queue } from './level.ts'
import type { SchemaMetrics } from './metrics.ts'

/** A FlowSchema as requests are held against it. */
export interface Flow {
  readonly name: string
  readonly level: Level
  /** What its requests are told apart by. */
  readonly by: 'user' | 'namespace' | 'nothing'
  /** On every answer to a request of this flow. */
  readonly headers: Headers
  readonly metrics: SchemaMetrics
}

export type Refusal = 'queue-full' | 'concurrency-limit' | 'time-out' | 'cancelled'

export class Ticket {
  readonly flow: Flow
  readonly info: RequestInfo
  readonly user: User
  readonly seats: number
  /** Milliseconds of one seat that it is thought to take. */
  readonly work: number
  readonly arrived: number
  state: 'waiting' | 'running' | 'refused' | 'done' = 'waiting'
  refusal: Refusal | undefined
  started = 0
  /** Holds its seats already while it waits for a turn. */
  seated = false
  queue: Queue | undefined
  /** Called once when it no longer waits. */
  wake: (() => void) | undefined

  constructor(flow: Flow, info: RequestInfo, user: User, cost: { readonly seats: number; readonly work: number }, now: number) {
    this.flow = flow
    this.info = info
    this.user = user
    this.seats = cost.seats
    this.work = cost.work
    this.arrived = now
  }

  /** '' where all of the schema is one flow. */
  get distinguisher(): string {
    return this.flow.by === 'user' ? this.user.name : this.flow.by === 'namespace' ? this.info.namespace : ''
  }
}
