/**
 * Quantities as exact numbers, computed with as apimachinery's resource.Quantity is: an amount is small (a 64-bit
 * number and a power of ten) as long as it fits, and stays large once it did not. Which of the two it is can be
 * seen: only small ones are integers. How a quantity is written is schema/canonical.ts.
 */
import { CelError } from '../value.ts'

export interface Amount {
  readonly unscaled: bigint
  /** The amount is unscaled * 10^exponent. */
  readonly exponent: number
  readonly large: boolean
}

export type ReadAmount = { readonly ok: true; readonly amount: Amount } | { readonly ok: false; readonly error: string }

const formatError = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
const numberError = 'unable to parse numeric part of quantity'
const suffixError = "unable to parse quantity's suffix"

const decimals: Readonly<Record<string, number>> = { '': 0, n: -9, u: -6, m: -3, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 }
const binaries: Readonly<Record<string, number>> = { Ki: 10, Mi: 20, Gi: 30, Ti: 40, Pi: 50, Ei: 60 }

const shape = /^([+-]?)0*(\d*)(\.(\d*))?([eEinumkKMGTP]*[-+]?\d*)$/
const int64Max = 2n ** 63n - 1n
const int64Min = -(2n ** 63n)
/** Digits that always fit a 64-bit number. */
const smallDigits = 18
const nano = -9
/** Powers of ten beyond this are not written out: upstream would be busy for minutes, and nobody means them. */
const exponentMax = 100_000

export const small = (value: bigint, exponent = 0): Amount => ({ unscaled: value, exponent, large: false })
const large = (unscaled: bigint, exponent: number): Amount => ({ unscaled, exponent, large: true })

export function readAmount(text: string): ReadAmount {
  const match = shape.exec(text)
  if (text === '' || match === null) return { ok: false, error: formatError }
  if (/^[+-]?0*$/.test(text)) return { ok: true, amount: small(0n) }
  const [, sign = '', whole = '', , fraction = '', suffix = ''] = match
  const digits = `${whole === '' ? '0' : whole}${fraction}`
  const binary = binaries[suffix]
  const exponent = binary ?? decimals[suffix] ?? scientific(suffix)
  if (exponent === undefined) return { ok: false, error: suffixError }
  const quick = binary === undefined ? quickDecimal(digits, exponent - fraction.length) : quickBinary(digits, fraction, binary)
  if (quick !== undefined) return { ok: true, amount: sign === '-' ? negated(quick) : quick }
  if (!/\d/.test(text.slice(0, text.length - suffix.length)) || Math.abs(exponent) > exponentMax) return { ok: false, error: numberError }
  const full = binary === undefined ? rounded(BigInt(digits), exponent - fraction.length) : cappedBinary(BigInt(digits) << BigInt(binary), -fraction.length)
  return { ok: true, amount: sign === '-' ? negated(full) : full }
}

/** The exponent of `e3`, as 32 bits hold it. */
function scientific(suffix: string): number | undefined {
  if (!/^[eE][-+]?\d+$/.test(suffix)) return undefined
  const exponent = BigInt(suffix.slice(1).replace('+', ''))
  return exponent > int64Max || exponent < int64Min ? undefined : Number(BigInt.asIntN(32, exponent))
}

function quickDecimal(digits: string, exponent: number): Amount | undefined {
  return digits.length > smallDigits || exponent < nano ? undefined : small(BigInt(digits), exponent)
}

function quickBinary(digits: string, fraction: string, binary: number): Amount | undefined {
  if (fraction !== '' || 15 - digits.length - Math.trunc((binary * 3) / 10) - 1 < 0) return undefined
  const value = BigInt(digits) << BigInt(binary)
  return value > int64Max ? undefined : small(value)
}

/** Finer than nano is rounded up: who wants a little shall not have nothing. */
function rounded(unscaled: bigint, exponent: number): Amount {
  if (unscaled === 0n) return large(0n, exponent)
  if (exponent >= nano) return large(unscaled * 10n ** BigInt(exponent - nano), nano)
  const divisor = 10n ** BigInt(nano - exponent)
  return large(unscaled / divisor + (unscaled % divisor === 0n ? 0n : 1n), nano)
}

