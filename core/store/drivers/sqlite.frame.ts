/**
 * What the request thread and the writer thread say to each other. Both ways it is one string
 * a message, because strings are what threads exchange fastest; values travel as Latin-1, one
 * character a byte, so any bytes come through unchanged.
 */
import type { Revision } from '../store.ts'

export interface Row {
  readonly revision: Revision
  readonly key: string
  readonly deleted: boolean
  readonly created: Revision
  /** Revision of what stood there before; 0 for nothing. */
  readonly prev: Revision
  readonly time: number
  /** Empty for a deletion. */
  readonly value: Uint8Array
}

export type Request =
  | { readonly do: 'open'; readonly path: string }
  | { readonly do: 'write'; readonly rows: readonly Row[] }
  | { readonly do: 'compact'; readonly from: Revision; readonly to: Revision }
  | { readonly do: 'reclaim'; readonly pages: number }
  | { readonly do: 'close' }

export interface Answer {
  readonly ok: boolean
  readonly error?: string
  /** The last revision in the database, after a failure: what really stands. */
  readonly last?: Revision
  /** Whether a reclaim has left more to do. */
  readonly more?: boolean
}

type RowHead = readonly [Revision, string, 0 | 1, Revision, Revision, number, number]

export function encodeRequest(request: Request): string {
  if (request.do !== 'write') return `0\n${JSON.stringify(request)}`
  const heads = request.rows.map((r): RowHead => [r.revision, r.key, r.deleted ? 1 : 0, r.created, r.prev, r.time, r.value.length])
  const head = JSON.stringify(heads)
  let body = ''
  for (const { value } of request.rows) body += asBuffer(value).toString('latin1')
  return `${head.length}\n${head}${body}`
}

export function decodeRequest(text: string): Request {
  const line = text.indexOf('\n')
  const headLength = Number(text.slice(0, line))
  if (headLength === 0) return JSON.parse(text.slice(line + 1)) as Request
  const start = line + 1 + headLength
  const heads = JSON.parse(text.slice(line + 1, start)) as RowHead[]
  const body = Buffer.from(text.slice(start), 'latin1')
  let at = 0
  const rows = heads.map(([revision, key, deleted, created, prev, time, length]): Row => {
    const value = body.subarray(at, at + length)
    at += length
    return { revision, key, deleted: deleted === 1, created, prev, time, value }
  })
  return { do: 'write', rows }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
