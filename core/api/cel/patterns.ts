/**
 * Patterns of expressions, read once: nearly all are literals, and come again with every object. Those that come with the
 * data may be another each time, and large: few are kept. Matching is regexp.ts.
 */
import { memo } from '../../lib/memo.ts'
import { Regexp, RegexpError } from './regexp.ts'

const compiled = memo(128, (source) => new Regexp(source))

/** Ready to match; or, a string, what is wrong with it, as Go says it. */
export function patternOf(source: string): Regexp | string {
  try {
    return compiled(source)
  } catch (error) {
    if (error instanceof RegexpError) return error.message
    throw error
  }
}
