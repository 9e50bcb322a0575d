/**
 * The kubelet's HTTPS server (10250): logs, exec, attach, port-forward, statistics.
 * HTTP and nothing but HTTP: who may ask is auth.ts, what streams carry is in
 * ../streams, what pods do is the kubelet's. HTTP/1.1 only: Bun's HTTP/2 server lets one stuck stream hold all others.
 */
import { createSecureServer, type Http2SecureServer } from 'node:http2'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { PeerCertificate, TLSSocket } from 'node:tls'
import { aborted, childCtx, unlessAborted, type Ctx } from '../../../core/lib/ctx.ts'
import type { Client } from '../../../core/client/client.ts'
import type { Cgroups } from '../../host/cgroups.ts'
import type { KubeletView } from '../kubelet.ts'
import { refuse } from '../streams/remote.ts'
import { kubeletAuth, type KubeletAuth, type Peer } from './auth.ts'
import { logContainer, parseLogQuery, readLog } from './logs.ts'
import { createStats, type Stats } from './stats.ts'
import { serveStream } from './connect.ts'

export interface ServerOptions {
  readonly port: number
  /** '' or undefined: every address. */
  readonly host?: string
  /** PEM, as they are now; asked at each new connection. */
  readonly tls: () => { readonly certificate: string; readonly key: string }
  /** PEM of the authority of client certificates. */
  readonly clientCa: string
  readonly client: Client
  readonly cgroups: Cgroups
  /** Prometheus text of the kubelet's own metrics. */
  readonly metrics?: () => string
}

interface Serving {
  readonly view: KubeletView
  readonly auth: KubeletAuth
  readonly stats: Stats
  readonly options: ServerOptions
}

/** Until ctx ends; then open streams are cut off. */
export async function serveKubelet(ctx: Ctx, view: KubeletView, options: ServerOptions): Promise<void> {
  const serving: Serving = { view, options, auth: kubeletAuth(options.client, view.deps.node.name), stats: createStats(view, options.cgroups) }
  const { certificate, key } = options.tls()
  const server = createSecureServer({ cert: certificate, key, ca: options.clientCa, requestCert: true, rejectUnauthorized: false, allowHTTP1: true, ALPNProtocols: ['http/1.1'], minVersion: 'TLSv1.2' })
  server.on('request', (request, response) => {
    const [req, res] = [request as unknown as IncomingMessage, response as unknown as ServerResponse]
    res.on('error', () => {}) // a client that left while it was answered
    void answer(ctx, serving, req, res).catch((error: unknown) => {
      ctx.log.debug('kubelet request', { path: req.url, error })
      if (res.headersSent) res.destroy()
      else text(res, 500, error instanceof Error ? error.message : String(error))
    })
  })
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => {})
    void upgrade(ctx, serving, request, socket, head).catch((error: unknown) => {
      ctx.log.debug('kubelet stream', { path: request.url, error })
      socket.destroy()
    })
  })
  const sockets = trackSockets(server)
  await listen(server, options)
  ctx.log.info('kubelet serves', { port: options.port })
  const renewal = renewTls(ctx, server, options, certificate)
  await aborted(ctx.signal)
  await renewal
  for (const socket of sockets) socket.destroy()
  await new Promise<void>((resolve) => server.close(() => resolve()))
}

function trackSockets(server: Http2SecureServer): ReadonlySet<TLSSocket> {
  const sockets = new Set<TLSSocket>()
  server.on('secureConnection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    socket.on('error', () => {})
  })
  return sockets
}

function listen(server: Http2SecureServer, { port, host }: ServerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(new Error(`kubelet port ${port}`, { cause: error })))
    server.listen({ port, ...(host === undefined || host === '' ? {} : { host }) }, () => resolve())
  })
}

const renewLookMs = 60_000

/** A certificate that was renewed serves the next connections. */
async function renewTls(ctx: Ctx, server: Http2SecureServer, { tls, clientCa }: ServerOptions, first: string): Promise<void> {
  let shown = first
  while (!ctx.signal.aborted) {
    await ctx.clock.sleep(renewLookMs, ctx.signal).catch(() => undefined)
    const { certificate, key } = tls()
    if (ctx.signal.aborted || certificate === shown) continue
    server.setSecureContext({ cert: certificate, key, ca: clientCa })
    shown = certificate
  }
}

