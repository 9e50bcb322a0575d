/**
 * The streams of exec and attach, whichever way the client speaks: WebSocket with
 * channels (v5 and v4.channel.k8s.io) or SPDY/3.1 with a stream each. What is
 * behind them is session.ts.
 */
import type { IncomingMessage } from 'node:http'
import { PassThrough, type Duplex, type Readable } from 'node:stream'
import type { Ctx } from '../../../core/lib/ctx.ts'
import { serveSpdy, type SpdyStream } from './spdy.ts'
import { acceptWebSocket, isWebSocket, offeredProtocols } from './websocket.ts'

export interface RemoteOptions {
  readonly stdin: boolean
  readonly stdout: boolean
  readonly stderr: boolean
  readonly tty: boolean
}

export interface TerminalSize {
  readonly columns: number
  readonly rows: number
}

export interface RemoteStreams {
  /** Ends with the client's half-close. */
  readonly stdin: Readable | undefined
  write(to: 'stdout' | 'stderr', data: Uint8Array): Promise<void>
  /** The outcome, as upstream's Status in JSON; the last thing that is said. */
  finish(status: string): Promise<void>
  onResize(tell: (size: TerminalSize) => void): void
  readonly closed: Promise<void>
  close(): void
}

/** Upgrades the connection; undefined when the client speaks neither, and has been told so. */
export async function acceptRemote(ctx: Ctx, request: IncomingMessage, wire: Duplex, head: Buffer, options: RemoteOptions): Promise<RemoteStreams | undefined> {
  return isWebSocket(request) ? overWebSocket(request, wire, head, options) : overSpdy(ctx, request, wire, head, options)
}

const channel = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4, close: 255 } as const
const webSocketProtocols = ['v5.channel.k8s.io', 'v4.channel.k8s.io', 'channel.k8s.io', 'v4.base64.channel.k8s.io', 'base64.channel.k8s.io'] as const

function overWebSocket(request: IncomingMessage, wire: Duplex, head: Buffer, options: RemoteOptions): RemoteStreams | undefined {
  const offered = offeredProtocols(request)
  const protocol = offered.length === 0 ? '' : webSocketProtocols.find((name) => offered.includes(name))
  if (protocol === undefined) return refuse(wire, 403, `unable to upgrade: none of the protocols ${offered.join(', ')} is supported`)
  const base64 = protocol.includes('base64')
  const peer = acceptWebSocket(request, wire, head, protocol)
  const stdin = options.stdin ? new PassThrough() : undefined
  // The client tells the size at once, often before there is a process to tell it to.
  let size: TerminalSize | undefined
  let resized = (next: TerminalSize): void => void (size = next)
  const send = (to: number, data: Uint8Array): Promise<void> =>
    peer.send(base64 ? Buffer.from(String(to) + Buffer.from(data).toString('base64')) : Buffer.concat([Buffer.from([to]), data]))
  const read = async (): Promise<void> => {
    for await (const message of peer.messages()) {
      const to = base64 ? (message[0] ?? 48) - 48 : (message[0] ?? 0)
      const data = base64 ? Buffer.from(message.subarray(1).toString(), 'base64') : message.subarray(1)
      if (to === channel.stdin && stdin !== undefined && !stdin.writableEnded) {
        if (data.length > 0 && !stdin.write(data)) await Promise.race([drained(stdin), peer.closed])
      } else if (to === channel.close && data[0] === channel.stdin) stdin?.end()
      else if (to === channel.resize) tellSize(data.toString(), resized)
    }
    stdin?.end()
  }
  void read()
  // An empty message tells old clients that the connection stands.
  void send(options.stdout ? channel.stdout : options.stderr ? channel.stderr : channel.error, Buffer.alloc(0))
  return {
    stdin,
    write: (to, data) => send(channel[to], data),
    async finish(status) {
      const words = outcomeOf(protocol, status)
      if (words !== '') await send(channel.error, Buffer.from(words))
    },
    onResize(tell) {
      resized = tell
      if (size !== undefined) tell(size)
    },
    closed: peer.closed,
    close: () => peer.close(),
  }
}

const spdyProtocols = ['v4.channel.k8s.io', 'v3.channel.k8s.io', 'v2.channel.k8s.io', 'channel.k8s.io'] as const
/** Time a client has to open its streams. */
const streamsMsMax = 30_000

