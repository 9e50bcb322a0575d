/**
 * Servers that are not ours: webhooks, conversion webhooks, aggregated API servers, reached by URL or by the name of a
 * Service, with a CA bundle of their own. What is said to them is their callers'. HTTP/1.1 over node:https: it takes an
 * authority, a certificate and a server name for each request, and keeps connections apart by them. Redirects are not
 * followed. Where a Service is, is services.ts; what a failure is called, causes.ts.
 */
import http from 'node:http'
import https, { type RequestOptions } from 'node:https'
import { isIP } from 'node:net'
import { posix } from 'node:path'
import type { PeerCertificate, TLSSocket } from 'node:tls'
import type { Ctx } from '../lib/ctx.ts'
import { withTimeout } from '../lib/ctx.ts'
import { causeText } from './causes.ts'
import { nameError } from './servernames.ts'

/** Where a server is, as WebhookClientConfig and APIService say it. */
export interface RemoteTarget {
  readonly url?: string
  readonly service?: { readonly namespace: string; readonly name: string; readonly path?: string; readonly port?: number }
  /** Base64 of PEM, as it stands in objects; undefined: the machine's own authorities. */
  readonly caBundle?: string
  readonly insecureSkipTlsVerify?: boolean
  /** The DNS name that its certificate must have, where that is another than the host's (`tls-server-name` of a kubeconfig). */
  readonly serverName?: string
  /** Who we are to it, where it wants to know. PEM; certificate and key both or none. */
  readonly credentials?: { readonly certificate?: string; readonly key?: string; readonly token?: string }
}

export interface RemoteRequest {
  readonly method: string
  /** Stands behind the target's own path. */
  readonly path?: string
  readonly query?: Readonly<Record<string, string>>
  /** Names in lower case; a list comes as several headers. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  readonly body?: string | Uint8Array
  readonly timeoutMs: number
}

export interface RemoteAnswer {
  readonly status: number
  /** Names in lower case; those sent more than once are joined. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

/** Whoever calls webhooks is handed one of these. */
export interface Remote {
  /** POSTs JSON. Throws Error that names the cause (no endpoints, TLS, time) in upstream's words; the answer may have any status. */
  post(ctx: Ctx, target: RemoteTarget, body: object, options: { readonly timeoutMs: number; readonly query?: Readonly<Record<string, string>> }): Promise<RemoteAnswer>
  /** Any request whose answer is read whole; throws as post() does. */
  send(ctx: Ctx, target: RemoteTarget, request: RemoteRequest): Promise<RemoteAnswer>
}

/** Turns a Service and one of its ports into an address that a connection can be made to: that of a ready endpoint, chosen by chance. */
export interface ServiceResolver {
  /** Throws ApiError (404 for no Service, 503 for no endpoints), as upstream's proxy package does. */
  resolve(namespace: string, name: string, port: number): { readonly host: string; readonly port: number }
}

export interface RemoteInit {
  readonly services: ServiceResolver
  /** Shown as User-Agent. */
  readonly agent: string
}

/** More than any review or converted list has reason to be. */
export const answerBytesMax = 64 * 1_024 * 1_024
/** Idle connections kept for one server (client-go's own number). */
const idleConnectionsMax = 25

export interface RemoteClient extends Remote {
  /** Ends idle connections. */
  close(): void
}

export function remoteClient(init: RemoteInit): RemoteClient {
  const agents: Agents = { http: new http.Agent({ keepAlive: true, maxFreeSockets: idleConnectionsMax }), https: new https.Agent({ keepAlive: true, maxFreeSockets: idleConnectionsMax }) }
  const send = async (ctx: Ctx, target: RemoteTarget, request: RemoteRequest): Promise<RemoteAnswer> => {
    const place = placeOf(target, request)
    try {
      return await withTimeout(ctx, request.timeoutMs, async (timed) => {
        const address = target.service === undefined ? place.address : init.services.resolve(target.service.namespace, target.service.name, place.address.port)
        const options = optionsOf(init, target, place, address, request)
        return await exchange(timed, options, { body: request.body, name: place.name, agent: place.secure ? agents.https : agents.http })
      })
    } catch (cause) {
      const method = request.method.charAt(0) + request.method.slice(1).toLowerCase()
      throw new Error(`${method} ${JSON.stringify(place.url)}: ${causeText(cause, ctx.clock.now())}`, { cause })
    }
  }
  return {
    send,
    post: (ctx, target, body, options) => send(ctx, target, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body), ...options }),
    close() {
      agents.http.destroy()
      agents.https.destroy()
    },
  }
}

interface Agents {
  readonly http: http.Agent
  readonly https: https.Agent
}

interface Place {
  readonly url: string
  readonly secure: boolean
  /** `host:port` as the Host header and the certificate's name have it. */
  readonly authority: string
  readonly name: string
  /** Where an URL leads; of a Service only the port counts. */
  readonly address: { readonly host: string; readonly port: number }
  readonly path: string
}

function placeOf(target: RemoteTarget, request: RemoteRequest): Place {
  const query = request.query === undefined ? '' : `?${new URLSearchParams(request.query).toString()}`
  if (target.service !== undefined) {
    const { name, namespace, path = '', port = 443 } = target.service
    const host = `${name}.${namespace}.svc`
    const way = joined(path, request.path) + query
    return { url: `https://${host}:${port}${way}`, secure: true, authority: `${host}:${port}`, name: target.serverName ?? host, address: { host, port }, path: way }
  }
  if (target.url === undefined) throw new Error('webhook configuration must have either service or URL')
  const url = new URL(target.url)
  const secure = url.protocol === 'https:'
  const host = url.hostname.replaceAll(/[[\]]/g, '')
  const port = url.port === '' ? (secure ? 443 : 80) : Number(url.port)
  const way = joined(url.pathname, request.path) + (request.query === undefined ? url.search : query)
  return { url: `${url.protocol}//${url.host}${way}`, secure, authority: url.host, name: target.serverName ?? host, address: { host, port }, path: way }
}

