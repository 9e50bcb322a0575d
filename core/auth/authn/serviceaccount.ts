/**
 * Tokens of service accounts: made for TokenRequest, verified when shown. A
 * token is bound to what it names: once the account, pod, secret or node is gone
 * or another one of that name stands there, it ends (pkg/serviceaccount).
 */
import { createHash } from 'node:crypto'
import type { Ctx } from '../../lib/ctx.ts'
import type { Random } from '../../lib/random.ts'
import { quoteAll } from '../authz/rules.ts'
import { badRequest, conflict, invalid, notFound } from '../../api/errors.ts'
import { invalidValue, path } from '../../api/field.ts'
import type { Key, KubeObject } from '../../api/meta.ts'
import type { KindRef } from '../../api/kind.ts'
import { nodes } from '../../api/core/node.ts'
import { pods } from '../../api/core/pod.ts'
import { secrets } from '../../api/core/secret.ts'
import { serviceAccounts } from '../../api/core/serviceaccount.ts'
import type { BoundObjectReference, TokenRequest } from '../../api/schema/types.ts'
import type { Lookup } from '../lookup.ts'
import type { Authenticator, User } from '../user.ts'
import { authenticatedGroup } from './authenticators.ts'
import { issuerOf } from './issuer.ts'
import type { TokenKeys } from './keys.ts'

export const defaultIssuer = 'https://kubernetes.default.svc.cluster.local'

export interface TokenConfig {
  readonly keys: TokenKeys
  readonly lookup: Lookup
  readonly random: Random
  /** The first is named by new tokens; tokens of all are taken. */
  readonly issuers: readonly string[]
  /** Audiences that mean this API server; given when a request names none. */
  readonly audiences: readonly string[]
  /** No token is made to live longer; undefined: there is no such limit. */
  readonly expirationMaxS?: number
  /** Tokens that clients may never read again live on for a year; true unless said. */
  readonly extend?: boolean
}

export interface Reviewed {
  readonly user: User
  /** Of the audiences asked for, those that the token has. */
  readonly audiences: readonly string[]
}

export interface ServiceAccountTokens extends Authenticator {
  /** For TokenReview: undefined when it is no token of ours, a sentence when it does not hold. */
  review(ctx: Ctx, token: string, audiences: readonly string[]): Promise<Reviewed | { readonly error: string } | undefined>
  /** Answers a TokenRequest of this account; throws ApiError. */
  request(ctx: Ctx, account: Key, body: Readonly<TokenRequest>, warn?: (text: string) => void): Promise<TokenRequest>
  /** A token for a part of Kubun or a command. */
  issue(ctx: Ctx, init: IssueInit): Promise<{ readonly token: string; readonly expiration: string }>
}

export interface IssueInit {
  readonly namespace: string
  readonly serviceAccount: string
  readonly audiences?: readonly string[]
  readonly expirationSeconds?: number
  readonly boundObject?: BoundObjectReference
}

interface Ref {
  readonly name: string
  readonly uid?: string
}

interface Claims {
  readonly iss: string
  readonly sub: string
  readonly aud: readonly string[]
  readonly exp: number
  readonly nbf: number
  readonly iat: number
  readonly jti: string
  readonly 'kubernetes.io': {
    readonly namespace: string
    readonly serviceaccount: Ref
    readonly pod?: Ref
    readonly secret?: Ref
    readonly node?: Ref
    readonly warnafter?: number
  }
}

/** The lifetime that client-go's projected volumes ask for; such tokens live on for a year, because old clients never read them again. */
const warnOnlyS = 3_607
const extensionS = 24 * 365 * 3_600
const expirationMinS = 600
const expirationMaxS = 2 ** 32
/** Clocks of issuer and verifier may differ by this. */
const leewayS = 60
/** Tokens whose signature is remembered as good; the oldest goes first. Whether account and pod still stand is asked every time. */
const verifiedTokensMax = 4_096

