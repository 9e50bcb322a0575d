/** What several libraries' functions cost (k8s.io/apiserver/pkg/cel/library/cost.go); the rest is said where the function is. */
import { sizeOf as valueSize } from '../kinds.ts'
import type { CallEstimate, Estimated, Range } from '../library.ts'
import { exactly, scaled, unknownRange } from '../range.ts'
import type { Value } from '../value.ts'

/** Traversing a string, a character. */
export const stringFactor = 0.1
/** Matching a regular expression, a character of it. */
export const regexFactor = 0.25
export const listBaseCost = 10
export const structBaseCost = 40

export const unit: Range = exactly(1)

export function sizeOf(argument: Estimated | undefined): Range {
  return argument?.size ?? unknownRange
}

/** Of the elements of a list. */
export function elementSizeOf(argument: Estimated | undefined): Range {
  return argument?.elementSize ?? unknownRange
}

/** What counts as the size of a value; 1 for what has none. */
export function actualSize(value: Value | undefined): number {
  return value === undefined ? 1 : valueSize(value)
}

const encoder = new TextEncoder()

export function byteLength(text: string): number {
  return /^[\0-\x7f]*$/.test(text) ? text.length : encoder.encode(text).length
}

/** One traversal of the first argument, or `passes` of them. */
export function traversalCost(passes = 1): (args: readonly Value[]) => number {
  return ([first]) => Math.ceil(actualSize(first) * passes * stringFactor)
}

export function traversalEstimate(passes = 1): (args: readonly Estimated[]) => CallEstimate {
  return ([first]) => ({ cost: scaled(sizeOf(first), passes * stringFactor) })
}

/** One traversal, whose result is as long as its argument. */
export function sameSizeEstimate([first]: readonly Estimated[]): CallEstimate {
  const size = sizeOf(first)
  return { cost: scaled(size, stringFactor), resultSize: size }
}

/** A regular expression of `patternLength` over a text: both count. One is added, so that an empty text is not free. */
export function matchCost(textLength: number, patternLength: number): number {
  return Math.ceil((1 + textLength) * stringFactor) * Math.ceil(patternLength * regexFactor)
}
