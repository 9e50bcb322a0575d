/** int(), string(), timestamp() and their like: from one type to another, in cel-go's ranges and spellings. */
import { valueType } from '../kinds.ts'
import type { FunctionDeclaration, Overload } from '../library.ts'
import { checkedTimestamp, floorSeconds, formatSeconds, formatTimestamp, nanosPerSecond, parseDuration, parseTimestamp, secondsMax, secondsMin } from '../moment.ts'
import { formatDouble } from '../number.ts'
import { bool, bytes, type CelType, double, duration, dyn, int, param, string, timestamp, typeOf, uint } from '../type.ts'
import { typeName } from '../typing.ts'
import { CelError, Duration, Timestamp, TypeValue, Uint, type Value } from '../value.ts'
import { decoding, encoding } from './costs.ts'
import { separate, shared, signature } from './declare.ts'
import { checkedInt, checkedUint } from './operators.ts'

const a = param('A')

export const conversions: readonly FunctionDeclaration[] = [
  shared('type', [signature('type', [a], typeOf(a))], ([value]) => new TypeValue(valueType(value as Value))),
  shared('dyn', [signature('to_dyn', [a], dyn)], ([value]) => value as Value),
  separate('bool', [
    from('bool_to_bool', bool, bool, (value) => value),
    from('string_to_bool', string, bool, (value) => parseBool(value as string)),
  ]),
  separate('bytes', [
    from('bytes_to_bytes', bytes, bytes, (value) => value),
    { ...from('string_to_bytes', string, bytes, (value) => new TextEncoder().encode(value as string)), ...encoding },
  ]),
  separate('double', [
    from('double_to_double', double, double, (value) => value),
    from('int64_to_double', int, double, (value) => Number(value as bigint)),
    from('string_to_double', string, double, (value) => parseDouble(value as string)),
    from('uint64_to_double', uint, double, (value) => Number((value as Uint).value)),
  ]),
  separate('duration', [
    from('duration_to_duration', duration, duration, (value) => value),
    from('int64_to_duration', int, duration, () => refused(int, duration)),
    from('string_to_duration', string, duration, (value) => new Duration(parseDuration(value as string) ?? refused(string, duration))),
  ]),
  separate('int', [
    from('int64_to_int64', int, int, (value) => value),
    from('double_to_int64', double, int, (value) => truncated(value as number)),
    from('duration_to_int64', duration, int, (value) => (value as Duration).nanos),
    from('string_to_int64', string, int, (value) => parseInt64(value as string)),
    from('timestamp_to_int64', timestamp, int, (value) => floorSeconds((value as Timestamp).nanos)),
    from('uint64_to_int64', uint, int, (value) => checkedInt((value as Uint).value)),
  ]),
  separate('string', [
    from('string_to_string', string, string, (value) => value),
    from('bool_to_string', bool, string, (value) => String(value)),
    { ...from('bytes_to_string', bytes, string, (value) => decoded(value as Uint8Array)), ...decoding },
    from('double_to_string', double, string, (value) => formatDouble(value as number)),
    from('duration_to_string', duration, string, (value) => formatSeconds(value as Duration)),
    from('int64_to_string', int, string, (value) => String(value as bigint)),
    from('timestamp_to_string', timestamp, string, (value) => formatTimestamp(value as Timestamp)),
    from('uint64_to_string', uint, string, (value) => String((value as Uint).value)),
  ]),
  separate('timestamp', [
    from('timestamp_to_timestamp', timestamp, timestamp, (value) => value),
    from('int64_to_timestamp', int, timestamp, (value) => atSecond(value as bigint)),
    from('string_to_timestamp', string, timestamp, (value) => readTimestamp(value as string)),
  ]),
  separate('uint', [
    from('uint64_to_uint64', uint, uint, (value) => value),
    from('double_to_uint64', double, uint, (value) => truncatedUint(value as number)),
    from('int64_to_uint64', int, uint, (value) => checkedUint(value as bigint)),
    from('string_to_uint64', string, uint, (value) => parseUint64(value as string)),
  ]),
]

function from(id: string, param: CelType, result: CelType, convert: (value: Value) => Value): Overload {
  return { id, params: [param], result, apply: ([value]) => convert(value as Value) }
}

function refused(source: CelType, target: CelType): never {
  throw new CelError(`type conversion error from '${typeName(source)}' to '${typeName(target)}'`)
}

function parseBool(text: string): boolean {
  if (['1', 't', 'T', 'TRUE', 'true', 'True'].includes(text)) return true
  return ['0', 'f', 'F', 'FALSE', 'false', 'False'].includes(text) ? false : refused(string, bool)
}

function parseInt64(text: string): bigint {
  if (!/^[-+]?\d+$/.test(text)) return refused(string, int)
  const value = BigInt(text.replace(/^\+/, ''))
  return BigInt.asIntN(64, value) === value ? value : refused(string, int)
}

function parseUint64(text: string): Uint {
  if (!/^\d+$/.test(text)) return refused(string, uint)
  const value = BigInt(text)
  return BigInt.asUintN(64, value) === value ? new Uint(value) : refused(string, uint)
}

function parseDouble(text: string): number {
  const special = /^([-+]?)(inf(?:inity)?|nan)$/i.exec(text)
  if (special !== null) return special[2]?.toLowerCase() === 'nan' ? (special[1] === '' ? Number.NaN : refused(string, double)) : special[1] === '-' ? -Infinity : Infinity
  const hex = /^([-+]?)0[xX]([0-9a-fA-F]*)\.?([0-9a-fA-F]*)[pP]([-+]?\d+)$/.exec(text)
  if (hex !== null && `${hex[2]}${hex[3]}` !== '') {
    const digits = Number.parseInt(`${hex[2]}${hex[3]}`, 16)
    return finite((hex[1] === '-' ? -1 : 1) * digits * 2 ** (Number(hex[4]) - 4 * (hex[3] ?? '').length))
  }
  return /^[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?$/.test(text) ? finite(Number(text)) : refused(string, double)
}

function finite(value: number): number {
  return Number.isFinite(value) ? value : refused(string, double)
}

function truncated(value: number): bigint {
  if (!(value > -(2 ** 63) && value < 2 ** 63)) throw new CelError('integer overflow')
  return BigInt(Math.trunc(value))
}

function truncatedUint(value: number): Uint {
  if (!(value >= 0 && value < 2 ** 64)) throw new CelError('unsigned integer overflow')
  return new Uint(BigInt(Math.trunc(value)))
}

function decoded(value: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(value)
  } catch {
    throw new CelError('invalid UTF-8 in bytes, cannot convert to string')
  }
}

function atSecond(seconds: bigint): Timestamp {
  if (seconds < secondsMin || seconds > secondsMax) throw new CelError('timestamp overflow')
  return new Timestamp(seconds * nanosPerSecond)
}

function readTimestamp(text: string): Timestamp {
  const parsed = parseTimestamp(text)
  return parsed === undefined ? refused(string, timestamp) : checkedTimestamp(parsed.nanos, parsed.zoneS)
}
