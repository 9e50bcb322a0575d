/**
 * Upgraded connections: exec, attach, port-forward, and WebSockets through the proxy. The request passes the same chain as
 * any other; then it is sent on to the kubelet, pod or service as HTTP/1.1 and the two sockets are joined byte by byte.
 * WebSocket and SPDY are spoken by the ends alone.
 */
import { connect as dialPlain, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { connect as dialTls, type ConnectionOptions } from 'node:tls'
import { ApiError, badRequest, genericNotFound, serviceUnavailable } from '../../api/errors.ts'
import type { Ctx } from '../../lib/ctx.ts'
import { errorPath } from '../../lib/log.ts'
import { attributesOf, authorize } from '../access.ts'
import type { AuditRecord } from '../audit/record.ts'
import { asApiError } from '../answer.ts'
import { bytesPayload } from '../body.ts'
import type { User } from '../../auth/user.ts'
import { passedHeaders, wayTo } from '../aggregator/proxy.ts'
import type { ApiServerDeps, Call } from '../deps.ts'
import type { Incoming } from '../exchange.ts'
import { turnOf } from '../flowcontrol/wait.ts'
import type { Ticket } from '../flowcontrol/ticket.ts'
import { handle, isConnection, type Handling } from '../handle.ts'
import { auditId, identify } from '../identify.ts'
import { parseRequest, type RequestInfo } from '../request.ts'
import { handlerOf, kindOf } from '../route.ts'
import { requestMsMax } from '../timeout.ts'
import { admitConnect } from './connect.ts'
import { dialError, forwardedHeaders, hostOf, tlsOf } from './forward.ts'
import { locate } from './location.ts'
import { socketOutlet } from './socketoutlet.ts'

const dialMsMax = 30_000
/** WebSockets of browsers cannot set headers: the token comes as a subprotocol, base64url (apiserver's authentication/request/websocket). */
const bearerProtocol = 'base64url.bearer.authorization.k8s.io.'

/** Never throws: a refusal is an HTTP answer on the socket. */
export async function serveUpgrade(
  ctx: Ctx,
  on: Handling,
  request: Incoming,
  socket: Duplex,
  head: Buffer,
): Promise<void> {
  socket.on('error', () => socket.destroy())
  const started = ctx.clock.monotonic()
  const info = parseRequest(request.method, request.url)
  if (!isPassedOn(on.deps, info)) {
    const incoming = withProtocolToken(request)
    const outlet = socketOutlet(socket, head, incoming, info.verb === 'watch' ? 'watch' : info.subresource === 'log' ? 'log' : 'none')
    return await handle(on, { ctx, request: incoming, outlet })
  }
  const id = auditId(on.deps, request)
  let code = 101
  let record: AuditRecord | undefined
  let ticket: Ticket | undefined
  try {
    const incoming = withProtocolToken(request)
    const user = await identify(ctx, on.deps, incoming, { info, id, started }, (noted) => (record = noted))
    ticket = await turn(on, info, user, started, socket)
    await authorize(on.deps.authorizer, attributesOf(info, user), record)
    const way = elsewhere(on.deps, incoming, info, { user, auditId: id }) ?? await here(ctx, on, incoming, { info, user })
    const other = await dial(ctx, way, socket)
    other.write(headOf(incoming, info, way), 'latin1')
    const answer = await answerOf(other, socket)
    if (switches(answer)) {
      if (head.length > 0) other.write(head)
      socket.write(answer)
      join(ctx, socket, other)
    } else {
      code = Number(answer.subarray(9, 12).toString()) || 502
      passOn(ctx, answer, socket, other)
    }
    noteConnection(record, code, socket)
  } catch (error) {
    const api = asApiError(error)
    code = api.code
    if (!(error instanceof ApiError)) ctx.log.error('upgrade failed', { path: info.path, error: errorPath(error) })
    refuse(socket, api)
    record?.refused(api)
    record?.complete()
  }
  if (ticket !== undefined) on.flow.leave(ticket, ctx.clock.monotonic())
  on.metrics.observe(info, code, ctx.clock.monotonic() - started)
}

/** Only what goes on is outside flow control, not whatever asks for an upgrade. Throws 429. */
async function turn(on: Handling, info: RequestInfo, user: User, started: number, socket: Duplex): Promise<Ticket | undefined> {
  if (isConnection(info)) return undefined
  const ticket = on.flow.enter(info, user, started)
  const client = { onClose: (closed: () => void) => void socket.once('close', closed) }
  if (ticket.state === 'running' || (await turnOf(on.flow, ticket, on.deadlines, requestMsMax, client))) return ticket
  throw new ApiError({ code: 429, reason: 'TooManyRequests', message: 'Too many requests, please try again later.', details: { retryAfterSeconds: on.flow.retryAfter(ticket.flow.level).seconds } })
}

/** What is joined to another server's socket; everything else is answered here. A body would be lost: such requests are refused. */
function isPassedOn({ aggregator }: ApiServerDeps, info: RequestInfo): boolean {
  if (info.method !== 'GET' && info.method !== 'HEAD') return true
  return (isConnection(info) && info.subresource !== 'log') || aggregator?.registrations.ofPath(info.path) !== undefined
}

/** It is over when its socket is. */
function noteConnection(record: AuditRecord | undefined, code: number, socket: Duplex): void {
  if (record === undefined) return
  record.answered(code)
  record.stage('ResponseStarted')
  if (socket.destroyed) record.complete()
  else socket.once('close', () => record.complete())
}

/** Where the connection goes, and as what it is asked for. */
interface Way {
  readonly host: string
  readonly port: number
  /** Without: plain. */
  readonly tls: ConnectionOptions | undefined
  readonly path: string
  readonly headers: Readonly<Record<string, string | readonly string[]>>
}

/** To an aggregated API server, which asks and admits on its own. */
function elsewhere({ aggregator }: ApiServerDeps, incoming: Incoming, info: RequestInfo, who: { readonly user: User; readonly auditId: string }): Way | undefined {
  const to = aggregator?.registrations.ofPath(info.path)
  if (aggregator === undefined || to === undefined) return undefined
  const way = wayTo(aggregator.aggregated, to)
  if (way === undefined) throw serviceUnavailable('service unavailable')
  return { ...way, path: incoming.url, headers: passedHeaders(incoming, who) }
}

async function here(ctx: Ctx, on: Handling, incoming: Incoming, { info, user }: { readonly info: RequestInfo; readonly user: User }): Promise<Way> {
  const kind = info.isResource ? kindOf(on.deps.registry, info) : undefined
  if (kind === undefined) throw genericNotFound()
  if (handlerOf(kind, info) !== 'connect' || info.subresource === 'log')
    throw badRequest('this path cannot be upgraded')
  const call: Call = {
    ctx,
    info,
    kind,
    user,
    agent: incoming.header('user-agent') ?? '',
    payload: bytesPayload(ctx, incoming),
    warn: () => {},
  }
  await admitConnect(on.deps, call)
  const location = await locate(on.deps, call)
  if (location === undefined) throw badRequest('nothing to connect to')
  const { host, port, path, tls } = location
  return { host, port, path, tls: tls === undefined ? undefined : tlsOf(location) as ConnectionOptions, headers: forwardedHeaders(incoming) }
}

function withProtocolToken(incoming: Incoming): Incoming {
  const protocols = (incoming.header('sec-websocket-protocol') ?? '').split(',').map((text) => text.trim())
  const bearer = protocols.find((protocol) => protocol.startsWith(bearerProtocol))
  if (bearer === undefined) return incoming
  const bearerToken = Buffer.from(bearer.slice(bearerProtocol.length), 'base64url').toString()
  const rest = protocols.filter((protocol) => protocol !== bearer).join(', ')
  return {
    ...incoming,
    method: incoming.method,
    url: incoming.url,
    peer: incoming.peer,
    header: (name) => (name === 'sec-websocket-protocol' ? rest : incoming.header(name)),
    headerNames: () => incoming.headerNames().filter((name) => name !== 'sec-websocket-protocol' || rest !== ''),
    credentials: { ...incoming.credentials, bearerToken },
  }
}

function dial(ctx: Ctx, way: Way, client: Duplex): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const { host, port, tls } = way
    const other: Socket = tls === undefined ? dialPlain({ host, port }) : dialTls({ ...tls, host, port })
    const timer = ctx.clock.after(dialMsMax, () =>
      other.destroy(Object.assign(new Error('timed out'), { code: 'ETIMEDOUT' })),
    )
    const gone = (): void => void other.destroy()
    client.once('close', gone)
    other.once('error', (error: NodeJS.ErrnoException) => {
      timer.stop()
      reject(new ApiError({ code: 500, reason: '', message: `error dialing backend: ${dialError(error, way)}` }))
    })
    other.once(tls === undefined ? 'connect' : 'secureConnect', () => {
      timer.stop()
      client.off('close', gone)
      resolve(other)
    })
  })
}

