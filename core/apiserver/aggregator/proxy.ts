/**
 * Requests that an aggregated API server answers: passed on as they are, in the name of the user who was authenticated
 * here, with the front proxy's certificate. Bodies and watches stream; when one side goes, the other hears it. Upgraded
 * connections are connect/upgrade.ts, which finds here where they lead.
 */
import https, { type RequestOptions } from 'node:https'
import type { IncomingMessage } from 'node:http'
import type { ConnectionOptions } from 'node:tls'
import { causeText } from '../../client/causes.ts'
import { serverNameOf, speakerHeaders, type Aggregated, type RemoteApi } from '../../client/aggregated.ts'
import { nameError } from '../../client/servernames.ts'
import type { User } from '../../auth/user.ts'
import { ApiError } from '../../api/errors.ts'
import type { Ctx } from '../../lib/ctx.ts'
import { answerHeaders, forwardedHeaders, framed, hostOf, pipe, sendBody } from '../connect/forward.ts'
import { utf8, type Exchange, type Incoming, type Outlet } from '../exchange.ts'
import type { Registration } from './registrations.ts'

/** Where a request for an aggregated API goes. */
export interface Way {
  readonly host: string
  readonly port: number
  readonly tls: ConnectionOptions
}

/** Undefined: it is not to be had now. */
export function wayTo(aggregated: Aggregated, { remote, available }: Registration): Way | undefined {
  if (remote === undefined || !available) return undefined
  try {
    return { ...aggregated.locate(remote), tls: tlsOf(aggregated, remote) }
  } catch (error) {
    if (error instanceof ApiError) return undefined // no Service, no endpoints
    throw error
  }
}

function tlsOf(aggregated: Aggregated, api: RemoteApi): ConnectionOptions {
  const name = serverNameOf(api)
  const { caBundle = '', insecureSkipTlsVerify: insecure } = api
  return {
    ...aggregated.identity(),
    minVersion: 'TLSv1.2',
    servername: name,
    ...(caBundle === '' ? {} : { ca: Buffer.from(caBundle, 'base64').toString('utf8') }),
    allowPartialTrustChain: true, // what the bundle has is trusted, be it the server's own certificate
    rejectUnauthorized: !insecure,
    checkServerIdentity: (_, shown) => (insecure ? undefined : nameError(name, shown)),
  }
}

/** What goes along with a request. */
export interface Passage {
  readonly user: User
  readonly auditId: string
}

/** The headers of a request on its way: nobody but us says who asks. */
export function passedHeaders(request: Incoming, { user, auditId }: Passage): Record<string, string | readonly string[]> {
  const headers: Record<string, string | readonly string[]> = { ...forwardedHeaders(request) }
  const before = request.header('x-forwarded-for')
  if (before !== undefined) headers['x-forwarded-for'] = `${before}, ${request.peer}`
  headers['audit-id'] = auditId
  return { ...headers, ...speakerHeaders(user) }
}

/** The code that was answered. Throws only what ctx ends with. `agent` keeps connections for reads: a write over one that had just been closed could not be sent again. */
export async function proxy(ctx: Ctx, aggregated: Aggregated, agent: https.Agent, to: Registration, exchange: Omit<Exchange, 'ctx'>, passage: Passage): Promise<number> {
  const { request, outlet } = exchange
  const way = wayTo(aggregated, to)
  if (way === undefined) return refuse(outlet, 503, 'service unavailable')
  const reads = request.method === 'GET' || request.method === 'HEAD'
  const options: RequestOptions = {
    ...way.tls,
    host: way.host,
    port: way.port,
    agent: reads ? agent : false,
    method: request.method,
    path: request.url,
    headers: { ...framed(request.method, passedHeaders(request, passage)), host: hostOf(way) },
    signal: ctx.signal,
  }
  const gone = { send: () => {} }
  outlet.onClose(() => gone.send())
  let answer: IncomingMessage
  try {
    answer = await ask(options, reads ? undefined : request, gone)
  } catch (error) {
    if (ctx.signal.aborted) throw ctx.signal.reason
    return refuse(outlet, 503, `error trying to reach service: ${causeText(error, ctx.clock.now())}`)
  }
  const code = answer.statusCode ?? 502
  if (code >= 300 && code <= 399 && answer.headers.location !== undefined) {
    answer.destroy()
    return refuse(outlet, 502, 'the backend attempted to redirect this request, which is not permitted')
  }
  outlet.start(code, withoutCors(answerHeaders(answer)))
  await pipe(answer, outlet)
  return code
}

/** `body`: whose body is sent along. `gone.send` is called when the client leaves. */
async function ask(options: RequestOptions, body: Incoming | undefined, gone: { send: () => void }): Promise<IncomingMessage> {
  const sent = https.request(options)
  gone.send = () => sent.destroy()
  const answered = answerOf(sent)
  if (body === undefined) sent.end()
  else sendBody(body, sent).catch((error: unknown) => sent.destroy(error as Error))
  try {
    return await answered
  } catch (error) {
    // a kept connection may have been closed from the other side meanwhile
    if (body !== undefined || !sent.reusedSocket || options.agent === false || (error as { code?: string }).code !== 'ECONNRESET') throw error
    return await ask({ ...options, agent: false }, undefined, gone)
  }
}

function answerOf(sent: ReturnType<typeof https.request>): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    sent.once('response', resolve)
    sent.on('error', reject)
    sent.once('close', () => reject(new Error('EOF')))
  })
}

/** Whether other sites may read is for this server to say. */
const corsHeaders = ['origin', 'credentials', 'headers', 'methods'].map((name) => `access-control-allow-${name}`)

function withoutCors<T extends Record<string, string | readonly string[]>>(headers: T): T {
  for (const name of corsHeaders) delete headers[name]
  return headers
}

/** As Go's http.Error: no Status, plain text. */
function refuse(outlet: Outlet, code: number, text: string): number {
  outlet.send(code, { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' }, utf8(`${text}\n`))
  return code
}
