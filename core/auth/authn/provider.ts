/**
 * One OpenID provider: its discovery document, and its keys, with which the signatures of tokens are checked
 * (github.com/coreos/go-oidc oidc.go, jwks.go, verify.go). Keys are fetched when a token names one that is not known;
 * tokens that come meanwhile wait for the same answer. What claims mean is jwt.ts.
 */
import { compactVerify, decodeProtectedHeader, errors, importJWK, type CryptoKey, type JWK } from 'jose'
import { goQuote } from '../../api/field.ts'
import type { Remote, RemoteAnswer } from '../../client/remote.ts'
import { unlessAborted, type Ctx } from '../../lib/ctx.ts'
import { errorPath } from '../../lib/log.ts'
import type { Json } from './claimvalues.ts'

export const signingAlgorithms = ['ES256', 'ES384', 'ES512', 'PS256', 'PS384', 'PS512', 'RS256', 'RS384', 'RS512'] as const

/** Why a token does not hold. */
export class TokenRefusal extends Error {}

export interface ProviderInit {
  readonly issuer: string
  /** Where the discovery document is; '': under the issuer. */
  readonly discoveryURL: string
  /** PEM; '': the machine's own authorities. */
  readonly certificateAuthority: string
  readonly algorithms: readonly string[]
  readonly remote: Pick<Remote, 'send'>
}

const requestMsMax = 30_000
/** A provider that did not answer is asked again after so long. */
const discoverAgainMs = 10_000
/** Unknown keys ask the provider at most so often, whoever sends them. */
const fetchAgainMsMin = 1_000
/** Keys that expire so soon are as good as expired. */
const expiryLeewayMs = 30_000
const redirectsMax = 10

interface Keys {
  readonly list: readonly JWK[]
  /** Until when the provider says they stay as they are. */
  readonly until: number
  readonly fetched: number
}

export class Provider {
  readonly #init: ProviderInit
  #jwksUri: string | undefined
  #discovering: Promise<void> | undefined
  #keys: Keys | undefined
  #fetching: Promise<Keys> | undefined
  #imported = new WeakMap<JWK, Map<string, Promise<CryptoKey | Uint8Array>>>()
  /** Why it cannot be asked yet; undefined once it can. */
  problem: string | undefined

  constructor(init: ProviderInit) {
    this.#init = init
    this.problem = `oidc: authenticator for issuer ${goQuote(init.issuer)} is not initialized`
  }

