/**
 * Upgraded connections: exec, attach, port-forward, and WebSockets through the proxy. The request passes the same chain as
 * any other; then it is sent on to the kubelet, pod or service as HTTP/1.1 and the two sockets are joined byte by byte.
 * WebSocket and SPDY are spoken by the ends alone.
 */
import { connect as dialPlain, type Socket } from 'node:net'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { connect as dialTls, type ConnectionOptions } from 'node:tls'
import { ApiError, badRequest, genericNotFound } from '../../api/errors.ts'
import type { Ctx } from '../../lib/ctx.ts'
import { errorPath } from '../../lib/log.ts'
import { attributesOf, authorize } from '../access.ts'
import { asApiError } from '../answer.ts'
import { bytesPayload } from '../body.ts'
import type { Call } from '../deps.ts'
import type { Incoming } from '../exchange.ts'
import { identify, type Handling } from '../handle.ts'
import { parseRequest } from '../request.ts'
import { handlerOf, kindOf } from '../route.ts'
import { plainIncoming } from '../transport.ts'
import { admitConnect } from './connect.ts'
import { dialError, forwardedHeaders, hostOf, tlsOf } from './forward.ts'
import { locate, type Location } from './location.ts'

const dialMsMax = 30_000
/** WebSockets of browsers cannot set headers: the token comes as a subprotocol, base64url (apiserver's authentication/request/websocket). */
const bearerProtocol = 'base64url.bearer.authorization.k8s.io.'

/** Never throws: a refusal is an HTTP answer on the socket. */
export async function serveUpgrade(
  ctx: Ctx,
  on: Handling,
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): Promise<void> {
  socket.on('error', () => socket.destroy())
  const started = ctx.clock.monotonic()
  const info = parseRequest(request.method ?? 'GET', request.url ?? '/')
  let code = 101
  try {
    const incoming = withProtocolToken(plainIncoming(request))
    const call = await enter(ctx, on, incoming, info)
    const location = await locate(on.deps, call)
    if (location === undefined) throw badRequest('nothing to connect to')
    const other = await dial(ctx, location, socket)
    other.write(headOf(incoming, call, location))
    const answer = await answerOf(other, socket)
    if (switches(answer)) {
      if (head.length > 0) other.write(head)
      socket.write(answer)
      join(ctx, socket, other)
    } else {
      code = Number(answer.subarray(9, 12).toString()) || 502
      passOn(ctx, answer, socket, other)
    }
  } catch (error) {
    const api = asApiError(error)
    code = api.code
    if (!(error instanceof ApiError)) ctx.log.error('upgrade failed', { path: info.path, error: errorPath(error) })
    refuse(socket, api)
  }
  on.metrics.observe(info, code, ctx.clock.monotonic() - started)
}

async function enter(ctx: Ctx, on: Handling, incoming: Incoming, info: ReturnType<typeof parseRequest>): Promise<Call> {
  const user = await identify(ctx, on.deps, incoming)
  await authorize(on.deps.authorizer, attributesOf(info, user))
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
    payload: bytesPayload(incoming),
    warn: () => {},
  }
  await admitConnect(on.deps, call)
  return call
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

function dial(ctx: Ctx, location: Location, client: Duplex): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const { host, port } = location
    const other: Socket =
      location.tls === undefined
        ? dialPlain({ host, port })
        : dialTls({ host, port, ...tlsOf(location) } as ConnectionOptions)
    const timer = ctx.clock.after(dialMsMax, () =>
      other.destroy(Object.assign(new Error('timed out'), { code: 'ETIMEDOUT' })),
    )
    const gone = (): void => void other.destroy()
    client.once('close', gone)
    other.once('error', (error: NodeJS.ErrnoException) => {
      timer.stop()
      reject(new ApiError({ code: 500, reason: '', message: `error dialing backend: ${dialError(error, location)}` }))
    })
    other.once(location.tls === undefined ? 'connect' : 'secureConnect', () => {
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
function headOf(incoming: Incoming, call: Call, location: Location): string {
  const headers = {
    ...forwardedHeaders(incoming),
    host: hostOf(location),
    connection: 'Upgrade',
    upgrade: incoming.header('upgrade') ?? 'websocket',
  }
  // Several values of these come as several headers, and SPDY clients offer versions that way.
  const versions = incoming.headers('x-stream-protocol-version')
  const lines = Object.entries(headers)
    .filter(([name]) => name !== 'x-stream-protocol-version' && name !== 'content-length')
    .map(([name, value]) => `${name}: ${value}`)
  for (const version of versions) lines.push(`x-stream-protocol-version: ${version}`)
  if (call.info.method === 'POST') lines.push('content-length: 0')
  return `${call.info.method} ${location.path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`
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
