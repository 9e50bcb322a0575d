/** Authentication and authorization as files and flags put them together, and files that change. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey } from 'jose'
import { afterAll, beforeAll, beforeEach, afterEach, describe, expect, it } from 'vitest'
import { Authentication, discoverable, tokenSettings, type AuthenticationOptions } from './authentication.ts'
import { Authorization, type AuthorizationOptions } from './authorization.ts'
import { rbac } from './auth/authz/rbac.ts'
import { bearerTokens } from './auth/authn/bearer.ts'
import type { Attributes, Decision } from './auth/user.ts'
import { FakeWorld } from './auth/world.fake.ts'
import { remoteServer, type RemoteServer } from './client/remote.fake.ts'
import { remoteClient } from './client/remote.ts'
import { virtualClock, type VirtualClock } from './lib/clock.ts'
import type { Ctx } from './lib/ctx.ts'
import { createLog } from './lib/log.ts'
import { seededRandom } from './lib/random.ts'

const remote = remoteClient({ agent: 'test', services: { resolve: () => ({ host: '', port: 0 }) } })
let server: RemoteServer
let url = ''
let ca = ''
let key: CryptoKey
let review: object = {}
let dir = ''
let clock: VirtualClock
let ctx: Ctx
let end = new AbortController()
let hear: (line: string) => void = () => {}

beforeAll(async () => {
  const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true })
  key = privateKey
  const keys = JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'k', alg: 'RS256' }] })
  server = await remoteServer(['127.0.0.1'], ({ url: at, method }) => {
    if (method === 'POST') return { body: JSON.stringify({ status: review }) }
    const [, issuer = ''] = /^(.*)\/\.well-known\/openid-configuration$/.exec(at) ?? []
    if (at.endsWith('/keys')) return { body: keys }
    return at.startsWith('/away') ? { status: 503 } : { body: JSON.stringify({ issuer: `${url}${issuer}`, jwks_uri: `${url}/keys` }) }
  })
  url = `https://127.0.0.1:${server.port}`
  ca = Buffer.from(server.caBundle, 'base64').toString()
})
afterAll(async () => {
  remote.close()
  await server.close()
})
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'kubun-access-'))
  clock = virtualClock()
  end = new AbortController()
  hear = () => {}
  ctx = { clock, log: createLog({ level: 'info', format: 'text', write: (line) => hear(line), now: () => 0 }), signal: end.signal }
})
afterEach(() => {
  end.abort()
  rmSync(dir, { recursive: true })
})

function file(name: string, content: unknown): string {
  const path = join(dir, name)
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
  return path
}

const kubeconfig = (): string => file('hook.conf', {
  'current-context': 'c', contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }], users: [{ name: 'u', user: { token: 'secret' } }],
  clusters: [{ name: 'c', cluster: { server: `${url}/hook`, 'certificate-authority-data': server.caBundle } }],
})

async function token(issuer: string): Promise<string> {
  const now = Math.floor(clock.now() / 1_000)
  return await new SignJWT({ iss: issuer, aud: 'app', sub: 'jane', groups: ['g'], exp: now + 100_000 }).setProtectedHeader({ alg: 'RS256', kid: 'k' }).sign(key)
}

const configuration = (issuers: readonly string[], more: object = {}): object => ({
  apiVersion: 'apiserver.config.k8s.io/v1', kind: 'AuthenticationConfiguration', ...more,
  jwt: issuers.map((issuer) => ({ issuer: { url: issuer, audiences: ['app'], certificateAuthority: ca }, claimMappings: { username: { claim: 'sub', prefix: `${issuer.split('/').at(-1)}:` } } })),
})

async function opened(options: AuthenticationOptions): Promise<{ readonly authentication: Authentication; readonly nameOf: (token: string) => Promise<unknown> }> {
  const tokens = tokenSettings(options.serviceAccount)
  const authentication = await Authentication.open(ctx, options, { remote, random: seededRandom(1), tokens })
  const bearer = bearerTokens(authentication.ways, tokens.audiences)
  return { authentication, nameOf: async (one) => { const user = await bearer.authenticate(ctx, { bearerToken: one }); return typeof user === 'object' ? user.name : user } }
}

const lookMs = 5_000
const refused = 'configuration stays as it was'
const taken = 'configuration read again'

/** Resolves when the log says so next: files and issuers are real, and take their time. */
function said(what: string): Promise<void> {
  return new Promise((resolve) => {
    hear = (line) => {
      if (line.includes(what)) resolve()
    }
  })
}

