/**
 * WebSocket (RFC 6455) for the server's side, over the socket of an upgrade: just
 * binary and text messages, ping, close. Messages come one at a time, and the next
 * is read when the last one was taken, so that a slow process slows its client.
 */
import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { Duplex } from 'node:stream'

export interface WebSocketPeer {
  /** Messages until the peer closes. */
  messages(): AsyncIterable<Buffer>
  /** Resolves when the bytes have gone to the kernel. */
  send(data: Uint8Array): Promise<void>
  close(code?: number): void
  readonly closed: Promise<void>
}

const messageBytesMax = 16 * 1024 * 1024
const opcode = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const

export function isWebSocket(request: IncomingMessage): boolean {
  return (request.headers.upgrade ?? '').toLowerCase() === 'websocket' && request.headers['sec-websocket-key'] !== undefined
}

/** Subprotocols that the client offers, in its order. */
export function offeredProtocols(request: IncomingMessage): readonly string[] {
  return String(request.headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim()).filter((name) => name !== '')
}

/** Answers the upgrade with the chosen subprotocol ('' for none). */
export function acceptWebSocket(request: IncomingMessage, wire: Duplex, head: Buffer, protocol: string): WebSocketPeer {
  const key = `${String(request.headers['sec-websocket-key'])}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`
  const accept = createHash('sha1').update(key).digest('base64')
  const lines = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade', `Sec-WebSocket-Accept: ${accept}`]
  if (protocol !== '') lines.push(`Sec-WebSocket-Protocol: ${protocol}`)
  wire.write(`${lines.join('\r\n')}\r\n\r\n`)
  if (head.length > 0) wire.unshift(head)
  return peerOf(wire)
}

function peerOf(wire: Duplex): WebSocketPeer {
  const { promise: closed, resolve } = Promise.withResolvers<void>()
  wire.once('close', () => resolve())
  wire.on('error', () => resolve())
  let closing = false
  const send = (code: number, data: Uint8Array): Promise<void> =>
    new Promise((done) => {
      if (!wire.writable) return done()
      wire.write(Buffer.concat([frameHead(code, data.length), data]), () => done())
    })
  const close = (code = 1000): void => {
    if (closing) return
    closing = true
    const body = Buffer.alloc(2)
    body.writeUInt16BE(code)
    void send(opcode.close, body).then(() => {
      // A peer that does not answer must not hold the socket: it ends as soon as everything is written.
      wire.end(() => wire.destroy())
      resolve()
    })
  }
  async function* messages(): AsyncGenerator<Buffer> {
    let parts: Buffer[] = []
    for await (const { code, fin, body } of frames(wire)) {
      if (code === opcode.ping) await send(opcode.pong, body)
      else if (code === opcode.close) break
      else if (code === opcode.text || code === opcode.binary || code === opcode.continuation) {
        parts.push(body)
        if (parts.reduce((sum, part) => sum + part.length, 0) > messageBytesMax) break
        if (!fin) continue
        const whole = Buffer.concat(parts)
        parts = []
        yield whole
      }
    }
    close()
  }
  return { messages, send: (data) => send(opcode.binary, data), close, closed }
}

interface WireFrame {
  readonly code: number
  readonly fin: boolean
  readonly body: Buffer
}

async function* frames(wire: Duplex): AsyncGenerator<WireFrame> {
  let rest: Buffer = Buffer.alloc(0)
  try {
    for await (const chunk of wire as AsyncIterable<Buffer>) {
      rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
      for (let frame = parseFrame(rest); frame !== undefined; frame = parseFrame(rest)) {
        rest = rest.subarray(frame.size)
        yield frame
      }
    }
  } catch {
    // The connection broke: for whoever reads, the messages have ended.
  }
}

function parseFrame(bytes: Buffer): (WireFrame & { readonly size: number }) | undefined {
  if (bytes.length < 2) return undefined
  const [first = 0, second = 0] = bytes
  let length = second & 0x7f
  let at = 2
  if (length === 126) {
    if (bytes.length < 4) return undefined
    length = bytes.readUInt16BE(2)
    at = 4
  } else if (length === 127) {
    if (bytes.length < 10) return undefined
    const long = bytes.readBigUInt64BE(2)
    if (long > BigInt(messageBytesMax)) throw new Error('websocket: message too large')
    length = Number(long)
    at = 10
  }
  const masked = (second & 0x80) !== 0
  if (bytes.length < at + (masked ? 4 : 0) + length) return undefined
  const mask = bytes.subarray(at, at + 4)
  if (masked) at += 4
  const body = Buffer.from(bytes.subarray(at, at + length))
  if (masked) for (let i = 0; i < body.length; i++) body[i] = (body[i] ?? 0) ^ (mask[i & 3] ?? 0)
  return { code: first & 0x0f, fin: (first & 0x80) !== 0, body, size: at + length }
}

function frameHead(code: number, length: number): Buffer {
  if (length < 126) return Buffer.from([0x80 | code, length])
  if (length < 65_536) {
    const head = Buffer.from([0x80 | code, 126, 0, 0])
    head.writeUInt16BE(length, 2)
    return head
  }
  const head = Buffer.alloc(10)
  head[0] = 0x80 | code
  head[1] = 127
  head.writeBigUInt64BE(BigInt(length), 2)
  return head
}

/** A WebSocket whose messages are nothing but pieces of a byte stream: SPDY through a tunnel. */
export function byteStream(peer: WebSocketPeer): Duplex {
  const source = peer.messages()[Symbol.asyncIterator]()
  return new Duplex({
    read() {
      source.next().then(
        ({ done, value }) => void this.push(done === true ? null : value),
        () => void this.push(null),
      )
    },
    write(chunk: Buffer, _encoding, done) {
      peer.send(chunk).then(() => done(), done)
    },
    final(done) {
      peer.close()
      done()
    },
    destroy(error, done) {
      peer.close()
      done(error)
    },
  })
}
