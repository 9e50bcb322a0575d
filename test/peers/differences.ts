/** Where our answers may differ from upstream's, each with its reason. A line that nothing needs any more should go. */
import { differences, type Difference } from './normal.ts'
import type { Answer } from './send.ts'

interface Accepted {
  /** Of `group/case`. */
  readonly cases: RegExp
  /** Of the place in the answer: code, headers.x, body.x.y */
  readonly paths: RegExp
  readonly reason: string
}

export const accepted: readonly Accepted[] = [
  {
    cases: /./,
    paths: /^body\.items\.\d+\.(kind|apiVersion)$/,
    reason: 'each object is serialised once, with its type, for get, list and watch alike; clients fill it in from the list where it is missing',
  },
  {
    cases: /^queries\/resourceVersion of the future$/,
    paths: /^(headers\.content-type|body\.kind|body\.apiVersion)$/,
    reason: 'the answer to a deadline that passed is a whole Status like every other error',
  },
]

/** What differs without being accepted. */
export function unexpected(group: string, name: string, want: Answer | undefined, have: Answer | undefined): readonly Difference[] {
  const rules = accepted.filter(({ cases }) => cases.test(`${group}/${name}`))
  return differences(want, have).filter(({ path }) => !rules.some(({ paths }) => paths.test(path)))
}
