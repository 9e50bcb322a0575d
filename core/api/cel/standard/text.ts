/** Questions about strings: contains(), startsWith(), endsWith(), matches(). More of them are in library/. */
import type { FunctionDeclaration } from '../library.ts'
import { patternOf } from '../patterns.ts'
import type { Regexp } from '../regexp.ts'
import { bool, string } from '../type.ts'
import { CelError, type Value } from '../value.ts'
import { patternMatch, substring, traversal } from './costs.ts'
import { member, shared, signature } from './declare.ts'

export const text: readonly FunctionDeclaration[] = [
  question('contains', 'contains_string', substring, (subject, part) => subject.includes(part)),
  question('endsWith', 'ends_with_string', traversal(0), (subject, suffix) => subject.endsWith(suffix), 1),
  question('startsWith', 'starts_with_string', traversal(0), (subject, prefix) => subject.startsWith(prefix), 1),
  shared('matches', [
    { ...signature('matches', [string, string], bool), prepare: checkPattern },
    { ...member('matches_string', [string, string], bool), ...patternMatch, prepare: checkPattern },
  ], ([subject, pattern]) => matches(subject as Value, pattern as Value)),
]

/** What a call is estimated to cost goes by its argument, what it does cost by what it is asked of, as in cel-go. */
function question(
  name: string, id: string, costs: ReturnType<typeof traversal>, answer: (subject: string, part: string) => boolean, estimatedBy?: number,
): FunctionDeclaration {
  const estimate = estimatedBy === undefined ? costs.estimate : traversal(estimatedBy).estimate
  return shared(name, [{ ...member(id, [string, string], bool), ...costs, estimate }], ([subject, part]) => {
    if (typeof subject !== 'string' || typeof part !== 'string') throw new CelError('no such overload')
    return answer(subject, part)
  })
}

function matches(subject: Value, pattern: Value): boolean {
  if (typeof subject !== 'string') throw new CelError('no such overload: matches')
  if (typeof pattern !== 'string') throw new CelError('no such overload')
  return compiled(pattern).test(subject)
}

function checkPattern([, pattern]: readonly (Value | undefined)[]): void {
  if (typeof pattern === 'string') compiled(pattern)
}

function compiled(pattern: string): Regexp {
  const regexp = patternOf(pattern)
  if (typeof regexp === 'string') throw new CelError(regexp)
  return regexp
}
