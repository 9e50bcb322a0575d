/**
 * SPDY/3 header blocks. Reading needs a real inflater with the dictionary; for
 * writing, blocks are stored instead of compressed, which every inflater takes.
 */
import { createInflate, type Inflate } from 'node:zlib'
import { spdyDictionary } from './dictionary.ts'

export type Headers = ReadonlyMap<string, string>

/** Bytes a peer's header block may have when it is unpacked. */
const headerBytesMax = 64 * 1024

/** One reader a connection: its blocks are one compressed stream. read() must be called in order. */
export function headerReader(): { read(block: Uint8Array): Promise<Headers>; close(): void } {
  const inflate: Inflate = createInflate({ dictionary: spdyDictionary })
  let chunks: Uint8Array[] = []
  let failed: Error | undefined
  let refuse: (error: Error) => void = () => {}
  inflate.on('data', (chunk: Uint8Array) => void chunks.push(chunk))
  inflate.on('error', (error) => {
    failed = error
    refuse(error)
  })
  return {
    read: (block) =>
      new Promise((resolve, reject) => {
        chunks = []
        refuse = reject
        // The peer flushes after each block, so all of it has come out when the write is done.
        inflate.write(block, () => {
          setImmediate(() => {
            if (failed !== undefined) return reject(failed)
            try {
              resolve(parse(Buffer.concat(chunks)))
            } catch (error) {
              reject(error)
            }
          })
        })
      }),
    close: () => inflate.destroy(),
  }
}

function parse(block: Buffer): Headers {
  if (block.length > headerBytesMax) throw new Error('spdy: header block too large')
  const headers = new Map<string, string>()
  const pairs = block.readUInt32BE(0)
  let at = 4
  const text = (): string => {
    const length = block.readUInt32BE(at)
    at += 4 + length
    return block.subarray(at - length, at).toString()
  }
  for (let i = 0; i < pairs; i++) {
    const name = text().toLowerCase()
    headers.set(name, text())
  }
  return headers
}

/** One writer a connection: the first block opens the stream. */
export function headerWriter(): (headers: Headers) => Uint8Array {
  let opened = false
  return (headers) => {
    const body = packed(headers)
    const parts = opened ? [] : [zlibStart()]
    opened = true
    const stored = Buffer.alloc(5)
    stored.writeUInt16LE(body.length, 1)
    stored.writeUInt16LE(~body.length & 0xffff, 3)
    // An empty stored block is zlib's flush: the reader hands on what it has.
    return Buffer.concat([...parts, stored, body, Buffer.from([0, 0, 0, 0xff, 0xff])])
  }
}

function packed(headers: Headers): Buffer {
  const parts: Buffer[] = []
  const number = (value: number): void => {
    const four = Buffer.alloc(4)
    four.writeUInt32BE(value)
    parts.push(four)
  }
  number(headers.size)
  for (const pair of headers) {
    for (const text of pair) {
      const bytes = Buffer.from(text)
      number(bytes.length)
      parts.push(bytes)
    }
  }
  return Buffer.concat(parts)
}

/** zlib's head with a preset dictionary: method and window, flags, the dictionary's Adler-32. */
function zlibStart(): Buffer {
  let [a, b] = [1, 0]
  for (const byte of spdyDictionary) {
    a = (a + byte) % 65_521
    b = (b + a) % 65_521
  }
  const start = Buffer.from([0x78, 0x20, 0, 0, 0, 0])
  start.writeUInt16BE(b, 2)
  start.writeUInt16BE(a, 4)
  return start
}
