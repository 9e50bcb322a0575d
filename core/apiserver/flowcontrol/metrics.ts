/** What flow control tells of itself, under upstream's names (k8s.io/apiserver/pkg/util/flowcontrol/metrics). Counted in plain numbers, read when asked. */
import type { Labels, Metrics } from '../../lib/metrics.ts'
import type { Level } from './level.ts'
import type { Refusal, Ticket } from './ticket.ts'

const secondsBuckets = [0, 0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30]
const lengthBuckets = [0, 10, 25, 50, 100, 250, 500, 1_000]
const seatBuckets = [1, 2, 4, 8, 16, 32, 64, 100]

/** The counts of one FlowSchema at one level. */
export class SchemaMetrics {
  dispatched = 0
  executing = 0
  executingSeats = 0
  waiting = 0
  waitingSeats = 0
  readonly refusals = new Map<Refusal, number>()
  readonly #of: Histograms

  constructor(of: Histograms) {
    this.#of = of
  }

  started(ticket: Ticket, now: number): void {
    this.dispatched++
    this.executing++
    this.executingSeats += ticket.seats
    this.#of.seats(ticket.seats)
    if (ticket.flow.level.mode.type !== 'exempt') this.#of.waited((now - ticket.arrived) / 1_000)
  }

  ended(ticket: Ticket, now: number): void {
    this.executing--
    this.executingSeats -= ticket.seats
    const seconds = (now - ticket.started) / 1_000
    if (ticket.info.verb === 'watch') this.#of.watch(seconds)
    else this.#of.regular(seconds)
  }

  queued(ticket: Ticket, length: number): void {
    this.waiting++
    this.waitingSeats += ticket.seats
    this.#of.length(length)
  }

  unqueued(ticket: Ticket): void {
    this.waiting--
    this.waitingSeats -= ticket.seats
  }

  rejected(why: Refusal): void {
    // Upstream tells those who left from those who waited too long in its own counts only.
    const reason: Refusal = why === 'cancelled' ? 'time-out' : why
    this.refusals.set(reason, (this.refusals.get(reason) ?? 0) + 1)
  }

  gaveUp(seconds: number): void {
    this.#of.vain(seconds)
  }
}

type Observe = (value: number) => void

interface Histograms {
  readonly seats: Observe
  readonly waited: Observe
  readonly vain: Observe
  readonly regular: Observe
  readonly watch: Observe
  readonly length: Observe
}

export class FlowMetrics {
  readonly #schemas = new Map<string, { readonly labels: Labels; readonly metrics: SchemaMetrics }>()
  readonly #histograms: (labels: Labels) => Histograms
  /** Share of what could be used that everybody gets. */
  fairFraction = 0

  constructor(metrics: Metrics, levels: () => Iterable<Level>) {
    const both = ['priority_level', 'flow_schema']
    const histogram = (name: string, help: string, buckets: readonly number[], ...more: readonly string[]) =>
      metrics.histogram({ name: `apiserver_flowcontrol_${name}`, help, buckets, labels: [...both, ...more] })
    const seats = histogram('work_estimated_seats', 'Number of estimated seats (maximum of initial and final seats) associated with requests in API Priority and Fairness', seatBuckets)
    const wait = histogram('request_wait_duration_seconds', 'Length of time a request spent waiting in its queue', secondsBuckets, 'execute')
    const run = histogram('request_execution_seconds', 'Duration of initial stage (for a WATCH) or any (for a non-WATCH) stage of request execution in the API Priority and Fairness subsystem', secondsBuckets, 'type')
    const length = histogram('request_queue_length_after_enqueue', 'Length of queue in the API Priority and Fairness subsystem, as seen by each request after it is enqueued', lengthBuckets)
    this.#histograms = (labels) => ({
      seats: seats.of(labels),
      waited: wait.of([...labels, 'true']),
      vain: wait.of([...labels, 'false']),
      regular: run.of([...labels, 'regular']),
      watch: run.of([...labels, 'watch']),
      length: length.of(labels),
    })
    this.#schemaFamilies(metrics, both)
    this.#levelFamilies(metrics, levels)
  }

  of(level: string, schema: string): SchemaMetrics {
    const id = `${level}\0${schema}`
    let known = this.#schemas.get(id)
    if (known === undefined) {
      const labels = [level, schema]
      this.#schemas.set(id, (known = { labels, metrics: new SchemaMetrics(this.#histograms(labels)) }))
    }
    return known.metrics
  }

  #schemaFamilies(metrics: Metrics, both: readonly string[]): void {
    const family = (name: string, help: string, type: 'gauge' | 'counter', value: (of: SchemaMetrics) => number): void =>
      metrics.collect({ name: `apiserver_flowcontrol_${name}`, help, type, labels: both }, () => [...this.#schemas.values()].map(({ labels, metrics: of }) => [labels, value(of)] as const))
    family('dispatched_requests_total', 'Number of requests executed by API Priority and Fairness subsystem', 'counter', (of) => of.dispatched)
    family('current_inqueue_requests', 'Number of requests currently pending in queues of the API Priority and Fairness subsystem', 'gauge', (of) => of.waiting)
    family('current_inqueue_seats', 'Number of seats currently pending in queues of the API Priority and Fairness subsystem', 'gauge', (of) => of.waitingSeats)
    family('current_executing_requests', 'Number of requests in initial (for a WATCH) or any (for a non-WATCH) execution stage in the API Priority and Fairness subsystem', 'gauge', (of) => of.executing)
    family('current_executing_seats', 'Concurrency (number of seats) occupied by the currently executing (initial stage for a WATCH, any stage otherwise) requests in the API Priority and Fairness subsystem', 'gauge', (of) => of.executingSeats)
    metrics.collect(
      { name: 'apiserver_flowcontrol_rejected_requests_total', help: 'Number of requests rejected by API Priority and Fairness subsystem', type: 'counter', labels: [...both, 'reason'] },
      () => [...this.#schemas.values()].flatMap(({ labels, metrics: of }) => [...of.refusals].map(([reason, count]) => [[...labels, reason], count] as const)),
    )
  }

  #levelFamilies(metrics: Metrics, levels: () => Iterable<Level>): void {
    const family = (name: string, help: string, value: (level: Level) => number): void =>
      metrics.collect({ name: `apiserver_flowcontrol_${name}`, help, labels: ['priority_level'] }, () => [...levels()].map((level) => [[level.name], value(level)] as const))
    family('nominal_limit_seats', 'Nominal number of execution seats configured for each priority level', (level) => level.nominal)
    family('lower_limit_seats', 'Configured lower bound on number of execution seats available to each priority level', (level) => level.min)
    family('upper_limit_seats', 'Configured upper bound on number of execution seats available to each priority level', (level) => level.max)
    family('current_limit_seats', 'current derived number of execution seats available to each priority level', (level) => level.limit)
    family('demand_seats_high_watermark', 'High watermark, over last adjustment period, of demand_seats', (level) => level.demand.highWatermark)
    family('demand_seats_average', 'Time-weighted average, over last adjustment period, of demand_seats', (level) => level.demand.average)
    family('demand_seats_stdev', 'Time-weighted standard deviation, over last adjustment period, of demand_seats', (level) => level.demand.deviation)
    family('demand_seats_smoothed', 'Smoothed seat demands', (level) => level.demand.smoothed)
    family('current_r', 'R(time of last change)', (level) => level.virtual / 1_000)
    metrics.read({ name: 'apiserver_flowcontrol_seat_fair_frac', help: "Fair fraction of server's concurrency to allocate to each priority level that can use it" }, () => this.fairFraction)
  }
}
