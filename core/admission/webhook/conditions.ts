/** Match conditions of a webhook, compiled once: whether it is asked about a request (plugin/webhook/matchconditions). */
import type { MatchCondition } from '../../api/schema/types.ts'
import type { Authorizer } from '../../auth/user.ts'
import type { Match } from '../match.ts'
import type { AdmissionRequest } from '../plugin.ts'
import type { Form } from './forms.ts'

export interface Conditions {
  readonly list: readonly MatchCondition[]
}

export function compileConditions(list: readonly MatchCondition[], _ignoresFailure: boolean): Conditions | undefined {
  return list.length === 0 ? undefined : { list }
}

export interface ConditionsInput {
  readonly request: AdmissionRequest
  readonly match: Match
  readonly form: Form
  readonly authorizer: Authorizer
}

/** Text: why it cannot be said, where that ends the request. */
export async function evaluateConditions(_conditions: Conditions, _input: ConditionsInput): Promise<boolean | string> {
  return 'match conditions are not evaluated'
}
