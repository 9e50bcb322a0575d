/**
 * Patterns of schemas, compiled once each. They are users': they run in linear time (cel/regexp.ts). Those of expressions,
 * which may come with the data, are cel/patterns.ts.
 */
import { Regexp, RegexpError } from '../../cel/regexp.ts'

export type Pattern = (text: string) => boolean

const compiled = new Map<string, Pattern | string>()
/** Patterns of schemas that come and go must not pile up. */
const compiledMax = 4_096

/** The test, or what is wrong with the pattern. */
export function patternOf(source: string): Pattern | string {
  const known = compiled.get(source)
  if (known !== undefined) return known
  const made = compile(source)
  if (compiled.size >= compiledMax) compiled.clear()
  compiled.set(source, made)
  return made
}

function compile(source: string): Pattern | string {
  try {
    const expression = new Regexp(source)
    return (text) => expression.test(text)
  } catch (error) {
    if (error instanceof RegexpError) return error.message
    throw error
  }
}
