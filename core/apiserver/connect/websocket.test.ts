import { describe, expect, it } from 'vitest'
import { ClientFrames, frame } from './websocket.ts'

const mask = [1, 2, 3, 4] as const
const masked = (opcode: number, payload: Uint8Array): Buffer => {
  const bytes = frame('binary', payload)
  const body = bytes.length - payload.length
  bytes[0] = 0x80 | opcode
  bytes[1] = (bytes[1] as number) | 0x80
  return Buffer.concat([bytes.subarray(0, body), Buffer.from(mask), payload.map((byte, i) => byte ^ (mask[i % 4] as number))])
}
const text = (s: string): Uint8Array => new TextEncoder().encode(s)

describe('ClientFrames', () => {
  const all = Buffer.concat([
    masked(1, text('short')), masked(9, text('one')), masked(2, new Uint8Array(300)), masked(2, new Uint8Array(70_000)), masked(9, text('two')), masked(8, text('')), masked(9, text('three')),
  ])

  it.each([1, 2, 3, 7, 100, 1_000, 1_000_000])('hears pings and the end, in pieces of %i bytes', (size) => {
    const heard: string[] = []
    const frames = new ClientFrames({ ping: (payload) => heard.push(Buffer.from(payload).toString()), end: (code) => heard.push(String(code)) })
    for (let at = 0; at < all.length; at += size) frames.push(all.subarray(at, at + size))
    expect(heard).toEqual(['one', 'two', '1000'])
  })

  it.each([[[0x81, 0x01, 0x61]], [[0x89, 0xfe, 0x01, 0x00, 0, 0, 0, 0]]])('ends at what no client may send: %j', (bytes) => {
    const heard: number[] = []
    new ClientFrames({ ping: () => {}, end: (code) => heard.push(code) }).push(Buffer.from(bytes))
    expect(heard).toEqual([1002])
  })
})
