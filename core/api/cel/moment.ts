/**
 * Timestamps and durations: reading RFC 3339 and Go's durations, writing them as Go does, their ranges
 * (Go's time.Parse, time.ParseDuration; cel-go/common/types/timestamp.go, overflow.go).
 */
import { plain } from './number.ts'
import { CelError, Duration, Timestamp } from './value.ts'

export const nanosPerSecond = 1_000_000_000n
/** 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z. */
export const secondsMin = -62_135_596_800n
export const secondsMax = 253_402_300_799n

const int64Min = -(2n ** 63n)
const int64Max = 2n ** 63n - 1n

/** Nanoseconds since 1970; throws CelError outside of the years 1 to 9999. */
export function checkedTimestamp(nanos: bigint, zoneS = 0): Timestamp {
  const seconds = floorSeconds(nanos)
  if (seconds < secondsMin || seconds > secondsMax) throw new CelError('timestamp overflow')
  return new Timestamp(nanos, zoneS)
}

/** Nanoseconds; throws CelError for what no 64 bits hold. */
export function checkedDuration(nanos: bigint): Duration {
  if (nanos < int64Min || nanos > int64Max) throw new CelError('integer overflow')
  return new Duration(nanos)
}

export function floorSeconds(nanos: bigint): bigint {
  const seconds = nanos / nanosPerSecond
  return nanos < 0n && seconds * nanosPerSecond !== nanos ? seconds - 1n : seconds
}

/** Undefined: not RFC 3339 as Go reads it. */
export function parseTimestamp(text: string): Timestamp | undefined {
  const found = /^(\d{4})-(\d\d)-(\d\d)T(\d{1,2}):(\d\d):(\d\d)(?:[.,](\d+))?(?:Z|([-+])(\d\d):(\d\d))$/.exec(text)
  if (found === null) return undefined
  const [year, month, day, hour, minute, second] = found.slice(1, 7).map(Number) as [number, number, number, number, number, number]
  const [zoneHour, zoneMinute] = [Number(found[9] ?? 0), Number(found[10] ?? 0)]
  if (month < 1 || month > 12 || day < 1 || day > daysIn(year, month) || hour > 23 || minute > 59 || second > 59) return undefined
  if (zoneHour > 24 || zoneMinute > 60) return undefined
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  date.setUTCHours(hour, minute, second)
  const offset = (found[8] === '-' ? -1 : 1) * (zoneHour * 3_600 + zoneMinute * 60)
  const fraction = BigInt((found[7] ?? '').slice(0, 9).padEnd(9, '0'))
  return new Timestamp((BigInt(date.getTime()) / 1_000n - BigInt(offset)) * nanosPerSecond + fraction, offset)
}

function daysIn(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
  return [4, 6, 9, 11].includes(month) ? 30 : 31
}

export function formatTimestamp(timestamp: Timestamp): string {
  const seconds = floorSeconds(timestamp.nanos)
  const text = new Date((Number(seconds) + timestamp.zoneS) * 1_000).toISOString().replace(/\.000Z$/, '')
  const fraction = timestamp.nanos - seconds * nanosPerSecond
  const digits = fraction === 0n ? '' : `.${String(fraction).padStart(9, '0').replace(/0+$/, '')}`
  return `${text}${digits}${formatZone(timestamp.zoneS)}`
}

function formatZone(offsetS: number): string {
  if (offsetS === 0) return 'Z'
  const minutes = Math.floor(Math.abs(offsetS) / 60)
  const two = (value: number) => String(value).padStart(2, '0')
  return `${offsetS < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`
}

const unitNanos: Readonly<Record<string, bigint>> = {
  ns: 1n, us: 1_000n, 'µs': 1_000n, 'μs': 1_000n, ms: 1_000_000n, s: nanosPerSecond, m: 60n * nanosPerSecond, h: 3_600n * nanosPerSecond,
}

/** Of a number of 64 bits. */
const digitsMax = 19
/** No unit has more nanoseconds than places before this can tell. */
const placesMax = 40

/** `1h30m`, `-1.5s`; undefined: not a duration, or longer than 64 bits of nanoseconds. */
export function parseDuration(text: string): bigint | undefined {
  const sign = /^[-+]/.exec(text)?.[0]
  const body = sign === undefined ? text : text.slice(1)
  if (body === '0') return 0n
  if (!/^(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/.test(body)) return undefined
  let nanos = 0n
  for (const [, digits = '', places = '', unit = ''] of body.matchAll(/(\d*)\.?(\d*)(ns|us|µs|μs|ms|s|m|h)/g)) {
    const scale = unitNanos[unit] ?? 0n
    const whole = digits.replace(/^0+/, '')
    const fraction = places.slice(0, placesMax)
    if (whole.length > digitsMax) return undefined
    const part = fraction === '' ? 0n : (BigInt(fraction) * scale) / 10n ** BigInt(fraction.length)
    nanos += BigInt(whole === '' ? 0 : whole) * scale + part
    if (nanos > int64Max + 1n) return undefined
  }
  const signed = sign === '-' ? -nanos : nanos
  return signed > int64Max ? undefined : signed
}

/** Seconds, as the CEL string() of a duration. */
export function formatSeconds(duration: Duration): string {
  return `${plain(secondsOf(duration))}s`
}

export function secondsOf(duration: Duration): number {
  const whole = duration.nanos / nanosPerSecond
  return Number(whole) + Number(duration.nanos - whole * nanosPerSecond) / 1e9
}

/** As Go prints a time.Duration: `1h30m0s`, `1.5s`, `2ms`. */
export function formatDuration(duration: Duration): string {
  const { nanos } = duration
  if (nanos === 0n) return '0s'
  const sign = nanos < 0n ? '-' : ''
  const size = nanos < 0n ? -nanos : nanos
  if (size < 1_000n) return `${sign}${size}ns`
  if (size < 1_000_000n) return `${sign}${decimal(size, 1_000n)}µs`
  if (size < nanosPerSecond) return `${sign}${decimal(size, 1_000_000n)}ms`
  const minutes = size / (60n * nanosPerSecond)
  const seconds = `${decimal(size % (60n * nanosPerSecond), nanosPerSecond)}s`
  if (minutes === 0n) return `${sign}${seconds}`
  if (minutes < 60n) return `${sign}${minutes}m${seconds}`
  return `${sign}${minutes / 60n}h${minutes % 60n}m${seconds}`
}

function decimal(value: bigint, unit: bigint): string {
  const rest = value % unit
  const digits = rest === 0n ? '' : `.${String(rest).padStart(String(unit).length - 1, '0').replace(/0+$/, '')}`
  return `${value / unit}${digits}`
}
