/**
 * Asking another server whether somebody may: a SubjectAccessReview is sent, the answer remembered for a while
 * (k8s.io/apiserver/plugin/pkg/authorizer/webhook). What happens where nobody answers is the failure policy's choice.
 */
import type { MatchCondition } from '../../api/apiserver/matchconditions.ts'
import type { SubjectAccessReviewSpec } from '../../api/schema/types.ts'
import type { Remote, RemoteTarget } from '../../client/remote.ts'
import type { Ctx } from '../../lib/ctx.ts'
import { errorPath } from '../../lib/log.ts'
import type { Random } from '../../lib/random.ts'
import { ExpiringCache } from '../cache.ts'
import { callFailure, reviewOf, withRetries } from '../retry.ts'
import type { Attributes, Authorizer, Decision } from '../user.ts'
import { conditionsHold } from './conditions.ts'
import { reviewSpec } from './reviewspec.ts'

export interface WebhookAuthorizerInit {
  /** Of the server. */
  readonly ctx: Ctx
  readonly remote: Pick<Remote, 'send'>
  readonly random: Random
  readonly target: RemoteTarget
  readonly version: 'v1' | 'v1beta1'
  /** For how long allowed and refused requests are remembered; 0: not at all. */
  readonly allowedMs: number
  readonly refusedMs: number
  readonly timeoutMs: number
  readonly denyOnError: boolean
  readonly conditions: readonly MatchCondition[]
}

const answersMax = 8_192
/** Questions with more text of the sender's own than this are not remembered. */
const rememberedCharactersMax = 10_000

interface Status {
  readonly allowed?: boolean
  readonly denied?: boolean
  readonly reason?: string
}

export function webhookAuthorizer(init: WebhookAuthorizerInit): Authorizer {
  const answers = new ExpiringCache<Status>(init.ctx.clock, answersMax)
  const failed = (error: string): Decision => ({ answer: init.denyOnError ? 'deny' : 'no opinion', reason: '', error })
  const ask = async (asked: Attributes, spec: SubjectAccessReviewSpec, id: string): Promise<Decision> => {
    try {
      const status = await withRetries(init.ctx, init.random, () => call(init, spec))
      if (charactersOf(asked) < rememberedCharactersMax) answers.set(id, status, status.allowed === true ? init.allowedMs : init.refusedMs)
      return decisionOf(status)
    } catch (error) {
      init.ctx.log.error('authorization webhook', { error: errorPath(error) })
      return failed(error instanceof Error ? error.message : String(error))
    }
  }
  return {
    authorize(asked) {
      const spec = reviewSpec(asked)
      const matches = conditionsHold(init.conditions, spec)
      if (typeof matches === 'string') return failed(matches)
      if (!matches) return { answer: 'no opinion', reason: '' }
      const id = JSON.stringify(spec)
      const known = answers.get(id)
      return known === undefined ? ask(asked, spec, id) : decisionOf(known)
    },
  }
}

async function call(init: WebhookAuthorizerInit, spec: SubjectAccessReviewSpec): Promise<Status> {
  const { groups, ...rest } = spec
  // the older version has another name for it
  const sent = init.version === 'v1' || groups === undefined ? spec : { ...rest, group: groups }
  const body = { kind: 'SubjectAccessReview', apiVersion: `authorization.k8s.io/${init.version}`, metadata: {}, spec: sent, status: { allowed: false } }
  const answer = await init.remote
    .send(init.ctx, init.target, {
      method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body), query: { timeout: `${init.timeoutMs / 1_000}s` }, timeoutMs: init.timeoutMs,
    })
    .catch((error: unknown) => {
      throw callFailure(error)
    })
  return (reviewOf(answer)['status'] ?? {}) as Status
}

function decisionOf({ allowed, denied, reason = '' }: Status): Decision {
  if (denied === true && allowed === true) return { answer: 'deny', reason, error: 'webhook subject access review returned both allow and deny response' }
  return { answer: denied === true ? 'deny' : allowed === true ? 'allow' : 'no opinion', reason }
}

function charactersOf(asked: Attributes): number {
  if (asked.type === 'path') return asked.verb.length + asked.path.length
  const { namespace, verb, group, version, resource, subresource, name } = asked
  return [namespace, verb, group, version, resource, subresource, name].join('').length
}