/** Lets the file be looked at, until the log has said what became of it. */
async function looked(what: string): Promise<void> {
  const done = said(what)
  await clock.advance(lookMs)
  await done
}

describe('authentication', () => {
  it('by the classic flags', async () => {
    const { authentication, nameOf } = await opened({ oidc: { issuerUrl: `${url}/a`, clientId: 'app', caFile: file('ca.pem', ca), requiredClaims: [['sub', 'jane']] } })
    void authentication.run(ctx)
    expect(await nameOf(await token(`${url}/a`))).toBe(`${url}/a#jane`)
    expect(await nameOf(await token(`${url}/b`))).toBe('invalid')
    expect(authentication.anonymousAt('/api')).toBe(true)
  })

  it('by a file, which counts again when it changes and can be used', async () => {
    const configFile = file('authn.yaml', configuration([`${url}/a`], { anonymous: { enabled: true, conditions: [{ path: '/livez' }] } }))
    const { authentication, nameOf } = await opened({ configFile })
    const same = { anonymous: { enabled: true, conditions: [{ path: '/livez' }] } }
    void authentication.run(ctx)
    const [a, b] = [await token(`${url}/a`), await token(`${url}/b`)]
    expect([await nameOf(a), await nameOf(b)]).toEqual(['a:jane', 'invalid'])
    expect([authentication.anonymousAt('/livez'), authentication.anonymousAt('/api')]).toEqual([true, false])
    for (const unusable of ['nonsense', configuration([`${url}/b`]), configuration(['http://x'], same)]) {
      file('authn.yaml', unusable)
      await looked(refused)
      expect([await nameOf(a), await nameOf(b)]).toEqual(['a:jane', 'invalid'])
    }
    file('authn.yaml', configuration([`${url}/b`], same))
    await looked(taken)
    expect([await nameOf(a), await nameOf(b)]).toEqual(['invalid', 'b:jane'])
  })

  it('by a file, whose new issuers must answer before the old ones go', async () => {
    const configFile = file('authn.yaml', configuration([`${url}/a`]))
    const { authentication, nameOf } = await opened({ configFile })
    void authentication.run(ctx)
    file('authn.yaml', configuration([`${url}/b`, `${url}/away`]))
    let over = false
    const done = said(refused).then(() => (over = true))
    while (!over) await clock.advance(1_000)
    await done
    expect([await nameOf(await token(`${url}/a`)), await nameOf(await token(`${url}/b`))]).toEqual(['a:jane', 'invalid'])
  })

  it('by a webhook, for tokens that nobody here knows', async () => {
    review = { authenticated: true, user: { username: 'hooked' } }
    const { nameOf } = await opened({ tokenWebhook: { configFile: kubeconfig(), version: 'v1' } })
    expect(await nameOf('opaque')).toBe('hooked')
    expect(server.heard.at(-1)).toMatchObject({ url: '/hook?timeout=30s', headers: { authorization: 'Bearer secret' } })
  })

  it.each<[AuthenticationOptions, string]>([
    [{ oidc: { issuerUrl: 'https://a' } }, 'oidc-issuer-url and oidc-client-id must be specified together when any oidc-* flags are set'],
    [{ oidc: { issuerUrl: 'http://a', clientId: 'x' } }, 'invalid authentication configuration: jwt[0].issuer.url: Invalid value: "http://a": URL scheme must be https'],
    [{ oidc: { issuerUrl: 'https://a', clientId: 'x', signingAlgs: ['HS256'] } }, 'oidc: unsupported signing alg: "HS256"'],
    [{ oidc: { issuerUrl: 'https://kubernetes.default.svc.cluster.local', clientId: 'x' } }, 'URL must not overlap with disallowed issuers: [https://kubernetes.default.svc.cluster.local]'],
    [{ configFile: '/nowhere', oidc: {} }, 'authentication-config file and oidc-* flags are mutually exclusive'],
    [{ configFile: '/nowhere' }, 'failed to load authentication configuration from file "/nowhere"'],
    [{ serviceAccount: { issuers: ['a', 'a'] } }, 'service-account-issuer "a" is already specified'],
    [{ serviceAccount: { expirationMaxMs: 60_000 } }, 'the service-account-max-token-expiration must be between 1 hour and 2^32 seconds'],
    [{ serviceAccount: { jwksUri: 'http://x' } }, 'service-account-jwks-uri requires https scheme, parsed as: http://x'],
  ])('refuses %j', async (options, message) => {
    await expect(opened(options)).rejects.toThrow(message)
  })

  it('of service accounts has an issuer that may be found, or not', () => {
    expect(tokenSettings({ issuers: ['https://a', 'b'] })).toEqual({ issuers: ['https://a', 'b'], audiences: ['https://a', 'b'], extend: true })
    expect(tokenSettings({ audiences: ['x'], expirationMaxMs: 7_200_000, extendExpiration: false })).toMatchObject({ audiences: ['x'], expirationMaxS: 7_200, extend: false })
    expect([['https://a'], ['a'], ['http://a'], ['https://a?b']].map((issuers) => discoverable(tokenSettings({ issuers })))).toEqual(['https://a', undefined, undefined, undefined])
  })
})

