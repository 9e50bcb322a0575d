/**
 * The socket: TLS with client certificates, h2 and http/1.1 on one port, upgrades, certificates that change while the
 * server runs, limits against slow and greedy clients, and an orderly end: not ready first, then watches end, then
 * connections. What a request means is handle.ts.
 */
import http2, { type Http2SecureServer, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2'
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import type { Timer } from '../lib/clock.ts'
import { childCtx, named, type Ctx } from '../lib/ctx.ts'
import { errorPath } from '../lib/log.ts'
import type { ApiServerDeps, KeyPair } from './deps.ts'
import { handle, handling, type Handling } from './handle.ts'
import { inProcess } from './inprocess.ts'
import type { InProcessApi } from '../client/inprocess.ts'
import { processMetrics } from './measure.ts'
import { Peers } from './peers.ts'
import { createSite } from './site.ts'
import { plainIncoming, plainOutlet, streamIncoming, streamOutlet } from './transport.ts'
import { serveUpgrade } from './connect/upgrade.ts'
import type { Health } from './health.ts'

export interface ListenOptions {
  readonly host: string
  /** 0: any free port. */
  readonly port: number
  readonly serving: KeyPair
  /** PEM of the CAs whose client certificates are taken. */
  readonly clientCa: string
  /** PEM of the CAs whose certificates front proxies show. */
  readonly requestHeaderCa?: string
}

export interface ApiServer {
  readonly port: number
  /** The same chain for parts in this process. */
  readonly inProcess: InProcessApi
  /** New connections see this certificate; open ones live on. */
  reload(serving: KeyPair): void
  /** Fails /readyz, ends watches and connections, waits for requests in flight (`graceMs` at most). */
  stop(options?: { readonly graceMs?: number; readonly notReadyMs?: number }): Promise<void>
}

/** Time for a client to send its TLS hello and its headers. */
const handshakeMsMax = 10_000
const headersMsMax = 10_000
/** Header bytes: http/1.1 node's own limit, h2 the one that is announced. */
const headerBytesMax = 64 * 1_024
/** Streams a connection may reset: a burst, and so many a second (watches are cancelled in heaps). */
const resetBurst = 50_000
const resetRate = 10_000
const streamsMax = 1_000

export async function startApiServer(parent: Ctx, deps: ApiServerDeps, options: ListenOptions): Promise<ApiServer> {
  const { ctx, end } = childCtx(named(parent, 'apiserver'))
  const health: Health = { checks: deps.checks, stopping: false }
  const site = createSite(ctx, deps, health)
  const on = handling(ctx, deps, site)
  on.flow.start(ctx)
  processMetrics(deps.metrics, ctx.clock.now() / 1_000)
  deps.metrics.read(
    { name: 'apiserver_current_inflight_requests', help: 'Requests in flight.' },
    () => on.flow.running,
  )
  const { clientCa, requestHeaderCa = '' } = options
  const peers = new Peers(clientCa, requestHeaderCa)
  const authorities = `${clientCa}\n${requestHeaderCa}`
  const server = http2.createSecureServer({
    ...tlsOptions(options.serving, authorities),
    allowHTTP1: true,
    handshakeTimeout: handshakeMsMax,
    maxHeaderListPairs: 256,
    settings: { maxConcurrentStreams: streamsMax, maxHeaderListSize: headerBytesMax, initialWindowSize: 1_048_576 },
    streamResetBurst: resetBurst,
    streamResetRate: resetRate,
  } as http2.SecureServerOptions)
  const open = track(ctx, server)
  serve(ctx, on, server, peers)
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    void serveUpgrade(ctx, on, plainIncoming(request, peers), socket as TLSSocket, head)
  })
  quietly(ctx, server)
  const port = await listen(server, options)
  ctx.log.info('serving', { host: options.host, port })
  return {
    port,
    inProcess: inProcess(ctx, deps),
    reload: (serving) => server.setSecureContext(tlsOptions(serving, authorities)),
    async stop({ graceMs = 10_000, notReadyMs = 0 } = {}) {
      health.stopping = true
      if (notReadyMs > 0) await parent.clock.sleep(notReadyMs).catch(() => undefined)
      end() // watches hear it and end
      await close(parent, server, open, graceMs)
    },
  }
}