async function overSpdy(ctx: Ctx, request: IncomingMessage, wire: Duplex, head: Buffer, options: RemoteOptions): Promise<RemoteStreams | undefined> {
  const protocol = acceptSpdy(request, wire, head, spdyProtocols)
  if (protocol === undefined) return undefined
  const resizes = options.tty && /^v[34]/.test(protocol)
  const expected = ['error', ...(options.stdin ? ['stdin'] : []), ...(options.stdout ? ['stdout'] : []), ...(options.stderr ? ['stderr'] : []), ...(resizes ? ['resize'] : [])]
  const streams = new Map<string, SpdyStream>()
  const { promise: complete, resolve } = Promise.withResolvers<void>()
  const server = serveSpdy(wire, (stream) => {
    streams.set(stream.headers.get('streamtype') ?? '', stream)
    if (expected.every((name) => streams.has(name))) resolve()
  })
  const timer = ctx.clock.after(streamsMsMax, () => server.close())
  await Promise.race([complete, server.closed])
  timer.stop()
  if (!expected.every((name) => streams.has(name))) {
    server.close()
    return undefined
  }
  const say = (to: string, data: Uint8Array, end: boolean): Promise<void> =>
    new Promise((done) => {
      const stream = streams.get(to)
      if (stream === undefined || stream.destroyed || !stream.writable) return done()
      stream.once('close', done)
      if (end) stream.end(data, () => done())
      else stream.write(data, () => done())
    })
  return {
    stdin: streams.get('stdin'),
    write: (to, data) => say(to, data, false),
    async finish(status) {
      await Promise.all([say('stdout', Buffer.alloc(0), true), say('stderr', Buffer.alloc(0), true)])
      await say('error', Buffer.from(outcomeOf(protocol, status)), true)
    },
    onResize(tell) {
      streams.get('resize')?.on('data', (data: Buffer) => tellSize(data.toString(), tell))
    },
    closed: server.closed,
    close: () => server.close(),
  }
}

/** What the error stream says at the end: since v4 the Status, before that text, and nothing for success. */
export function outcomeOf(protocol: string, status: string): string {
  if (/^v[45]\./.test(protocol)) return status
  const { status: how, message = '' } = JSON.parse(status) as { status?: string; message?: string }
  return how === 'Success' ? '' : message
}

/** Answers a SPDY upgrade with the first of our protocols that the client offers; refuses and says undefined when there is none. */
export function acceptSpdy(request: IncomingMessage, wire: Duplex, head: Buffer, protocols: readonly string[]): string | undefined {
  if ((request.headers.upgrade ?? '').toLowerCase() !== 'spdy/3.1') return refuse(wire, 400, 'unable to upgrade: missing upgrade headers in request')
  const header = request.headers['x-stream-protocol-version']
  const offered = (Array.isArray(header) ? header : (header ?? '').split(',')).map((name) => name.trim()).filter((name) => name !== '')
  const chosen = offered.length === 0 ? protocols.at(-1) : protocols.find((name) => offered.includes(name))
  if (chosen === undefined) return refuse(wire, 403, `unable to upgrade: unable to negotiate protocol: client supports [${offered.join(' ')}], server accepts [${protocols.join(' ')}]`)
  wire.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: ${chosen}\r\n\r\n`)
  if (head.length > 0) wire.unshift(head)
  return chosen
}

export function refuse(wire: Duplex, code: number, message: string): undefined {
  const body = `${message}\n`
  wire.end(`HTTP/1.1 ${code} Refused\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`)
  return undefined
}

const drained = (stream: PassThrough): Promise<void> => new Promise((resolve) => stream.once('drain', () => resolve()))

/** Sizes come as JSON documents one after the other. */
function tellSize(text: string, tell: (size: TerminalSize) => void): void {
  for (const document of text.match(/\{[^}]*\}/g) ?? []) {
    try {
      const { Width, Height } = JSON.parse(document) as { Width?: number; Height?: number }
      if (Width !== undefined && Height !== undefined) tell({ columns: Width, rows: Height })
    } catch {
      return // not a size: the next one may be
    }
  }
}
