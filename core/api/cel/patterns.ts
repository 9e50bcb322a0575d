/**
 * Patterns of expressions, read once: nearly all are literals, and come again with every object. Those that come with the
 * data may be another each time, and large: few are kept. Matching is regexp.ts.
 */
import { Regexp, RegexpError } from './regexp.ts'

const keptMax = 128
const kept = new Map<string, Regexp>()

/** Ready to match; or, a string, what is wrong with it, as Go says it. */
export function patternOf(source: string): Regexp | string {
  const known = kept.get(source)
  if (known !== undefined) return known
  try {
    const regexp = new Regexp(source)
    if (kept.size >= keptMax) kept.clear()
    kept.set(source, regexp)
    return regexp
  } catch (error) {
    if (error instanceof RegexpError) return error.message
    throw error
  }
}
