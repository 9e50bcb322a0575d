/**
 * Authentication, put together: who sends tokens of which issuers, who is asked about other tokens, and where nobody needs
 * to show anything; by a file, which counts again when it changes, or by flags. The ways themselves are in core/auth/authn,
 * what the file must obey in core/api/apiserver.
 */
import { readFile } from 'node:fs/promises'
import { completeJwt, readAuthentication, type AnonymousConfig, type AuthenticationConfiguration } from './api/apiserver/authentication.ts'
import { anonymousChange, checkAuthentication, sentencesOf, type CompiledJwt } from './api/apiserver/authenticationrules.ts'
import { audienceAgnostic, type TokenWay } from './auth/authn/bearer.ts'
import { JwtTokens } from './auth/authn/jwt.ts'
import { signingAlgorithms } from './auth/authn/provider.ts'
import { defaultIssuer } from './auth/authn/serviceaccount.ts'
import { tokenWebhook } from './auth/authn/tokenwebhook.ts'
import { kubeconfigTarget } from './client/kubeconfig.ts'
import type { Remote } from './client/remote.ts'
import { childCtx, withTimeout, type Ctx } from './lib/ctx.ts'
import { Group } from './lib/group.ts'
import { errorPath } from './lib/log.ts'
import type { Random } from './lib/random.ts'
import { onFileChange } from './reload.ts'

/** What flags say. */
export interface AuthenticationOptions {
  /** AuthenticationConfiguration. */
  readonly configFile?: string
  readonly anonymous?: boolean
  readonly oidc?: OidcOptions
  readonly tokenWebhook?: { readonly configFile: string; readonly version?: string; readonly cacheMs?: number }
  readonly serviceAccount?: ServiceAccountOptions
}

export interface OidcOptions {
  readonly issuerUrl?: string
  readonly clientId?: string
  readonly caFile?: string
  readonly usernameClaim?: string
  readonly usernamePrefix?: string
  readonly groupsClaim?: string
  readonly groupsPrefix?: string
  readonly signingAlgs?: readonly string[]
  readonly requiredClaims?: readonly (readonly [claim: string, value: string])[]
}

export interface ServiceAccountOptions {
  readonly issuers?: readonly string[]
  readonly jwksUri?: string
  readonly audiences?: readonly string[]
  readonly expirationMaxMs?: number
  readonly extendExpiration?: boolean
}

/** Of service account tokens, complete. */
export interface TokenSettings {
  readonly issuers: readonly string[]
  readonly audiences: readonly string[]
  readonly expirationMaxS?: number
  readonly extend: boolean
}

const hourMs = 3_600_000

/** Throws what is wrong with the flags. */
export function tokenSettings({ issuers = [], audiences = [], expirationMaxMs, extendExpiration = true, jwksUri }: ServiceAccountOptions = {}): TokenSettings {
  for (const [i, issuer] of issuers.entries()) {
    if (issuer === '') throw new Error('service-account-issuer should not be an empty string')
    if (issuers.indexOf(issuer) < i) throw new Error(`service-account-issuer ${JSON.stringify(issuer)} is already specified`)
    if (issuer.includes(':') && !URL.canParse(issuer)) throw new Error(`service-account-issuer ${JSON.stringify(issuer)} contained a ':' but was not a valid URL`)
  }
  if (jwksUri !== undefined && !jwksUri.startsWith('https://')) throw new Error(`service-account-jwks-uri requires https scheme, parsed as: ${jwksUri}`)
  if (expirationMaxMs !== undefined && expirationMaxMs !== 0 && (expirationMaxMs < hourMs || expirationMaxMs > 2 ** 32 * 1_000)) {
    throw new Error('the service-account-max-token-expiration must be between 1 hour and 2^32 seconds')
  }
  const all = issuers.length === 0 ? [defaultIssuer] : issuers
  return {
    issuers: all,
    audiences: audiences.length === 0 ? all : audiences,
    ...(expirationMaxMs === undefined || expirationMaxMs === 0 ? {} : { expirationMaxS: Math.floor(expirationMaxMs / 1_000) }),
    extend: extendExpiration,
  }
}