const answerBytesMax = 64 * 1_024

/** What the other side says first, to the end of its headers at least. */
function answerOf(other: Socket, client: Duplex): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let answer: Buffer = Buffer.alloc(0)
    const done = (error?: Error): void => {
      other.pause()
      other.off('data', hear)
      other.off('close', closed)
      client.off('close', gone)
      if (error === undefined) return resolve(answer)
      other.destroy()
      reject(new ApiError({ code: 500, reason: '', message: error.message }))
    }
    const hear = (chunk: Buffer): void => {
      answer = Buffer.concat([answer, chunk])
      if (answer.includes('\r\n\r\n')) done()
      else if (answer.length > answerBytesMax) done(new Error('the answer to the upgrade has no end'))
    }
    const closed = (): void => done(new Error('unable to upgrade connection: the other side ended early'))
    const gone = (): void => done(new Error('the client has gone'))
    other.on('error', () => undefined) // closes, too
    other.on('data', hear)
    other.once('close', closed)
    client.once('close', gone)
    if (client.destroyed) gone()
  })
}

function switches(answer: Buffer): boolean {
  return /^HTTP\/1\.[01] 101[ \r]/.test(answer.subarray(0, 16).toString('latin1'))
}

/**
 * A refusal of the other side. Nothing more of the client's may get there: the connection carries our credentials, and
 * what came next would be a request of its own that nobody has authorized.
 */
