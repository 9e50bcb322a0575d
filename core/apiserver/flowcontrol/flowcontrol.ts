/**
 * API priority and fairness: which FlowSchema a request belongs to, whether it may start, waits for its turn, or is refused
 * (k8s.io/apiserver/pkg/util/flowcontrol). Where nobody waits, all of this is a few comparisons and counters. What the
 * cluster's objects say comes in through configure(); consumer.ts reads them.
 */
import { catchAllName, exemptName, mandatoryLevels, mandatorySchemas } from '../../api/flowcontrol/bootstrap.ts'
import { byPrecedence } from '../../api/flowcontrol/flowschema.ts'
import type { FlowSchema, FlowSchemaSpec, PriorityLevelConfiguration } from '../../api/schema/types.ts'
import type { User } from '../../auth/user.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Ctx } from '../../lib/ctx.ts'
import type { Metrics } from '../../lib/metrics.ts'
import type { RequestInfo } from '../request.ts'
import { limitsOf } from './allocation.ts'
import { Level } from './level.ts'
import { boundsOf, modeOf, sharesOf } from './levels.ts'
import { FlowMetrics } from './metrics.ts'
import { RetryAfter } from './retry.ts'
import { matchesSchema } from './rules.ts'
import { costOf, type Sizes } from './seats.ts'
import { Ticket, type Flow } from './ticket.ts'
import { Turns } from './turns.ts'
import { Watches } from './watches.ts'

/**
 * Seats of the whole server, as upstream has them (400 for reads, 200 for writes). They bound what is held in memory and
 * how many writes share a commit; what keeps the loop from one client's hands are its turns.
 */
export const serverSeats = 600
/** Time between two adjustments of what is lent. */
const adjustMs = 10_000

export interface FlowControlInit {
  readonly clock: Clock
  readonly metrics: Metrics
  readonly sizes?: Sizes
  readonly seats?: number
}

interface Matched {
  readonly spec: Readonly<FlowSchemaSpec>
  readonly flow: Flow
}

export class FlowControl {
  readonly clock: Clock
  readonly #sizes: Sizes
  readonly #seats: number
  readonly #metrics: FlowMetrics
  readonly #turns: Turns
  readonly #retries = new Map<string, RetryAfter>()
  readonly watches = new Watches()
  #levels = new Map<string, Level>()
  #schemas: readonly Matched[] = []
  #catchAll: Flow | undefined

  constructor({ clock, metrics, sizes = () => undefined, seats = serverSeats }: FlowControlInit) {
    this.clock = clock
    this.#sizes = sizes
    this.#seats = seats
    this.#metrics = new FlowMetrics(metrics, () => this.#levels.values())
    this.#turns = new Turns(() => this.#levels.values(), () => clock.monotonic(), seats)
    this.configure([], [])
  }

  get levels(): ReadonlyMap<string, Level> {
    return this.#levels
  }