/** Where others find the keys of our tokens, or undefined where the issuer is no place on the web. */
export function discoverable({ issuers }: TokenSettings): string | undefined {
  const [issuer = ''] = issuers
  if (!URL.canParse(issuer)) return undefined
  const { protocol, search, hash } = new URL(issuer)
  return protocol === 'https:' && search === '' && hash === '' ? issuer : undefined
}

export interface AuthenticationParts {
  readonly remote: Pick<Remote, 'send'>
  readonly random: Random
  readonly tokens: TokenSettings
}

/** A file's new issuers must be known within this, or the old ones stay. */
const updateMsMax = 60_000
/** Requests that began with the old issuers may ask their providers for so long. */
const retireMs = 60_000

export class Authentication {
  readonly #parts: AuthenticationParts
  readonly #file: { readonly path: string; readonly text: string } | undefined
  readonly #config: AuthenticationConfiguration
  readonly #algorithms: readonly string[]
  readonly #anonymous: AnonymousConfig
  #jwt: JwtTokens
  /** Ways of knowing tokens, after those that the server knows itself. */
  readonly ways: readonly TokenWay[]

  private constructor(ctx: Ctx, options: AuthenticationOptions, parts: AuthenticationParts, loaded: Loaded) {
    this.#parts = parts
    this.#file = loaded.file
    this.#config = loaded.config
    this.#algorithms = loaded.algorithms
    this.#anonymous = loaded.config.anonymous ?? { enabled: options.anonymous ?? true, conditions: [] }
    this.#jwt = this.#tokensOf(checked(loaded.config, parts.tokens.issuers))
    const webhook = options.tokenWebhook === undefined ? [] : [webhookOf(ctx, options.tokenWebhook, parts)]
    this.ways = [audienceAgnostic(parts.tokens.audiences, (asked, token) => this.#jwt.userOf(asked, token)), ...webhook]
  }

  /** `ctx` is the life of the server. Throws what is wrong with flags or files. */
  static async open(ctx: Ctx, options: AuthenticationOptions, parts: AuthenticationParts): Promise<Authentication> {
    return new Authentication(ctx, options, parts, await load(options))
  }

  /** Whether somebody who shows nothing is let in there, as system:anonymous. */
  anonymousAt(path: string): boolean {
    const { enabled, conditions } = this.#anonymous
    return enabled && (conditions.length === 0 || conditions.some((condition) => condition.path === path))
  }

  /** Asks the issuers, and reads the file again when it changes. One that cannot be used changes nothing. */
  async run(ctx: Ctx): Promise<void> {
    await using lives = new Group(ctx)
    let stop = start(lives, this.#jwt)
    const file = this.#file
    if (file !== undefined) {
      await onFileChange(ctx, file.path, file.text, async (text) => {
        const next = await this.#read(ctx, lives, text)
        if (typeof next === 'boolean') return next
        const old = stop
        stop = next.stop
        this.#jwt = next.tokens
        lives.go('retire', async (part) => await part.clock.sleep(retireMs, part.signal).then(old, old))
        ctx.log.info('authentication configuration read again', { file: file.path })
        return true
      })
    }
    await lives.wait()
  }

  /** false: it may yet come right; true: it never will. */
  async #read(ctx: Ctx, lives: Group, text: string): Promise<{ readonly tokens: JwtTokens; readonly stop: () => void } | boolean> {
    let tokens: JwtTokens
    try {
      const config = readAuthentication(text)
      const changed = anonymousChange(this.#config, config)
      if (changed.length > 0) throw new Error(sentencesOf(changed))
      tokens = this.#tokensOf(checked(config, this.#parts.tokens.issuers))
    } catch (error) {
      ctx.log.error('the authentication configuration stays as it was', { error: errorPath(error) })
      return true
    }
    const stop = start(lives, tokens)
    await withTimeout(ctx, updateMsMax, (within) => tokens.run(within)).catch(() => undefined)
    if (tokens.problems.length === 0) return { tokens, stop }
    stop()
    ctx.log.error('the authentication configuration stays as it was', { error: tokens.problems.join(', ') })
    return false
  }

  #tokensOf(issuers: readonly CompiledJwt[]): JwtTokens {
    return new JwtTokens({ issuers, algorithms: this.#algorithms, remote: this.#parts.remote })
  }
}

/** Runs it until it is stopped. */
function start(lives: Group, tokens: JwtTokens): () => void {
  const { ctx, end } = childCtx(lives.ctx)
  lives.go('issuers', async () => await tokens.run(ctx))
  return () => end()
}

interface Loaded {
  readonly config: AuthenticationConfiguration
  readonly algorithms: readonly string[]
  readonly file?: { readonly path: string; readonly text: string }
}

async function load({ configFile, oidc, anonymous }: AuthenticationOptions): Promise<Loaded> {
  if (configFile === undefined) return await fromFlags(oidc)
  if (oidc !== undefined) throw new Error('authentication-config file and oidc-* flags are mutually exclusive')
  let text: string
  let config: AuthenticationConfiguration
  try {
    text = await readFile(configFile, 'utf8')
    config = readAuthentication(text)
  } catch (cause) {
    throw new Error(`failed to load authentication configuration from file ${JSON.stringify(configFile)}`, { cause })
  }
  if (config.anonymous !== undefined && anonymous !== undefined) throw new Error('anonymous: Forbidden: --anonymous-auth flag cannot be set when anonymous field is configured in authentication configuration file')
  return { config, algorithms: signingAlgorithms, file: { path: configFile, text } }
}

function checked(config: AuthenticationConfiguration, taken: readonly string[]): readonly CompiledJwt[] {
  const { errors, jwt } = checkAuthentication(config, taken)
  if (errors.length > 0) throw new Error(`invalid authentication configuration: ${sentencesOf(errors)}`)
  return jwt
}

/** The classic flags as a configuration: one issuer, or none. */
async function fromFlags(oidc: OidcOptions | undefined): Promise<Loaded> {
  if (oidc === undefined) return { config: { jwt: [] }, algorithms: ['RS256'] }
  const { issuerUrl = '', clientId = '', caFile, usernameClaim = 'sub', usernamePrefix = '', groupsClaim = '', groupsPrefix = '', signingAlgs = ['RS256'], requiredClaims = [] } = oidc
  if (issuerUrl === '' || clientId === '') throw new Error('oidc-issuer-url and oidc-client-id must be specified together when any oidc-* flags are set')
  const odd = signingAlgs.find((alg) => !(signingAlgorithms as readonly string[]).includes(alg))
  if (odd !== undefined) throw new Error(`oidc: unsupported signing alg: ${JSON.stringify(odd)}`)
  // claims other than e-mail addresses are nobody's alone
  const prefix = usernamePrefix === '-' ? '' : usernamePrefix === '' && usernameClaim !== 'email' ? `${issuerUrl}#` : usernamePrefix
  const jwt = completeJwt({
    issuer: { url: issuerUrl, audiences: [clientId], ...(caFile === undefined ? {} : { certificateAuthority: await authorityAt(caFile) }) },
    claimMappings: { username: { claim: usernameClaim, prefix }, ...(groupsClaim === '' ? {} : { groups: { claim: groupsClaim, prefix: groupsPrefix } }) },
    claimValidationRules: requiredClaims.map(([claim, requiredValue]) => ({ claim, requiredValue })),
  })
  return { config: { jwt: [jwt] }, algorithms: signingAlgs }
}

async function authorityAt(caFile: string): Promise<string> {
  return await readFile(caFile, 'utf8').catch((cause: unknown) => { throw new Error('oidc-ca-file', { cause }) })
}

const tokenCacheMs = 120_000

function webhookOf(ctx: Ctx, { configFile, version = 'v1beta1', cacheMs = tokenCacheMs }: NonNullable<AuthenticationOptions['tokenWebhook']>, { remote, random, tokens }: AuthenticationParts): TokenWay {
  if (version !== 'v1' && version !== 'v1beta1') throw new Error(`unsupported authentication webhook version ${JSON.stringify(version)}, supported versions are "v1", "v1beta1"`)
  return tokenWebhook({ ctx, remote, random, target: kubeconfigTarget(configFile), version, audiences: tokens.audiences, cacheMs })
}
