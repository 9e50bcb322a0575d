/**
 * Plain JSON values, as patches need them: equality, order, copies, and the ways Go prints them in error texts
 * (%v, %#v, %T of what its decoder makes of JSON). Knows no schema.
 */
import { goQuote } from '../field.ts'

export type JsonMap = Record<string, unknown>

export function isMap(value: unknown): value is JsonMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function isEmptyMap(map: object): boolean {
  // oxlint-disable-next-line no-unreachable-loop
  for (const _ in map) return false
  return true
}

export function equal(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((item, i) => equal(item, b[i]))
  return !Array.isArray(b) && equalMaps(a as JsonMap, b as JsonMap)
}

function equalMaps(a: JsonMap, b: JsonMap): boolean {
  let left = 0
  for (const key in a) {
    if (a[key] === undefined) continue
    if (!equal(a[key], b[key])) return false
    left++
  }
  for (const key in b) if (b[key] !== undefined) left--
  return left === 0
}

/** A copy that shares nothing: several times faster than structuredClone for JSON. */
export function clone<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(clone) as T
  const copy: JsonMap = {}
  for (const key in value) put(copy, key, clone(value[key]))
  return copy as T
}

/** Sets a field, also one that is called __proto__: in a patch that is a name like any other. */
export function put(map: JsonMap, key: string, value: unknown): void {
  if (key === '__proto__') Object.defineProperty(map, key, { value, enumerable: true, configurable: true, writable: true })
  else map[key] = value
}

/** The value of a field that the map itself has. */
export function own(map: JsonMap, key: string): unknown {
  return Object.hasOwn(map, key) ? map[key] : undefined
}

/** Numbers, strings, booleans, lists, maps, null: structured-merge-diff's order (value/value.go), by which sets are sorted. */
export function compareValues(a: unknown, b: unknown): number {
  const rank = rankOf(a) - rankOf(b)
  if (rank !== 0) return rank
  if (Array.isArray(a)) return compareLists(a, b as unknown[])
  if (isMap(a)) return compareMaps(a, b as JsonMap)
  return a === b || a === null ? 0 : (a as string) < (b as string) ? -1 : 1
}

function rankOf(value: unknown): number {
  if (typeof value === 'number') return 0
  if (typeof value === 'string') return 1
  if (typeof value === 'boolean') return 2
  return Array.isArray(value) ? 3 : value === null ? 5 : 4
}

function compareLists(a: readonly unknown[], b: readonly unknown[]): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const order = compareValues(a[i], b[i])
    if (order !== 0) return order
  }
  return a.length - b.length
}

function compareMaps(a: JsonMap, b: JsonMap): number {
  return compareLists(Object.entries(a).sort(byName).flat(), Object.entries(b).sort(byName).flat())
}

const byName = (a: readonly [string, unknown], b: readonly [string, unknown]): number => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0)

/** A value as Go's %v prints it. */
export function goValue(value: unknown): string {
  if (value === null || value === undefined) return '<nil>'
  if (Array.isArray(value)) return `[${value.map(goValue).join(' ')}]`
  if (isMap(value)) return `map[${Object.entries(value).sort(byName).map(([k, v]) => `${k}:${goValue(v)}`).join(' ')}]`
  return typeof value === 'number' ? goNumber(value) : String(value)
}

/** A value as Go's %#v prints it. */
export function goSyntax(value: unknown): string {
  if (value === null || value === undefined) return 'interface {}(nil)'
  if (Array.isArray(value)) return `[]interface {}{${value.map(goSyntax).join(', ')}}`
  if (isMap(value)) return `map[string]interface {}{${Object.entries(value).sort(byName).map(([k, v]) => `${goQuote(k)}:${goSyntax(v)}`).join(', ')}}`
  return typeof value === 'string' ? goQuote(value) : typeof value === 'number' ? goNumber(value) : String(value)
}

/** A value's type as Go's %T names it. */
export function goType(value: unknown): string {
  if (value === null || value === undefined) return '%!s(<nil>)'
  if (Array.isArray(value)) return '[]interface {}'
  if (isMap(value)) return 'map[string]interface {}'
  if (typeof value === 'number') return Number.isInteger(value) ? 'int64' : 'float64'
  return typeof value === 'boolean' ? 'bool' : 'string'
}

/** Whole numbers are int64 after decoding; others print with the shortest digits, from 1e+21 and below 1e-4 with an exponent. */
function goNumber(value: number): string {
  if (Number.isSafeInteger(value)) return String(value)
  const text = Math.abs(value) < 1e-4 ? value.toExponential() : String(value)
  return text.replace(/e([+-])(\d)$/, 'e$10$2')
}