const list: Attributes = { type: 'resource', user: { name: 'jane', groups: [] }, verb: 'list', group: '', version: 'v1', resource: 'pods', subresource: '', namespace: 'ns', name: '' }
const silent = { authorize: (): Decision => ({ answer: 'no opinion', reason: '' }) }

async function authorization(options: AuthorizationOptions): Promise<Authorization> {
  return await Authorization.open(ctx, options, { rbac: rbac(new FakeWorld()), node: silent, open: silent, remote, random: seededRandom(1) })
}

describe('authorization', () => {
  it.each([
    [['Node', 'RBAC'], 'no opinion', ''],
    [['AlwaysDeny'], 'no opinion', 'Everything is forbidden.'],
    [['AlwaysDeny', 'AlwaysAllow'], 'allow', ''],
  ])('by the modes %j', async (modes, answer, reason) => {
    const opened = await authorization({ modes })
    expect(await opened.authorize(list)).toEqual({ answer, reason })
    expect(await opened.authorize({ ...list, user: { name: 'x', groups: ['system:masters'] } })).toMatchObject({ answer: 'allow' })
  })

  it('by a webhook, which cannot tell all rights', async () => {
    review = { allowed: true }
    const opened = await authorization({ modes: ['RBAC', 'Webhook'], webhook: { configFile: kubeconfig() } })
    expect(await opened.authorize(list)).toMatchObject({ answer: 'allow' })
    expect(opened.rulesFor(list.user, 'ns')).toEqual({ resourceRules: [], nonResourceRules: [], incomplete: true, evaluationError: 'webhook authorizer does not support user rule resolution' })
  })

  it('by a file, which counts again when it changes and can be used', async () => {
    const write = (...authorizers: readonly object[]): string => file('authz.yaml', { apiVersion: 'apiserver.config.k8s.io/v1', kind: 'AuthorizationConfiguration', authorizers })
    const [always, denies] = [{ type: 'AlwaysAllow', name: 'alwaysallow' }, { type: 'AlwaysDeny', name: 'alwaysdeny' }]
    const webhook = { type: 'Webhook', name: 'hook', webhook: { timeout: '3s', subjectAccessReviewVersion: 'v1', failurePolicy: 'Deny', connectionInfo: { type: 'KubeConfigFile', kubeConfigFile: kubeconfig() } } }
    review = { denied: true, reason: 'hooked' }
    const opened = await authorization({ configFile: write(denies, always) })
    void opened.run(ctx)
    expect(await opened.authorize(list)).toMatchObject({ answer: 'allow' })
    for (const unusable of [[always], [denies, always, { type: 'RBAC', name: 'rbac' }], [denies, { type: 'AlwaysAllow', name: 'x' }], [{ ...webhook, webhook: {} }, denies, always]]) {
      write(...unusable)
      await looked(refused)
      expect(await opened.authorize(list)).toMatchObject({ answer: 'allow' })
    }
    write(webhook, denies, always)
    await looked(taken)
    expect(await opened.authorize(list)).toEqual({ answer: 'deny', reason: 'hooked' })
  })

  it.each<[AuthorizationOptions, string]>([
    [{ modes: ['Odd'] }, 'authorization-mode "Odd" is not a valid mode'],
    [{ modes: ['RBAC', 'RBAC'] }, 'authorization-mode ["RBAC" "RBAC"] has mode specified more than once'],
    [{ modes: ['Webhook'] }, "authorization-mode Webhook's authorization config file not passed"],
    [{ webhook: { configFile: 'x' } }, 'cannot specify --authorization-webhook-config-file without mode Webhook'],
    [{ configFile: 'x', modes: ['RBAC'] }, '--authorization-config can not be specified when --authorization-mode or --authorization-webhook-* flags are defined'],
  ])('refuses %j', async (options, message) => {
    await expect(authorization(options)).rejects.toThrow(message)
  })
})
