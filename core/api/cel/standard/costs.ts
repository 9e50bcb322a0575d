/**
 * What functions of the standard library cost beyond the one that any call costs, when they run and told before
 * (cel-go/interpreter/runtimecost.go costCall, checker/cost.go functionCost).
 */
import { sizeOf } from '../kinds.ts'
import type { CallEstimate, Estimated } from '../library.ts'
import { exactly, product, scaled, sum, unknownRange } from '../range.ts'
import type { Value } from '../value.ts'

interface Costs {
  readonly cost?: (args: readonly Value[], result: Value) => number
  readonly estimate: (args: readonly Estimated[]) => CallEstimate
}

/** Reading one character of a string. */
const perCharacter = 0.1
/** Applying one character of a pattern to a string that costs one. */
const perPatternCharacter = 0.25

function size(value: Value | undefined): number {
  return value === undefined ? 1 : sizeOf(value)
}

function estimated(arg: Estimated | undefined) {
  return arg?.size ?? unknownRange
}

function traversed(length: number): number {
  return Math.ceil(length * perCharacter)
}

/** Reads the argument at `index` to its end. */
export function traversal(index: number): Costs {
  return {
    cost: (args) => traversed(size(args[index])),
    estimate: (args) => ({ cost: scaled(estimated(args[index]), perCharacter) }),
  }
}

/** Looks at all elements of a list. */
export const searched: Costs = {
  cost: ([, haystack]) => size(haystack),
  estimate: ([, haystack]) => ({ cost: estimated(haystack) }),
}

/** Compares two values as far as the smaller goes. */
export const smallerSize: Costs = {
  cost: (args) => traversed(Math.min(size(args[0]), size(args[1]))),
  estimate([a, b]) {
    const max = Math.min(estimated(a).max, estimated(b).max)
    return { cost: scaled({ min: max > 0 ? 1 : 0, max }, perCharacter) }
  },
}

/** Makes a string or bytes of two. */
export const sumOfSizes: Costs = {
  cost: (args) => traversed(size(args[0]) + size(args[1])),
  estimate([a, b]) {
    const resultSize = sum(estimated(a), estimated(b))
    return { cost: scaled(resultSize, perCharacter), resultSize }
  },
}

/** Lists are joined where they are. */
export const joinedSize: Costs = {
  estimate: ([a, b]) => ({ cost: exactly(1), resultSize: sum(estimated(a), estimated(b)) }),
}

export const substring: Costs = {
  cost: (args) => traversed(size(args[0])) * traversed(size(args[1])),
  estimate: ([text, part]) => ({ cost: product(scaled(estimated(text), perCharacter), scaled(estimated(part), perCharacter)) }),
}

export const patternMatch: Costs = {
  cost: ([text, pattern]) => traversed(1 + size(text)) * Math.ceil(size(pattern) * perPatternCharacter),
  estimate([text, pattern]) {
    const read = scaled(sum(estimated(text), exactly(1)), perCharacter)
    return { cost: product(read, scaled(estimated(pattern), perPatternCharacter)) }
  },
}

/** bytes('...'): up to four bytes a character. */
export const encoding: Costs = {
  cost: ([text]) => traversed(size(text)),
  estimate([text]) {
    const { min, max } = estimated(text)
    return { cost: scaled({ min, max }, perCharacter), resultSize: { min, max: Math.min(max * 4, unknownRange.max) } }
  },
}

/** string(b'...'). */
export const decoding: Costs = {
  cost: ([bytes]) => traversed(size(bytes)),
  estimate([bytes]) {
    const { min, max } = estimated(bytes)
    return { cost: scaled({ min, max }, perCharacter), resultSize: { min: Math.floor(min / 4), max } }
  },
}
