import { exportJWK, generateKeyPair, SignJWT, type CryptoKey } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { completeJwt } from '../../api/apiserver/authentication.ts'
import { checkAuthentication, type CompiledJwt } from '../../api/apiserver/authenticationrules.ts'
import { remoteServer, type RemoteServer } from '../../client/remote.fake.ts'
import { remoteClient } from '../../client/remote.ts'
import { virtualClock } from '../../lib/clock.ts'
import type { Ctx } from '../../lib/ctx.ts'
import { silentLog } from '../../lib/log.ts'
import { JwtTokens } from './jwt.ts'
import { signingAlgorithms } from './provider.ts'

type Written = Parameters<typeof completeJwt>[0]

const clock = virtualClock()
const ctx: Ctx = { clock, log: silentLog, signal: new AbortController().signal }
const remote = remoteClient({ agent: 'test', services: { resolve: () => ({ host: '', port: 0 }) } })
/** What the provider shows and hears. */
const shown = { keys: [] as object[], jwksStatus: 200, cache: '' }
let server: RemoteServer
let issuer = ''
let first: CryptoKey
let second: CryptoKey

async function keyOf(kid: string): Promise<CryptoKey> {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
  shown.keys.push({ ...(await exportJWK(publicKey)), kid, alg: 'ES256', use: 'sig' })
  return privateKey
}

beforeAll(async () => {
  server = await remoteServer(['127.0.0.1'], async ({ url, headers }) => {
    if (url === '/.well-known/openid-configuration' || url === '/found') return { body: JSON.stringify({ issuer, jwks_uri: `${issuer}/keys` }) }
    if (url === '/away') return { status: 302, headers: { location: `${issuer}/keys` } }
    if (url === '/keys') return { status: shown.jwksStatus, headers: { 'content-type': 'application/json', ...(shown.cache === '' ? {} : { 'cache-control': shown.cache }) }, body: JSON.stringify({ keys: shown.keys }) }
    if (url === '/groups' && headers.authorization === 'Bearer secret') return { body: await token({ groups: ['far'] }) }
    return { status: 404, body: 'nothing' }
  })
  issuer = `https://127.0.0.1:${server.port}`
  first = await keyOf('first')
  second = (await generateKeyPair('ES256', { extractable: true })).privateKey
})

afterAll(async () => {
  remote.close()
  await server.close()
})

async function token(claims: Readonly<Record<string, unknown>>, key = first, kid = 'first'): Promise<string> {
  const now = Math.floor(clock.now() / 1_000)
  return await new SignJWT({ iss: issuer, aud: 'app', sub: 'jane', exp: now + 600, iat: now, ...claims }).setProtectedHeader({ alg: 'ES256', kid }).sign(key)
}

function compiled(of: Written): CompiledJwt {
  const { issuer: more, ...rest } = of
  const jwt = completeJwt({
    claimMappings: { username: { claim: 'sub', prefix: 'oidc:' } },
    ...rest,
    issuer: { url: issuer, audiences: ['app'], certificateAuthority: Buffer.from(server.caBundle, 'base64').toString(), ...more },
  })
  const checked = checkAuthentication({ jwt: [jwt] }, [])
  expect(checked.errors.map((error) => error.message())).toEqual([])
  return checked.jwt[0] as CompiledJwt
}

async function tokensOf(of: Written = {}): Promise<JwtTokens> {
  const tokens = new JwtTokens({ issuers: [compiled(of)], algorithms: signingAlgorithms, remote })
  await tokens.run(ctx)
  return tokens
}

async function judged(of: Written, claims: Readonly<Record<string, unknown>>): Promise<unknown> {
  return await (await tokensOf(of)).userOf(ctx, await token(claims))
}

