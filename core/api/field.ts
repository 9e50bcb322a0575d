/**
 * Field errors: where in an object, what is wrong, with which value; the
 * sentences are upstream's (k8s.io/apimachinery/pkg/util/validation/field).
 * `path('spec').child('ports').index(0)` spells a place.
 */

import { goFloat } from './float.ts'

export type FieldErrorType =
  | 'FieldValueNotFound' | 'FieldValueRequired' | 'FieldValueDuplicate' | 'FieldValueInvalid' | 'FieldValueNotSupported'
  | 'FieldValueForbidden' | 'FieldValueTooLong' | 'FieldValueTooMany' | 'InternalError' | 'FieldValueTypeInvalid'

/** A place is its parent and a step from there: validation makes thousands, and only errors want to read one. */
export class Path {
  readonly #step: string | number
  readonly #parent: Path | undefined
  /** A name follows a dot; an index or a key stands in brackets. */
  readonly #bracket: boolean

  constructor(step: string | number, parent?: Path, bracket = false) {
    this.#step = step
    this.#parent = parent
    this.#bracket = bracket
  }
  get text(): string {
    const before = this.#parent?.text ?? ''
    if (this.#bracket) return `${before}[${this.#step}]`
    return before === '' ? String(this.#step) : `${before}.${this.#step}`
  }
  child(name: string, ...more: readonly string[]): Path {
    const child = new Path(name, this)
    return more.length === 0 ? child : more.reduce((at, step) => new Path(step, at), child)
  }
  index(i: number): Path {
    return new Path(i, this, true)
  }
  key(key: string): Path {
    return new Path(key, this, true)
  }
  toString(): string {
    return this.text
  }
}

export function path(...names: readonly string[]): Path {
  return new Path(names.length === 1 ? (names[0] as string) : names.join('.'))
}

const titles: Record<FieldErrorType, string> = {
  FieldValueNotFound: 'Not found',
  FieldValueRequired: 'Required value',
  FieldValueDuplicate: 'Duplicate value',
  FieldValueInvalid: 'Invalid value',
  FieldValueNotSupported: 'Unsupported value',
  FieldValueForbidden: 'Forbidden',
  FieldValueTooLong: 'Too long',
  FieldValueTooMany: 'Too many',
  InternalError: 'Internal error',
  FieldValueTypeInvalid: 'Invalid value',
}

/** Types whose sentence does not show the value. */
const silent = new Set<FieldErrorType>(['FieldValueRequired', 'FieldValueForbidden', 'FieldValueTooLong', 'InternalError'])

/** A value that is not worth showing. */
export const omitted = Symbol('omitted')

export class FieldError {
  readonly type: FieldErrorType
  readonly field: string
  readonly value: unknown
  readonly detail: string

  constructor(type: FieldErrorType, field: Path | string, value: unknown, detail: string) {
    this.type = type
    this.field = field.toString()
    this.value = value
    this.detail = detail
  }

  /** Without the field: what stands in a Status cause. */
  detailMessage(): string {
    const shown = silent.has(this.type) || this.value === omitted ? '' : `: ${this.#shown()}`
    return `${titles[this.type]}${shown}${this.detail === '' ? '' : `: ${this.detail}`}`
  }

  /** What must be one of a few is of a type of its own in Go, and shown as JSON. */
  #shown(): string {
    const text = showValue(this.value)
    return this.type === 'FieldValueNotSupported' ? text.replaceAll(/[<>&]/g, escaped) : text
  }

  message(): string {
    return `${this.field}: ${this.detailMessage()}`
  }
}

/** As Go's %q, %v and JSON show a bad value. */
export function showValue(value: unknown): string {
  if (value === null || value === undefined) return 'null'
  if (typeof value === 'string') return goQuote(value)
  if (typeof value === 'number' && !Number.isInteger(value)) return goFloat(value)
  return typeof value === 'object' ? JSON.stringify(value, sortedMap).replaceAll(/[<>&\u2028\u2029]/g, escaped) : String(value)
}

/** Go's encoder writes JSON that may stand in a page. */
const escaped = (c: string): string => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`

/** Go writes the keys of maps in order, those of structs as declared: what has only strings in it is a map. */
function sortedMap(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  const entries = Object.entries(value)
  if (!entries.every(([key, inner]) => typeof inner === 'string' && !/^[A-Z]/.test(key))) return value
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** Go's strconv.Quote: what cannot be printed, or is a space that is none of ASCII's, is escaped. */
export function goQuote(text: string): string {
  let quoted = ''
  for (const c of text) quoted += goEscapes[c] ?? (unprintable.test(c) ? goEscape(c.codePointAt(0) ?? 0) : c)
  return `"${quoted}"`
}

const unprintable = /[\p{C}\p{Z}]/u
const goEscapes: Readonly<Record<string, string>> = {
  '"': '\\"', '\\': '\\\\', '\u0007': '\\a', '\b': '\\b', '\f': '\\f', '\n': '\\n', '\r': '\\r', '\t': '\\t', '\v': '\\v', ' ': ' ',
}

function goEscape(code: number): string {
  const hex = code.toString(16)
  if (code < 0x80) return `\\x${hex.padStart(2, '0')}`
  return code < 0x10000 ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`
}

export const required = (field: Path, detail = ''): FieldError => new FieldError('FieldValueRequired', field, '', detail)
export const invalidValue = (field: Path, value: unknown, detail: string): FieldError => new FieldError('FieldValueInvalid', field, value, detail)
export const duplicate = (field: Path, value: unknown): FieldError => new FieldError('FieldValueDuplicate', field, value, '')
export const forbiddenField = (field: Path, detail: string): FieldError => new FieldError('FieldValueForbidden', field, '', detail)
export const notFoundField = (field: Path, value: unknown): FieldError => new FieldError('FieldValueNotFound', field, value, '')

export function notSupported(field: Path, value: unknown, supported: readonly string[]): FieldError {
  const detail = supported.length === 0 ? '' : `supported values: ${supported.map((s) => JSON.stringify(s)).join(', ')}`
  return new FieldError('FieldValueNotSupported', field, value, detail)
}

/** `maxBytes` < 0: no limit is named. */
export function tooLong(field: Path, maxBytes: number): FieldError {
  return new FieldError('FieldValueTooLong', field, '<value omitted>', maxBytes < 0 ? 'value is too long' : `may not be more than ${maxBytes} bytes`)
}

export function tooMany(field: Path, actual: number, max: number): FieldError {
  const detail = max < 0 ? 'has too many items' : `must have at most ${max} items`
  return new FieldError('FieldValueTooMany', field, actual, detail)
}
