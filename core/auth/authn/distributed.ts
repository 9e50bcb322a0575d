/**
 * Distributed claims: groups that do not stand in a token, which says where they are to be asked for
 * (OpenID Connect Core 1.0, section 5.6.2). The answer is a token of its own, whose issuer must be as good.
 */
import { goQuote } from '../../api/field.ts'
import type { Remote } from '../../client/remote.ts'
import type { Ctx } from '../../lib/ctx.ts'
import { errorPath } from '../../lib/log.ts'
import type { Json } from './claimvalues.ts'
import { issuerOf } from './issuer.ts'
import { Provider, TokenRefusal } from './provider.ts'

export interface DistributedInit {
  /** The claim that may be elsewhere. */
  readonly claim: string
  readonly certificateAuthority: string
  readonly algorithms: readonly string[]
  readonly remote: Pick<Remote, 'send'>
  /** Throws TokenRefusal for claims that do not hold now, or are for others. */
  readonly check: (ctx: Ctx, issuer: string, claims: Json) => void
}

const requestMsMax = 30_000
/** Issuers of answers; a claim that names ever new ones is refused. */
const issuersMax = 64

export class DistributedClaims {
  readonly #init: DistributedInit
  readonly #providers = new Map<string, Provider>()

  constructor(init: DistributedInit) {
    this.#init = init
  }

  /** The claims, with the one that was elsewhere. Throws TokenRefusal. */
  async expanded(ctx: Ctx, claims: Json): Promise<Json> {
    const { claim } = this.#init
    try {
      const source = sourceOf(claims, claim)
      return source === undefined ? claims : { ...claims, [claim]: await this.#ask(ctx, source) }
    } catch (error) {
      throw new TokenRefusal(`oidc: could not expand distributed claims: ${errorPath(error)}`, { cause: error })
    }
  }

  async #ask(ctx: Ctx, { endpoint, token }: Source): Promise<unknown> {
    const { claim, certificateAuthority, remote, check } = this.#init
    const target = {
      url: endpoint,
      ...(certificateAuthority === '' ? {} : { caBundle: Buffer.from(certificateAuthority).toString('base64') }),
      ...(token === '' ? {} : { credentials: { token } }),
    }
    const answer = await remote.send(ctx, target, { method: 'GET', timeoutMs: requestMsMax })
    if (answer.status < 200 || answer.status > 226) throw new Error(`while getting distributed claim ${goQuote(claim)}: error while getting distributed claim JWT: ${answer.status}`)
    const jwt = new TextDecoder().decode(answer.body)
    const issuer = issuerOf(jwt)
    if (issuer === undefined) throw new Error(`getting untrusted issuer from endpoint ${endpoint} failed for claim ${goQuote(claim)}: malformed token`)
    const found = await (await this.#provider(ctx, issuer)).claims(ctx, jwt)
    check(ctx, issuer, found)
    if (!Object.hasOwn(found, claim)) throw new Error(`jwt returned by distributed claim endpoint ${goQuote(endpoint)} did not contain claim: ${claim}`)
    return found[claim]
  }

  async #provider(ctx: Ctx, issuer: string): Promise<Provider> {
    let provider = this.#providers.get(issuer)
    if (provider === undefined) {
      if (this.#providers.size >= issuersMax) throw new Error('distributed claims name too many issuers')
      const { certificateAuthority, algorithms, remote } = this.#init
      provider = new Provider({ issuer, discoveryURL: '', certificateAuthority, algorithms, remote })
      this.#providers.set(issuer, provider)
    }
    await provider.discover(ctx)
    return provider
  }
}

interface Source {
  readonly endpoint: string
  readonly token: string
}

/** Where the claim is; undefined when it is here, or nowhere. */
function sourceOf(claims: Json, claim: string): Source | undefined {
  const names = claims['_claim_names']
  if (Object.hasOwn(claims, claim) || names === undefined) return undefined
  if (!isRecord(names)) throw new Error('oidc: error parsing distributed claim names: they are no object')
  const sources = claims['_claim_sources']
  if (!isRecord(sources)) throw new Error(sources === undefined ? 'oidc: no claim sources' : 'oidc: could not parse claim sources: they are no object')
  const name = names[claim]
  if (typeof name !== 'string') return undefined
  const source = sources[name]
  if (!isRecord(source)) throw new Error(`id token _claim_names contained a source ${name} missing in _claims_sources`)
  const { endpoint, access_token: token } = source
  if (typeof endpoint !== 'string' || endpoint === '') return undefined // an aggregated claim, perhaps
  return { endpoint, token: typeof token === 'string' ? token : '' }
}

function isRecord(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