describe('a token of a configured issuer', () => {
  it('signs its user in, named by a claim', async () => {
    expect(await judged({ claimMappings: { username: { claim: 'sub', prefix: 'oidc:' }, groups: { claim: 'roles', prefix: 'g:' }, uid: { claim: 'oid' } } }, { roles: ['a', 'b'], oid: '7', jti: 'x' })).toEqual({
      name: 'oidc:jane', groups: ['g:a', 'g:b'], uid: '7', extra: { 'authentication.kubernetes.io/credential-id': ['JTI=x'] },
    })
    expect(await judged({ claimMappings: { username: { claim: 'sub', prefix: '' }, groups: { claim: 'role', prefix: '' } } }, { role: 'a' })).toEqual({ name: 'jane', groups: ['a'] })
  })

  it('signs its user in, made by expressions', async () => {
    const claimMappings = {
      username: { expression: 'claims.sub + "@" + claims.org.name' },
      groups: { expression: 'claims.?roles.orValue([]).filter(r, r.startsWith("k8s-"))' },
      uid: { expression: '"u-" + string(int(claims.number))' },
      extra: [{ key: 'example.com/team', valueExpression: 'claims["the.team"] + claims.the__dot__team' }, { key: 'example.com/none', valueExpression: '""' }],
    }
    expect(await judged({ claimMappings }, { org: { name: 'acme' }, roles: ['k8s-a', 'b'], number: 5, 'the.team': 'x' })).toEqual({
      name: 'jane@acme', groups: ['k8s-a'], uid: 'u-5', extra: { 'example.com/team': ['xx'] },
    })
  })

  it.each<[string, Written, Readonly<Record<string, unknown>>, string]>([
    ['expired', {}, { exp: 1_000 }, 'oidc: verify token: oidc: token is expired (Token Expiry: 1970-01-01 00:16:40 +0000 UTC)'],
    ['not yet good', {}, { nbf: 4_000_000_000 }, 'oidc: verify token: oidc: current time 2026-01-01 00:00:00 +0000 UTC before the nbf (not before) time: 2096-10-02 07:06:40 +0000 UTC'],
    ['for others', {}, { aud: ['x', 'y'] }, 'oidc: verify token: oidc: expected audience "app" got ["x" "y"]'],
    ['for none of several', { issuer: { audiences: ['b', 'a'], audienceMatchPolicy: 'MatchAny' } }, { aud: 'x' }, 'oidc: verify token: oidc: expected audience in ["a" "b"] got ["x"]'],
    ['without its name', { claimMappings: { username: { claim: 'mail', prefix: '' } } }, {}, 'oidc: parse username claims "mail": claim not present'],
    ['with a name that is none', { claimMappings: { username: { claim: 'mail', prefix: '' } } }, { mail: 5 }, 'oidc: parse username claims "mail": json: cannot unmarshal number into Go value of type string'],
    ['of an address nobody verified', { claimMappings: { username: { claim: 'email', prefix: '' } } }, { email: 'a@b', email_verified: false }, 'oidc: email not verified'],
    ['without what is required', { claimValidationRules: [{ claim: 'hd', requiredValue: 'acme' }] }, {}, 'oidc: required claim hd not present in ID token'],
    ['with another value', { claimValidationRules: [{ claim: 'hd', requiredValue: 'acme' }] }, { hd: 'x' }, 'oidc: required claim hd value does not match. Got = x, want = acme'],
    ['against a rule', { claimValidationRules: [{ expression: 'claims.exp - claims.iat <= 60', message: 'too long' }] }, {}, "oidc: error evaluating claim validation expression: validation expression 'claims.exp - claims.iat <= 60' failed: too long"],
    ['against a rule that cannot be said', { claimValidationRules: [{ expression: 'claims.nothing == 1' }] }, {}, "oidc: error evaluating claim validation expression: expression 'claims.nothing == 1' resulted in error: no such key: nothing"],
    ['of a user that is not wanted', { claimMappings: { username: { claim: 'sub', prefix: 'system:' } }, userValidationRules: [{ expression: "!user.username.startsWith('system:')", message: 'reserved' }] }, {}, "oidc: error evaluating user info validation rule: validation expression '!user.username.startsWith('system:')' failed: reserved"],
    ['of an empty name', { claimMappings: { username: { expression: '""' } } }, {}, 'oidc: empty username via CEL expression is not allowed'],
    ['of a name that is none', { claimMappings: { username: { expression: '1' } } }, {}, 'oidc: error evaluating username claim expression: username claim expression must return a string'],
  ])('%s is refused', async (_what, of, claims, error) => {
    expect(await judged(of, claims)).toEqual({ error })
  })

  it('of somebody else is left to others, and one of another key is refused', async () => {
    const tokens = await tokensOf()
    expect(await tokens.userOf(ctx, await token({ iss: 'https://other' }))).toBeUndefined()
    expect(await tokens.userOf(ctx, 'nonsense')).toBeUndefined()
    expect(await tokens.userOf(ctx, await token({}, second))).toEqual({ error: 'oidc: verify token: failed to verify signature: failed to verify id token signature' })
    const plain = new JwtTokens({ issuers: [compiled({})], algorithms: ['RS256'], remote })
    await plain.run(ctx)
    expect(await plain.userOf(ctx, await token({}))).toEqual({ error: 'oidc: verify token: oidc: id token signed with unsupported algorithm, expected ["RS256"] got "ES256"' })
  })

  it('has its groups asked for where they are', async () => {
    const claims = { _claim_names: { groups: 'far' }, _claim_sources: { far: { endpoint: `${issuer}/groups`, access_token: 'secret' } } }
    const mapping = { claimMappings: { username: { claim: 'sub', prefix: '' }, groups: { claim: 'groups', prefix: '' } } }
    expect(await judged(mapping, claims)).toEqual({ name: 'jane', groups: ['far'] })
    expect(await judged(mapping, { ...claims, _claim_sources: { far: { endpoint: `${issuer}/groups` } } })).toEqual({
      error: 'oidc: could not expand distributed claims: while getting distributed claim "groups": error while getting distributed claim JWT: 404',
    })
  })
})

