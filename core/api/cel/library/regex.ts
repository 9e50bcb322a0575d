/** kubernetes.regex: finding text by patterns (k8s.io/apiserver/pkg/cel/library/regex.go). Patterns are regexp.ts. */
import type { CallEstimate, Estimated, Library } from '../library.ts'
import { patternOf } from '../patterns.ts'
import { product, scaled, sum } from '../range.ts'
import type { Regexp } from '../regexp.ts'
import { int, list, string } from '../type.ts'
import { CelError, type ListValue, type Value } from '../value.ts'
import { actualSize, matchCost, regexFactor, sizeOf, stringFactor, unit } from './cost.ts'
import { declare, member } from './declare.ts'
import { listOf } from './elements.ts'

const matching = { cost: ([text, pattern]: readonly Value[]) => matchCost(actualSize(text), actualSize(pattern)), estimate: matchEstimate, prepare }

export const regexLibrary: Library = {
  name: 'kubernetes.regex',
  functions: [
    declare('find', { ...member('string_find_string', [string, string], string, find), ...matching }),
    declare(
      'findAll',
      { ...member('string_find_all_string', [string, string], list(string), (text: string, pattern: string) => findAll(text, pattern, -1n)), ...matching },
      { ...member('string_find_all_string_int', [string, string, int], list(string), findAll), ...matching },
    ),
  ],
}

/** A literal pattern is read once, before anything runs. */
function prepare([, pattern]: readonly (Value | undefined)[]): void {
  if (typeof pattern === 'string') compiled(pattern, '')
}

function find(text: string, pattern: string): string {
  const match = read(pattern).find(text)
  return match === undefined ? '' : text.slice(match.start, match.end)
}

/** A negative count is no limit. */
function findAll(text: string, pattern: string, count: bigint): ListValue {
  return listOf(read(pattern).findAll(text, count < 0n ? Number.POSITIVE_INFINITY : Number(count)))
}

const read = (pattern: string): Regexp => compiled(pattern, 'Illegal regex: ')

function compiled(pattern: string, introduction: string): Regexp {
  const regexp = patternOf(pattern)
  if (typeof regexp === 'string') throw new CelError(`${introduction}${regexp}`)
  return regexp
}

/** At worst every character is a match of its own. */
function matchEstimate([text, pattern]: readonly Estimated[]): CallEstimate {
  const size = sizeOf(text)
  const cost = product(scaled(sum(size, unit), stringFactor), scaled(sizeOf(pattern), regexFactor))
  return { cost, resultSize: { min: 0, max: size.max } }
}