  /** Until the provider is known, or ctx ends. */
  async run(ctx: Ctx): Promise<void> {
    while (!ctx.signal.aborted) {
      try {
        return await this.discover(ctx)
      } catch (error) {
        if (ctx.signal.aborted) return
        ctx.log.error('oidc: asking the issuer', { issuer: this.#init.issuer, error: errorPath(error) })
      }
      await ctx.clock.sleep(discoverAgainMs, ctx.signal).catch(() => undefined)
    }
  }

  /** One try; throws why it failed. */
  async discover(ctx: Ctx): Promise<void> {
    if (this.#jwksUri !== undefined) return
    const trying = (this.#discovering ??= this.#discoverOnce(ctx).finally(() => (this.#discovering = undefined)))
    await unlessAborted(ctx.signal, trying)
  }

  /** The claims of a token whose signature holds. Throws TokenRefusal. */
  async claims(ctx: Ctx, token: string): Promise<Json> {
    const { alg = '', kid } = headerOf(token)
    const { algorithms } = this.#init
    if (!algorithms.includes(alg)) {
      throw new TokenRefusal(`oidc: id token signed with unsupported algorithm, expected [${algorithms.map(goQuote).join(' ')}] got ${goQuote(alg)}`)
    }
    return claimsOf(await this.#payload(ctx, token, alg, kid))
  }

  /** Waits for a try under way. */
  async known(ctx: Ctx): Promise<boolean> {
    const trying = this.#discovering
    if (this.#jwksUri === undefined && trying !== undefined) await unlessAborted(ctx.signal, trying).catch(() => undefined)
    return this.#jwksUri !== undefined
  }

  async #discoverOnce(ctx: Ctx): Promise<void> {
    const { issuer, discoveryURL } = this.#init
    try {
      const answer = await this.#get(ctx, discoveryURL === '' ? `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration` : discoveryURL)
      if (answer.status !== 200) throw new Error(`${answer.status}: ${textOf(answer)}`)
      const document = jsonOf(answer, 'oidc: failed to decode provider discovery object')
      if (document['issuer'] !== issuer) throw new Error(`oidc: issuer did not match the issuer returned by provider, expected ${goQuote(issuer)} got ${goQuote(String(document['issuer'] ?? ''))}`)
      const uri = document['jwks_uri']
      if (typeof uri !== 'string' || uri === '') throw new Error('provider did not return JWKS URL')
      this.#jwksUri = uri
      this.problem = undefined
    } catch (error) {
      this.problem = errorPath(error)
      throw error
    }
  }

  /** Keys that are known are tried first, however old: the provider may be away. */
  async #payload(ctx: Ctx, token: string, alg: string, kid: string | undefined): Promise<Uint8Array> {
    const known = this.#keys
    const found = await this.#verified(known, token, alg, kid)
    if (found !== undefined) return found
    const now = ctx.clock.now()
    const isFresh = known !== undefined && (now + expiryLeewayMs <= known.until || now - known.fetched < fetchAgainMsMin)
    const verified = isFresh ? undefined : await this.#verified(await this.#fetch(ctx), token, alg, kid)
    if (verified === undefined) throw new TokenRefusal('failed to verify signature: failed to verify id token signature')
    return verified
  }

  async #verified(keys: Keys | undefined, token: string, alg: string, kid: string | undefined): Promise<Uint8Array | undefined> {
    for (const key of keys?.list ?? []) {
      if (kid !== undefined && kid !== '' && key.kid !== kid) continue
      try {
        return (await compactVerify(token, await this.#import(key, alg), { algorithms: [alg] })).payload
      } catch (error) {
        if (error instanceof errors.JOSEError || error instanceof TypeError || error instanceof DOMException) continue // not this key's
        throw error
      }
    }
    return undefined
  }

  #import(key: JWK, alg: string): Promise<CryptoKey | Uint8Array> {
    const known = this.#imported.get(key) ?? new Map<string, Promise<CryptoKey | Uint8Array>>()
    this.#imported.set(key, known)
    const importing = known.get(alg) ?? importJWK(key, alg)
    known.set(alg, importing)
    return importing
  }

  async #fetch(ctx: Ctx): Promise<Keys> {
    const fetching = (this.#fetching ??= this.#fetchOnce({ ...ctx, signal: new AbortController().signal }).finally(() => (this.#fetching = undefined)))
    try {
      return await unlessAborted(ctx.signal, fetching)
    } catch (error) {
      throw new TokenRefusal(`failed to verify signature: fetching keys ${errorPath(error)}`, { cause: error })
    }
  }

  /** Outlives the request that wanted it: others wait for it, too. */
  async #fetchOnce(ctx: Ctx): Promise<Keys> {
    let answer: RemoteAnswer
    try {
      answer = await this.#get(ctx, this.#jwksUri ?? '')
    } catch (cause) {
      throw new Error('oidc: get keys failed', { cause })
    }
    if (answer.status !== 200) throw new Error(`oidc: get keys failed: ${answer.status} ${textOf(answer)}`)
    const list = jsonOf(answer, 'oidc: failed to decode keys')['keys']
    const now = ctx.clock.now()
    this.#keys = { list: Array.isArray(list) ? (list as JWK[]) : [], until: now + maxAgeMs(answer), fetched: now }
    return this.#keys
  }

  async #get(ctx: Ctx, url: string): Promise<RemoteAnswer> {
    const { certificateAuthority, remote } = this.#init
    const caBundle = certificateAuthority === '' ? {} : { caBundle: Buffer.from(certificateAuthority).toString('base64') }
    for (let at = url, redirects = 0; ; redirects++) {
      const answer = await remote.send(ctx, { url: withoutQuery(at), ...caBundle }, { method: 'GET', timeoutMs: requestMsMax, ...queryOf(at) })
      const to = answer.headers['location']
      if (answer.status < 301 || answer.status > 308 || to === undefined) return answer
      if (redirects >= redirectsMax) throw new Error(`stopped after ${redirectsMax} redirects`)
      at = new URL(to, at).href
    }
  }
}

function withoutQuery(url: string): string {
  const at = url.indexOf('?')
  return at < 0 ? url : url.slice(0, at)
}

function queryOf(url: string): { readonly query?: Readonly<Record<string, string>> } {
  const { searchParams } = new URL(url)
  return searchParams.size === 0 ? {} : { query: Object.fromEntries(searchParams) }
}

function headerOf(token: string): { readonly alg?: string; readonly kid?: string } {
  try {
    return decodeProtectedHeader(token)
  } catch (cause) {
    throw new TokenRefusal(`oidc: malformed jwt: ${(cause as Error).message}`, { cause })
  }
}

function claimsOf(payload: Uint8Array): Json {
  try {
    const claims: unknown = JSON.parse(new TextDecoder().decode(payload))
    if (typeof claims === 'object' && claims !== null && !Array.isArray(claims)) return claims as Json
  } catch {
    // not JSON: said below
  }
  throw new TokenRefusal('oidc: failed to unmarshal claims: they are no JSON object')
}

function textOf(answer: RemoteAnswer): string {
  return new TextDecoder().decode(answer.body).slice(0, shownMax)
}

const shownMax = 300

function jsonOf(answer: RemoteAnswer, what: string): Json {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(answer.body))
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Json
  } catch {
    // said below
  }
  throw new Error(`${what}: expected a JSON object, got ${answer.headers['content-type'] ?? 'nothing'}`)
}

/** Without a word about it, keys expire at once. */
function maxAgeMs({ headers }: RemoteAnswer): number {
  const control = headers['cache-control'] ?? ''
  if (/\bno-(store|cache)\b/.test(control)) return 0
  const seconds = /\bmax-age=(\d+)/.exec(control)?.[1]
  if (seconds !== undefined) return Number(seconds) * 1_000
  const expires = Date.parse(headers['expires'] ?? '')
  const date = Date.parse(headers['date'] ?? '')
  return Number.isNaN(expires) || Number.isNaN(date) ? 0 : Math.max(0, expires - date)
}
