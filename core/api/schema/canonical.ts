/**
 * Quantities and times in the one form that Go writes them in, and Go's sentences for those it cannot read.
 *
 * Arithmetic with quantities is not here. After apimachinery's pkg/api/resource (parse, canonicalise) and meta/v1 time.
 */
import { memo } from '../../lib/memo.ts'

export type Canonical = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly error: string }

const formatError = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
const suffixError = "unable to parse quantity's suffix"

const decimalExponents: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, '': 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 }
const binaryExponents: Readonly<Record<string, number>> = { Ki: 10, Mi: 20, Gi: 30, Ti: 40, Pi: 50, Ei: 60 }
const decimalSuffixes = new Map(Object.entries(decimalExponents).map(([suffix, exponent]) => [exponent, suffix]))
const binarySuffixes = new Map(Object.entries(binaryExponents).map(([suffix, exponent]) => [exponent, suffix]))

/** Clusters use few different quantities, again and again. */
export const canonicalQuantity = memo(4_096, parseQuantity)

function parseQuantity(text: string): Canonical {
  const match = /^([+-]?)(\d*)(?:\.(\d*))?([eEinumkKMGTP]*[-+]?\d*)$/.exec(text)
  if (match === null || text === '') return { ok: false, error: formatError }
  const [, sign = '', digits = '', fraction = '', suffix = ''] = match
  const binary = binaryExponents[suffix]
  const exponent = binary ?? decimalExponents[suffix] ?? scientific(suffix)
  if (exponent === undefined) return { ok: false, error: suffixError }
  const whole = digits.replace(/^0+/, '') || '0'
  if (keepsItsForm(whole, fraction, binary, exponent)) return { ok: true, text }
  const format = binary !== undefined ? 'binary' : decimalExponents[suffix] !== undefined ? 'decimal' : 'exponent'
  return { ok: true, text: render(BigInt(whole + fraction), fraction.length, exponent, sign === '-', format) }
}

/** The exponent of `e3`, as 32 bits hold it. */
function scientific(suffix: string): number | undefined {
  if (!/^[eE][-+]?\d+$/.test(suffix)) return undefined
  const exponent = BigInt(suffix.slice(1).replace('+', ''))
  return exponent > maxInt64 || exponent < -maxInt64 - 1n ? undefined : Number(BigInt.asIntN(32, exponent))
}

/** Go writes what it read when a quick look says that it is canonical: few digits, no fraction that a suffix could take. */
function keepsItsForm(whole: string, fraction: string, binary: number | undefined, exponent: number): boolean {
  if (binary !== undefined) {
    if (fraction !== '' || 15 - whole.length - Math.trunc((exponent * 3) / 10) - 1 < 0) return false
    return BigInt(whole) << BigInt(exponent) <= maxInt64 && (BigInt(whole) & 7n) !== 0n
  }
  const shifted = whole + fraction
  const scale = exponent - fraction.length
  if (18 - shifted.length < 0 || scale < -9) return false
  return scale % 3 === 0 && !shifted.endsWith('000') && !shifted.startsWith('0')
}

const maxInt64 = 2n ** 63n - 1n

/** mantissa / 10^places, times the suffix, in the largest suffix that loses nothing. */
function render(mantissa: bigint, places: number, exponent: number, negative: boolean, format: 'binary' | 'decimal' | 'exponent'): string {
  if (mantissa === 0n) return '0'
  const sign = negative ? '-' : ''
  let scale = format === 'binary' ? -places : exponent - places
  let value = format === 'binary' ? mantissa << BigInt(exponent) : mantissa
  if (scale < -9) {
    value = toNano(value, scale)
    scale = -9
  }
  const whole = scale >= 0 ? value * 10n ** BigInt(Math.min(scale, 40)) : value / 10n ** BigInt(-scale)
  const exact = scale >= 0 || value % 10n ** BigInt(-scale) === 0n
  if (format === 'binary' && whole > maxInt64) return `${sign}${maxInt64}`
  if (format === 'binary' && exact && whole >= 1_024n) return sign + renderBinary(whole)
  return sign + renderDecimal(value, scale, format === 'exponent')
}

/** More precise than nano: rounded away from zero. An exponent may be of nine digits; powers of ten are written out only as far as the number goes. */
function toNano(value: bigint, scale: number): bigint {
  const drop = -9 - scale
  if (drop > value.toString().length) return 1n
  const divisor = 10n ** BigInt(drop)
  return value / divisor + (value % divisor === 0n ? 0n : 1n)
}

function renderBinary(whole: bigint): string {
  let value = whole
  let exponent = 0
  while (exponent < 60 && (value & 1_023n) === 0n) {
    value >>= 10n
    exponent += 10
  }
  return `${value}${binarySuffixes.get(exponent) ?? ''}`
}

function renderDecimal(mantissa: bigint, places: number, scientificForm: boolean): string {
  let value = mantissa
  let scale = places
  while (value % 10n === 0n) {
    value /= 10n
    scale++
  }
  while (scale % 3 !== 0) {
    value *= 10n
    scale--
  }
  if (scientificForm) return scale === 0 ? `${value}` : `${value}e${scale}`
  return `${value}${decimalSuffixes.get(scale) ?? ''}`
}

interface Amount {
  readonly nano: bigint
  readonly format: 'binary' | 'decimal' | 'exponent'
}

/** Sums and comparisons go no further than this many digits; who writes `1e999999999` means more than there is. */
const placesMax = 1_000

