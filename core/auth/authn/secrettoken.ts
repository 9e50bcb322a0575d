/**
 * Tokens that lie in Secrets of type kubernetes.io/service-account-token: they name their Secret and have no end, and
 * hold as long as Secret and account stand as they were (pkg/serviceaccount/legacy.go). Bound tokens are serviceaccount.ts.
 */
import { secrets } from '../../api/core/secret.ts'
import { serviceAccounts } from '../../api/core/serviceaccount.ts'
import type { Secret, ServiceAccount } from '../../api/schema/types.ts'
import type { Ctx } from '../../lib/ctx.ts'
import type { Lookup } from '../lookup.ts'
import type { Authenticator, User } from '../user.ts'
import { authenticatedGroup } from './authenticators.ts'
import { issuerOf } from './issuer.ts'
import type { TokenKeys } from './keys.ts'
import { audienceRefusal, type Reviewed } from './serviceaccount.ts'

const issuer = 'kubernetes/serviceaccount'
const claimPrefix = 'kubernetes.io/serviceaccount/'

export const lastUsedLabel = 'kubernetes.io/legacy-token-last-used'
const invalidSinceLabel = 'kubernetes.io/legacy-token-invalid-since'

export interface SecretTokens extends Authenticator {
  /** For TokenReview: undefined when it is no token from a Secret, a sentence when it does not hold. */
  review(ctx: Ctx, token: string, audiences: readonly string[]): Promise<Reviewed | { readonly error: string } | undefined>
  /** The token for this Secret of this account. */
  issue(account: Readonly<ServiceAccount>, secret: Readonly<Secret>): Promise<string>
}

export interface SecretTokenConfig {
  readonly keys: TokenKeys
  readonly lookup: Lookup
  /** Of the API server: what a token without audiences is for. */
  readonly audiences: readonly string[]
  /** Writes the day (2026-01-31) on the Secret as a label. Not waited for. */
  readonly used: (secret: Readonly<Secret>, day: string) => void
}

interface Claims {
  readonly namespace: string
  readonly account: string
  readonly accountUid: string
  readonly secret: string
}

export function secretTokens(config: SecretTokenConfig): SecretTokens {
  const review: SecretTokens['review'] = async (ctx, token, audiences) => {
    if (issuerOf(token) !== issuer) return undefined
    const payload = await config.keys.verify(token)
    if (payload === undefined) return undefined
    if (typeof payload === 'string') return { error: payload }
    const claims = claimsOf(payload)
    if (claims === undefined) return { error: 'Token is invalid' }
    const met = audiences.filter((audience) => config.audiences.includes(audience))
    if (met.length === 0) return { error: audienceRefusal(config.audiences, audiences) }
    const error = refusal(ctx, config, token, claims)
    return error === undefined ? { user: userOf(claims), audiences: met } : { error }
  }
  return {
    review,
    async authenticate(ctx, { bearerToken }) {
      if (bearerToken === undefined) return undefined
      const answer = await review(ctx, bearerToken, config.audiences)
      if (answer === undefined || !('error' in answer)) return answer?.user
      ctx.log.debug('token from a Secret refused', { why: answer.error })
      return 'invalid'
    },
    issue: ({ metadata }, secret) =>
      config.keys.sign({
        iss: issuer,
        [`${claimPrefix}namespace`]: metadata.namespace,
        [`${claimPrefix}secret.name`]: secret.metadata.name,
        [`${claimPrefix}service-account.name`]: metadata.name,
        [`${claimPrefix}service-account.uid`]: metadata.uid,
        sub: `system:serviceaccount:${metadata.namespace}:${metadata.name}`,
      }),
  }
}

function refusal(ctx: Ctx, { lookup, used }: SecretTokenConfig, token: string, claims: Claims): string | undefined {
  const { namespace } = claims
  const secret = lookup.get(secrets, { namespace, name: claims.secret })
  if (secret === undefined || secret.metadata.deletionTimestamp !== undefined) return 'Token has been invalidated'
  if (Buffer.from(secret.data?.['token'] ?? '', 'base64').toString() !== token) return "Token does not match server's copy"
  const account = lookup.get(serviceAccounts, { namespace, name: claims.account })
  if (account === undefined) return `serviceaccounts "${claims.account}" not found`
  if (account.metadata.deletionTimestamp !== undefined) return `ServiceAccount ${namespace}/${claims.account} has been deleted`
  if (account.metadata.uid !== claims.accountUid) return `ServiceAccount UID (${account.metadata.uid}) does not match claim (${claims.accountUid})`
  noteUse(ctx, secret, used)
  if ((secret.metadata.labels?.[invalidSinceLabel] ?? '') === '') return undefined
  return `the token in secret ${namespace}/${claims.secret} for service account ${namespace}/${claims.account} has been marked invalid. Use tokens from the TokenRequest API or manually created secret-based tokens, or remove the '${invalidSinceLabel}' label from the secret to temporarily allow use of this token`
}

const dayMs = 86_400_000

/** Once a day; another server's clock may be a day ahead. */
function noteUse(ctx: Ctx, secret: Readonly<Secret>, used: SecretTokenConfig['used']): void {
  const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10)
  const now = ctx.clock.now()
  const last = secret.metadata.labels?.[lastUsedLabel]
  if (last !== day(now) && last !== day(now + dayMs)) used(secret, day(now))
}

function userOf({ namespace, account, accountUid }: Claims): User {
  return {
    name: `system:serviceaccount:${namespace}:${account}`,
    uid: accountUid,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, authenticatedGroup],
  }
}

function claimsOf(payload: Readonly<Record<string, unknown>>): Claims | undefined {
  const claim = (name: string): string => {
    const value = payload[claimPrefix + name]
    return typeof value === 'string' ? value : ''
  }
  const claims = { namespace: claim('namespace'), account: claim('service-account.name'), accountUid: claim('service-account.uid'), secret: claim('secret.name') }
  if (Object.values(claims).includes('')) return undefined
  return payload['sub'] === `system:serviceaccount:${claims.namespace}:${claims.account}` ? claims : undefined
}