export function serviceAccountTokens(config: TokenConfig): ServiceAccountTokens {
  const verified = new Map<string, { readonly claims: Claims; readonly user: User }>()

  const read = async (token: string): Promise<{ readonly claims: Claims; readonly user: User } | string | undefined> => {
    const hash = createHash('sha256').update(token).digest('base64url')
    const known = verified.get(hash)
    if (known !== undefined) return known
    if (!config.issuers.includes(issuerOf(token) ?? '')) return undefined
    const claims = await config.keys.verify(token)
    if (claims === undefined || typeof claims === 'string') return claims
    if (!isClaims(claims)) return 'service account token claims could not be validated due to unexpected private claim'
    const entry = { claims, user: userOf(claims) }
    const oldest = verified.size >= verifiedTokensMax ? verified.keys().next().value : undefined
    if (oldest !== undefined) verified.delete(oldest)
    verified.set(hash, entry)
    return entry
  }
  const review: ServiceAccountTokens['review'] = async (ctx, token, audiences) => {
    const entry = await read(token)
    if (entry === undefined) return undefined
    if (typeof entry === 'string') return { error: entry }
    const met = audiences.filter((a) => entry.claims.aud.includes(a))
    if (met.length === 0) return { error: audienceRefusal(entry.claims.aud, audiences) }
    const error = refusal(entry.claims, config.lookup, ctx.clock.now())
    return error === undefined ? { user: entry.user, audiences: met } : { error }
  }
  const request: ServiceAccountTokens['request'] = (ctx, account, body, warn) => answer(ctx, config, account, body, warn ?? (() => {}))
  return {
    review,
    request,
    async authenticate(ctx, { bearerToken }) {
      if (bearerToken === undefined) return undefined
      const answer = await review(ctx, bearerToken, config.audiences)
      if (answer === undefined || !('error' in answer)) return answer?.user
      ctx.log.debug('service account token refused', { why: answer.error })
      return 'invalid'
    },
    async issue(ctx, init) {
      const done = await request(ctx, { namespace: init.namespace, name: init.serviceAccount }, {
        metadata: {},
        spec: {
          audiences: [...(init.audiences ?? [])],
          expirationSeconds: init.expirationSeconds ?? 3_600,
          ...(init.boundObject === undefined ? {} : { boundObjectRef: init.boundObject }),
        },
      })
      return { token: done.status?.token ?? '', expiration: String(done.status?.expirationTimestamp) }
    },
  }
}

/** pkg/registry/core/serviceaccount/storage/token.go. */
async function answer(ctx: Ctx, config: TokenConfig, account: Key, body: Readonly<TokenRequest>, warn: (text: string) => void): Promise<TokenRequest> {
  const now = ctx.clock.now()
  const meta = body.metadata
  const spec = body.spec ?? {}
  const gk = { group: 'authentication.k8s.io', kind: 'TokenRequest' }
  const mismatch = (what: 'name' | 'namespace', value: string): Error =>
    invalid(gk, account.name, [invalidValue(path('metadata', what), value, `must match the service account ${what} if specified`)])
  if ((meta.name ?? '') !== '' && meta.name !== account.name) throw mismatch('name', meta.name ?? '')
  if ((meta.namespace ?? '') !== '' && meta.namespace !== account.namespace) throw mismatch('namespace', meta.namespace ?? '')
  const own = config.lookup.get(serviceAccounts, account)
  if (own === undefined) throw notFound({ group: '', resource: 'serviceaccounts' }, account.name)
  const uid = own.metadata.uid ?? ''
  if ((meta.uid ?? '') !== '' && meta.uid !== uid) {
    throw conflict({ group: gk.group, resource: gk.kind }, account.name,
      `the UID in the token request (${meta.uid}) does not match the UID of the service account (${uid})`)
  }
  const askedS = checkedExpiration(spec.expirationSeconds ?? 3_600)
  const audiences = spec.audiences === undefined || spec.audiences.length === 0 ? [...config.audiences] : spec.audiences
  const bound = bind(config.lookup, account, spec.boundObjectRef)
  const expirationSeconds = Math.min(askedS, config.expirationMaxS ?? askedS)
  if (expirationSeconds < askedS) warn(`requested expiration of ${askedS} seconds shortened to ${expirationSeconds} seconds`)
  const forUs = audiences.every((a) => config.audiences.includes(a))
  const extended = config.extend !== false && bound.pod !== undefined && expirationSeconds === warnOnlyS && forUs
  const iat = Math.floor(now / 1000)
  const claims: Claims = {
    aud: audiences,
    exp: iat + (extended ? extensionS : expirationSeconds),
    iat,
    iss: config.issuers[0] ?? defaultIssuer,
    jti: config.random.uuid(),
    'kubernetes.io': {
      namespace: account.namespace,
      ...bound,
      serviceaccount: { name: account.name, uid },
      ...(extended ? { warnafter: iat + expirationSeconds } : {}),
    },
    nbf: iat,
    sub: `system:serviceaccount:${account.namespace}:${account.name}`,
  }
  return {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    metadata: { ...meta, name: account.name, namespace: account.namespace, uid, creationTimestamp: time(iat) },
    spec: { ...spec, audiences, expirationSeconds },
    status: { token: await config.keys.sign({ ...claims }), expirationTimestamp: time(iat + expirationSeconds) },
  }
}

function checkedExpiration(seconds: number): number {
  const where = path('spec', 'expirationSeconds')
  const gk = { group: 'authentication.k8s.io', kind: 'TokenRequest' }
  if (seconds < expirationMinS) throw invalid(gk, '', [invalidValue(where, seconds, 'may not specify a duration less than 10 minutes')])
  if (seconds > expirationMaxS) throw invalid(gk, '', [invalidValue(where, seconds, 'may not specify a duration larger than 2^32 seconds')])
  return seconds
}

type Bound = Pick<Claims['kubernetes.io'], 'pod' | 'secret' | 'node'>

