/**
 * Tokens that another server knows: it is sent a TokenReview, and what it says is remembered for a while
 * (k8s.io/apiserver/plugin/pkg/authenticator/token/webhook, pkg/authentication/token/cache).
 */
import { createHash } from 'node:crypto'
import type { Remote, RemoteTarget } from '../../client/remote.ts'
import { unlessAborted, type Ctx } from '../../lib/ctx.ts'
import { errorPath } from '../../lib/log.ts'
import type { Random } from '../../lib/random.ts'
import { ExpiringCache } from '../cache.ts'
import { callFailure, reviewOf, WebhookFailure, withRetries } from '../retry.ts'
import type { User } from '../user.ts'
import type { Reviewal, TokenWay } from './bearer.ts'

export interface TokenWebhookInit {
  /** Of the server: calls outlive the request that caused them, as others wait for the same. */
  readonly ctx: Ctx
  readonly remote: Pick<Remote, 'send'>
  readonly random: Random
  readonly target: RemoteTarget
  readonly version: 'v1' | 'v1beta1'
  /** Of the API server. */
  readonly audiences: readonly string[]
  /** For answers of both sorts; 0: nothing is remembered. Failures never are. */
  readonly cacheMs: number
}

const requestMsMax = 30_000
const answersMax = 32_768

/** One question for a token at a time: who asks the same meanwhile is given the same answer. */
export function tokenWebhook(init: TokenWebhookInit): TokenWay {
  const answers = new ExpiringCache<{ readonly answer: Reviewal }>(init.ctx.clock, answersMax)
  const asking = new Map<string, Promise<Reviewal>>()
  const ask = async (token: string, audiences: readonly string[], id: string): Promise<Reviewal> => {
    try {
      const answer = await reviewed(init, token, audiences)
      answers.set(id, { answer }, init.cacheMs)
      return answer
    } catch (error) {
      if (!(error instanceof WebhookFailure)) throw error
      init.ctx.log.error('token webhook', { error: errorPath(error) })
      return { error: error.message }
    } finally {
      asking.delete(id)
    }
  }
  return {
    async review(ctx, token, audiences) {
      const id = createHash('sha256').update(JSON.stringify([token, audiences])).digest('base64url')
      const known = answers.get(id)
      if (known !== undefined) return known.answer
      const under = asking.get(id) ?? ask(token, audiences, id)
      if (!asking.has(id)) asking.set(id, under)
      return await unlessAborted(ctx.signal, under)
    },
  }
}

interface Status {
  readonly authenticated?: boolean
  readonly error?: string
  readonly audiences?: readonly string[]
  readonly user?: { readonly username?: string; readonly uid?: string; readonly groups?: readonly string[]; readonly extra?: Readonly<Record<string, readonly string[]>> }
}

async function reviewed(init: TokenWebhookInit, token: string, audiences: readonly string[]): Promise<Reviewal> {
  const body = { kind: 'TokenReview', apiVersion: `authentication.k8s.io/${init.version}`, metadata: {}, spec: { token, audiences }, status: { user: {} } }
  const status = await withRetries(init.ctx, init.random, async () => (await call(init, body)) as Status)
  if (status.authenticated !== true) return status.error === undefined || status.error === '' ? undefined : { error: status.error }
  const theirs = status.audiences === undefined || status.audiences.length === 0 ? init.audiences : status.audiences
  const met = audiences.filter((audience) => theirs.includes(audience))
  return met.length === 0 ? undefined : { user: userOf(status.user), audiences: met }
}

async function call(init: TokenWebhookInit, body: object): Promise<unknown> {
  const request = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body), query: { timeout: '30s' }, timeoutMs: requestMsMax }
  const answer = await init.remote.send(init.ctx, init.target, request).catch((error: unknown) => {
    throw callFailure(error)
  })
  return reviewOf(answer)['status'] ?? {}
}

function userOf({ username = '', uid = '', groups, extra }: NonNullable<Status['user']> = {}): User {
  return Object.freeze({ name: username, ...(uid === '' ? {} : { uid }), groups: Object.freeze([...(groups ?? [])]), ...(extra === undefined || extra === null ? {} : { extra }) })
}
