/**
 * Operators: arithmetic within 64 bits, comparisons, logic (cel-go/common/stdlib/standard.go, common/types/overflow.go).
 * &&, ||, ?:, ==, != and indexes are computed by plan.ts; here they are only declared.
 */
import { Concatenated, GrowingList } from '../access.ts'
import { compare } from '../equality.ts'
import { valueTypeName } from '../kinds.ts'
import type { FunctionDeclaration } from '../library.ts'
import { checkedDuration, checkedTimestamp } from '../moment.ts'
import { bool, bytes, type CelType, double, duration, int, list, map, param, string, timestamp, uint } from '../type.ts'
import { CelError, Duration, ListValue, Timestamp, Uint, type Value } from '../value.ts'
import { joinedSize, smallerSize, sumOfSizes } from './costs.ts'
import { shared, type Signature, signature } from './declare.ts'

const a = param('A')
const b = param('B')

const suffixes: ReadonlyMap<CelType, string> = new Map<CelType, string>([
  [bool, 'bool'], [int, 'int64'], [uint, 'uint64'], [double, 'double'], [string, 'string'], [bytes, 'bytes'], [timestamp, 'timestamp'], [duration, 'duration'],
])

const comparable: ReadonlySet<string> = new Set([
  'bool', 'int', 'uint', 'double', 'string', 'bytes', 'google.protobuf.Timestamp', 'google.protobuf.Duration',
])

const intMin = -(2n ** 63n)
const intMax = 2n ** 63n - 1n
const uintMax = 2n ** 64n - 1n

export const operators: readonly FunctionDeclaration[] = [
  shared('_?_:_', [signature('conditional', [bool, a, a], a)], neverCalled),
  shared('_&&_', [signature('logical_and', [bool, bool], bool)], neverCalled),
  shared('_||_', [signature('logical_or', [bool, bool], bool)], neverCalled),
  shared('!_', [signature('logical_not', [bool], bool)], ([value]) => (typeof value === 'boolean' ? !value : noOverload())),
  shared('@not_strictly_false', [signature('not_strictly_false', [bool], bool)], neverCalled),
  shared('_==_', [{ ...signature('equals', [a, a], bool), ...smallerSize }], neverCalled),
  shared('_!=_', [{ ...signature('not_equals', [a, a], bool), ...smallerSize }], neverCalled),
  shared('_+_', [
    { ...signature('add_bytes', [bytes, bytes], bytes), ...sumOfSizes },
    signature('add_double', [double, double], double),
    signature('add_duration_duration', [duration, duration], duration),
    signature('add_duration_timestamp', [duration, timestamp], timestamp),
    signature('add_timestamp_duration', [timestamp, duration], timestamp),
    signature('add_int64', [int, int], int),
    { ...signature('add_list', [list(a), list(a)], list(a)), ...joinedSize },
    { ...signature('add_string', [string, string], string), ...sumOfSizes },
    signature('add_uint64', [uint, uint], uint),
  ], (args) => add(args[0] as Value, args[1] as Value)),
  shared('_/_', numeric('divide', [double, int, uint]), (args) => divide(args[0] as Value, args[1] as Value)),
  shared('_%_', numeric('modulo', [int, uint]), (args) => modulo(args[0] as Value, args[1] as Value)),
  shared('_*_', numeric('multiply', [double, int, uint]), (args) => multiply(args[0] as Value, args[1] as Value)),
  shared('-_', [signature('negate_double', [double], double), signature('negate_int64', [int], int)], ([value]) => negate(value as Value)),
  shared('_-_', [
    signature('subtract_double', [double, double], double),
    signature('subtract_duration_duration', [duration, duration], duration),
    signature('subtract_int64', [int, int], int),
    signature('subtract_timestamp_duration', [timestamp, duration], timestamp),
    signature('subtract_timestamp_timestamp', [timestamp, timestamp], duration),
    signature('subtract_uint64', [uint, uint], uint),
  ], (args) => subtract(args[0] as Value, args[1] as Value)),
  comparison('_<_', 'less', (order) => order < 0),
  comparison('_<=_', 'less_equals', (order) => order <= 0),
  comparison('_>_', 'greater', (order) => order > 0),
  comparison('_>=_', 'greater_equals', (order) => order >= 0),
  shared('_[_]', [signature('index_list', [list(a), int], a), signature('index_map', [map(a, b), a], b)], neverCalled),
]

function neverCalled(): never {
  throw new Error('computed by the plan')
}

function noOverload(): never {
  throw new CelError('no such overload')
}

/** Of the first operand: strings and moments are asked themselves, other values have no such operator at all. */
function noOperator(operator: string, left: Value): never {
  const itself = typeof left === 'string' || left instanceof Timestamp || left instanceof Duration
  throw new CelError(itself ? 'no such overload' : `no such overload: ${operator}`)
}

function numeric(verb: string, types: readonly CelType[]): readonly Signature[] {
  return types.map((type) => signature(`${verb}_${suffixes.get(type)}`, [type, type], type))
}

