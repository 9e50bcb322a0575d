/**
 * Answers on a socket that an upgrade was asked on: an ordinary one, after which the connection ends, or a WebSocket
 * once there is a stream to send. A watch is one message an event: text, or binary where it is protobuf; of other streams
 * each piece is a message.
 */
import type { Duplex } from 'node:stream'
import type { Headers, Incoming, Outlet } from '../exchange.ts'
import { asksForWebSocket, ClientFrames, closeFrame, frame, handshake, type Handshake } from './websocket.ts'

export type StreamKind = 'watch' | 'log' | 'none'

type Framing = (chunk: Uint8Array) => Buffer

const logProtocols = { binary: 'binary.k8s.io', base64: 'base64.binary.k8s.io' } as const

/** `head`: what has come after the request already. */
export function socketOutlet(socket: Duplex, head: Buffer, request: Incoming, kind: StreamKind): Outlet {
  let framing: Framing = (chunk) => Buffer.from(chunk)
  let started = false
  let talking = false
  const gone = (): boolean => socket.destroyed || socket.writableEnded
  const begin = (code: number, headers: Headers): void => {
    if (gone()) return
    started = true
    if (code !== 200 || kind === 'none' || !asksForWebSocket(request)) return void socket.write(headOf(code, headers), 'latin1')
    const agreed = agree(request, kind)
    if (!agreed.ok) return void socket.end(agreed.answer)
    talking = true
    framing = framingOf(kind, headers, agreed.protocol)
    socket.write(agreed.head)
    if (kind === 'log') socket.write(framing(new Uint8Array()))
    listen(socket, head)
  }
  return {
    get started() {
      return started
    },
    get gone() {
      return gone()
    },
    hangUp: () => undefined,
    send(code, headers, body) {
      started = true
      if (gone()) return
      socket.write(headOf(code, body === undefined ? headers : { ...headers, 'content-length': String(body.length) }), 'latin1')
      socket.end(body === undefined || request.method === 'HEAD' ? '' : body)
      socket.resume()
    },
    start: begin,
    write: (chunk) => gone() || socket.write(framing(chunk)),
    end() {
      if (!gone()) socket.end(talking ? closeFrame() : '')
    },
    destroy: (why) => void socket.destroy(why),
    onDrain: (drained) => void socket.on('drain', drained),
    onClose(closed) {
      if (socket.destroyed) queueMicrotask(closed)
      else socket.once('close', closed)
    },
  }
}

function agree(request: Incoming, kind: StreamKind): Handshake {
  return handshake(request, kind === 'log' ? { protocols: Object.values(logProtocols), origin: false } : { protocols: undefined, origin: true })
}

function framingOf(kind: StreamKind, headers: Headers, protocol: string): Framing {
  if (kind === 'log') return protocol === logProtocols.base64 ? (chunk) => frame('text', Buffer.from(Buffer.from(chunk).toString('base64'))) : (chunk) => frame('binary', chunk)
  const isProtobuf = String(headers['content-type']).startsWith('application/vnd.kubernetes.protobuf')
  // A message has its length already.
  return isProtobuf ? (chunk) => frame('binary', chunk.subarray(lengthBytes)) : (chunk) => frame('text', chunk)
}

/** Before each protobuf event of a stream of bytes. */
const lengthBytes = 4

/** Pings are answered; when the client ends, or goes, so do we. */
function listen(socket: Duplex, head: Buffer): void {
  const end = (code: 1000 | 1002): void => void (socket.writableEnded || socket.end(closeFrame(code)))
  const frames = new ClientFrames({ ping: (payload) => void (socket.writableEnded || socket.write(frame('pong', payload))), end })
  socket.on('data', (chunk: Buffer) => frames.push(chunk))
  socket.on('end', () => socket.end())
  socket.resume()
  if (head.length > 0) frames.push(head)
}

function headOf(code: number, headers: Headers): string {
  const lines = Object.entries({ ...headers, connection: 'close' }).flatMap(([name, value]) => (typeof value === 'string' ? [value] : value).map((one) => `${name}: ${one}`))
  return `HTTP/1.1 ${code} ${reasons[code] ?? 'Answer'}\r\n${lines.map((line) => line.replaceAll(/[^\t\u0020-\u007e\u00a0-\u00ff]/g, '?')).join('\r\n')}\r\n\r\n`
}

const reasons: Readonly<Record<number, string>> = {
  200: 'OK', 301: 'Moved Permanently', 304: 'Not Modified', 400: 'Bad Request', 401: 'Unauthorized', 403: 'Forbidden', 404: 'Not Found',
  405: 'Method Not Allowed', 406: 'Not Acceptable', 410: 'Gone', 422: 'Unprocessable Entity', 429: 'Too Many Requests',
  500: 'Internal Server Error', 503: 'Service Unavailable', 504: 'Gateway Timeout',
}
