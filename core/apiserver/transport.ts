/**
 * node's http2 and http1 requests as exchanges: headers, bodies within the limit, the sender's certificate, writes with
 * back-pressure. The ways round Bun's traps are here: a stream that flow control blocks holds up its neighbours until
 * the session is pinged; a stream that is to fail must be destroyed, not closed.
 */
import type { IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import { constants, type Http2Session, type ServerHttp2Stream } from 'node:http2'
import type { Readable } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import { badRequest } from '../api/errors.ts'
import type { Credentials, User } from '../auth/user.ts'
import { bodyBytesMax, tooLarge } from './body.ts'
import type { Headers, Incoming, Outlet } from './exchange.ts'
import type { Peer, Peers } from './peers.ts'

/** A request of either protocol. */
interface Request {
  readonly method: string
  readonly url: string
  readonly headers: IncomingHttpHeaders
  /** Names and values in turn, as they came. */
  readonly raw: readonly string[]
  readonly body: Readable
  readonly socket: TLSSocket
}

export function plainIncoming(request: IncomingMessage, peers: Peers): Incoming {
  const { method = 'GET', url = '/', headers, rawHeaders } = request
  return incoming({ method, url, headers, raw: rawHeaders, body: request, socket: request.socket as TLSSocket }, peers)
}

/** Straight from the stream: node's request object over it costs more than the stream itself. */
export function streamIncoming(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, raw: readonly string[], peers: Peers): Incoming {
  const socket = stream.session?.socket as TLSSocket
  return incoming({ method: String(headers[':method'] ?? 'GET'), url: String(headers[':path'] ?? '/'), headers, raw, body: stream, socket }, peers, stream.session)
}

function incoming(request: Request, peers: Peers, session?: Http2Session): Incoming {
  const { headers } = request
  let body: Promise<Uint8Array> | undefined
  return {
    method: request.method,
    url: request.url,
    header(name) {
      const value = headers[name]
      return Array.isArray(value) ? value.join(', ') : value
    },
    headers: (name) => headerValues(request, name),
    headerNames: () => Object.keys(headers),
    body: () => (body ??= readBody(request)),
    // The end of the body must not be the end of an HTTP/2 stream.
    stream: () => request.body.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>,
    get credentials() {
      return credentialsOf(request, peers.of(session ?? request.socket, request.socket))
    },
    get peer() {
      return request.socket.remoteAddress ?? ''
    },
  }
}

/** node joins repeated headers with ', '; the raw list keeps them apart. */
function headerValues({ headers, raw }: Request, name: string): readonly string[] {
  const value = headers[name]
  if (value === undefined) return []
  if (Array.isArray(value)) return value
  const values: string[] = []
  for (let i = 0; i + 1 < raw.length; i += 2) if (raw[i]?.toLowerCase() === name) values.push(raw[i + 1] ?? '')
  return values.length > 0 ? values : [value]
}

/** Of a body that is too large already. */
const droppedBytesMax = 16 * 1_024 * 1_024
const emptyBody = new Uint8Array()

function readBody({ headers, body }: Request): Promise<Uint8Array> {
  const announced = Number(headers['content-length'] ?? -1)
  if (announced === 0) return Promise.resolve(emptyBody)
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    let dropped = 0
    let ended = false
    let refused = announced > bodyBytesMax
    if (refused) reject(tooLarge())
    body.on('data', (chunk: Buffer) => {
      // Read to its end, so that the connection stays usable, if that is not far.
      if (refused) return void ((dropped += chunk.length) > droppedBytesMax && body.destroy())
      size += chunk.length
      if (size > bodyBytesMax) {
        refused = true
        chunks.length = 0
        reject(tooLarge())
        return
      }
      chunks.push(chunk)
    })
    body.on('end', () => {
      ended = true
      if (!refused) resolve(chunks.length === 1 ? (chunks[0] as Buffer) : chunks.length === 0 ? emptyBody : Buffer.concat(chunks, size))
    })
    // Errors and aborted requests close, too.
    body.on('close', () => {
      if (!ended) reject(badRequest('the body ended early'))
    })
  })
}

function credentialsOf(request: Request, { certificate, frontProxy }: Peer): Credentials {
  const header = request.headers.authorization
  const bearerToken = header === undefined ? undefined : bearerOf(header)
  const browser = request.headers.cookie === undefined ? undefined : browserOf(request, request.headers.cookie)
  return {
    ...(certificate === undefined ? {} : { certificate }),
    ...(frontProxy === undefined ? {} : { frontProxy: { proxy: frontProxy, user: speakerOf(request) } }),
    ...(bearerToken === undefined ? {} : { bearerToken }),
    ...(browser === undefined ? {} : { browser }),
  }
}

const extraPrefix = 'x-remote-extra-'

