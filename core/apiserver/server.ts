/**
 * The socket: TLS with client certificates, h2 and http/1.1 on one port, upgrades, certificates that change while the
 * server runs, limits against greedy clients, and an orderly end: not ready first, then watches end, then connections
 * (connections.ts). What a request means is handle.ts.
 */
import http2, { type Http2SecureServer, type ServerHttp2Stream } from 'node:http2'
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import { childCtx, named, type Ctx } from '../lib/ctx.ts'
import { errorPath } from '../lib/log.ts'
import { Connections } from './connections.ts'
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
  /**
   * Fails /readyz and goes on for `notReadyMs`; then takes no connections any more, ends watches, and waits for requests
   * in flight (`graceMs` at most). Told twice, it stops once.
   */
  stop(options?: { readonly graceMs?: number; readonly notReadyMs?: number }): Promise<void>
}

/** Time for a client to send its TLS hello. */
const handshakeMsMax = 10_000
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
  const peers = new Peers(clientCa, requestHeaderCa, ctx.clock)
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
  const connections = new Connections(ctx, server)
  const streaming = childCtx(ctx) // ends before the rest
  serve(streaming.ctx, on, server, peers)
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    void serveUpgrade(streaming.ctx, on, plainIncoming(request, peers), socket as TLSSocket, head)
  })
  quietly(ctx, server)
  const port = await listen(server, options)
  ctx.log.info('serving', { host: options.host, port })
  let stopped: Promise<void> | undefined
  const stop = async (graceMs: number, notReadyMs: number): Promise<void> => {
    health.stopping = true
    if (notReadyMs > 0) await parent.clock.sleep(notReadyMs)
    streaming.end()
    await connections.close(graceMs)
    end()
  }
  return {
    port,
    inProcess: inProcess(deps),
    reload: (serving) => server.setSecureContext(tlsOptions(serving, authorities)),
    stop: ({ graceMs = 10_000, notReadyMs = 0 } = {}) => (stopped ??= stop(graceMs, notReadyMs)),
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

/** Requests of both protocols go to handle(), which never rejects: it turns errors into answers. `ctx` is the life of what goes on. */
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
