/**
 * Port forwarding: pairs of a data and an error stream over SPDY (raw, or through a
 * WebSocket tunnel), or channels of a plain WebSocket. Each pair is one connection into the pod.
 */
import type { IncomingMessage } from 'node:http'
import { Duplex, PassThrough } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Ctx } from '../../../core/lib/ctx.ts'
import { acceptSpdy, refuse } from './remote.ts'
import { serveSpdy, type SpdyStream } from './spdy.ts'
import { acceptWebSocket, byteStream, isWebSocket, offeredProtocols, type WebSocketPeer } from './websocket.ts'

export interface ForwardTarget {
  /** `name`, uid for messages. */
  readonly pod: string
  readonly uid: string
  dial(ctx: Ctx, port: number): Promise<Duplex>
}

const tunnelProtocol = 'SPDY/3.1+portforward.k8s.io'
const spdyProtocol = 'portforward.k8s.io'
const channelProtocols = ['v4.channel.k8s.io', 'v4.base64.channel.k8s.io'] as const

/** Serves until the client leaves. */
export async function acceptForward(ctx: Ctx, request: IncomingMessage, wire: Duplex, head: Buffer, ports: readonly number[], target: ForwardTarget): Promise<void> {
  if (!isWebSocket(request)) {
    if (acceptSpdy(request, wire, head, [spdyProtocol]) !== undefined) await forwardSpdy(ctx, wire, target)
    return
  }
  const offered = offeredProtocols(request)
  if (offered.includes(tunnelProtocol)) return forwardSpdy(ctx, byteStream(acceptWebSocket(request, wire, head, tunnelProtocol)), target)
  const protocol = offered.length === 0 ? '' : channelProtocols.find((name) => offered.includes(name))
  if (protocol === undefined) return refuse(wire, 403, `unable to upgrade: none of the protocols ${offered.join(', ')} is supported`)
  if (ports.length === 0) return refuse(wire, 400, 'query parameter "port" is required')
  await forwardChannels(ctx, acceptWebSocket(request, wire, head, protocol), { ports, base64: protocol.includes('base64') }, target)
}

interface Pair {
  data?: SpdyStream
  error?: SpdyStream
}

async function forwardSpdy(ctx: Ctx, wire: Duplex, target: ForwardTarget): Promise<void> {
  const pairs = new Map<string, Pair>()
  const server = serveSpdy(wire, (stream) => {
    const kind = stream.headers.get('streamtype')
    const port = Number(stream.headers.get('port'))
    if ((kind !== 'data' && kind !== 'error') || !(port >= 1 && port <= 65_535)) return stream.reset()
    // Old clients name no request: their two streams have ids that follow each other.
    const id = stream.headers.get('requestid') ?? String(kind === 'error' ? stream.id : stream.id - 2)
    const pair = pairs.get(id) ?? {}
    pairs.set(id, pair)
    pair[kind] = stream
    if (pair.data === undefined || pair.error === undefined) return
    pairs.delete(id)
    void forwardPair(ctx, pair.data, pair.error, port, target)
  })
  const stop = (): void => server.close()
  ctx.signal.addEventListener('abort', stop, { once: true })
  await server.closed
  ctx.signal.removeEventListener('abort', stop)
}

async function forwardPair(ctx: Ctx, data: SpdyStream, error: SpdyStream, port: number, target: ForwardTarget): Promise<void> {
  try {
    const connection = await target.dial(ctx, port)
    await Promise.all([pipeline(data, connection, { end: true }).catch(ignoreReset), pipeline(connection, data, { end: true }).catch(ignoreReset)])
    error.end()
  } catch (cause) {
    error.end(wordsOf(port, target, cause))
    data.reset()
  }
}

/** One side of a connection that has begun ended hard: the other side is told by the end of its stream. */
function ignoreReset(): void {}

function wordsOf(port: number, { pod, uid }: ForwardTarget, cause: unknown): string {
  const why = cause instanceof Error ? cause.message : String(cause)
  return `error forwarding port ${port} to pod ${pod}, uid ${uid}: failed to connect to localhost:${port} inside namespace of pod "${pod}": ${why}`
}

async function forwardChannels(ctx: Ctx, peer: WebSocketPeer, { ports, base64 }: { readonly ports: readonly number[]; readonly base64: boolean }, target: ForwardTarget): Promise<void> {
  const send = (to: number, data: Uint8Array): Promise<void> =>
    peer.send(base64 ? Buffer.from(String(to) + Buffer.from(data).toString('base64')) : Buffer.concat([Buffer.from([to]), data]))
  const inputs = ports.map(() => new PassThrough())
  const run = async (port: number, i: number): Promise<void> => {
    const number = Buffer.alloc(2)
    number.writeUInt16LE(port)
    await send(i * 2, number)
    await send(i * 2 + 1, number)
    try {
      const connection = await target.dial(ctx, port)
      const out = async (): Promise<void> => {
        for await (const chunk of connection as AsyncIterable<Uint8Array>) await send(i * 2, chunk)
      }
      await Promise.all([pipeline(inputs[i] as PassThrough, connection).catch(ignoreReset), out().catch(ignoreReset)])
    } catch (cause) {
      await send(i * 2 + 1, Buffer.from(wordsOf(port, target, cause)))
    }
  }
  const read = async (): Promise<void> => {
    for await (const message of peer.messages()) {
      const to = base64 ? (message[0] ?? 48) - 48 : (message[0] ?? 0)
      const data = base64 ? Buffer.from(message.subarray(1).toString(), 'base64') : message.subarray(1)
      if (to % 2 === 0 && inputs[to / 2]?.write(data) === false) await Promise.race([new Promise((resolve) => inputs[to / 2]?.once('drain', resolve)), peer.closed])
    }
    for (const input of inputs) input.end()
  }
  await Promise.race([Promise.all(ports.map(run)), read()])
  peer.close()
}