function tlsOptions(
  serving: KeyPair,
  clientCa: string,
): {
  cert: string
  key: string
  ca: string
  requestCert: true
  rejectUnauthorized: false
  minVersion: 'TLSv1.2'
  ALPNProtocols: string[]
} {
  return {
    cert: serving.cert,
    key: serving.key,
    ca: clientCa,
    requestCert: true,
    rejectUnauthorized: false,
    minVersion: 'TLSv1.2',
    ALPNProtocols: ['h2', 'http/1.1'],
  }
}

/** Requests of both protocols go to handle(), which never rejects: it turns errors into answers. */
function serve(ctx: Ctx, on: Handling, server: Http2SecureServer, peers: Peers): void {
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    request.on('error', ignore)
    response.on('error', ignore)
    void handle(on, { ctx, request: plainIncoming(request, peers), outlet: plainOutlet(response) })
  })
  // Whoever hears requests gets those of HTTP/2 as well, as objects over each stream; the stream itself is enough.
  server.removeAllListeners('stream')
  server.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, _flags: number, raw: readonly string[]) => {
    stream.on('error', ignore)
    if (headers.expect === '100-continue') stream.additionalHeaders({ ':status': 100 })
    void handle(on, { ctx, request: streamIncoming(stream, headers, raw, peers), outlet: streamOutlet(stream, headers[':method'] === 'HEAD') })
  })
}

function ignore(): void {}

/** Broken clients are nobody's news; they must not end the process either. */
function quietly(ctx: Ctx, server: Http2SecureServer): void {
  const note =
    (what: string) =>
    (error: unknown): void =>
      ctx.log.debug(what, { error: errorPath(error) })
  server.on('tlsClientError', (error: Error, socket: Duplex) => {
    note('tls handshake failed')(error)
    socket.destroy()
  })
  server.on('sessionError', note('session failed'))
  server.on('clientError', (error: Error, socket: Duplex) => {
    note('bad request')(error)
    socket.destroy()
  })
  server.on('error', note('server failed'))
}

interface Open {
  /** Requests under way on http/1.1 connections. */
  readonly busy: Map<object, number>
  readonly sessions: Set<ServerHttp2Session>
  readonly sockets: Set<TLSSocket>
}

/** Who is connected. An http/1.1 connection that has no whole request to show for a while after its handshake is closed. */
function track(ctx: Ctx, server: Http2SecureServer): Open {
  const open: Open = { sessions: new Set(), sockets: new Set(), busy: new Map() }
  const silent = new WeakMap<object, Timer>()
  const speaks = (request: { readonly socket: object }): void => silent.get(request.socket)?.stop()
  server.on('request', (request, response) => {
    if (request.httpVersionMajor !== 1) return
    speaks(request)
    const { socket } = request
    open.busy.set(socket, (open.busy.get(socket) ?? 0) + 1)
    response.once('close', () => {
      const left = (open.busy.get(socket) ?? 1) - 1
      if (left > 0) open.busy.set(socket, left)
      else open.busy.delete(socket)
    })
  })
  server.on('upgrade', speaks)
  server.on('session', (session) => {
    open.sessions.add(session)
    session.on('error', ignore)
    session.once('close', () => open.sessions.delete(session))
  })
  server.on('secureConnection', (socket: TLSSocket) => {
    open.sockets.add(socket)
    socket.on('error', ignore)
    const guard = socket.alpnProtocol === 'h2' ? undefined : ctx.clock.after(headersMsMax, () => socket.destroy())
    if (guard !== undefined) silent.set(socket, guard)
    socket.once('close', () => {
      guard?.stop()
      open.sockets.delete(socket)
    })
  })
  return open
}

function listen(server: Http2SecureServer, { host, port }: ListenOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      const address = server.address()
      resolve(typeof address === 'object' && address !== null ? address.port : port)
    })
  })
}

/** Sessions are told to go (GOAWAY), what is in flight may finish, what is left after the grace is cut. */
async function close(ctx: Ctx, server: Http2SecureServer, open: Open, graceMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  for (const session of open.sessions) session.close()
  const cut = ctx.clock.after(graceMs, () => {
    for (const session of open.sessions) session.destroy()
    for (const socket of open.sockets) socket.destroy()
  })
  // Keep-alive connections of http/1.1 have nothing to finish.
  for (const socket of open.sockets) if (socket.alpnProtocol !== 'h2' && !open.busy.has(socket)) socket.destroy()
  await closed
  cut.stop()
}
