/**
 * Calls of this server's own parts to aggregated API servers: namespaces that go take along what is in them there, and
 * the garbage collector follows it. The user is the part's own, said by the front proxy as any other.
 */
import https from 'node:https'
import type { IncomingMessage } from 'node:http'
import { ApiError, serviceUnavailable, type Status } from '../../api/errors.ts'
import { apiVersionOf, type KubeObject } from '../../api/meta.ts'
import { speakerHeaders, type Speaker } from '../../client/aggregated.ts'
import type { Call, WatchCall, WatchSink } from '../../client/inprocess.ts'
import { lines, textOf } from '../../client/lines.ts'
import { pathOf } from '../../client/query.ts'
import { hostOf } from '../connect/forward.ts'
import type { Ctx } from '../../lib/ctx.ts'
import { fromUtf8 } from '../exchange.ts'
import type { Aggregator } from './aggregator.ts'
import { wayTo } from './proxy.ts'
import type { Registration } from './registrations.ts'

const timeoutMs = 30_000

export interface Caller extends Speaker {
  /** User-Agent. */
  readonly agent: string
}

const methods: Readonly<Record<Call['verb'], string>> = { get: 'GET', list: 'GET', create: 'POST', update: 'PUT', patch: 'PATCH', delete: 'DELETE', deletecollection: 'DELETE' }

/** The answer's object, list or Status. Throws ApiError. */
export async function callElsewhere(ctx: Ctx, { aggregated }: Aggregator, to: Registration, user: Caller, call: Call): Promise<unknown> {
  if (to.remote === undefined || !to.available) throw serviceUnavailable('service unavailable')
  const { kind, verb, query } = call
  const path = pathOf(kind, call, { ...query })
  const body = bodyOf(call)
  const answer = await aggregated.ask(ctx, to.remote, path, {
    user, agent: user.agent, method: methods[verb], timeoutMs,
    ...(body === undefined ? {} : { body: JSON.stringify(body), contentType: call.patchType ?? 'application/json' }),
  }).catch((error: unknown) => {
    throw ctx.signal.aborted ? error : serviceUnavailable(`error trying to reach service: ${(error as Error).message}`)
  })
  if (answer.status >= 400) throw refusal(answer.status, fromUtf8(answer.body))
  const value = JSON.parse(fromUtf8(answer.body)) as { items?: readonly object[] | null }
  const apiVersion = apiVersionOf(kind)
  return verb === 'list' ? { ...value, items: (value.items ?? []).map((item) => ({ ...item, apiVersion, kind: kind.kind })) } : value
}

function bodyOf({ verb, kind, body }: Call): unknown {
  if (verb === 'get' || verb === 'list') return undefined
  if (verb === 'create' || verb === 'update') return { apiVersion: apiVersionOf(kind), kind: kind.kind, ...(body as object) }
  return verb === 'patch' ? body : { apiVersion: 'v1', kind: 'DeleteOptions', ...(body as object | undefined) }
}

function refusal(code: number, text: string): ApiError {
  try {
    const status = JSON.parse(text) as Partial<Status>
    if (status.kind === 'Status') return ApiError.from({ code, ...status })
  } catch {
    // plain text: somebody's on the way there
  }
  return new ApiError({ code, reason: code === 404 ? 'NotFound' : code === 503 ? 'ServiceUnavailable' : '', message: text.trim().slice(0, 1_000) })
}

/** Resolves when the watch is accepted. Throws ApiError. */
export async function watchElsewhere(ctx: Ctx, aggregator: Aggregator, to: Registration, user: Caller, call: WatchCall, sink: WatchSink): Promise<{ stop(): void }> {
  const way = wayTo(aggregator.aggregated, to)
  if (way === undefined) throw serviceUnavailable('service unavailable')
  const path = pathOf(call.kind, call, { ...call.query, watch: 'true' })
  const headers = { ...speakerHeaders(user), 'user-agent': user.agent, accept: 'application/json', host: hostOf(way) }
  const sent = https.request({ ...way.tls, host: way.host, port: way.port, path, headers: headers as Record<string, string | string[]>, agent: aggregator.agent })
  const stop = (): void => void sent.destroy()
  ctx.signal.addEventListener('abort', stop, { once: true })
  sent.once('close', () => ctx.signal.removeEventListener('abort', stop))
  const answer = await answerOf(sent)
  if ((answer.statusCode ?? 0) >= 400) throw refusal(answer.statusCode ?? 0, await textOf(answer as AsyncIterable<Uint8Array>))
  void tell(answer, sink)
  return { stop }
}

function answerOf(sent: ReturnType<typeof https.request>): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    sent.once('response', resolve)
    sent.on('error', (error) => reject(serviceUnavailable(`error trying to reach service: ${error.message}`)))
    sent.once('close', () => reject(serviceUnavailable('error trying to reach service: EOF')))
    sent.end()
  })
}

interface Event {
  readonly type: Parameters<WatchSink['event']>[0]
  readonly object: KubeObject
}

/** Never rejects: a watch that breaks has ended. */
async function tell(answer: IncomingMessage, sink: WatchSink): Promise<void> {
  try {
    for await (const line of lines(answer as AsyncIterable<Uint8Array>)) {
      const { type, object } = JSON.parse(line) as Event
      sink.event(type, object)
    }
  } catch {
    answer.destroy()
  }
  sink.end()
}
