/** Frames of streams: SPDY and WebSocket as they come over a socket, whole inputs at once. */
import type { IncomingMessage } from 'node:http'
import { Duplex } from 'node:stream'
import { acceptWebSocket } from '../../../agents/kubelet/streams/websocket.ts'
import { headerWriter } from '../../../agents/kubelet/streams/headers.ts'
import { serveSpdy } from '../../../agents/kubelet/streams/spdy.ts'
import type { Target } from '../target.ts'

const u32 = (...values: readonly number[]): Buffer => {
  const bytes = Buffer.alloc(values.length * 4)
  values.forEach((value, i) => bytes.writeUInt32BE(value >>> 0, i * 4))
  return bytes
}
const control = (type: number, body: Uint8Array, flags = 0): Buffer => Buffer.concat([u32(0x80030000 + type, flags * 2 ** 24 + body.length), body])
const data = (id: number, text: string, flags = 0): Buffer => Buffer.concat([u32(id, flags * 2 ** 24 + text.length), Buffer.from(text)])

/** A socket that says one thing and ends; what is written to it is lost. */
function socket(input: Uint8Array): Duplex {
  const wire = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() })
  wire.push(input)
  wire.push(null)
  return wire
}

function spdyCorpus(): readonly Uint8Array[] {
  const headers = headerWriter()
  const stream = (id: number, kind: string): Buffer => control(1, Buffer.concat([u32(id, 0), Buffer.of(0, 0), headers(new Map([['streamtype', kind]]))]))
  return [Buffer.concat([stream(1, 'error'), stream(3, 'stdin'), data(3, 'hello', 1), control(6, u32(1)), control(3, u32(1, 5))]), Buffer.concat([control(4, u32(1, 4, 9)), control(9, u32(0, 1_000)), control(7, u32(0, 0))])]
}

function frame(code: number, text: string, { masked = true, last = true } = {}): Buffer {
  const head = text.length < 126 ? Buffer.of((last ? 0x80 : 0) | code, (masked ? 0x80 : 0) | text.length) : Buffer.of((last ? 0x80 : 0) | code, (masked ? 0x80 : 0) | 126, text.length >> 8, text.length & 0xff)
  return Buffer.concat([head, ...(masked ? [u32(0)] : []), Buffer.from(text)])
}

export const wires: readonly Target[] = [
  {
    name: 'spdy', corpus: spdyCorpus(), share: 0.2,
    async run(input) {
      const wire = socket(input)
      const server = serveSpdy(wire, (stream) => {
        stream.on('error', () => {})
        stream.resume()
      })
      await server.closed
      wire.destroy()
    },
  },
  {
    name: 'websocket', corpus: [Buffer.concat([frame(2, '\u0000hello'), frame(9, 'ping'), frame(8, '\u0003\u00e8')]), Buffer.concat([frame(1, 'a', { last: false }), frame(0, 'b'), frame(2, 'x'.repeat(300)), frame(8, '')]), frame(2, 'x', { masked: false })], share: 0.3,
    refuses: (error) => error instanceof Error && error.constructor === Error,
    async run(input) {
      const request = { headers: { 'sec-websocket-key': 'k' } } as unknown as IncomingMessage
      const peer = acceptWebSocket(request, socket(input), Buffer.alloc(0), '')
      for await (const message of peer.messages()) void message.length
      peer.close()
    },
  },
]
