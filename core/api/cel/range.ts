/**
 * Arithmetic of estimates: least and most, which never grow past what 64 bits hold (cel-go/checker/cost.go). Past 2^53
 * numbers are near, not exact; no limit is up there.
 */
import type { Range } from './library.ts'

/** As much as there can be: nothing is known. */
export const unbounded = 2 ** 64

export const unknownRange: Range = { min: 0, max: unbounded }

export function exactly(value: number): Range {
  return { min: value, max: value }
}

export function sum(...ranges: readonly Range[]): Range {
  return ranges.reduce((total, range) => ({ min: capped(total.min + range.min), max: capped(total.max + range.max) }), exactly(0))
}

export function product(a: Range, b: Range): Range {
  return { min: capped(a.min * b.min), max: capped(a.max * b.max) }
}

/** Costs are whole: each end is rounded up. */
export function scaled(range: Range, factor: number): Range {
  return { min: capped(Math.ceil(range.min * factor)), max: range.max >= unbounded && factor > 0 ? capped(unbounded * factor) : capped(Math.ceil(range.max * factor)) }
}

/** Either of the two. */
export function either(a: Range, b: Range): Range {
  return { min: Math.min(a.min, b.min), max: Math.max(a.max, b.max) }
}

function capped(value: number): number {
  return Math.min(value, unbounded)
}
