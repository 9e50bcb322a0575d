/**
 * One probe or hook, once: exec in the container, an HTTP request, a TCP
 * connection, a gRPC health check (pkg/probe). The answer is success or failure
 * with words; whoever asks bounds the time through ctx.
 */
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { connect } from 'node:net'
import type { Ctx } from '../../../core/lib/ctx.ts'
import type { Container, HTTPGetAction, IntOrString } from '../../../core/api/schema/types.ts'
import { bracketed } from '../../../core/lib/ip.ts'
import type { Runtime } from '../../host/runtime.ts'

export interface ProbeAnswer {
  readonly ok: boolean
  readonly output: string
}

/** Bytes of output that are read; the rest is not of interest. */
const outputBytesMax = 10 * 1024

export async function runExec(ctx: Ctx, runtime: Runtime, id: string, command: readonly string[]): Promise<ProbeAnswer & { readonly code: number }> {
  const session = await runtime.exec(ctx, id, { command, stdin: false, tty: false })
  const gather = async (): Promise<string> => {
    const chunks: Uint8Array[] = []
    let size = 0
    const take = async (stream: AsyncIterable<Uint8Array>): Promise<void> => {
      for await (const chunk of stream) {
        if (size < outputBytesMax) chunks.push(chunk)
        size += chunk.length
      }
    }
    await Promise.all([take(session.stdout), take(session.stderr)])
    return Buffer.concat(chunks).subarray(0, outputBytesMax).toString()
  }
  const reading = gather()
  reading.catch(() => undefined)
  try {
    const output = await Promise.race([reading, abortOf(ctx)])
    const code = await session.exitCode(ctx)
    return { ok: code === 0, output, code }
  } catch (error) {
    // ctx has ended: the process is ended under a signal of its own.
    await session.close({ ...ctx, signal: new AbortController().signal }).catch(() => undefined)
    throw error
  }
}

function abortOf(ctx: Ctx): Promise<never> {
  return new Promise((_, reject) => {
    if (ctx.signal.aborted) reject(ctx.signal.reason)
    ctx.signal.addEventListener('abort', () => reject(ctx.signal.reason), { once: true })
  })
}

/** Number of a port that may be given by name. */
export function portOf(container: Readonly<Container>, port: IntOrString): number {
  if (typeof port === 'number') return port
  const named = container.ports?.find((p) => p.name === port)?.containerPort
  if (named !== undefined) return named
  if (/^\d+$/.test(port)) return Number(port)
  throw new Error(`couldn't find port by name: ${port}`)
}

const redirectsMax = 10

export async function runHttp(ctx: Ctx, action: Readonly<HTTPGetAction>, container: Readonly<Container>, podIP: string, agent = 'kube-probe/1.36'): Promise<ProbeAnswer> {
  const host = action.host === undefined || action.host === '' ? podIP : action.host
  const scheme = (action.scheme ?? 'HTTP').toLowerCase()
  const path = action.path === undefined || action.path === '' ? '/' : action.path.startsWith('/') ? action.path : `/${action.path}`
  let url = new URL(`${scheme}://${bracketed(host)}:${portOf(container, action.port)}${path}`)
  const headers: Record<string, string> = { 'User-Agent': agent, Accept: '*/*', Connection: 'close' }
  for (const { name, value } of action.httpHeaders ?? []) headers[name] = value
  const first = url
  for (let hops = 0; hops <= redirectsMax; hops++) {
    const { code, location, body } = await fetchOnce(ctx, url, headers)
    if (code >= 300 && code < 400 && location !== undefined) {
      url = new URL(location, url)
      // A redirect to another host is not followed, and counts as alive.
      if (url.hostname !== first.hostname) return { ok: true, output: `Probe terminated redirects, Response body: ${body}` }
      continue
    }
    if (code >= 200 && code < 400) return { ok: true, output: body }
    return { ok: false, output: `HTTP probe failed with statuscode: ${code}` }
  }
  return { ok: false, output: `Get "${first.href}": stopped after ${redirectsMax} redirects` }
}

function fetchOnce(ctx: Ctx, url: URL, headers: Readonly<Record<string, string>>): Promise<{ code: number; location: string | undefined; body: string }> {
  const open = url.protocol === 'https:' ? httpsRequest : httpRequest
  return new Promise((resolve, reject) => {
    const options = { headers, agent: false, signal: ctx.signal, rejectUnauthorized: false }
    const request = open(url, options, (response: IncomingMessage) => {
      const chunks: Buffer[] = []
      let size = 0
      response.on('data', (chunk: Buffer) => {
        if (size < outputBytesMax) chunks.push(chunk)
        size += chunk.length
        if (size >= outputBytesMax) response.destroy()
      })
      const done = (): void => resolve({ code: response.statusCode ?? 0, location: response.headers.location, body: Buffer.concat(chunks).subarray(0, outputBytesMax).toString() })
      response.on('end', done)
      response.on('close', done)
    })
    request.on('error', (error) => reject(new Error(`Get "${url.href}": ${ctx.signal.aborted ? 'context deadline exceeded (Client.Timeout exceeded while awaiting headers)' : dialWords(error, url.hostname, portText(url))}`)))
    request.end()
  })
}

const portText = (url: URL): string => url.port || (url.protocol === 'https:' ? '443' : '80')

export function runTcp(ctx: Ctx, host: string, port: number): Promise<ProbeAnswer> {
  return new Promise((resolve) => {
    const socket = connect({ host, port })
    const end = (answer: ProbeAnswer): void => {
      ctx.signal.removeEventListener('abort', late)
      socket.destroy()
      resolve(answer)
    }
    const late = (): void => end({ ok: false, output: `dial tcp ${host}:${port}: i/o timeout` })
    ctx.signal.addEventListener('abort', late, { once: true })
    socket.once('connect', () => end({ ok: true, output: '' }))
    socket.once('error', (error) => end({ ok: false, output: dialWords(error, host, String(port)) }))
  })
}

/** The words that Go's dialer has for what the kernel said. */
export function dialWords(error: Error, host: string, port: string): string {
  const code = (error as { code?: string }).code ?? ''
  const words: Readonly<Record<string, string>> = {
    ECONNREFUSED: 'connect: connection refused',
    ConnectionRefused: 'connect: connection refused',
    EHOSTUNREACH: 'connect: no route to host',
    ENETUNREACH: 'connect: network is unreachable',
    ETIMEDOUT: 'i/o timeout',
  }
  return words[code] === undefined ? error.message : `dial tcp ${host}:${port}: ${words[code]}`
}
