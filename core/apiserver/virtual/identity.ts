/** Who somebody is: SelfSubjectReview says it of the sender, TokenReview of a token, TokenRequest makes a token. */
import { badRequest, genericNotFound } from '../../api/errors.ts'
import type { SelfSubjectReview, TokenRequest, TokenReview } from '../../api/schema/types.ts'
import type { AnyObject } from '../../api/meta.ts'
import { formatTime } from '../../api/time.ts'
import { withAuthenticated } from '../../auth/authn/authenticators.ts'
import type { User } from '../../auth/user.ts'
import type { ApiServerDeps, Call, Outcome } from '../deps.ts'
import { askedOf } from '../verbs/options.ts'
import { admitCreate, readCreate } from './create.ts'

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
  const { object } = await readCreate<TokenReview>(deps, call, call.kind, { admit: false })
  const { token, audiences = [] } = object.spec
  if (token === undefined || token === '') throw badRequest('token is required for TokenReview in authentication')
  await admitCreate(deps, call, askedOf('CreateOptions', call.info.query, call.agent), object as unknown as AnyObject)
  const status = deps.tokens === undefined ? undefined : statusOf(await deps.tokens.review(call.ctx, token, audiences))
  return { type: 'object', code: 201, object: { ...object, ...(status === undefined ? {} : { status }) } }
}

function statusOf(reviewed: Awaited<ReturnType<NonNullable<ApiServerDeps['tokens']>['review']>>): object {
  if ('error' in reviewed) return { user: {}, error: reviewed.error }
  return { authenticated: true, user: userInfo(withAuthenticated(reviewed.user)), audiences: reviewed.audiences }
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
