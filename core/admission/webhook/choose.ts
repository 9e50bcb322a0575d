/** Whether a webhook is called for a request: rules and selectors first, which cost nothing, then its conditions. */
import { ApiError, forbidden, internal } from '../../api/errors.ts'
import type { Authorizer } from '../../auth/user.ts'
import type { Ctx } from '../../lib/ctx.ts'
import { Questions } from '../expressions.ts'
import { matchRequest, type Match, type MatchWorld } from '../match.ts'
import type { AdmissionRequest } from '../plugin.ts'
import { evaluateConditions } from './conditions.ts'
import type { Forms } from './forms.ts'
import type { Hook } from './hooks.ts'

export interface ChooseWorld extends MatchWorld {
  readonly authorizer: Authorizer
}

/** Undefined: it is not called. */
export async function chooseHook(ctx: Ctx, hook: Hook, request: AdmissionRequest, forms: Forms, world: ChooseWorld): Promise<Match | ApiError | undefined> {
  const match = matchRequest(hook.criteria, request, world)
  if (match === undefined || match instanceof ApiError || hook.conditions === undefined) return match
  try {
    const form = await forms.of(match, ctx.signal)
    const holds = await evaluateConditions(hook.conditions, { request, match, ...form, decider: new Questions(world.authorizer) })
    if (typeof holds === 'string') return forbidden({ group: request.kind.group, resource: request.kind.plural }, request.name, holds)
    return holds ? match : undefined
  } catch (error) {
    return error instanceof ApiError ? error : internal((error as Error).message)
  }
}
