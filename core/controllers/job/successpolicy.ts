/** Whether enough indexes of a Job have succeeded, by its success policy (upstream's success_policy.go). Pure. */
import type { Job } from '../../api/schema/types.ts'
import { countIndexes, countShared, parseIndexes, type Indexes } from './indexes.ts'

/** The message of the rule that is met. */
export function metSuccessRule(job: Readonly<Job>, succeeded: Indexes): string | undefined {
  if (succeeded.length === 0) return undefined
  const at = (job.spec?.successPolicy?.rules ?? []).findIndex(({ succeededIndexes, succeededCount }) => {
    if (succeededIndexes === undefined) return succeededCount !== undefined && countIndexes(succeeded) >= succeededCount
    const required = parseIndexes(succeededIndexes, job.spec?.completions ?? 0)
    const reached = countShared(required, succeeded)
    return required.length > 0 && (reached === countIndexes(required) || (succeededCount !== undefined && reached >= succeededCount))
  })
  return at < 0 ? undefined : `Matched rules at index ${at}`
}