/** Who a front proxy says that asks. Headers carry octets, names are UTF-8. */
function speakerOf(request: Request): User | undefined {
  const all = (name: string): readonly string[] => headerValues(request, name).filter((value) => value !== '').map((value) => Buffer.from(value, 'latin1').toString('utf8'))
  const [name] = all('x-remote-user')
  if (name === undefined) return undefined
  const [uid] = all('x-remote-uid')
  const extra: Record<string, readonly string[]> = {}
  for (const header of Object.keys(request.headers)) if (header.startsWith(extraPrefix)) extra[unescaped(header.slice(extraPrefix.length))] = all(header)
  return { name, ...(uid === undefined ? {} : { uid }), groups: all('x-remote-group'), ...(Object.keys(extra).length === 0 ? {} : { extra }) }
}

function unescaped(key: string): string {
  try {
    return decodeURIComponent(key)
  } catch {
    return key
  }
}

/** HTTP/2 may bring cookies one by one. */
function browserOf(request: Request, cookies: string | readonly string[]): NonNullable<Credentials['browser']> {
  const one = (name: string): string | undefined => {
    const value = request.headers[name]
    return Array.isArray(value) ? value.join(', ') : value
  }
  const cookie = typeof cookies === 'string' ? cookies : cookies.join('; ')
  return {
    cookie,
    method: request.method,
    path: request.url,
    site: one('sec-fetch-site'),
    marker: one('x-kubun-ui'),
  }
}

function bearerOf(header: string): string | undefined {
  const match = /^bearer\s+(\S+)\s*$/i.exec(header)
  return match?.[1]
}

/** Sessions with a ping under way. */
const pinging = new WeakSet<Http2Session>()

/** Bun flushes what other streams of the connection wait with when a ping comes back; one ping at a time is enough. */
function nudge(session: Http2Session | undefined): void {
  if (session === undefined || pinging.has(session) || session.destroyed || session.closed) return
  pinging.add(session)
  try {
    session.ping(() => void pinging.delete(session))
  } catch {
    pinging.delete(session)
  }
}

/** A stream that has gone already will not say so again. */
function onceClosed(stream: ServerHttp2Stream | ServerResponse, closed: () => void): void {
  if (stream.destroyed) queueMicrotask(closed)
  else stream.once('close', closed)
}

/**
 * Straight to the stream: node's response object over it would ask for trailers, which costs every answer a frame and
 * a write to the socket of its own.
 */
export function streamOutlet(stream: ServerHttp2Stream, isHead: boolean): Outlet {
  const session = stream.session
  const gone = (): boolean => stream.destroyed || stream.closed || stream.writableEnded
  return {
    get started() {
      return stream.headersSent
    },
    get gone() {
      return gone()
    },
    hangUp: () => void stream.once('finish', () => stream.close(constants.NGHTTP2_NO_ERROR)),
    send(code, headers, body) {
      if (gone()) return
      const head: OutgoingHttpHeaders = { ':status': code, ...(headers as OutgoingHttpHeaders) }
      if (body !== undefined) head['content-length'] = body.length
      if (body === undefined || body.length === 0 || isHead) {
        stream.respond(head, { endStream: true })
        return
      }
      stream.respond(head)
      stream.end(body)
      if (stream.writableLength > 0) nudge(session)
    },
    start(code, headers) {
      if (!gone()) stream.respond({ ':status': code, ...(headers as OutgoingHttpHeaders) })
    },
    write(chunk) {
      if (gone()) return true
      const flowing = stream.write(chunk)
      if (stream.writableLength > 0) nudge(session)
      return flowing
    },
    end() {
      if (!gone()) stream.end()
    },
    destroy: (why) => void stream.destroy(why),
    onDrain: (drained) => void stream.on('drain', drained),
    onClose: (closed) => onceClosed(stream, closed),
  }
}

/** Of header text in http/1.1, node takes no character that is more than an octet: it throws. */
function octets(headers: Headers): Record<string, string | string[]> {
  const one = (text: string): string => text.replaceAll(/[\u0100-\uffff]/g, '?')
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, typeof value === 'string' ? one(value) : value.map(one)]))
}

export function plainOutlet(response: ServerResponse): Outlet {
  const gone = (): boolean => response.destroyed || response.writableEnded || response.socket?.destroyed === true
  return {
    get started() {
      return response.headersSent
    },
    get gone() {
      return gone()
    },
    hangUp() {
      response.setHeader('connection', 'close')
      const { socket } = response
      response.once('finish', () => socket?.end(() => socket.destroy()))
    },
    send(code, headers, body) {
      if (gone()) return
      response.writeHead(code, body === undefined ? octets(headers) : { ...octets(headers), 'content-length': String(body.length) })
      response.end(body)
    },
    start(code, headers) {
      if (gone()) return
      response.writeHead(code, octets(headers))
      response.flushHeaders()
    },
    write: (chunk) => gone() || response.write(chunk),
    end() {
      if (!gone()) response.end()
    },
    destroy: (why) => void response.destroy(why),
    onDrain: (drained) => void response.on('drain', drained),
    onClose: (closed) => onceClosed(response, closed),
  }
}
