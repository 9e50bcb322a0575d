/** One call of one webhook, and what may come of it. Which webhooks are called, and what follows, is the plugins'. */
import { ApiError, badRequest, isApiError } from '../../api/errors.ts'
import type { AnyObject } from '../../api/meta.ts'
import type { Ctx } from '../../lib/ctx.ts'
import type { Random } from '../../lib/random.ts'
import { refusalOf } from '../../client/refusals.ts'
import type { Remote } from '../../client/remote.ts'
import type { Match } from '../match.ts'
import type { AdmissionRequest } from '../plugin.ts'
import type { Hook } from './hooks.ts'
import { denial, readAnswer, reviewOf, reviewVersion, type ReviewAnswer } from './review.ts'

export type Outcome =
  | { readonly type: 'allowed'; readonly answer: ReviewAnswer }
  | { readonly type: 'denied'; readonly error: ApiError }
  /** It could not be asked: its failure policy decides. `code`: as metrics have it. */
  | { readonly type: 'failed'; readonly why: string; readonly code: number }
  /** It must not be asked; no policy helps. */
  | { readonly type: 'refused'; readonly error: ApiError }

export interface CallInit {
  readonly remote: Remote
  readonly random: Random
  readonly mutating: boolean
}

export interface Shown {
  readonly match: Match
  readonly object: Readonly<AnyObject> | undefined
  readonly oldObject: Readonly<AnyObject> | undefined
}

/** Asks one webhook. All that may go wrong is an Outcome. */
export async function callHook(ctx: Ctx, hook: Hook, request: AdmissionRequest, shown: Shown, init: CallInit): Promise<Outcome> {
  const failed = (why: string, code: number): Outcome => ({ type: 'failed', why: `failed calling webhook "${hook.name}": ${why}`, code })
  if (request.dryRun) {
    if (hook.sideEffects === undefined) return failed('Webhook SideEffects is nil', 400)
    if (hook.sideEffects !== 'None' && hook.sideEffects !== 'NoneOnDryRun') {
      return { type: 'refused', error: badRequest(`admission webhook "${hook.name}" does not support dry run`) }
    }
  }
  const version = reviewVersion(hook.reviewVersions)
  if (version === undefined) return failed('could not create admission objects: webhook does not accept known AdmissionReview versions (v1, v1beta1)', 400)
  if (!isReadable(hook.target.caBundle)) return failed('could not get REST client: unable to load root certificates: unable to parse bytes as PEM block', 500)
  const review = { uid: init.random.uuid(), version, ...shown }
  let body: Uint8Array
  try {
    const answer = await init.remote.post(ctx, hook.target, reviewOf(request, review), { timeoutMs: hook.timeoutS * 1_000, query: { timeout: `${hook.timeoutS}s` } })
    const refused = refusalOf(answer)
    if (refused !== undefined) throw refused
    body = answer.body
  } catch (error) {
    return failed(`failed to call webhook: ${(error as Error).message}`, isApiError(error) ? error.code : 503)
  }
  return judged(hook, request, await readSafely(ctx, body, review, init.mutating), failed)
}

function isReadable(caBundle: string | undefined): boolean {
  return caBundle === undefined || caBundle === '' || Buffer.from(caBundle, 'base64').includes('-----BEGIN CERTIFICATE-----')
}

async function readSafely(ctx: Ctx, body: Uint8Array, review: { readonly uid: string; readonly version: string }, mutating: boolean): Promise<ReviewAnswer | string> {
  try {
    const answer = await readAnswer(ctx, body, review, mutating)
    return typeof answer === 'string' ? `received invalid webhook response: ${answer}` : answer
  } catch (error) {
    return `failed to call webhook: ${(error as Error).message}`
  }
}

function judged(hook: Hook, request: AdmissionRequest, answer: ReviewAnswer | string, failed: (why: string, code: number) => Outcome): Outcome {
  if (typeof answer === 'string') return failed(answer, 503)
  for (const [key, value] of Object.entries(answer.auditAnnotations)) request.annotate?.(`${hook.name}/${key}`, value)
  for (const warning of answer.warnings) request.warn(warning)
  return answer.allowed ? { type: 'allowed', answer } : { type: 'denied', error: denial(hook.name, answer.status) }
}
