/** SPDY frames from a hand-made client over a pair of streams: headers both ways, data, half-close, ping, reset. */
import { stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { createDeflate, createInflate, constants } from 'node:zlib'
import { Duplex } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { spdyDictionary } from './dictionary.ts'
import { headerReader, headerWriter } from './headers.ts'
import { serveSpdy, type SpdyStream } from './spdy.ts'

/** Two ends of one wire. */
function wirePair(): [Duplex, Duplex] {
  const ends: Duplex[] = [0, 1].map((i) => new Duplex({
    allowHalfOpen: true,
    read() {},
    write(chunk: Buffer, _encoding, done) {
      ends[1 - i]?.push(chunk)
      done()
    },
    final(done) {
      ends[1 - i]?.push(null)
      done()
    },
  }))
  return [ends[0] as Duplex, ends[1] as Duplex]
}

const u32 = (...values: number[]): Buffer => {
  const bytes = Buffer.alloc(values.length * 4)
  values.forEach((value, i) => bytes.writeUInt32BE(value >>> 0, i * 4))
  return bytes
}
const control = (type: number, body: Buffer, flags = 0): Buffer => Buffer.concat([u32(0x80030000 + type, flags * 2 ** 24 + body.length), body])
const data = (id: number, text: string, fin = false): Buffer => Buffer.concat([u32(id, (fin ? 2 ** 24 : 0) + text.length), Buffer.from(text)])
const block = (headers: Record<string, string>): Buffer =>
  Buffer.concat([u32(Object.keys(headers).length), ...Object.entries(headers).flatMap((pair) => pair.flatMap((text) => [u32(text.length), Buffer.from(text)]))])

/** Compresses as Go's client does: one stream, flushed after each block. */
function packer(): (headers: Record<string, string>) => Promise<Buffer> {
  const deflate = createDeflate({ dictionary: spdyDictionary })
  let out: Buffer[] = []
  deflate.on('data', (chunk: Buffer) => out.push(chunk))
  return (headers) =>
    new Promise((resolve) => {
      out = []
      deflate.write(block(headers))
      deflate.flush(constants.Z_SYNC_FLUSH, () => setImmediate(() => resolve(Buffer.concat(out))))
    })
}

/** Inflating is done by other threads: waits in trips to the disk, which takes the same way, until it holds. */
const until = async (done: () => boolean): Promise<void> => {
  for (let i = 0; i < 20_000 && !done(); i++) await stat(tmpdir())
  expect(done()).toBe(true)
}

describe('header blocks', () => {
  it('are read one after the other from one compressed stream', async () => {
    const [pack, reader] = [packer(), headerReader()]
    for (const headers of [{ streamtype: 'error' }, { StreamType: 'stdin', port: '80' }]) {
      const read = await reader.read(await pack(headers))
      expect(Object.fromEntries(read)).toEqual(Object.fromEntries(Object.entries(headers).map(([k, v]) => [k.toLowerCase(), v])))
    }
    reader.close()
  })
  it('are written so that any inflater with the dictionary reads them at once', async () => {
    const write = headerWriter()
    const inflate = createInflate({ dictionary: spdyDictionary })
    const out: Buffer[] = []
    inflate.on('data', (chunk: Buffer) => out.push(chunk))
    inflate.write(write(new Map([['a', 'b']])))
    inflate.write(write(new Map()))
    const want = Buffer.concat([block({ a: 'b' }), block({})])
    await until(() => Buffer.concat(out).length >= want.length)
    expect(Buffer.concat(out)).toEqual(want)
    inflate.destroy()
  })
})

describe('serveSpdy()', () => {
  it('opens streams, carries data both ways with half-closes, answers pings, and obeys resets', async () => {
    const [here, there] = wirePair()
    const streams: SpdyStream[] = []
    const server = serveSpdy(here, (stream) => streams.push(stream))
    const said: Buffer[] = []
    there.on('data', (chunk: Buffer) => said.push(chunk))
    const pack = packer()
    const open = async (id: number, type: string): Promise<void> => void there.write(control(1, Buffer.concat([u32(id, 0), Buffer.from([0, 0]), await pack({ streamtype: type })])))
    await open(1, 'data')
    await open(3, 'error')
    // In two pieces, cut within a frame's head.
    const frame = data(1, 'hello', true)
    there.write(frame.subarray(0, 3))
    there.write(frame.subarray(3))
    there.write(control(6, u32(7)))
    await until(() => Buffer.concat(said).includes(control(6, u32(7))))
    expect(streams.map((s) => s.headers.get('streamtype'))).toEqual(['data', 'error'])
    const heard: string[] = []
    streams[0]?.on('data', (chunk: Buffer) => heard.push(chunk.toString()))
    streams[0]?.on('end', () => heard.push('(end)'))
    await until(() => heard.length === 2)
    expect(heard).toEqual(['hello', '(end)'])
    said.length = 0
    streams[0]?.end('bye')
    const want = Buffer.concat([data(1, 'bye'), data(1, '', true)])
    await until(() => Buffer.concat(said).length >= want.length)
    expect(Buffer.concat(said)).toEqual(want)
    there.write(control(3, u32(3, 5)))
    await until(() => streams[1]?.destroyed === true)
    there.end()
    await server.closed
  })
})
