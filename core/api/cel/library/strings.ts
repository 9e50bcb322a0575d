/**
 * cel.lib.ext.strings, as of its version 2: what expressions do with text (cel-go ext/strings.go; costs from
 * k8s.io/apiserver/pkg/cel/library/cost.go). Positions count code points. format() is stringformat.ts.
 */
import type { CallEstimate, Estimated, Library, Range } from '../library.ts'
import { product, scaled, sum, unbounded } from '../range.ts'
import { dyn, int, list, string } from '../type.ts'
import { CelError, type ListValue, type Value } from '../value.ts'
import { actualSize, byteLength, elementSizeOf, sameSizeEstimate, sizeOf, stringFactor, traversalCost, traversalEstimate } from './cost.ts'
import { declare, member, overload, type Costs } from './declare.ts'
import { elementsOf, listOf } from './elements.ts'
import { quoteLiteral } from './quote.ts'
import { format } from './stringformat.ts'

const traversing: Costs = { cost: traversalCost(), estimate: sameSizeEstimate }
const replacing: Costs = { cost: traversalCost(2), estimate: replaceEstimate }
const splitting: Costs = { cost: traversalCost(2), estimate: splitEstimate }
const joining: Costs = { cost: (_args, result) => Math.ceil(actualSize(result) * 2 * stringFactor), estimate: joinEstimate }
const searching: Costs = { cost: ([text]) => Math.floor(byteLength(text as string) * stringFactor), estimate: traversalEstimate() }
/** At worst every character is escaped; the quotes are always there. */
const quoting: Costs = {
  cost: traversalCost(),
  estimate: ([text]) => ({ cost: scaled(sizeOf(text), stringFactor), resultSize: { min: sizeOf(text).min + 2, max: Math.min(sizeOf(text).max * 2 + 2, unbounded) } }),
}
const plainTraversal: Costs = { cost: traversalCost(), estimate: traversalEstimate() }

export const stringsLibrary: Library = {
  name: 'cel.lib.ext.strings',
  functions: [
    declare('charAt', member('string_char_at_int', [string, int], string, charAt)),
    declare(
      'indexOf',
      member('string_index_of_string', [string, string], int, (text: string, part: string) => indexOf(text, part, 0n), searching),
      member('string_index_of_string_int', [string, string, int], int, indexOf, searching),
    ),
    declare(
      'lastIndexOf',
      member('string_last_index_of_string', [string, string], int, lastIndexOfAll, searching),
      member('string_last_index_of_string_int', [string, string, int], int, lastIndexOf, searching),
    ),
    declare('lowerAscii', member('string_lower_ascii', [string], string, (text: string) => text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase()), traversing)),
    declare('upperAscii', member('string_upper_ascii', [string], string, (text: string) => text.replace(/[a-z]+/g, (letters) => letters.toUpperCase()), traversing)),
    declare(
      'replace',
      member('string_replace_string_string', [string, string, string], string, (text: string, old: string, next: string) => replace(text, old, next, -1n), replacing),
      member('string_replace_string_string_int', [string, string, string, int], string, replace, replacing),
    ),
    declare(
      'split',
      member('string_split_string', [string, string], list(string), (text: string, separator: string) => split(text, separator, -1n), splitting),
      member('string_split_string_int', [string, string, int], list(string), split, splitting),
    ),
    declare(
      'substring',
      member('string_substring_int', [string, int], string, substringFrom, traversing),
      member('string_substring_int_int', [string, int, int], string, substring, traversing),
    ),
    declare('trim', member('string_trim', [string], string, (text: string) => text.replace(spaceBefore, '').replace(spaceBehind, ''), traversing)),
    declare(
      'join',
      member('list_join', [list(string)], string, (texts: ListValue) => join(texts, ''), joining),
      member('list_join_string', [list(string), string], string, join, joining),
    ),
    { ...declare('format', member('string_format', [string, list(dyn)], string, format, plainTraversal)), costByOverload: true },
    { ...declare('strings.quote', overload('strings_quote', [string], string, quoteLiteral, quoting)), costByOverload: true },
  ],
}

const space = '[\\t-\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]+'
const spaceBefore = new RegExp(`^${space}`)
const spaceBehind = new RegExp(`${space}$`)

const outOfRange = (index: bigint): CelError => new CelError(`index out of range: ${index}`)

function charAt(text: string, index: bigint): string {
  const points = Array.from(text)
  if (index < 0n || index > BigInt(points.length)) throw outOfRange(index)
  return points[Number(index)] ?? ''
}

function indexOf(text: string, part: string, offset: bigint): bigint {
  if (part === '') return offset
  if (offset < 0n) throw outOfRange(offset)
  const [points, wanted] = [Array.from(text), Array.from(part)]
  if (offset >= BigInt(points.length)) return -1n
  for (let i = Number(offset); i <= points.length - wanted.length; i++) if (standsAt(points, wanted, i)) return BigInt(i)
  return -1n
}