function comparison(name: string, verb: string, holds: (order: number) => boolean): FunctionDeclaration {
  const one = (type: CelType) => signature(`${verb}_${suffixes.get(type)}`, [type, type], bool)
  const two = (left: CelType, right: CelType) => signature(`${verb}_${suffixes.get(left)}_${suffixes.get(right)}`, [left, right], bool)
  const overloads: readonly Signature[] = [
    one(bool), one(int), two(int, double), two(int, uint), one(uint), two(uint, double), two(uint, int), one(double), two(double, int), two(double, uint),
    { ...one(string), ...smallerSize }, { ...one(bytes), ...smallerSize }, one(timestamp), one(duration),
  ]
  return shared(name, overloads, (args) => holds(ordered(name, args[0] as Value, args[1] as Value)))
}

function ordered(name: string, left: Value, right: Value): number {
  if (typeof left === 'object' && !comparable.has(valueTypeName(left))) return noOperator(name, left)
  const order = compare(left, right)
  if (order === undefined) return noOverload()
  if (Number.isNaN(order)) throw new CelError('NaN values cannot be ordered')
  return order
}

/** Throws CelError for what no 64 bits hold. */
export function checkedInt(value: bigint): bigint {
  if (value < intMin || value > intMax) throw new CelError('integer overflow')
  return value
}

/** Throws CelError for what is negative, or what no 64 bits hold. */
export function checkedUint(value: bigint): Uint {
  if (value < 0n || value > uintMax) throw new CelError('unsigned integer overflow')
  return new Uint(value)
}

function add(left: Value, right: Value): Value {
  if (typeof left === 'bigint') return typeof right === 'bigint' ? checkedInt(left + right) : noOverload()
  if (typeof left === 'number') return typeof right === 'number' ? left + right : noOverload()
  if (typeof left === 'string') return typeof right === 'string' ? left + right : noOverload()
  if (left instanceof Uint) return right instanceof Uint ? checkedUint(left.value + right.value) : noOverload()
  if (left instanceof ListValue) return right instanceof ListValue ? joined(left, right) : noOverload()
  if (left instanceof Uint8Array) return right instanceof Uint8Array ? concatenated(left, right) : noOverload()
  if (left instanceof Timestamp) return right instanceof Duration ? checkedTimestamp(left.nanos + right.nanos, left.zoneS) : noOverload()
  if (!(left instanceof Duration)) return noOperator('_+_', left)
  if (right instanceof Timestamp) return checkedTimestamp(left.nanos + right.nanos, right.zoneS)
  return right instanceof Duration ? checkedDuration(left.nanos + right.nanos) : noOverload()
}

function joined(left: ListValue, right: ListValue): ListValue {
  if (left instanceof GrowingList) {
    left.push(right)
    return left
  }
  if (left.plus !== undefined) return left.plus(right)
  if (left.size === 0) return right
  return right.size === 0 ? left : new Concatenated(left, right)
}

function concatenated(left: Uint8Array, right: Uint8Array): Uint8Array {
  const all = new Uint8Array(left.length + right.length)
  all.set(left)
  all.set(right, left.length)
  return all
}

function subtract(left: Value, right: Value): Value {
  if (typeof left === 'bigint') return typeof right === 'bigint' ? checkedInt(left - right) : noOverload()
  if (typeof left === 'number') return typeof right === 'number' ? left - right : noOverload()
  if (left instanceof Uint) return right instanceof Uint ? checkedUint(left.value - right.value) : noOverload()
  if (left instanceof Duration) return right instanceof Duration ? checkedDuration(left.nanos - right.nanos) : noOverload()
  if (!(left instanceof Timestamp)) return noOperator('_-_', left)
  if (right instanceof Timestamp) return checkedDuration(left.nanos - right.nanos)
  return right instanceof Duration ? checkedTimestamp(left.nanos + checkedDuration(-right.nanos).nanos, left.zoneS) : noOverload()
}

function multiply(left: Value, right: Value): Value {
  if (typeof left === 'bigint') return typeof right === 'bigint' ? checkedInt(left * right) : noOverload()
  if (typeof left === 'number') return typeof right === 'number' ? left * right : noOverload()
  if (left instanceof Uint) return right instanceof Uint ? checkedUint(left.value * right.value) : noOverload()
  return noOperator('_*_', left)
}

function divide(left: Value, right: Value): Value {
  if (typeof left === 'number') return typeof right === 'number' ? left / right : noOverload()
  if (typeof left === 'bigint') return typeof right === 'bigint' ? checkedInt(left / notZero(right, 'division')) : noOverload()
  if (left instanceof Uint) return right instanceof Uint ? new Uint(left.value / notZero(right.value, 'division')) : noOverload()
  return noOperator('_/_', left)
}

function modulo(left: Value, right: Value): Value {
  if (typeof left === 'bigint') return typeof right === 'bigint' ? remainder(left, right) : noOverload()
  if (left instanceof Uint) return right instanceof Uint ? new Uint(left.value % notZero(right.value, 'modulus')) : noOverload()
  return noOperator('_%_', left)
}

function remainder(left: bigint, right: bigint): bigint {
  const divisor = notZero(right, 'modulus')
  if (left === intMin && divisor === -1n) throw new CelError('integer overflow')
  return left % divisor
}

function notZero(value: bigint, what: string): bigint {
  if (value === 0n) throw new CelError(`${what} by zero`)
  return value
}

function negate(value: Value): Value {
  if (typeof value === 'bigint') return checkedInt(-value)
  if (typeof value === 'number') return -value
  if (value instanceof Duration) return checkedDuration(-value.nanos)
  return typeof value === 'boolean' ? noOverload() : noOperator('-_', value)
}