async function answer(ctx: Ctx, serving: Serving, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'https://kubelet')
  if (url.pathname === '/healthz') return text(response, 200, 'ok')
  const refusal = await refusalOf(ctx, serving, request, url.pathname)
  if (refusal !== undefined) return text(response, refusal.code, refusal.message)
  const [, root = '', ...rest] = url.pathname.split('/').map(decodeURIComponent)
  const { view, stats, options } = serving
  if (root === 'containerLogs' && rest.length === 3) return sendLog(ctx, view, rest as [string, string, string], url, response)
  if (root === 'pods') return json(response, { kind: 'PodList', apiVersion: 'v1', metadata: {}, items: view.pods().map((pod) => ({ ...pod, status: view.deps.statuses.get(pod) })) })
  if (root === 'runningpods') return json(response, { kind: 'PodList', apiVersion: 'v1', metadata: {}, items: view.pods().filter((pod) => view.deps.observer.pod(pod.metadata.uid ?? '')?.containers.some((c) => c.state === 'running') === true) })
  if (root === 'stats' && rest[0] === 'summary') return json(response, await stats.summary(ctx))
  if (root === 'metrics' && rest[0] === 'resource') return text(response, 200, await stats.resource(ctx))
  if (root === 'metrics' && rest.length === 0) return text(response, 200, options.metrics?.() ?? '')
  if (['exec', 'attach', 'portForward'].includes(root)) return text(response, 400, 'Upgrade request required')
  text(response, 404, '404 page not found')
}

async function upgrade(ctx: Ctx, serving: Serving, request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
  const url = new URL(request.url ?? '/', 'https://kubelet')
  const refusal = await refusalOf(ctx, serving, request, url.pathname)
  if (refusal !== undefined) return refuse(socket, refusal.code, refusal.message)
  await serveStream(ctx, serving.view, url, { request, socket, head })
}

async function refusalOf(ctx: Ctx, { auth, view }: Serving, request: IncomingMessage, path: string): Promise<{ code: number; message: string } | undefined> {
  // As it is routed: an encoded letter must not make another right of it.
  path = path.split('/').map(decodeURIComponent).join('/')
  const user = await auth.who(ctx, peerOf(request))
  if (user === undefined) return { code: 401, message: 'Unauthorized' }
  // Exec over WebSocket is a GET but does what a POST does.
  const method = /^\/(exec|attach|portForward|run)\//.test(path) ? 'POST' : (request.method ?? 'GET')
  if (await auth.allowed(ctx, user, method, path)) return undefined
  return { code: 403, message: `Forbidden (user=${user.name}, verb=${method === 'POST' ? 'create' : 'get'}, resource=nodes, node=${view.deps.node.name})` }
}

/** The subject counts only when the certificate is from our authority: it is filled for any other too. */
function peerOf(request: IncomingMessage): Peer {
  const socket = request.socket as TLSSocket
  const bearer = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1]
  const certificate = socket.authorized ? (socket.getPeerCertificate() as PeerCertificate | undefined) : undefined
  const subject = certificate?.subject as { CN?: string; O?: string | string[] } | undefined
  if (subject?.CN === undefined) return bearer === undefined ? {} : { bearerToken: bearer }
  const organizations = subject.O === undefined ? [] : Array.isArray(subject.O) ? subject.O : [subject.O]
  return { certificate: { commonName: subject.CN, organizations } }
}

async function sendLog(ctx: Ctx, view: KubeletView, [namespace, name, container]: readonly [string, string, string], url: URL, response: ServerResponse): Promise<void> {
  const pod = view.pod(namespace, name)
  if (pod === undefined) return text(response, 404, `pod "${name}" does not exist`)
  const known = [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? []), ...(pod.spec?.ephemeralContainers ?? [])].some((c) => c.name === container)
  if (!known) return text(response, 404, `container "${container}" not found in pod "${name}"`)
  let id: string
  let query: ReturnType<typeof parseLogQuery>
  try {
    query = parseLogQuery(url.searchParams, ctx.clock.now())
    id = logContainer(pod, view.deps.statuses.get(pod), container, query.previous)
  } catch (error) {
    return text(response, 400, error instanceof Error ? error.message : String(error))
  }
  const { ctx: sending, end } = childCtx(ctx)
  response.on('close', () => end())
  response.writeHead(200, { 'content-type': 'text/plain' })
  response.flushHeaders()
  try {
    for await (const data of readLog(sending, view.runtime, id, query)) {
      if (response.destroyed) break
      if (!response.write(data)) await unlessAborted(sending.signal, new Promise((resolve) => response.once('drain', resolve)))
    }
  } finally {
    response.end()
    end()
  }
}

function text(response: ServerResponse, code: number, body: string): void {
  response.writeHead(code, { 'content-type': 'text/plain; charset=utf-8' })
  response.end(body)
}

function json(response: ServerResponse, body: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' })
  response.end(JSON.stringify(body))
}
