/**
 * WebSockets as a server speaks them that has something to tell and hears nothing (RFC 6455): the handshake, frames to
 * the client, and of the client's frames the pings and the end. What upstream refuses is refused with its words
 * (golang.org/x/net/websocket).
 */
import { createHash } from 'node:crypto'
import type { Incoming } from '../exchange.ts'

export function asksForWebSocket(request: Incoming): boolean {
  return /(^|,)\s*upgrade\s*(,|$)/i.test(request.header('connection') ?? '') && (request.header('upgrade') ?? '').toLowerCase() === 'websocket'
}

/** What one kind of stream agrees to. */
export interface Terms {
  /** Undefined: whatever is offered, but one at most. */
  readonly protocols: readonly string[] | undefined
  readonly origin: boolean
}

export type Handshake =
  | { readonly ok: true; readonly head: string; readonly protocol: string }
  | { readonly ok: false; readonly answer: string }

const guid = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

export function handshake(request: Incoming, terms: Terms): Handshake {
  const key = request.header('sec-websocket-key') ?? ''
  if (key === '') return refused('400 Bad Request', [], 'mismatch challenge/response')
  if (request.header('sec-websocket-version') !== '13') return refused('400 Bad Request', ['Sec-WebSocket-Version: 13'], 'missing or bad WebSocket Version')
  if (terms.origin && !isOrigin(request.header('origin'))) return refused('403 Forbidden')
  const offered = (request.header('sec-websocket-protocol') ?? '').split(',').map((text) => text.trim()).filter((text) => text !== '')
  const protocol = offered.length === 0 ? '' : terms.protocols === undefined ? offered[0] : offered.find((each) => terms.protocols?.includes(each))
  if (protocol === undefined) return refused('403 Forbidden')
  if (terms.protocols === undefined && offered.length > 1) return refused('400 Bad Request')
  const accept = createHash('sha1').update(key + guid).digest('base64')
  const lines = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade', `Sec-WebSocket-Accept: ${accept}`]
  if (protocol !== '') lines.push(`Sec-WebSocket-Protocol: ${protocol}`)
  return { ok: true, head: `${lines.join('\r\n')}\r\n\r\n`, protocol }
}

function refused(status: string, headers: readonly string[] = [], text = ''): Handshake {
  return { ok: false, answer: `${[`HTTP/1.1 ${status}`, ...headers].join('\r\n')}\r\n\r\n${text}` }
}

function isOrigin(origin: string | undefined): boolean {
  return origin !== undefined && origin !== '' && (origin === 'null' || URL.canParse(origin))
}

const opcodes = { text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const

export function frame(type: keyof typeof opcodes, payload: Uint8Array): Buffer {
  const size = payload.length
  const headBytes = size < 126 ? 2 : size < 65_536 ? 4 : 10
  const bytes = Buffer.allocUnsafe(headBytes + size)
  bytes[0] = 0x80 | opcodes[type]
  bytes[1] = size < 126 ? size : size < 65_536 ? 126 : 127
  if (headBytes === 4) bytes.writeUInt16BE(size, 2)
  if (headBytes === 10) bytes.writeBigUInt64BE(BigInt(size), 2)
  bytes.set(payload, headBytes)
  return bytes
}

/** Code 1000: all is well. Code 1002: that was no frame. */
export function closeFrame(code: 1000 | 1002 = 1000): Buffer {
  return frame('close', Uint8Array.of(code >> 8, code & 0xff))
}

export interface Heard {
  ping(payload: Uint8Array): void
  /** It wants to end, or has said what is no frame. */
  end(code: 1000 | 1002): void
}

const controlBytesMax = 125
/** Two bytes, eight of length, four of mask. */
const headBytesMax = 14

/** Reads what a client sends; messages are passed over as they come, however long they say they are. */
export class ClientFrames {
  readonly #heard: Heard
  #head: Buffer = Buffer.alloc(0)
  /** Bytes of a message that are yet to come, and are nobody's. */
  #skip = 0
  #over = false

  constructor(heard: Heard) {
    this.#heard = heard
  }

  push(chunk: Buffer): void {
    let rest = this.#head.length === 0 ? chunk : Buffer.concat([this.#head, chunk])
    while (!this.#over) {
      const skipped = Math.min(this.#skip, rest.length)
      this.#skip -= skipped
      rest = rest.subarray(skipped)
      const taken = this.#skip > 0 ? 0 : this.#take(rest)
      if (taken === 0) break
      rest = rest.subarray(taken)
    }
    this.#head = this.#over || this.#skip > 0 ? Buffer.alloc(0) : Buffer.from(rest.subarray(0, headBytesMax + controlBytesMax))
  }

  /** Bytes of a frame's head, and of a whole control frame; 0 when more must come. */
  #take(bytes: Buffer): number {
    if (bytes.length < 2) return 0
    const opcode = (bytes[0] as number) & 0xf
    const short = (bytes[1] as number) & 0x7f
    if (((bytes[1] as number) & 0x80) === 0) return this.#end(1002) // clients mask what they send
    const sized = short < 126 ? 2 : short === 126 ? 4 : 10
    if (bytes.length < sized + 4) return 0
    const size = short < 126 ? short : short === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2))
    if (opcode < 8) {
      this.#skip = size
      return sized + 4
    }
    if (size > controlBytesMax) return this.#end(1002)
    const all = sized + 4 + size
    if (bytes.length < all) return 0
    if (opcode === opcodes.ping) this.#heard.ping(bytes.subarray(sized + 4, all).map((byte, i) => byte ^ (bytes[sized + (i % 4)] as number)))
    if (opcode === opcodes.close) return this.#end(1000)
    return all
  }

  #end(code: 1000 | 1002): number {
    this.#over = true
    this.#heard.end(code)
    return 0
  }
}
