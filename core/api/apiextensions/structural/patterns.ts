/**
 * Patterns of schemas, compiled once each. They are users': they run in linear time (cel/regexp.ts). Those of expressions,
 * which may come with the data, are cel/patterns.ts.
 */
import { memo } from '../../../lib/memo.ts'
import { Regexp, RegexpError } from '../../cel/regexp.ts'

export type Pattern = (text: string) => boolean

/** The test, or what is wrong with the pattern. Patterns of schemas that come and go do not pile up. */
export const patternOf = memo(4_096, compile)

function compile(source: string): Pattern | string {
  try {
    const expression = new Regexp(source)
    return (text) => expression.test(text)
  } catch (error) {
    if (error instanceof RegexpError) return error.message
    throw error
  }
}