describe('the keys of an issuer', () => {
  it('are fetched for a key that is not known, and not again before the provider says they may have changed', async () => {
    const tokens = await tokensOf({ issuer: { discoveryURL: `${issuer}/found` } })
    const fetched = (): number => server.heard.filter(({ url }) => url === '/keys').length
    shown.cache = 'max-age=3600'
    const before = fetched()
    const both = await Promise.all([token({ n: 1 }), token({ n: 2 })])
    expect(await Promise.all(both.map((one) => tokens.userOf(ctx, one)))).toMatchObject([{ name: 'oidc:jane' }, { name: 'oidc:jane' }])
    expect(fetched()).toBe(before + 1)
    const rotated = await keyOf('rotated')
    const next = async (n: number): Promise<unknown> => await tokens.userOf(ctx, await token({ n }, rotated, 'rotated'))
    expect(await next(3)).toHaveProperty('error')
    expect(fetched()).toBe(before + 1)
    await clock.advance(3_600_000)
    expect(await next(4)).toMatchObject({ name: 'oidc:jane' })
    shown.jwksStatus = 500
    expect(await tokens.userOf(ctx, await token({ n: 5 }))).toMatchObject({ name: 'oidc:jane' })
    Object.assign(shown, { jwksStatus: 200, cache: '' })
  })

  it('are waited for at first; an issuer that is away says so', async () => {
    const away = new JwtTokens({ issuers: [compiled({ issuer: { discoveryURL: `${issuer}/nowhere` } })], algorithms: signingAlgorithms, remote })
    const stop = new AbortController()
    const running = away.run({ ...ctx, signal: stop.signal })
    expect(await away.userOf(ctx, await token({}))).toEqual({ error: 'oidc: authenticator not initialized' })
    expect(away.problems).toEqual([`oidc: authenticator for issuer "${issuer}" is not healthy: 404: nothing`])
    stop.abort()
    await running
    const tokens = new JwtTokens({ issuers: [compiled({})], algorithms: signingAlgorithms, remote })
    void tokens.run(ctx)
    expect(await tokens.userOf(ctx, await token({}))).toMatchObject({ name: 'oidc:jane' })
  })
})