function amount(text: string): Amount {
  const match = /^([+-]?)(\d*)(?:\.(\d*))?([eEinumkKMGTP]*[-+]?\d*)$/.exec(text)
  const [, sign = '', digits = '', fraction = '', suffix = ''] = match ?? []
  const binary = binaryExponents[suffix]
  const decimal = decimalExponents[suffix]
  const mantissa = BigInt(`0${digits}${fraction}`) << BigInt(binary ?? 0)
  const places = 9 + (decimal ?? (binary === undefined ? scientific(suffix) ?? 0 : 0)) - fraction.length
  const nano = places >= 0 ? mantissa * 10n ** BigInt(Math.min(places, placesMax)) : mantissa / 10n ** BigInt(Math.min(-places, placesMax))
  return { nano: sign === '-' ? -nano : nano, format: binary !== undefined ? 'binary' : decimal !== undefined ? 'decimal' : 'exponent' }
}

/** The sum of two quantities, in the form of the first that is not zero. Both are known to be well formed. */
export function addQuantities(left: string, right: string): string {
  const a = amount(left)
  const b = amount(right)
  const nano = a.nano + b.nano
  return render(nano < 0n ? -nano : nano, 9, 0, nano < 0n, a.nano === 0n ? b.format : a.format)
}

/** The larger of two quantities; the first when they are equal. */
export function largerQuantity(left: string, right: string): string {
  return amount(right).nano > amount(left).nano ? right : left
}

/** Rounds away from zero to whole thousandths. */
export function roundUpToMilli(text: string): string {
  const { nano, format } = amount(text)
  const size = nano < 0n ? -nano : nano
  if (size % 1_000_000n === 0n) return text
  return render(size / 1_000_000n + 1n, 3, 0, nano < 0n, format)
}

const utcSeconds = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\dZ$/
const timeLayout = '2006-01-02T15:04:05Z07:00'
const microLayout = '2006-01-02T15:04:05.000000Z07:00'

/** RFC 3339 in any zone -> UTC, whole seconds. */
export function canonicalTime(text: string): Canonical {
  if (utcSeconds.test(text)) return { ok: true, text }
  const parsed = parseTime(text, timeLayout)
  if (!parsed.ok) return parsed
  return { ok: true, text: `${utcText(parsed.ms)}Z` }
}

/** RFC 3339 with six decimals in any zone -> UTC, six decimals. */
export function canonicalMicroTime(text: string): Canonical {
  const parsed = parseTime(text, microLayout)
  if (!parsed.ok) return parsed
  return { ok: true, text: `${utcText(parsed.ms)}.${parsed.fraction}Z` }
}

/** To the second. Zones take a time out of the years of four digits, which Go writes as they come. Throws RangeError for what no Date holds. */
export function utcText(ms: number): string {
  const [, sign = '', year = '', rest = ''] = /^([+-]?)0*(\d{4,})(-.{14})/.exec(new Date(ms).toISOString()) ?? []
  return `${sign === '-' ? '-' : ''}${year}${rest}`
}

type Instant = { readonly ok: true; readonly ms: number; readonly fraction: string } | { readonly ok: false; readonly error: string }

/** Reads piece by piece, so that the error can name the first piece that does not fit, as Go's does. */
function parseTime(text: string, layout: string): Instant {
  const micro = layout === microLayout
  const pieces: readonly (readonly [RegExp, string])[] = [
    [/^\d{4}/, '2006'], [/^-/, '-'], [/^\d\d/, '01'], [/^-/, '-'], [/^\d\d/, '02'], [/^T/, 'T'], [/^\d\d?/, '15'],
    [/^:/, ':'], [/^\d\d/, '04'], [/^:/, ':'], [/^\d\d/, '05'],
    [micro ? /^\.\d{6}/ : /^(?:[.,]\d+)?/, '.000000'], [/^(?:Z|[-+]\d\d:\d\d)/, 'Z07:00'],
  ]
  const values: string[] = []
  let rest = text
  for (const [pattern, word] of pieces) {
    const value = pattern.exec(rest)?.[0]
    if (value === undefined) return { ok: false, error: `parsing time ${quote(text)} as ${quote(layout)}: cannot parse ${quote(rest)} as ${quote(word)}` }
    values.push(value)
    rest = rest.slice(value.length)
  }
  if (rest !== '') return { ok: false, error: `parsing time ${quote(text)}: extra text: ${quote(rest)}` }
  const [year, , month, , day, , hour, , minute, , second] = values.map(Number)
  const out = outOfRange(year ?? 0, month ?? 0, day ?? 0, hour ?? 0, minute ?? 0, second ?? 0)
  if (out !== undefined) return { ok: false, error: `parsing time ${quote(text)}: ${out} out of range` }
  const zone = /^([+-])(\d\d):(\d\d)$/.exec(values[12] ?? '')
  const [, sign, hours = 0, minutes = 0] = zone ?? []
  if (Number(hours) > 24) return { ok: false, error: `parsing time ${quote(text)}: time zone offset hour out of range` }
  if (Number(minutes) > 60) return { ok: false, error: `parsing time ${quote(text)}: time zone offset minute out of range` }
  const local = Date.parse(`${text.slice(0, 10)}T${(values[6] ?? '').padStart(2, '0')}:${values[8]}:${values[10]}Z`)
  const ms = local - (Number(hours) * 60 + Number(minutes)) * (sign === '-' ? -60_000 : 60_000)
  return { ok: true, ms, fraction: (values[11] ?? '').slice(1, 7).padEnd(6, '0') }
}

function outOfRange(year: number, month: number, day: number, hour: number, minute: number, second: number): string | undefined {
  if (month < 1 || month > 12) return 'month'
  if (hour > 23) return 'hour'
  if (minute > 59) return 'minute'
  if (second > 59) return 'second'
  return day < 1 || day > new Date(Date.UTC(year, month, 0)).getUTCDate() ? 'day' : undefined
}

/** As Go's strconv.Quote writes a string. */
export function quote(text: string): string {
  return JSON.stringify(text).replaceAll('\u007f', '\\x7f')
}
