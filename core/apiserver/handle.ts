/**
 * A request's way: who, may they, what, answer. Requests for resources take the short way here; everything else
 * (discovery, health, metrics, OpenAPI, dashboard) goes through the router in site.ts. Sockets are server.ts.
 */
import { ApiError } from '../api/errors.ts'
import type { Ctx } from '../lib/ctx.ts'
import { errorPath } from '../lib/log.ts'
import { proxy } from './aggregator/proxy.ts'
import type { Registration } from './aggregator/registrations.ts'
import { attributesOf, authorize, Undecidable } from './access.ts'
import type { AuditRecord } from './audit/record.ts'
import { noted, noteOutcome } from './audit/request.ts'
import { asApiError, render, renderValue, send } from './answer.ts'
import { bytesPayload } from './body.ts'
import { Deadlines, SenderGone } from './deadlines.ts'
import type { ApiServerDeps, Call } from './deps.ts'
import { overheard, utf8, type Exchange, type Headers, type Incoming } from './exchange.ts'
import { FlowControl } from './flowcontrol/flowcontrol.ts'
import type { Ticket } from './flowcontrol/ticket.ts'
import { turnOf } from './flowcontrol/wait.ts'
import { auditId, identify } from './identify.ts'
import { requestMetrics, type RequestMetrics } from './measure.ts'
import { negotiate, plainJson, type Media } from './negotiate.ts'
import { parseRequest, type RequestInfo } from './request.ts'
import { handlerOf, kindOf } from './route.ts'
import { includeObject } from './table.ts'
import { watchVerb } from './verbs/watch.ts'
import type { User } from '../auth/user.ts'
import type { Kind } from '../api/kind.ts'
import { connect } from './connect/connect.ts'
import { requestMsMax, requestTimeoutMs } from './timeout.ts'
import { withUndo } from './undo.ts'
import { Warnings } from './warnings.ts'

export interface Handling {
  readonly deps: ApiServerDeps
  readonly flow: FlowControl
  readonly metrics: RequestMetrics
  readonly deadlines: Deadlines
  /** Everything that is no resource. The user is known and allowed. */
  readonly site: (exchange: Exchange, info: RequestInfo, user: User) => Promise<void>
}

/** `ctx` is the life of the server. */
export function handling(ctx: Ctx, deps: ApiServerDeps, site: Handling['site']): Handling {
  return {
    deps,
    site,
    flow: deps.flow ?? new FlowControl({ clock: ctx.clock, metrics: deps.metrics }),
    metrics: requestMetrics(deps.metrics, deps),
    deadlines: new Deadlines(ctx, timedOut),
  }
}

/** Goes on for as long as it likes: watches, connections, and what the dashboard is sent as it happens. */
function isLong(info: RequestInfo): boolean {
  return info.verb === 'watch' || isConnection(info) || (!info.isResource && info.path.startsWith('/ui/'))
}

/** Outside flow control; a watch is under it until its stream has begun. */
export function isConnection(info: RequestInfo): boolean {
  return info.subresource !== '' && longSubresources.has(info.subresource)
}

const longSubresources = new Set(['log', 'exec', 'attach', 'portforward', 'proxy'])

/** Never throws: every error becomes an answer. */
export async function handle(on: Handling, exchange: Exchange): Promise<void> {
  const started = exchange.ctx.clock.monotonic()
  const info = parseRequest(exchange.request.method, exchange.request.url)
  const run = new Run(on, exchange, info)
  try {
    await run.serve(started)
  } catch (error) {
    try {
      run.fail(error)
    } catch (cause) {
      exchange.ctx.log.error('an answer could not be sent', { method: info.method, path: info.path, error: errorPath(cause) })
      exchange.outlet.destroy(asApiError(cause))
    }
  }
  const now = exchange.ctx.clock.monotonic()
  if (run.ticket !== undefined) on.flow.leave(run.ticket, now)
  if (!run.streams) run.record?.complete()
  on.metrics.observe(info, run.code, now - started)
}

class Run {
  readonly #on: Handling
  readonly #exchange: Exchange
  readonly #info: RequestInfo
  readonly #warnings = new Warnings()
  #media: Media = plainJson
  code = 200
  /** Its place under flow control. */
  ticket: Ticket | undefined
  /** What is noted of it, if it is. */
  record: AuditRecord | undefined
  /** Its stream goes on. */
  streams = false
  /** It has failed: what its work still comes to is nobody's answer. */
  #over = false
  readonly #id: string

