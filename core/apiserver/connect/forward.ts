/**
 * One HTTP request passed on: headers that belong to the connection or to the sender's identity stay behind, bodies
 * stream both ways with back-pressure. A kubelet that answers a log request with an error becomes a Status.
 */
import http, { type IncomingMessage, type RequestOptions } from 'node:http'
import https from 'node:https'
import { gunzipSync } from 'node:zlib'
import { ApiError, badRequest, internal, serviceUnavailable } from '../../api/errors.ts'
import { bracketed } from '../../lib/ip.ts'
import type { Call } from '../deps.ts'
import type { Exchange, Headers, Incoming, Outlet } from '../exchange.ts'
import { linkThrough, pageThrough, type Place } from './html.ts'
import type { Location } from './location.ts'

/** How the dashboard's session cookie begins (web/sessions.ts). */
const sessionCookie = '__Host-kubun='

/** Headers of one hop (RFC 9110 7.6.1), and those that say who the sender is to us. */
const ownHeaders = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'host',
  'authorization',
  'http2-settings',
  'expect',
])

/** Who a front proxy says that asks: nobody but this server may say so. */
const speakerHeader = /^x-remote-(?:user$|uid$|group$|extra-)/

export function forwardedHeaders(request: Incoming): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const name of request.headerNames()) {
    if (name.startsWith(':') || name.startsWith('impersonate-') || speakerHeader.test(name) || ownHeaders.has(name)) continue
    const value = request.header(name) ?? ''
    headers[name] = name === 'cookie' ? foreignCookies(request.headers(name).join('; ')) : value
    if (name === 'cookie' && headers[name] === '') delete headers[name]
  }
  headers['x-forwarded-for'] = request.peer
  headers['x-forwarded-proto'] = 'https'
  headers['x-forwarded-uri'] = request.url
  return headers
}

/**
 * How long the body is. Reads have none on their way, whatever was announced, and what has no length comes in chunks:
 * else the other side would take a part of one request for another.
 */
export function framed<T extends Readonly<Record<string, unknown>>>(method: string, headers: T): Omit<T, 'content-length'> {
  const { 'content-length': length, ...rest } = headers
  if (method === 'GET' || method === 'HEAD') return rest
  return length === undefined ? { ...rest, 'transfer-encoding': 'chunked' } : { ...rest, 'content-length': length }
}

/** All but the dashboard's session (web/sessions.ts), which is as good as a password. */
function foreignCookies(text: string): string {
  return text.split(';').map((cookie) => cookie.trim()).filter((cookie) => cookie !== '' && !cookie.startsWith(sessionCookie)).join('; ')
}

export function hostOf({ host, port }: Pick<Location, 'host' | 'port'>): string {
  return `${bracketed(host)}:${port}`
}

export async function forward(call: Call, { request, outlet }: Exchange, location: Location): Promise<void> {
  const isLog = call.info.subresource === 'log'
  const options: RequestOptions & https.RequestOptions = {
    host: location.host,
    port: location.port,
    method: call.info.method,
    path: location.path,
    headers: { ...(isLog ? {} : framed(call.info.method, forwardedHeaders(request))), host: hostOf(location) },
    signal: call.ctx.signal,
    ...tlsOf(location),
  }
  const sent = location.tls === undefined ? http.request(options) : https.request(options)
  const answered = answerOf(sent, location, isLog)
  outlet.onClose(() => sent.destroy())
  if (call.info.method === 'GET' || call.info.method === 'HEAD') sent.end()
  // The answer, or that there is none, may come before the body has ended.
  else sendBody(request, sent).catch((error: unknown) => sent.destroy(error as Error))
  const response = await answered
  const code = response.statusCode ?? 502
  if (isLog && (code < 200 || code > 206)) throw await refusalOf(response, call)
  const place: Place = { root: proxyRoot(call), hosts: [hostOf(location), request.header('host') ?? ''] }
  if (!isLog && isPage(response)) return await sendPage(response, outlet, place)
  outlet.start(
    code,
    isLog ? { 'content-type': 'text/plain', 'cache-control': 'no-cache, private' } : answerHeaders(response, place),
  )
  await pipe(response, outlet)
}

export async function sendBody(request: Incoming, sent: http.ClientRequest): Promise<void> {
  for await (const chunk of request.stream()) {
    if (sent.destroyed) return
    if (!sent.write(chunk)) await drained(sent)
  }
  sent.end()
}

/** Also when it will never drain. */
function drained(sent: http.ClientRequest): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      sent.off('drain', done)
      sent.off('close', done)
      resolve()
    }
    sent.once('drain', done)
    sent.once('close', done)
    if (sent.destroyed) done()
  })
}

/** Kubelets show certificates of our CA; what pods show is their own business. */
export function tlsOf({ tls }: Location): https.RequestOptions {
  if (tls === undefined) return {}
  if (tls.client === undefined) return { rejectUnauthorized: false }
  return { cert: tls.client.cert, key: tls.client.key, ca: tls.client.ca, rejectUnauthorized: true }
}

