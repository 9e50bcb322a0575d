/**
 * One HTTP/2 connection to an API server, made when it is needed and kept alive. The server's certificate must come
 * from the pinned authority. It knows nothing of Kubernetes' objects; what an answer means is rest.ts.
 */
import { connect, constants, type ClientHttp2Session, type ClientHttp2Stream, type IncomingHttpHeaders } from 'node:http2'
import { isIP } from 'node:net'
import type { Clock, Timer } from '../lib/clock.ts'
import { unlessAborted, type Ctx } from '../lib/ctx.ts'

/** A connection that shows no life for so long is asked for it, and cut off when no answer comes. */
const pingEveryMs = 20_000
const pingAnswerMs = 15_000
const connectMs = 10_000
/**
 * Bytes the server may send ahead on one stream. The connection's own window stays as it is: after setLocalWindowSize
 * Bun renews no stream's window before half of that size has come, so every watch would stop at this many bytes.
 */
const streamWindowBytes = 1_024 * 1_024

export interface RestCredentials {
  /** PEM; both or none. */
  readonly certificate?: string
  readonly key?: string
  readonly token?: string
}

export interface ConnectionOptions {
  /** `https://host:port` */
  readonly server: string
  /** PEM of the authority that the server's certificate must come from. */
  readonly ca: string
  /** Name in the server's certificate, where it is not the host of `server`. */
  readonly serverName?: string
  /** Asked at each new connection (certificate) and each request (token). */
  readonly credentials: () => RestCredentials
  /** Shown as User-Agent. */
  readonly agent: string
  readonly clock: Clock
}

export interface Request {
  readonly method: string
  /** With query. */
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: AsyncIterable<Uint8Array>
  /** Ends the stream; needed when the body is not read to its end. */
  cancel(): void
}

/** The connection broke, or could not be made. `unsent`: the server has certainly not seen the request. */
export class Disconnected extends Error {
  readonly unsent: boolean
  constructor(server: string, cause: unknown, unsent: boolean) {
    super(`connection to ${server}`, { cause })
    this.unsent = unsent
  }
}

export class Connection {
  readonly #options: ConnectionOptions
  #session: Promise<ClientHttp2Session> | undefined
  #closed = false

  constructor(options: ConnectionOptions) {
    this.#options = options
  }

  async request(ctx: Ctx, request: Request): Promise<Answer> {
    const session = await this.#connected(ctx)
    const { token } = this.#options.credentials()
    const body = typeof request.body === 'string' ? Buffer.from(request.body) : request.body
    let stream: ClientHttp2Stream
    try {
      stream = session.request(
        {
          [constants.HTTP2_HEADER_METHOD]: request.method,
          [constants.HTTP2_HEADER_PATH]: request.path,
          'user-agent': this.#options.agent,
          accept: 'application/json',
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(body === undefined ? {} : { 'content-length': String(body.length) }),
          ...request.headers,
        },
        { endStream: body === undefined },
      )
    } catch (cause) {
      this.#forget(session)
      throw new Disconnected(this.#options.server, cause, true)
    }
    if (body !== undefined) stream.end(body)
    return await this.#answer(ctx, stream)
  }

  reload(): void {
    const session = this.#session
    this.#session = undefined
    void session?.then((s) => s.close()).catch(() => {})
  }

  close(): void {
    this.#closed = true
    const session = this.#session
    this.#session = undefined
    void session?.then((s) => s.destroy()).catch(() => {})
  }

  #answer(ctx: Ctx, stream: ClientHttp2Stream): Promise<Answer> {
    const cancel = (): void => {
      if (!stream.destroyed) stream.close(constants.NGHTTP2_CANCEL)
    }
    ctx.signal.addEventListener('abort', cancel, { once: true })
    stream.once('close', () => ctx.signal.removeEventListener('abort', cancel))
    if (ctx.signal.aborted) cancel()
    return new Promise((resolve, reject) => {
      const lost = (cause: unknown): void => reject(ctx.signal.aborted ? ctx.signal.reason : new Disconnected(this.#options.server, cause, false))
      stream.once('response', (headers) => {
        stream.removeListener('close', lost)
        resolve({ status: Number(headers[':status']), headers, body: bodyOf(ctx, stream), cancel })
      })
      stream.on('error', lost) // stays: an error after the answer's head is told by the body's reader
      stream.once('close', lost)
    })
  }

  #connected(ctx: Ctx): Promise<ClientHttp2Session> {
    if (this.#closed) return Promise.reject(new Disconnected(this.#options.server, new Error('closed'), true))
    this.#session ??= this.#connect()
    const session = this.#session
    session.catch(() => {
      if (this.#session === session) this.#session = undefined
    })
    return unlessAborted(ctx.signal, session)
  }

  #connect(): Promise<ClientHttp2Session> {
    const { server, ca, serverName, clock } = this.#options
    const { certificate, key } = this.#options.credentials()
    const host = serverName ?? new URL(server).hostname.replaceAll(/[[\]]/g, '')
    return new Promise((resolve, reject) => {
      const session = connect(server, {
        ca,
        ...(certificate === undefined || key === undefined ? {} : { cert: certificate, key }),
        ...(isIP(host) === 0 ? { servername: host } : {}),
        minVersion: 'TLSv1.2',
        settings: { initialWindowSize: streamWindowBytes, enablePush: false },
      })
      const timer = clock.after(connectMs, () => session.destroy(new Error(`no connection within ${connectMs} ms`)))
      const fail = (cause: unknown): void => {
        timer.stop()
        this.#forget(session)
        reject(new Disconnected(server, cause, true))
      }
      session.once('connect', () => {
        timer.stop()
        keepAlive(clock, session)
        resolve(session)
      })
      session.on('error', fail)
      session.once('goaway', () => this.#forget(session))
      session.once('close', () => fail(new Error('closed')))
    })
  }

  /** The next request connects anew. */
  #forget(session: ClientHttp2Session): void {
    const mine = this.#session
    void mine?.then(
      (s) => {
        if (s === session && this.#session === mine) this.#session = undefined
      },
      () => {},
    )
  }
}

async function* bodyOf(ctx: Ctx, stream: ClientHttp2Stream): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    for await (const chunk of stream) yield chunk as Uint8Array
  } catch (error) {
    if (ctx.signal.aborted) throw ctx.signal.reason
    throw error
  }
  if (ctx.signal.aborted) throw ctx.signal.reason
  if (stream.rstCode !== undefined && stream.rstCode !== constants.NGHTTP2_NO_ERROR) throw new Error(`stream was reset (${stream.rstCode})`)
}

function keepAlive(clock: Clock, session: ClientHttp2Session): void {
  let timer: Timer
  const ask = (): void => {
    if (session.destroyed) return
    timer = clock.after(pingAnswerMs, () => session.destroy(new Error(`no answer to a ping within ${pingAnswerMs} ms`)))
    session.ping(() => {
      timer.stop()
      if (!session.destroyed) timer = clock.after(pingEveryMs, ask)
    })
  }
  timer = clock.after(pingEveryMs, ask)
  session.once('close', () => timer.stop())
}