  /** Requests that run now. */
  get running(): number {
    let sum = 0
    for (const level of this.#levels.values()) sum += level.running.size
    return sum
  }

  /** A request comes: it runs, waits (then see wait.ts), or is refused, as its state says. `now` is its arrival on the clock that never jumps. */
  enter(info: RequestInfo, user: User, now: number): Ticket {
    const flow = this.#classify(info, user)
    const { level } = flow
    const ticket = new Ticket(flow, info, user, costOf(info, level.seatsMax, this.#sizes, this.watches), now)
    if (level.waiting === 0 && level.hasSeats(ticket.seats) && this.#turns.room(ticket.seats, now)) {
      level.start(ticket, now)
    } else if (level.enqueue(ticket, now) === undefined) {
      if (level.ready) this.#turns.schedule()
    } else {
      this.retryAfter(level).refused(now)
    }
    return ticket
  }

  /** It has ended, however it ended. */
  leave(ticket: Ticket, now: number): void {
    const { level } = ticket.flow
    if (ticket.state !== 'running') return
    level.finish(ticket, now)
    if (level.waiting > 0) this.#turns.schedule()
    else if (level.quiescing) this.#reap(level)
  }

  /** It will not wait any longer. */
  giveUp(ticket: Ticket, why: 'time-out' | 'cancelled'): void {
    if (ticket.state !== 'waiting') return
    const now = this.clock.monotonic()
    ticket.flow.level.giveUp(ticket, why, now)
    ticket.flow.metrics.gaveUp((now - ticket.arrived) / 1_000)
    this.retryAfter(ticket.flow.level).refused(now)
    ticket.wake?.()
  }

  /** Calls when a refusal may be sent. */
  refuse(send: () => void): void {
    this.#turns.refuse(send)
  }

  retryAfter(level: Level): RetryAfter {
    let retry = this.#retries.get(level.name)
    if (retry === undefined) this.#retries.set(level.name, (retry = new RetryAfter()))
    return retry
  }

  /** Takes these objects for the configuration; those that cannot be worked with are taken for missing. */
  configure(levels: readonly Readonly<PriorityLevelConfiguration>[], schemas: readonly Readonly<FlowSchema>[]): void {
    const prev = this.#levels
    this.#levels = new Map()
    const wanted = new Map(levels.filter((level) => modeOf(level) !== undefined).map((level) => [level.metadata.name ?? '', level]))
    for (const level of mandatoryLevels) if (!wanted.has(level.metadata.name ?? '')) wanted.set(level.metadata.name ?? '', level)
    const shares = new Map<Level, Readonly<PriorityLevelConfiguration>>()
    for (const [name, object] of wanted) shares.set(this.#level(name, object, prev.get(name)), object)
    for (const [name, level] of prev) if (!wanted.has(name) && !level.idle) this.#linger(name, level)
    this.#divide(shares)
    this.#digest(schemas)
  }

  #level(name: string, object: Readonly<PriorityLevelConfiguration>, known: Level | undefined): Level {
    const mode = modeOf(object) ?? { type: 'reject' }
    const level = known ?? new Level(name, mode, this.clock.monotonic())
    level.configure(mode)
    level.uid = object.metadata.uid ?? ''
    level.quiescing = false
    this.#levels.set(name, level)
    return level
  }

  /** Nobody comes to it any more; those that are there still get their seats. */
  #linger(name: string, level: Level): void {
    level.quiescing = true
    this.#levels.set(name, level)
  }

  #reap(level: Level): void {
    if (level.idle) this.#levels.delete(level.name)
  }

  #divide(shares: ReadonlyMap<Level, Readonly<PriorityLevelConfiguration>>): void {
    const sum = [...shares.values()].reduce((all, object) => all + sharesOf(object), 0)
    for (const [level, object] of shares) {
      const fresh = level.max === 0
      const bounds = boundsOf(object, this.#seats, sum)
      Object.assign(level, bounds)
      if (fresh) level.limit = bounds.nominal - Math.floor((bounds.nominal - bounds.min) / 2)
    }
    this.adjust()
  }

  /** Lends what is not used to those that could use it. */
  adjust(): void {
    const now = this.clock.monotonic()
    const levels = [...this.#levels.values()]
    for (const level of levels) level.demand.look(now)
    const standings = levels.map(({ mode, nominal, min, max, demand }) => ({ exempt: mode.type === 'exempt', nominal, min, max, highWatermark: demand.highWatermark, smoothed: demand.smoothed }))
    const { limits, fraction } = limitsOf(standings, levels.map((level) => level.limit))
    this.#metrics.fairFraction = fraction
    levels.forEach((level, i) => void (level.limit = limits[i] ?? level.limit))
    if (levels.some((level) => level.ready)) this.#turns.schedule()
  }

  /** Adjusts every ten seconds until ctx ends. */
  start(ctx: Ctx): void {
    let timer = ctx.clock.after(adjustMs, again.bind(this))
    function again(this: FlowControl): void {
      if (ctx.signal.aborted) return
      this.adjust()
      timer = ctx.clock.after(adjustMs, again.bind(this))
    }
    ctx.signal.addEventListener('abort', () => timer.stop(), { once: true })
  }

  #digest(schemas: readonly Readonly<FlowSchema>[]): void {
    const good = schemas.filter((schema) => this.#levels.get(schema.spec?.priorityLevelConfiguration.name ?? '')?.quiescing === false).toSorted(byPrecedence)
    const missing = mandatorySchemas.filter((mandatory) => !good.some((schema) => schema.metadata.name === mandatory.metadata.name))
    const first = missing.filter((schema) => schema.metadata.name === exemptName)
    const last = missing.filter((schema) => schema.metadata.name === catchAllName)
    this.#schemas = [...first, ...good, ...last].map((schema) => this.#matched(schema))
    this.#catchAll = this.#schemas.find(({ flow }) => flow.name === catchAllName)?.flow
  }

  #matched(schema: Readonly<FlowSchema>): Matched {
    const spec = schema.spec as FlowSchemaSpec
    const name = schema.metadata.name ?? ''
    const level = this.#levels.get(spec.priorityLevelConfiguration.name) as Level
    const method = spec.distinguisherMethod?.type
    const flow: Flow = {
      name,
      level,
      by: method === 'ByUser' ? 'user' : method === 'ByNamespace' ? 'namespace' : 'nothing',
      headers: { 'x-kubernetes-pf-flowschema-uid': schema.metadata.uid ?? '', 'x-kubernetes-pf-prioritylevel-uid': level.uid },
      metrics: this.#metrics.of(level.name, name),
    }
    return { spec, flow }
  }

  #classify(info: RequestInfo, user: User): Flow {
    for (const { spec, flow } of this.#schemas) if (matchesSchema(spec, info, user)) return flow
    // Everybody is in one of the groups that the last schema speaks of.
    return this.#catchAll as Flow
  }
}