/** A target's own path is cleaned as Go does: `//a/` is /a. */
function joined(target: string, more: string | undefined): string {
  const base = posix.normalize(`/${target}`).replace(/(?<=.)\/$/, '')
  const path = more === undefined ? base : `${base.replace(/\/+$/, '')}/${more.replace(/^\/+/, '')}`
  return path.startsWith('/') ? path : `/${path}`
}

function optionsOf(init: RemoteInit, target: RemoteTarget, place: Place, address: Place['address'], request: RemoteRequest): RequestOptions {
  const { certificate, key, token } = target.credentials ?? {}
  const bytes = request.body === undefined ? undefined : Buffer.byteLength(request.body)
  const headers: http.OutgoingHttpHeaders = {
    host: place.authority,
    'user-agent': init.agent,
    accept: 'application/json, */*',
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    ...(bytes === undefined ? {} : { 'content-length': String(bytes) }),
    ...(request.headers as http.OutgoingHttpHeaders | undefined),
  }
  const plain = { host: address.host, port: address.port, method: request.method, path: place.path, headers }
  if (!place.secure) return plain
  return {
    ...plain,
    minVersion: 'TLSv1.2',
    // Always given, or the Host header would stand in; empty for an address, which is then itself what the certificate must have.
    servername: isIP(place.name) === 0 ? place.name : '',
    ...(target.caBundle === undefined || target.caBundle === '' ? {} : { ca: Buffer.from(target.caBundle, 'base64').toString('utf8') }),
    allowPartialTrustChain: true, // what the bundle has is trusted, be it the server's own certificate
    ...(certificate === undefined || key === undefined ? {} : { cert: certificate, key }),
    rejectUnauthorized: target.insecureSkipTlsVerify !== true,
  }
}

interface Way {
  readonly body: string | Uint8Array | undefined
  /** What the server's certificate must be for. */
  readonly name: string
  readonly agent: http.Agent | false
}

/** Sends; once more, over a connection of its own, when an idle one had been closed by the server. */
async function exchange(ctx: Ctx, options: RequestOptions, way: Way): Promise<RemoteAnswer> {
  try {
    return await once(ctx, options, way)
  } catch (error) {
    if (!(error instanceof Stale)) throw error
    return await once(ctx, options, { ...way, agent: false })
  }
}

function once(ctx: Ctx, options: RequestOptions, { body, name, agent }: Way): Promise<RemoteAnswer> {
  return new Promise((resolve, reject) => {
    const sent = 'servername' in options ? https.request({ ...options, agent }) : http.request({ ...options, agent })
    const stop = (): void => void sent.destroy(ctx.signal.reason as Error)
    const done = (): void => ctx.signal.removeEventListener('abort', stop)
    const fail = (error: unknown): void => {
      done()
      if (ctx.signal.aborted) return reject(ctx.signal.reason as Error)
      const { code, cert } = error as { readonly code?: string; readonly cert?: PeerCertificate }
      if (sent.reusedSocket && code === 'ECONNRESET') return reject(new Stale())
      reject(code === 'ERR_TLS_CERT_ALTNAME_INVALID' && cert !== undefined ? (nameError(name, cert) ?? (error as Error)) : (error as Error))
    }
    if (options.rejectUnauthorized === true) refuseStrangers(sent, name)
    sent.once('response', (response) => {
      readAll(response).then(
        (bytes) => {
          done()
          resolve({ status: response.statusCode ?? 0, headers: flat(response.headers), body: bytes })
        },
        (error: unknown) => {
          sent.destroy()
          fail(error)
        },
      )
    })
    sent.on('error', fail) // stays: what comes after an abort is nobody's
    ctx.signal.addEventListener('abort', stop, { once: true })
    if (ctx.signal.aborted) stop()
    sent.end(body)
  })
}

/**
 * Node takes a common name for a name; we do not. Nothing has been sent when this is asked. (checkServerIdentity would be
 * the place, but Bun keeps no connection of requests that have one.)
 */
function refuseStrangers(sent: http.ClientRequest, name: string): void {
  sent.once('socket', (socket) => {
    if (sent.reusedSocket) return
    socket.once('secureConnect', () => {
      const wrong = nameError(name, (socket as TLSSocket).getPeerCertificate())
      if (wrong !== undefined) sent.destroy(wrong)
    })
  })
}

/** A kept connection was gone before an answer began. */
class Stale extends Error {}

/** With events: an iterator ends with destroying the stream, and its connection would not be kept. */
function readAll(stream: http.IncomingMessage): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = []
    let size = 0
    stream.on('data', (chunk: Uint8Array) => {
      size += chunk.length
      if (size > answerBytesMax) reject(new Error(`the answer is larger than ${answerBytesMax} bytes`))
      else chunks.push(chunk)
    })
    stream.once('end', () => resolve(Buffer.concat(chunks)))
    stream.once('error', reject)
    stream.once('aborted', () => reject(new Error('unexpected EOF')))
  })
}

function flat(headers: http.IncomingHttpHeaders): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [[name, Array.isArray(value) ? value.join(', ') : value]])))
}
