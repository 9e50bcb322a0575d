/**
 * Auditing: asks the policy of each request, gives those that are noted a record, and hands its lines to the sinks (a file,
 * a webhook), which write them when the request is over and gone (k8s.io/apiserver/pkg/audit).
 */
import type { Clock } from '../../lib/clock.ts'
import type { Counter, Metrics } from '../../lib/metrics.ts'
import type { User } from '../../auth/user.ts'
import type { RequestInfo } from '../request.ts'
import { evaluator, type Evaluate, type Policy } from './policy.ts'
import { AuditRecord, type Emit } from './record.ts'

/** Takes lines of JSON; never waits, and says false when it had to drop one. */
export interface Sink {
  readonly name: string
  add(line: string): boolean
  /** Writes what it has; nothing comes after. */
  close(): Promise<void>
}

export interface AuditInit {
  readonly policy: Policy
  readonly sinks: readonly Sink[]
  readonly clock: Clock
  readonly metrics: Metrics
}

/** Read only of requests that are noted. */
export interface Sender {
  readonly uri: () => string
  readonly agent: () => string
  readonly sources: () => readonly string[]
}

export class Audit {
  readonly #evaluate: Evaluate
  readonly #sinks: readonly Sink[]
  readonly #clock: Clock
  readonly #lost: Counter
  readonly #emit: Emit
  #events = 0

  constructor({ policy, sinks, clock, metrics }: AuditInit) {
    this.#evaluate = evaluator(policy)
    this.#sinks = sinks
    this.#clock = clock
    this.#lost = metrics.counter({ name: 'apiserver_audit_error_total', help: 'Counter of audit events that failed to be audited properly. Plugin identifies the plugin affected by the error.', labels: ['plugin'] })
    metrics.read({ name: 'apiserver_audit_event_total', help: 'Counter of audit events generated and sent to the audit backend.', type: 'counter' }, () => this.#events)
    this.#emit = (line) => this.#tell(line)
  }

  /** The record of a request, if it is to be noted. `started`: its arrival on the clock that never jumps. */
  begin(info: RequestInfo, user: User | undefined, id: string | (() => string), started: number, sender: Sender): AuditRecord | undefined {
    const wanted = this.#evaluate(info, user)
    if (wanted === undefined) return undefined
    const at = this.#clock.now() - (this.#clock.monotonic() - started)
    const received = { id: typeof id === 'string' ? id : id(), info, user, uri: sender.uri(), agent: sender.agent(), sources: sender.sources(), at }
    const record = new AuditRecord(wanted, received, () => this.#clock.now(), this.#emit)
    record.stage('RequestReceived')
    return record
  }

  /** Events that a sink took and could not keep. */
  lost(sink: string, events: number): void {
    this.#lost.inc([sink], events)
  }

  async close(): Promise<void> {
    await Promise.all(this.#sinks.map((sink) => sink.close()))
  }

  #tell(line: string): void {
    this.#events++
    for (const sink of this.#sinks) if (!sink.add(line)) this.#lost.inc([sink.name])
  }
}
