/** Who somebody is: SelfSubjectReview says it of the sender, TokenReview of a token, TokenRequest makes a token. */
import { badRequest, genericNotFound } from '../../api/errors.ts'
import type { SelfSubjectReview, TokenRequest, TokenReview } from '../../api/schema/types.ts'
import { formatTime } from '../../api/time.ts'
import type { User } from '../../auth/user.ts'
import type { ApiServerDeps, Call, Outcome } from '../deps.ts'
import { readCreate } from './create.ts'

export async function selfSubjectReview(deps: ApiServerDeps, call: Call): Promise<Outcome> {
  const { object } = await readCreate<SelfSubjectReview>(deps, call)
  const metadata = { creationTimestamp: formatTime(call.ctx.clock.now()) }
  return {
    type: 'object',
    code: 201,
    object: { kind: object.kind, apiVersion: object.apiVersion, metadata, status: { userInfo: userInfo(call.user) } },
  }
}

export async function tokenReview(deps: ApiServerDeps, call: Call): Promise<Outcome> {
  const { object } = await readCreate<TokenReview>(deps, call)
  const { token } = object.spec
  if (token === undefined || token === '') throw badRequest('token is required for TokenReview in authentication')
  const asked = object.spec.audiences ?? []
  const audiences = asked.length > 0 ? asked : (deps.tokens?.audiences ?? [])
  const status = (await reviewAccount(deps, call, token, audiences)) ?? (await reviewOther(deps, call, token))
  return { type: 'object', code: 201, object: { ...object, status } }
}

async function reviewAccount(
  deps: ApiServerDeps,
  call: Call,
  token: string,
  audiences: readonly string[],
): Promise<object | undefined> {
  const reviewed = await deps.tokens?.review(call.ctx, token, audiences)
  if (reviewed === undefined) return undefined
  if ('error' in reviewed) return { user: {}, error: reviewed.error }
  return { authenticated: true, user: userInfo(reviewed.user), audiences: reviewed.audiences }
}

/** Tokens without audiences: bootstrap tokens. */
async function reviewOther(deps: ApiServerDeps, call: Call, token: string): Promise<object> {
  const user = await deps.authenticator.authenticate(call.ctx, { bearerToken: token })
  return user === undefined || user === 'invalid'
    ? { user: {}, error: 'invalid bearer token' }
    : { authenticated: true, user: userInfo(user) }
}

const tokenTarget = { group: 'authentication.k8s.io', version: 'v1', kind: 'TokenRequest' } as const

export async function tokenRequest(deps: ApiServerDeps, call: Call): Promise<Outcome> {
  if (deps.tokens === undefined) throw genericNotFound()
  const { object } = await readCreate<TokenRequest>(deps, call, tokenTarget)
  const account = { namespace: call.info.namespace, name: call.info.name }
  const answer = await deps.tokens.request(call.ctx, account, object, call.warn)
  return {
    type: 'object',
    code: 201,
    object: { ...answer, kind: 'TokenRequest', apiVersion: 'authentication.k8s.io/v1' },
  }
}

function userInfo(user: User): object {
  return {
    ...(user.name === '' ? {} : { username: user.name }),
    ...(user.uid === undefined || user.uid === '' ? {} : { uid: user.uid }),
    ...(user.groups.length === 0 ? {} : { groups: user.groups }),
    ...(user.extra === undefined || Object.keys(user.extra).length === 0 ? {} : { extra: user.extra }),
  }
}
