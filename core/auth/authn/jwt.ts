/**
 * Tokens of configured issuers: which issuer's it is, whether it holds now and is for us, and the user its claims make
 * (k8s.io/apiserver/plugin/pkg/authenticator/token/oidc). Signatures are provider.ts, mappings claims.ts.
 */
import { createHash } from 'node:crypto'
import type { CompiledJwt } from '../../api/apiserver/authenticationrules.ts'
import { goQuote } from '../../api/field.ts'
import type { Remote } from '../../client/remote.ts'
import type { Ctx } from '../../lib/ctx.ts'
import { ExpiringCache } from '../cache.ts'
import type { User } from '../user.ts'
import { ClaimsRefusal, userOfClaims } from './claims.ts'
import type { Json } from './claimvalues.ts'
import { DistributedClaims } from './distributed.ts'
import { canonicalIssuer, issuerOf } from './issuer.ts'
import { Provider, TokenRefusal } from './provider.ts'

export interface JwtInit {
  readonly issuers: readonly CompiledJwt[]
  readonly algorithms: readonly string[]
  readonly remote: Pick<Remote, 'send'>
}

/** Users of good tokens are remembered for so long (upstream's --token-success-cache-ttl). */
const rememberedMs = 10_000
const rememberedMax = 4_096
const notBeforeLeewayMs = 60_000

interface IssuerParts {
  readonly jwt: CompiledJwt
  readonly provider: Provider
  readonly distributed: DistributedClaims | undefined
}

export class JwtTokens {
  readonly #issuers: readonly IssuerParts[]
  #users: ExpiringCache<User> | undefined

  /** Throws what cannot be served. */
  constructor({ issuers, algorithms, remote }: JwtInit) {
    this.#issuers = issuers.map((jwt) => {
      const { issuer, claimMappings } = jwt.of
      if (issuer.egressSelectorType !== '') throw new Error(`oidc: egress lookup required with egress selector type ${goQuote(issuer.egressSelectorType)}`)
      const ways = { certificateAuthority: issuer.certificateAuthority, algorithms, remote }
      const groups = claimMappings.groups.claim
      return {
        jwt,
        provider: new Provider({ issuer: issuer.url, discoveryURL: issuer.discoveryURL, ...ways }),
        distributed: groups === '' ? undefined : new DistributedClaims({ claim: groups, ...ways, check: (ctx, issuerUrl, claims) => checkClaims(ctx, claims, issuerUrl, issuer.audiences) }),
      }
    })
  }

  /** Until every issuer's provider is known, or ctx ends. */
  async run(ctx: Ctx): Promise<void> {
    await Promise.all(this.#issuers.map(({ provider }) => provider.run(ctx)))
  }

  /** Why an issuer's tokens cannot be judged yet. */
  get problems(): readonly string[] {
    return this.#issuers.flatMap(({ jwt, provider }) => (provider.problem === undefined ? [] : [`oidc: authenticator for issuer ${goQuote(jwt.of.issuer.url)} is not healthy: ${provider.problem}`]))
  }

  /** Undefined: no issuer of ours is named in it. */
  async userOf(ctx: Ctx, token: string): Promise<User | { readonly error: string } | undefined> {
    const parts = this.#issuers.find(({ jwt }) => jwt.of.issuer.url === issuerOf(token))
    if (parts === undefined) return undefined
    const users = (this.#users ??= new ExpiringCache(ctx.clock, rememberedMax))
    const id = createHash('sha256').update(token).digest('base64url')
    const known = users.get(id)
    if (known !== undefined) return known
    try {
      const user = await judged(ctx, parts, token)
      users.set(id, user, rememberedMs)
      return user
    } catch (error) {
      if (error instanceof TokenRefusal || error instanceof ClaimsRefusal) return { error: error.message }
      throw error
    }
  }
}

async function judged(ctx: Ctx, { jwt, provider, distributed }: IssuerParts, token: string): Promise<User> {
  if (!(await provider.known(ctx))) throw new TokenRefusal('oidc: authenticator not initialized')
  const { issuer } = jwt.of
  const claims = await verified(async () => {
    const found = await provider.claims(ctx, token)
    checkClaims(ctx, found, issuer.url, issuer.audiences)
    return found
  })
  return userOfClaims(jwt, distributed === undefined ? claims : await distributed.expanded(ctx, claims))
}

async function verified(work: () => Promise<Json>): Promise<Json> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof TokenRefusal) throw new TokenRefusal(`oidc: verify token: ${error.message}`, { cause: error })
    throw error
  }
}

/** Issuer, audience and times. Throws TokenRefusal. */
function checkClaims(ctx: Ctx, claims: Json, issuer: string, audiences: readonly string[]): void {
  const iss = canonicalIssuer(claims['iss'])
  if (iss !== issuer) throw new TokenRefusal(`oidc: id token issued by a different provider, expected ${goQuote(issuer)} got ${goQuote(iss ?? '')}`)
  const aud = audiencesOf(claims['aud'])
  if (!audiences.some((audience) => aud.includes(audience))) {
    const expected = audiences.length === 1 ? goQuote(audiences[0] ?? '') : `in [${audiences.toSorted().map(goQuote).join(' ')}]`
    throw new TokenRefusal(`oidc: expected audience ${expected} got [${aud.map(goQuote).join(' ')}]`)
  }
  const now = ctx.clock.now()
  const exp = claims['exp']
  if (typeof exp !== 'number' || exp * 1_000 < now) throw new TokenRefusal(`oidc: token is expired (Token Expiry: ${goTime(typeof exp === 'number' ? exp * 1_000 : undefined)})`)
  const nbf = claims['nbf']
  if (typeof nbf === 'number' && now + notBeforeLeewayMs < nbf * 1_000) throw new TokenRefusal(`oidc: current time ${goTime(now)} before the nbf (not before) time: ${goTime(nbf * 1_000)}`)
}

function audiencesOf(aud: unknown): readonly string[] {
  if (typeof aud === 'string') return [aud]
  return Array.isArray(aud) ? aud.filter((one) => typeof one === 'string') : []
}

function goTime(ms: number | undefined): string {
  return ms === undefined ? '0001-01-01 00:00:00 +0000 UTC' : `${new Date(ms).toISOString().replace('T', ' ').replace(/(\.0+)?Z$/, '')} +0000 UTC`
}
