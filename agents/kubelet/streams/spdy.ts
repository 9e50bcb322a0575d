/**
 * SPDY/3.1 for the server's side, as far as kubectl and client-go use it: streams
 * opened by the peer, data both ways, half-close, reset, ping, goaway. There is no
 * window: the peer's library has none, so a slow reader holds the connection.
 */
import { Duplex } from 'node:stream'
import { headerReader, headerWriter, type Headers } from './headers.ts'

/** A stream that the peer opened. Its readable side ends with the peer's half-close, its writable side's end is ours. */
export interface SpdyStream extends Duplex {
  readonly id: number
  readonly headers: Headers
  /** Ends both sides at once. */
  reset(): void
}

export interface SpdyServer {
  /** Resolves when the connection has ended. */
  readonly closed: Promise<void>
  /** Says goodbye and ends the connection once everything is written. */
  close(): void
}

const type = { synStream: 1, synReply: 2, rstStream: 3, settings: 4, ping: 6, goAway: 7, headers: 8, windowUpdate: 9 } as const
const flagFin = 1
const frameBytesMax = 1024 * 1024
const dataBytesMax = 32 * 1024
const streamsMax = 10_000

export function serveSpdy(wire: Duplex, opened: (stream: SpdyStream) => void): SpdyServer {
  const streams = new Map<number, Side>()
  const { promise: closed, resolve } = Promise.withResolvers<void>()
  const reader = headerReader()
  const packHeaders = headerWriter()
  const write = (frame: Uint8Array, done?: () => void): void => {
    if (wire.writable) wire.write(frame, () => done?.())
    else done?.()
  }
  const control = (kind: number, flags: number, body: Uint8Array): Buffer => {
    const head = Buffer.alloc(8)
    head.writeUInt16BE(0x8003, 0)
    head.writeUInt16BE(kind, 2)
    head.writeUInt32BE(((flags << 24) | body.length) >>> 0, 4)
    return Buffer.concat([head, body])
  }
  const two = (a: number, b: number): Buffer => {
    const body = Buffer.alloc(8)
    body.writeUInt32BE(a, 0)
    body.writeUInt32BE(b, 4)
    return body
  }
  const data = (id: number, bytes: Uint8Array, fin: boolean): Buffer => {
    const head = Buffer.alloc(8)
    head.writeUInt32BE(id, 0)
    head.writeUInt32BE((((fin ? flagFin : 0) << 24) | bytes.length) >>> 0, 4)
    return Buffer.concat([head, bytes])
  }

  const open = async (body: Buffer, flags: number): Promise<void> => {
    const id = body.readUInt32BE(0) & 0x7fffffff
    const headers = await reader.read(body.subarray(10))
    if (streams.size >= streamsMax) return write(control(type.rstStream, 0, two(id, 3)))
    const side = new Side(id, headers, {
      send: (bytes, done) => write(data(id, bytes, false), done),
      fin: (done) => write(data(id, Buffer.alloc(0), true), done),
      reset: () => write(control(type.rstStream, 0, two(id, 5))),
      gone: () => void streams.delete(id),
    })
    streams.set(id, side)
    const reply = Buffer.alloc(4)
    reply.writeUInt32BE(id)
    write(control(type.synReply, 0, Buffer.concat([reply, packHeaders(new Map())])))
    if ((flags & flagFin) !== 0) side.push(null)
    opened(side)
  }
  const handle = async (head: Buffer, body: Buffer): Promise<void> => {
    const flags = head.readUInt8(4)
    if ((head.readUInt8(0) & 0x80) === 0) {
      const side = streams.get(head.readUInt32BE(0))
      if (side === undefined) return
      if (body.length > 0) await side.deliver(body)
      if ((flags & flagFin) !== 0) side.push(null)
      return
    }
    switch (head.readUInt16BE(2)) {
      case type.synStream:
        return open(body, flags)
      case type.headers:
        return void (await reader.read(body.subarray(4))) // the inflater must see every block
      case type.ping:
        return write(control(type.ping, 0, body))
      case type.rstStream:
        streams.get(body.readUInt32BE(0))?.destroy()
        return
      default:
    }
  }
  const run = async (): Promise<void> => {
    let rest: Buffer = Buffer.alloc(0)
    for await (const chunk of wire as AsyncIterable<Buffer>) {
      rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
      while (rest.length >= 8) {
        const length = rest.readUInt32BE(4) & 0xffffff
        if (length > frameBytesMax) throw new Error('spdy: frame too large')
        if (rest.length < 8 + length) break
        const [head, body] = [rest.subarray(0, 8), rest.subarray(8, 8 + length)]
        rest = rest.subarray(8 + length)
        await handle(head, body)
      }
    }
  }
  const end = (): void => {
    for (const side of streams.values()) side.destroy()
    streams.clear()
    reader.close()
    wire.destroy()
    resolve()
  }
  void run().then(end, end)
  return {
    closed,
    close() {
      if (!wire.writable) return end()
      wire.end(control(type.goAway, 0, two(0, 0)), () => setImmediate(end))
    },
  }
}

interface Sender {
  send(bytes: Uint8Array, done: () => void): void
  fin(done: () => void): void
  reset(): void
  gone(): void
}

class Side extends Duplex implements SpdyStream {
  readonly id: number
  readonly headers: Headers
  readonly #sender: Sender
  #drained: (() => void) | undefined

  constructor(id: number, headers: Headers, sender: Sender) {
    super({ allowHalfOpen: true })
    this.id = id
    this.headers = headers
    this.#sender = sender
    this.on('error', () => {}) // a reset by the peer is an end like any other
  }

  /** Hands data to whoever reads; waits while nobody does. */
  async deliver(bytes: Uint8Array): Promise<void> {
    if (this.destroyed || this.push(bytes)) return
    await new Promise<void>((resolve) => (this.#drained = resolve))
  }

  reset(): void {
    if (this.destroyed) return
    this.#sender.reset()
    this.destroy()
  }

  override _read(): void {
    const drained = this.#drained
    this.#drained = undefined
    drained?.()
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    for (let at = 0; at < chunk.length; at += dataBytesMax) {
      const last = at + dataBytesMax >= chunk.length
      this.#sender.send(chunk.subarray(at, at + dataBytesMax), last ? done : () => {})
    }
    if (chunk.length === 0) done()
  }

  override _final(done: () => void): void {
    this.#sender.fin(done)
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this._read()
    this.#sender.gone()
    done(error)
  }
}