function cappedBinary(unscaled: bigint, exponent: number): Amount {
  const amount = rounded(unscaled, exponent)
  return compareAmounts(amount, small(int64Max)) > 0 ? large(int64Max, 0) : amount
}

export function negated(amount: Amount): Amount {
  return { ...amount, unscaled: amount.large ? -amount.unscaled : BigInt.asIntN(64, -amount.unscaled) }
}

export function addAmounts(a: Amount, b: Amount): Amount {
  return (a.large || b.large ? undefined : addSmall(a, b)) ?? addLarge(a, b)
}

export function subtractAmounts(a: Amount, b: Amount): Amount {
  return (a.large || b.large ? undefined : addSmall(a, negated(b))) ?? addLarge(a, { ...b, unscaled: -b.unscaled })
}

/** Undefined: the sum, or what it is made of at one exponent, needs more than 64 bits. */
function addSmall(a: Amount, b: Amount): Amount | undefined {
  if (b.unscaled === 0n) return a
  if (a.unscaled === 0n) return b
  const exponent = Math.min(a.exponent, b.exponent)
  if (Math.max(a.exponent, b.exponent) - exponent > 20) return undefined
  const [x, y] = [atExponent(a, exponent), atExponent(b, exponent)]
  return fits(x) && fits(y) && fits(x + y) ? small(x + y, exponent) : undefined
}

function addLarge(a: Amount, b: Amount): Amount {
  const exponent = Math.min(a.exponent, b.exponent)
  if (Math.max(a.exponent, b.exponent) - exponent > exponentMax) throw new CelError('quantities too far apart to be added')
  return large(atExponent(a, exponent) + atExponent(b, exponent), exponent)
}

const fits = (value: bigint): boolean => value <= int64Max && value >= int64Min
const atExponent = (amount: Amount, exponent: number): bigint => amount.unscaled * 10n ** BigInt(amount.exponent - exponent)

export function signOf(amount: Amount): number {
  return amount.unscaled === 0n ? 0 : amount.unscaled > 0n ? 1 : -1
}

/** -1, 0 or 1 as a is less than, equal to or more than b. */
export function compareAmounts(a: Amount, b: Amount): number {
  const [signA, signB] = [signOf(a), signOf(b)]
  if (signA !== signB) return signA < signB ? -1 : 1
  if (signA === 0) return 0
  const [lengthA, lengthB] = [places(a), places(b)]
  if (lengthA !== lengthB) return (lengthA < lengthB ? -1 : 1) * signA
  const exponent = Math.min(a.exponent, b.exponent)
  const [x, y] = [atExponent(a, exponent), atExponent(b, exponent)]
  return x === y ? 0 : x < y ? -1 : 1
}

/** Where the first digit stands, counted from the point. */
function places(amount: Amount): number {
  const digits = `${amount.unscaled}`
  return digits.length - (amount.unscaled < 0n ? 1 : 0) + amount.exponent
}

/** Undefined: large, with a fraction (even one that is zero), or beyond 64 bits. */
export function integerOf(amount: Amount): bigint | undefined {
  if (amount.large || amount.exponent < 0) return undefined
  if (amount.unscaled === 0n) return 0n
  if (amount.exponent > 20) return undefined
  const value = atExponent(amount, 0)
  return fits(value) ? value : undefined
}

export function approximate(amount: Amount): number {
  const base = Number(amount.unscaled)
  return amount.exponent === 0 ? base : base * power10(amount.exponent)
}

/** As Go's math.Pow10 computes it: in steps of 32. */
function power10(n: number): number {
  if (n > 308) return Number.POSITIVE_INFINITY
  if (n < -323) return 0
  const [steps, rest] = [Math.trunc(Math.abs(n) / 32) * 32, Math.abs(n) % 32]
  return n >= 0 ? Number(`1e${steps}`) * Number(`1e${rest}`) : Number(`1e-${steps}`) / Number(`1e${rest}`)
}
