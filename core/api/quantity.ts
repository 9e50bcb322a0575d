/**
 * Quantities as numbers: whole units or thousandths, rounded up, for those who
 * compute with resources. How a quantity is written is schema/canonical.ts.
 */

import { memo } from '../lib/memo.ts'
import { canonicalQuantity } from './schema/canonical.ts'
export { addQuantities, canonicalQuantity, largerQuantity } from './schema/canonical.ts'

const exponents: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, '': 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 }
const binaries: Readonly<Record<string, number>> = { Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40, Pi: 2 ** 50, Ei: 2 ** 60 }
const shape = /^([+-]?\d*\.?\d*)(?:([numkMGTPE]|[KMGTPE]i)|[eE]([-+]?\d+))?$/

/** Clusters use few different quantities. */
const milliOf = memo(4_096, (text) => Math.ceil(amount(text, 3)))

/** In thousandths of the unit, rounded up: "250m" is 250, "2" is 2000. NaN when it is no quantity. Exact below 2^53. */
export function quantityMilli(quantity: string | number): number {
  return milliOf(String(quantity))
}

/** In Go's one form; what is no quantity stays as it is. */
export function canonicalText(quantity: string | number): string {
  const canonical = canonicalQuantity(String(quantity))
  return canonical.ok ? canonical.text : String(quantity)
}

/** In whole units, rounded up: "1Ki" is 1024, "100m" is 1. NaN when it is no quantity. */
export function quantityValue(quantity: string | number): number {
  return Math.ceil(amount(String(quantity), 0))
}

/** The number itself, parts of units and all; as near as a float gets. NaN when it is no quantity. */
export function quantityNumber(quantity: string | number): number {
  return amount(String(quantity), 0)
}

/** Negative, zero or positive as a is less than, equal to or more than b. */
export function compareQuantities(a: string | number, b: string | number): number {
  return amount(String(a), 3) - amount(String(b), 3)
}

/** The quantity times 10^shift. Powers of ten are applied by writing them out, so that 0.1 becomes exactly 100 thousandths. */
function amount(text: string, shift: number): number {
  const match = shape.exec(text)
  if (match === null || match[1] === '' || match[1] === undefined) return Number.NaN
  const [, digits, suffix = '', scientific] = match
  const binary = binaries[suffix]
  if (binary !== undefined) return Number(digits) * binary * 10 ** shift
  const exponent = scientific === undefined ? (exponents[suffix] ?? 0) : Number(scientific)
  return Number(`${digits}e${exponent + shift}`)
}