  constructor(on: Handling, exchange: Exchange, info: RequestInfo) {
    this.#on = on
    this.#exchange = exchange
    this.#info = info
    this.#id = auditId(on.deps, exchange.request)
  }

  /** `started`: its arrival. Every request has a deadline, 60 s or less when the client says so, but for those that go on. */
  async serve(started: number): Promise<void> {
    if (isLong(this.#info)) return await this.#serve(this.#exchange.ctx, started)
    await this.#within(requestTimeoutMs(this.#info.query.get('timeout')), (timed) => this.#serve(timed, started))
  }

  async #serve(ctx: Ctx, started: number): Promise<void> {
    const info = this.#info
    const user = await identify(ctx, this.#on.deps, this.#exchange.request, { info, id: this.#id, started }, (record) => (this.record = record))
    if (this.#over) return // answered already, and no place is kept for it
    if (!isConnection(info)) {
      this.ticket = this.#on.flow.enter(info, user, started)
      if (this.ticket.state !== 'running' && !(await this.#turn(this.ticket))) return this.#tooMany(this.ticket)
    }
    const refused = authorize(this.#on.deps.authorizer, attributesOf(info, user), this.record)
    if (refused !== undefined) await refused
    const elsewhere = servedElsewhere(this.#on.deps, info)
    if (elsewhere !== undefined) return await this.#passOn(ctx, elsewhere, user)
    if (!info.isResource) return await this.#on.site({ ...this.#overheard(), ctx }, info, user)
    const kind = kindOf(this.#on.deps.registry, info)
    if (kind === undefined) return this.#plainNotFound()
    await this.#resource(ctx, kind, user)
  }

  /** For those who answer by themselves. */
  #overheard(): Exchange {
    return overheard(this.#exchange, { 'audit-id': this.#id, ...this.ticket?.flow.headers }, (code) => {
      if (this.#over) return
      this.code = code
      this.record?.answered(code)
      if (isLong(this.#info)) this.record?.stage('ResponseStarted')
    })
  }

  /** To the aggregated server. Its own headers and codes come back as they are. */
  async #passOn(ctx: Ctx, to: Registration, user: User): Promise<void> {
    const { aggregator } = this.#on.deps
    if (aggregator === undefined) return
    const info = this.#info
    const passage = { user, auditId: this.#id }
    const exchange = this.#overheard()
    const send = (ctx: Ctx): Promise<number> => proxy(ctx, aggregator.aggregated, aggregator.agent, to, exchange, passage)
    // What a watch costs there is not ours to count.
    if (this.ticket !== undefined && isLong(info)) this.#on.flow.leave(this.ticket, this.#exchange.ctx.clock.monotonic())
    const code = isLong(info) || info.isResource ? await send(ctx) : await this.#within(discoveryMsMax, send)
    if (!this.#over) this.code = code
  }

  /** Whether it may start, sooner or later. */
  #turn(ticket: Ticket): Promise<boolean> {
    const timeoutMs = isLong(this.#info) ? requestMsMax : requestTimeoutMs(this.#info.query.get('timeout'))
    return turnOf(this.#on.flow, ticket, this.#on.deadlines, timeoutMs, this.#exchange.outlet)
  }

  /** Plain text, as upstream's filter says it. */
  #tooMany(ticket: Ticket): void {
    this.code = 429
    this.record?.answered(429)
    const retryAfter = String(this.#on.flow.retryAfter(ticket.flow.level).seconds)
    this.#exchange.outlet.send(429, { ...this.#headers(), 'retry-after': retryAfter, ...plainText }, tooManyText)
  }

  async #resource(ctx: Ctx, kind: Kind, user: User): Promise<void> {
    const { request, outlet } = this.#exchange
    const { deps } = this.#on
    const info = this.#info
    const handler = handlerOf(kind, info)
    const agent = request.header('user-agent') ?? ''
    const call: Call = {
      ctx,
      info,
      kind,
      user,
      agent,
      payload: noted(bytesPayload(ctx, request), this.record),
      warn: (text) => this.#warnings.add(text),
      ...(this.record === undefined ? {} : { annotate: this.record.annotate.bind(this.record) }),
    }
    if (kind.deprecation !== undefined) this.#warnings.add(kind.deprecation)
    if (handler === 'connect') return await connect(deps, call, this.#overheard())
    this.#media = negotiate(request.header('accept'), info, agent, {
      convertible: kind.stored || kind.verbs.includes('list'), // reviews have no columns
      watch: handler === 'watch',
      custom: kind.custom !== undefined,
    })
    if (handler === 'watch') return await this.#watch(call)
    const include = this.#media.as === 'Table' ? includeObject(info) : 'Metadata'
    const outcome = await withUndo(handler, deps, call)
    if (this.#over) return
    this.code = outcome.type === 'list' ? 200 : outcome.code
    noteOutcome(this.record, outcome)
    const rendered = render(outcome, { media: this.#media, kind, now: call.ctx.clock.now(), include })
    send(outlet, this.code, rendered, this.#headers(), acceptsGzip(request))
  }

  async #watch(call: Call): Promise<void> {
    const { outlet } = this.#exchange
    outlet.onClose(this.#on.flow.watches.begin(this.#info))
    await watchVerb(this.#on.deps, call, this.#media, outlet, this.#headers())
    const { record } = this
    if (record === undefined) return
    this.streams = true
    record.answered(200)
    record.stage('ResponseStarted')
    outlet.onClose(() => record.complete())
  }

  async #within<T>(ms: number, work: (ctx: Ctx) => Promise<T>): Promise<T> {
    const { outlet } = this.#exchange
    const timed = this.#on.deadlines.begin(ms, () => outlet.gone)
    try {
      // A body that never ends hears no signal, so the deadline answers by itself.
      return await new Promise<T>((resolve, reject) => {
        timed.onAbort = reject
        work(timed).then(resolve, reject)
      })
    } finally {
      this.#on.deadlines.end(timed)
    }
  }

  #headers(): Headers {
    const headers: Headers = { 'audit-id': this.#id, ...this.ticket?.flow.headers }
    const { headers: warnings } = this.#warnings
    if (warnings.length > 0) headers['warning'] = warnings
    return headers
  }

  #plainNotFound(): void {
    this.code = 404
    this.record?.answered(404)
    this.#exchange.outlet.send(
      404,
      { ...this.#headers(), ...plainText },
      utf8('404 page not found\n'),
    )
  }

  /** Plain text, as upstream's filter says it. */
  #undecided(error: Undecidable): void {
    const { request, outlet, ctx } = this.#exchange
    ctx.log.error('authorization', { path: this.#info.path, error: errorPath(error) })
    this.code = 500
    this.record?.answered(500)
    const text = `Internal Server Error: ${JSON.stringify(request.url)}: ${error.message}`.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
    outlet.send(500, { ...this.#headers(), ...plainText }, utf8(`${text}\n`))
  }

  fail(error: unknown): void {
    const { outlet, ctx } = this.#exchange
    this.#over = true
    if (error instanceof Undecidable) return this.#undecided(error)
    const api = asApiError(error)
    this.code = api.code
    if (isAccident(error)) this.record?.panicked(errorPath(error))
    else this.record?.refused(api)
    if (!(error instanceof ApiError || error instanceof SenderGone))
      ctx.log.error('request failed', { method: this.#info.method, path: this.#info.path, error: errorPath(error) })
    if (outlet.started) return outlet.destroy(api)
    if (api.code === 504) outlet.hangUp() // the rest of its body, perhaps
    const headers = this.#headers()
    const after = api.details?.retryAfterSeconds
    if (after !== undefined && after > 0) headers['retry-after'] = String(after)
    send(outlet, api.code, renderValue(api.status(), this.#media), headers, false)
  }
}

const plainText: Headers = { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' }
const tooManyText = utf8('Too many requests, please try again later.\n')

/** Discovery of an aggregated server is cheap for it, and everybody waits for it. */
const discoveryMsMax = 5_000

/** Whose answer it is, where it is not ours: a group-version, or the description of one. */
function servedElsewhere({ aggregator, registry }: ApiServerDeps, { path }: RequestInfo): Registration | undefined {
  if (aggregator === undefined) return undefined
  if (!path.startsWith(describedPath)) return aggregator.registrations.ofPath(path)
  const described = path.slice(describedPath.length)
  const isOurs = registry.kinds().some(({ group, version }) => (group === '' ? `api/${version}` : `apis/${group}/${version}`) === described)
  return isOurs ? undefined : aggregator.openapi.describer(described)
}

const describedPath = '/openapi/v3/'

function timedOut(): ApiError {
  return new ApiError({
    code: 504,
    reason: 'Timeout',
    message: 'Timeout: request did not complete within the allotted timeout',
    details: {},
  })
}

/** A fault of the program, not of the request or of the machine. */
function isAccident(error: unknown): boolean {
  return error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError
}

export function acceptsGzip(request: Incoming): boolean {
  return (request.header('accept-encoding') ?? '').includes('gzip')
}
