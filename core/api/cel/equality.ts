/**
 * == and the order of values: numbers of all kinds compare by what they are, everything else only with its own kind
 * (cel-go/common/types: Equal(), Compare()).
 */
import { find, keysOf } from './access.ts'
import { Failure } from './failure.ts'
import { CelError, Duration, ListValue, MapValue, ObjectValue, OpaqueValue, OptionalValue, Timestamp, TypeValue, Uint, type Value } from './value.ts'
import { typeName } from './typing.ts'

/** Numbers of different types are compared by their values. Throws CelError for opaque values that cannot be compared. */
export function equal(a: Value, b: Value): boolean {
  if (typeof a === 'string' || (typeof a === 'bigint' && typeof b === 'bigint')) return a === b
  if (isNumber(a)) return isNumber(b) && compareNumbers(a, b) === 0
  if (a === null || typeof a !== 'object') return a === b
  if (a instanceof Uint8Array) return b instanceof Uint8Array && compareBytes(a, b) === 0
  if (a instanceof Timestamp) return b instanceof Timestamp && a.nanos === b.nanos
  if (a instanceof Duration) return b instanceof Duration && a.nanos === b.nanos
  if (a instanceof ListValue) return b instanceof ListValue && equalLists(a, b)
  if (a instanceof MapValue || a instanceof ObjectValue) return (b instanceof MapValue || b instanceof ObjectValue) && equalMaps(a, b)
  if (a instanceof OptionalValue) return b instanceof OptionalValue && equalOptionals(a, b)
  if (a instanceof TypeValue) return b instanceof TypeValue && typeName(a.of) === typeName(b.of)
  if (!(a instanceof OpaqueValue) || b === null) return false
  if (!(b instanceof OpaqueValue)) throw new CelError('no such overload')
  return a.equals(b)
}

function equalLists(a: ListValue, b: ListValue): boolean {
  if (a.equals !== undefined) return a.equals(b)
  if (a.size !== b.size) return false
  for (let i = 0; i < a.size; i++) if (!equal(a.at(i), b.at(i))) return false
  return true
}

function equalMaps(a: MapValue | ObjectValue, b: MapValue | ObjectValue): boolean {
  if (a.size !== b.size) return false
  for (const key of keysOf(a) ?? []) {
    const [mine, theirs] = [find(a, key), find(b, key)]
    if (mine instanceof Failure) throw new CelError(mine.message)
    if (theirs instanceof Failure) throw new CelError(theirs.message)
    if (theirs === undefined || !equal(mine ?? null, theirs)) return false
  }
  return true
}

function equalOptionals(a: OptionalValue, b: OptionalValue): boolean {
  if (a.value === undefined || b.value === undefined) return a.value === b.value
  return equal(a.value, b.value)
}

export type CelNumber = bigint | number | Uint

function isNumber(value: Value): value is CelNumber {
  return typeof value === 'bigint' || typeof value === 'number' || value instanceof Uint
}

/** NaN compares with nothing. Between a double and a whole number both are looked at as doubles. */
function compareNumbers(a: CelNumber, b: CelNumber): number {
  if (typeof a === 'number' || typeof b === 'number') {
    const x = toDouble(a)
    const y = toDouble(b)
    return x < y ? -1 : x > y ? 1 : x === y ? 0 : Number.NaN
  }
  const x = a instanceof Uint ? a.value : a
  const y = b instanceof Uint ? b.value : b
  return x < y ? -1 : x > y ? 1 : 0
}

function toDouble(value: CelNumber): number {
  return Number(value instanceof Uint ? value.value : value)
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length)
  for (let i = 0; i < shared; i++) {
    const difference = (a[i] as number) - (b[i] as number)
    if (difference !== 0) return Math.sign(difference)
  }
  return Math.sign(a.length - b.length)
}

/** By code points, as bytes of UTF-8 compare; JavaScript's own order is by UTF-16 units. */
function compareStrings(a: string, b: string): number {
  const shared = Math.min(a.length, b.length)
  for (let i = 0; i < shared; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x === y) continue
    const [xHigh, yHigh] = [x >= 0xd800 && x <= 0xdfff, y >= 0xd800 && y <= 0xdfff]
    if (xHigh !== yHigh) return xHigh ? 1 : -1
    return x < y ? -1 : 1
  }
  return Math.sign(a.length - b.length)
}

/** Undefined: the two have no order. NaN: one is no number. */
export function compare(a: Value, b: Value): number | undefined {
  if (isNumber(a)) return isNumber(b) ? compareNumbers(a, b) : undefined
  if (typeof a === 'string') return typeof b === 'string' ? compareStrings(a, b) : undefined
  if (typeof a === 'boolean') return typeof b === 'boolean' ? Number(a) - Number(b) : undefined
  if (a instanceof Uint8Array) return b instanceof Uint8Array ? compareBytes(a, b) : undefined
  if (a instanceof Timestamp || a instanceof Duration) {
    if (!(b instanceof Timestamp || b instanceof Duration) || b.constructor !== a.constructor) return undefined
    return a.nanos < b.nanos ? -1 : a.nanos > b.nanos ? 1 : 0
  }
  return undefined
}
