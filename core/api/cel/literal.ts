/**
 * What a literal's text stands for: numbers in their ranges, strings and bytes without quotes and escapes
 * (cel-go/parser/unescape.go). Undefined, or a LiteralError: it stands for nothing.
 */
import { Uint } from './value.ts'

export class LiteralError extends Error {}

const intMax = 2n ** 63n - 1n
const uintMax = 2n ** 64n - 1n

export function parseInt64(text: string, negative: boolean): bigint | undefined {
  const value = negative ? -BigInt(text) : BigInt(text)
  return value >= -intMax - 1n && value <= intMax ? value : undefined
}

export function parseUint64(text: string): Uint | undefined {
  const value = BigInt(text.slice(0, -1))
  return value <= uintMax ? new Uint(value) : undefined
}

export function parseDouble(text: string, negative: boolean): number | undefined {
  const value = Number(text)
  if (!Number.isFinite(value)) return undefined
  return negative ? -value : value
}

/** With its quotes. Throws LiteralError for a code point that is none. */
export function parseString(text: string): string {
  const { body, raw } = unquote(text)
  if (raw || !body.includes('\\')) return body
  return body.replace(escapes, (_, sequence: string) => {
    const code = codeOf(sequence)
    if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) throw new LiteralError('invalid unicode code point')
    return String.fromCodePoint(code)
  })
}

/** With its `b` and quotes. Throws LiteralError for escapes that only strings have. */
export function parseBytes(text: string): Uint8Array {
  const { body, raw } = unquote(text.slice(1))
  if (raw || !body.includes('\\')) return new TextEncoder().encode(body)
  const parts: number[] = []
  let end = 0
  for (const found of body.matchAll(escapes)) {
    parts.push(...new TextEncoder().encode(body.slice(end, found.index)))
    const sequence = found[1] ?? ''
    if (sequence[0] === 'u' || sequence[0] === 'U') throw new LiteralError('unable to unescape string')
    parts.push(codeOf(sequence) & 0xff)
    end = found.index + found[0].length
  }
  parts.push(...new TextEncoder().encode(body.slice(end)))
  return new Uint8Array(parts)
}

const escapes = /\\([xX][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-3][0-7][0-7]|[^])/gu
const named: Readonly<Record<string, number>> = { a: 7, b: 8, f: 12, n: 10, r: 13, t: 9, v: 11 }

function codeOf(sequence: string): number {
  const first = sequence[0] ?? ''
  if (/[xXuU]/.test(first) && sequence.length > 1) return Number.parseInt(sequence.slice(1), 16)
  if (/[0-3]/.test(first) && sequence.length === 3) return Number.parseInt(sequence, 8)
  return named[first] ?? first.codePointAt(0) ?? 0
}

/** Line ends inside quotes count as one \n, however they are written. */
function unquote(text: string): { body: string; raw: boolean } {
  const raw = text[0] === 'r' || text[0] === 'R'
  const quoted = (raw ? text.slice(1) : text).replaceAll(/\r\n?/g, '\n')
  const mark = quoted.length >= 6 && (quoted.startsWith('"""') || quoted.startsWith("'''")) ? 3 : 1
  return { body: quoted.slice(mark, -mark), raw }
}