function answerOf(sent: http.ClientRequest, location: Location, isLog: boolean): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    sent.once('response', resolve)
    sent.on('error', (error: NodeJS.ErrnoException) => {
      const why = dialError(error, location)
      if (!isLog) return reject(serviceUnavailable(`error trying to reach service: ${why}`))
      const scheme = location.tls === undefined ? 'http' : 'https'
      reject(
        new ApiError({
          code: 500,
          reason: '',
          message: `Get "${scheme}://${hostOf(location)}${location.path}": ${why}`,
        }),
      )
    })
  })
}

/** As Go says it. */
export function dialError(error: NodeJS.ErrnoException, location: Pick<Location, 'host' | 'port'>): string {
  const start = `dial tcp ${hostOf(location)}: connect: `
  if (error.code === 'ECONNREFUSED') return `${start}connection refused`
  if (error.code === 'EHOSTUNREACH') return `${start}no route to host`
  if (error.code === 'ENETUNREACH') return `${start}network is unreachable`
  if (error.code === 'ETIMEDOUT') return `dial tcp ${hostOf(location)}: i/o timeout`
  return error.message
}

/** Without a place, links stay as they are. */
export function answerHeaders(response: IncomingMessage, place?: Place): Headers {
  const headers: Record<string, string | readonly string[]> = {}
  for (const [name, value] of Object.entries(response.headers)) {
    if (value !== undefined && !ownHeaders.has(name)) headers[name] = value
  }
  // what is proxied shares the dashboard's origin: it may not sign its reader in as somebody else
  const cookies = response.headers['set-cookie']?.filter((cookie) => !cookie.trimStart().startsWith(sessionCookie))
  if (cookies !== undefined) headers['set-cookie'] = cookies
  const { location } = response.headers
  if (location !== undefined && place !== undefined) headers['location'] = linkThrough(location, place)
  return headers
}

/** A page that says it is longer is passed on as it is. */
const pageBytesMax = 8 * 1_024 * 1_024

function isPage({ headers, statusCode }: IncomingMessage): boolean {
  if (headers['content-type']?.split(';')[0]?.trim() !== 'text/html' || headers.location !== undefined) return false
  if (!['', 'gzip'].includes(headers['content-encoding'] ?? '') || statusCode === 206 || statusCode === 304) return false
  return Number(headers['content-length'] ?? 0) <= pageBytesMax
}

/** A page is read whole, for its links; one that turns out to be too long is refused. */
async function sendPage(response: IncomingMessage, outlet: Outlet, place: Place): Promise<void> {
  const parts: Buffer[] = []
  let bytes = 0
  for await (const part of response as AsyncIterable<Buffer>) {
    parts.push(part)
    bytes += part.length
    if (bytes > pageBytesMax) throw serviceUnavailable(`error trying to reach service: page of more than ${pageBytesMax} bytes`)
  }
  const { 'content-length': _length, 'content-encoding': encoding, ...headers } = answerHeaders(response, place)
  const body = encoding === 'gzip' ? gunzipSync(Buffer.concat(parts), { maxOutputLength: pageBytesMax }) : Buffer.concat(parts)
  outlet.start(response.statusCode ?? 502, headers)
  const page = body.length === 0 ? '' : pageThrough(body.toString('utf8'), place)
  if (page !== '') outlet.write(Buffer.from(page))
  outlet.end()
}

function proxyRoot(call: Call): string {
  const { path, rest } = call.info
  return rest === '' ? path.replace(/\/$/, '') : path.slice(0, path.length - rest.length - 1)
}

/** k8s.io/apiserver/pkg/registry/generic/rest/response_checker.go. */
async function refusalOf(response: IncomingMessage, call: Call): Promise<ApiError> {
  let text = ''
  for await (const chunk of response) {
    text += String(chunk)
    if (text.length > refusalCharsMax) break
  }
  const code = response.statusCode ?? 500
  if (code === 400) return badRequest(text)
  if (code === 500) return internal(text)
  const details = {
    name: call.info.name,
    kind: 'pods/log',
    causes: [{ reason: 'UnexpectedServerResponse', message: text }],
  }
  if (code === 404)
    return new ApiError({
      code,
      reason: 'NotFound',
      message: `the server could not find the requested resource (get pods/log ${call.info.name})`,
      details,
    })
  return new ApiError({
    code,
    reason: 'InternalError',
    message: `an error on the server (${JSON.stringify(text)}) has prevented the request from succeeding (get pods/log ${call.info.name})`,
    details,
  })
}

const refusalCharsMax = 4_096

export async function pipe(from: IncomingMessage, outlet: Outlet): Promise<void> {
  await new Promise<void>((resolve) => {
    outlet.onDrain(() => from.resume())
    outlet.onClose(() => {
      from.destroy()
      resolve()
    })
    from.on('data', (chunk: Buffer) => {
      if (!outlet.write(chunk)) from.pause()
    })
    from.on('end', () => {
      outlet.end()
      resolve()
    })
    from.on('error', (error) => {
      outlet.destroy(error)
      resolve()
    })
    from.on('aborted', () => {
      outlet.destroy(new Error('the other side ended early'))
      resolve()
    })
  })
}