function bind(lookup: Lookup, account: Key, ref: BoundObjectReference | undefined): Bound {
  if (ref === undefined) return {}
  const name = ref.name ?? ''
  const find = <T extends KubeObject>(kind: KindRef<T>, namespace: string): Readonly<T> => {
    const object = lookup.get(kind, { namespace, name })
    if (object === undefined) throw notFound({ group: '', resource: kind.plural }, name)
    const uid = object.metadata.uid ?? ''
    if ((ref.uid ?? '') !== '' && ref.uid !== uid) {
      throw conflict({ group: '', resource: kind.kind }, name,
        `the UID in the bound object reference (${ref.uid}) does not match the UID in record. The object might have been deleted and then recreated`)
    }
    return object
  }
  const refTo = (object: Readonly<KubeObject>): Ref => ({ name, uid: object.metadata.uid ?? '' })
  const what = ref.apiVersion === 'v1' ? ref.kind : ''
  if (what === 'Secret') return { secret: refTo(find(secrets, account.namespace)) }
  if (what === 'Node') return { node: refTo(find(nodes, '')) }
  if (what !== 'Pod') {
    const version = ref.apiVersion ?? ''
    throw badRequest(`cannot bind token to object of type ${version.includes('/') ? version : `/${version}`}, Kind=${ref.kind ?? ''}`)
  }
  const pod = find(pods, account.namespace)
  if (pod.spec?.serviceAccountName !== account.name) {
    throw badRequest(`cannot bind token for serviceaccount ${JSON.stringify(account.name)} to pod running with different serviceaccount name.`)
  }
  const nodeName = pod.spec.nodeName ?? ''
  if (nodeName === '') return { pod: refTo(pod) }
  const nodeUid = lookup.get(nodes, { namespace: '', name: nodeName })?.metadata.uid
  return { node: { name: nodeName, ...(nodeUid === undefined ? {} : { uid: nodeUid }) }, pod: refTo(pod) }
}

export function audienceRefusal(have: readonly string[], want: readonly string[]): string {
  return `token audiences ${quoteAll(have)} is invalid for the target audiences ${quoteAll(want)}`
}

/** Why a token whose signature holds is refused now. */
function refusal(claims: Claims, lookup: Lookup, nowMs: number): string | undefined {
  const now = nowMs / 1000
  if (now - leewayS > claims.exp) return 'service account token has expired'
  if (now + leewayS < claims.nbf) return 'service account token is not valid yet'
  if (now + leewayS < claims.iat) return 'service account token is issued in the future'
  const { namespace, serviceaccount, pod, secret, node } = claims['kubernetes.io']
  const deletedBefore = nowMs - leewayS * 1000
  const check = (kind: KindRef, ref: Ref, scope: string): string | undefined => {
    const object = lookup.get(kind, { namespace: scope, name: ref.name })
    if (object === undefined) return 'service account token has been invalidated'
    if (object.metadata.uid !== ref.uid) return `${kind.kind} UID (${object.metadata.uid}) does not match claim (${ref.uid})`
    const deleted = object.metadata.deletionTimestamp
    return deleted !== undefined && Date.parse(deleted) < deletedBefore ? 'service account token has been invalidated' : undefined
  }
  const account = lookup.get(serviceAccounts, { namespace, name: serviceaccount.name })
  if (account === undefined) return `serviceaccounts "${serviceaccount.name}" not found`
  return check(serviceAccounts, serviceaccount, namespace)
    ?? (secret === undefined ? undefined : check(secrets, secret, namespace))
    ?? (pod === undefined ? undefined : check(pods, pod, namespace))
    ?? (node === undefined || pod !== undefined ? undefined : check(nodes, node, ''))
}

function userOf(claims: Claims): User {
  const { namespace, serviceaccount, pod, node } = claims['kubernetes.io']
  const extra: Record<string, readonly string[]> = { 'authentication.kubernetes.io/credential-id': [`JTI=${claims.jti}`] }
  const put = (what: string, ref: Ref): void => {
    extra[`authentication.kubernetes.io/${what}-name`] = [ref.name]
    if (ref.uid !== undefined && ref.uid !== '') extra[`authentication.kubernetes.io/${what}-uid`] = [ref.uid]
  }
  if (pod !== undefined) put('pod', pod)
  if (node !== undefined) put('node', node)
  return Object.freeze({
    name: claims.sub,
    uid: serviceaccount.uid ?? '',
    groups: Object.freeze(['system:serviceaccounts', `system:serviceaccounts:${namespace}`, authenticatedGroup]),
    extra,
  })
}

function isClaims(value: Readonly<Record<string, unknown>>): value is Readonly<Record<string, unknown>> & Claims {
  const own = value['kubernetes.io'] as Partial<Claims['kubernetes.io']> | undefined
  const account = own?.serviceaccount
  if (typeof own?.namespace !== 'string' || typeof account?.name !== 'string' || !Array.isArray(value['aud'])) return false
  return value['sub'] === `system:serviceaccount:${own.namespace}:${account.name}` && typeof value['exp'] === 'number'
    && typeof value['nbf'] === 'number' && typeof value['iat'] === 'number' && typeof value['jti'] === 'string'
}

function time(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z')
}