function passOn(ctx: Ctx, answer: Buffer, client: Duplex, other: Socket): void {
  client.write(answer)
  client.resume()
  couple(ctx, client, other)
  other.pipe(client)
  other.end()
}

/** The request as the other side is to see it. */
function headOf(incoming: Incoming, info: RequestInfo, way: Way): string {
  const headers = {
    ...way.headers,
    host: hostOf(way),
    connection: 'Upgrade',
    upgrade: incoming.header('upgrade') ?? 'websocket',
    // Several values of these come as several headers, and SPDY clients offer versions that way.
    'x-stream-protocol-version': incoming.headers('x-stream-protocol-version'),
    'content-length': info.method === 'POST' ? '0' : [],
  }
  const lines = Object.entries(headers).flatMap(([name, value]) => (typeof value === 'string' ? [value] : value).map((one) => `${name}: ${one}`))
  return `${info.method} ${way.path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`
}

/** Both ways, with back-pressure; each end of a direction is passed on, an error ends both. */
function join(ctx: Ctx, client: Duplex, other: Socket): void {
  couple(ctx, client, other)
  client.pipe(other)
  other.pipe(client)
}

/** When one is gone, the other is to go. */
function couple(ctx: Ctx, client: Duplex, other: Socket): void {
  const end = (): void => {
    client.destroy()
    other.destroy()
  }
  other.setNoDelay(true)
  ;(client as Socket).setNoDelay?.(true)
  other.on('error', end)
  client.on('error', end)
  client.once('close', end)
  other.once('close', end)
  ctx.signal.addEventListener('abort', end, { once: true })
  other.once('close', () => ctx.signal.removeEventListener('abort', end))
}

function refuse(socket: Duplex, error: ApiError): void {
  if (socket.destroyed) return
  const body = JSON.stringify(error.status())
  const head = [
    `HTTP/1.1 ${error.code} ${error.reason === '' ? 'Error' : error.reason}`,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`)
}
