/** Doubles written exactly, to a number of places: ties go to the even digit, as in Go. */

interface Binary {
  readonly negative: boolean
  readonly mantissa: bigint
  /** The number is mantissa * 2^exponent. */
  readonly exponent: number
}

function binaryOf(value: number): Binary {
  const view = new DataView(new ArrayBuffer(8))
  view.setFloat64(0, value)
  const bits = view.getBigUint64(0)
  const exponent = Number((bits >> 52n) & 0x7ffn)
  const fraction = bits & ((1n << 52n) - 1n)
  return { negative: bits >> 63n === 1n, mantissa: exponent === 0 ? fraction : fraction | (1n << 52n), exponent: Math.max(exponent, 1) - 1_075 }
}

/** |value| * 10^places, rounded to a whole number. */
function wholeAt({ mantissa, exponent }: Binary, places: number): bigint {
  const above = mantissa * (places > 0 ? 10n ** BigInt(places) : 1n) * (exponent > 0 ? 2n ** BigInt(exponent) : 1n)
  const below = (places < 0 ? 10n ** BigInt(-places) : 1n) * (exponent < 0 ? 2n ** BigInt(-exponent) : 1n)
  const [whole, twice] = [above / below, (above % below) * 2n]
  return twice > below || (twice === below && whole % 2n === 1n) ? whole + 1n : whole
}

/** `-1234.500`: finite values only. */
export function fixedPoint(value: number, places: number): string {
  const binary = binaryOf(value)
  const digits = `${wholeAt(binary, places)}`.padStart(places + 1, '0')
  const point = digits.length - places
  return `${binary.negative ? '-' : ''}${digits.slice(0, point)}${places === 0 ? '' : `.${digits.slice(point)}`}`
}

export interface Scientific {
  readonly negative: boolean
  /** The first stands before the point. */
  readonly digits: string
  readonly exponent: number
}

/** Finite values only. */
export function scientific(value: number, places: number): Scientific {
  const binary = binaryOf(value)
  if (value === 0) return { negative: binary.negative, digits: '0'.repeat(places + 1), exponent: 0 }
  let exponent = Math.floor(Math.log10(Math.abs(value)))
  let digits = `${wholeAt(binary, places - exponent)}`
  // The logarithm is a guess, and rounding may add a digit.
  while (digits.length !== places + 1) {
    exponent += digits.length > places + 1 ? 1 : -1
    digits = `${wholeAt(binary, places - exponent)}`
  }
  return { negative: binary.negative, digits, exponent }
}