function lastIndexOfAll(text: string, part: string): bigint {
  const length = Array.from(text).length
  if (part === '') return BigInt(length)
  return byteLength(text) < byteLength(part) ? -1n : lastIndexOf(text, part, BigInt(length - 1))
}

function lastIndexOf(text: string, part: string, offset: bigint): bigint {
  if (part === '') return offset
  if (offset < 0n) throw outOfRange(offset)
  const [points, wanted] = [Array.from(text), Array.from(part)]
  if (offset >= BigInt(points.length)) return -1n
  for (let i = Math.min(Number(offset), points.length - wanted.length); i >= 0; i--) if (standsAt(points, wanted, i)) return BigInt(i)
  return -1n
}

function standsAt(points: readonly string[], wanted: readonly string[], at: number): boolean {
  return wanted.every((point, i) => points[at + i] === point)
}

/** Nothing is found before every code point and at the end. A negative `limit` is none. */
function replace(text: string, old: string, next: string, limit: bigint): string {
  const parts = old === '' ? ['', ...Array.from(text), ''] : text.split(old)
  const all = parts.length - 1
  const count = limit < 0n || limit > BigInt(all) ? all : Number(limit)
  if (old === '') return parts.slice(1, count + 1).map((point) => next + point).join('') + parts.slice(count + 1).join('')
  return parts.slice(0, count + 1).join(next) + parts.slice(count + 1).map((part) => old + part).join('')
}

/** `limit` parts at most, the last of which is all that is left; 0 is no part at all, less is no limit. */
function split(text: string, separator: string, limit: bigint): ListValue {
  const parts = separator === '' ? Array.from(text) : text.split(separator)
  if (limit < 0n || limit >= BigInt(parts.length)) return listOf(parts)
  if (limit === 0n) return listOf([])
  const kept = Number(limit) - 1
  return listOf([...parts.slice(0, kept), parts.slice(kept).join(separator)])
}

function substringFrom(text: string, start: bigint): string {
  const points = Array.from(text)
  if (start < 0n || start > BigInt(points.length)) throw outOfRange(start)
  return points.slice(Number(start)).join('')
}

function substring(text: string, start: bigint, end: bigint): string {
  const points = Array.from(text)
  if (start > end) throw new CelError(`invalid substring range. start: ${start}, end: ${end}`)
  if (start < 0n || start > BigInt(points.length)) throw outOfRange(start)
  if (end < 0n || end > BigInt(points.length)) throw outOfRange(end)
  return points.slice(Number(start), Number(end)).join('')
}

function join(texts: ListValue, separator: string): string {
  return elementsOf(texts).map(text).join(separator)
}

function text(element: Value): string {
  if (typeof element !== 'string') throw new CelError(`join: invalid input: ${String(element)}`)
  return element
}

/** The shortest and the longest that the result can be. */
function replaceEstimate([target, old, next]: readonly Estimated[]): CallEstimate {
  const [size, oldSize, nextSize] = [sizeOf(target), sizeOf(old), sizeOf(next)]
  const most = replaced(size.max, oldSize.min, nextSize.max <= oldSize.min)
  const least = replaced(size.min, oldSize.max, oldSize.max <= nextSize.min)
  const count: Range = { min: least.count, max: most.count }
  const resultSize = sum(product(count, nextSize), { min: least.kept, max: most.kept })
  return { cost: scaled(size, 2 * stringFactor), resultSize }
}

/** `keeps`: the length does not change for the worse when nothing is replaced. */
function replaced(length: number, oldLength: number, keeps: boolean): { readonly count: number; readonly kept: number } {
  if (oldLength === 0) return { count: length < unbounded ? length + 1 : length, kept: length }
  if (keeps) return { count: 0, kept: length }
  return { count: Math.ceil(length / oldLength), kept: 0 }
}

/** At worst every character is a part. */
function splitEstimate([target, , limit]: readonly Estimated[]): CallEstimate {
  const size = sizeOf(target)
  const literal = limit?.literal
  const max = typeof literal === 'bigint' ? Number(BigInt.asUintN(64, literal)) : size.max
  return { cost: scaled(size, 2 * stringFactor), resultSize: { min: 0, max } }
}

function joinEstimate([target, separator]: readonly Estimated[]): CallEstimate {
  const listSize = sizeOf(target)
  const elements = target?.type.kind === 'list' ? product(listSize, elementSizeOf(target)) : { min: 0, max: 0 }
  const separators = { min: Math.max(0, listSize.min - 1), max: Math.max(0, listSize.max - 1) }
  const size = separator === undefined ? elements : sum(elements, product(sizeOf(separator), separators))
  return { cost: scaled(size, stringFactor), resultSize: size }
}
