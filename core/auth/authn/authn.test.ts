import { describe, expect, it } from 'vitest'
import { createLocalJWKSet, jwtVerify } from 'jose'
import { virtualClock, type VirtualClock } from '../../lib/clock.ts'
import type { Ctx } from '../../lib/ctx.ts'
import { silentLog } from '../../lib/log.ts'
import { seededRandom } from '../../lib/random.ts'
import { isApiError } from '../../api/errors.ts'
import { nodes } from '../../api/core/node.ts'
import { pods } from '../../api/core/pod.ts'
import { secrets } from '../../api/core/secret.ts'
import { serviceAccounts } from '../../api/core/serviceaccount.ts'
import { generateKey } from '../../pki/key.ts'
import { FakeWorld } from '../world.fake.ts'
import { certificateAuthenticator, union } from './authenticators.ts'
import { bearerTokens } from './bearer.ts'
import { bootstrapTokens } from './bootstrap.ts'
import { discoveryDocument, tokenKeys } from './keys.ts'
import { defaultIssuer, serviceAccountTokens, type ServiceAccountTokens } from './serviceaccount.ts'

const account = { namespace: 'default', name: 'builder' }

interface Bench {
  readonly clock: VirtualClock
  readonly ctx: Ctx
  readonly world: FakeWorld
  readonly tokens: ServiceAccountTokens
}

const keys = tokenKeys([await generateKey()])

async function bench(): Promise<Bench> {
  const clock = virtualClock()
  const world = new FakeWorld()
    .put(serviceAccounts, { metadata: { ...account, uid: 'sa-1' } })
    .put(nodes, { metadata: { name: 'n1', uid: 'node-1' } })
    .put(pods, { metadata: { namespace: 'default', name: 'p', uid: 'pod-1' }, spec: { containers: [], serviceAccountName: 'builder', nodeName: 'n1' } })
  const tokens = serviceAccountTokens({ keys: await keys, lookup: world, random: seededRandom(1), issuers: [defaultIssuer], audiences: [defaultIssuer] })
  return { clock, world, tokens, ctx: { clock, log: silentLog, signal: new AbortController().signal } }
}

const podRef = { apiVersion: 'v1', kind: 'Pod', name: 'p', uid: 'pod-1' }

describe('serviceAccountTokens()', () => {
  it('issues a token that signs its account in, with pod and node', async () => {
    const { ctx, tokens } = await bench()
    const { token, expiration } = await tokens.issue(ctx, { namespace: 'default', serviceAccount: 'builder', boundObject: podRef })
    expect(expiration).toBe('2026-01-01T01:00:00Z')
    const user = await tokens.authenticate(ctx, { bearerToken: token })
    expect(user).toMatchObject({
      name: 'system:serviceaccount:default:builder',
      uid: 'sa-1',
      groups: ['system:serviceaccounts', 'system:serviceaccounts:default', 'system:authenticated'],
      extra: {
        'authentication.kubernetes.io/pod-name': ['p'], 'authentication.kubernetes.io/pod-uid': ['pod-1'],
        'authentication.kubernetes.io/node-name': ['n1'], 'authentication.kubernetes.io/node-uid': ['node-1'],
      },
    })
    expect(await tokens.authenticate(ctx, { bearerToken: token })).toBe(user)
  })

  it.each<[string, (b: Bench) => unknown]>([
    ['it has expired', ({ clock }) => clock.advance(3_661_000)],
    ['its pod is gone', ({ world }) => world.remove(pods, { namespace: 'default', name: 'p' })],
    ['another pod has the name', ({ world }) => world.put(pods, { metadata: { namespace: 'default', name: 'p', uid: 'pod-2' } })],
    ['its account is another one', ({ world }) => world.put(serviceAccounts, { metadata: { ...account, uid: 'sa-2' } })],
    ['its pod was deleted more than a minute ago', async ({ world, clock }) => {
      world.put(pods, { metadata: { namespace: 'default', name: 'p', uid: 'pod-1', deletionTimestamp: '2026-01-01T00:00:00Z' } })
      await clock.advance(61_000)
    }],
  ])('refuses a token it knew when %s', async (_, happen) => {
    const b = await bench()
    const { token } = await b.tokens.issue(b.ctx, { namespace: 'default', serviceAccount: 'builder', boundObject: podRef })
    expect(await b.tokens.authenticate(b.ctx, { bearerToken: token })).toHaveProperty('uid', 'sa-1')
    await happen(b)
    expect(await b.tokens.authenticate(b.ctx, { bearerToken: token })).toBe('invalid')
  })

  it('refuses a forged signature, and leaves foreign tokens to others', async () => {
    const { ctx, tokens } = await bench()
    const { token } = await tokens.issue(ctx, { namespace: 'default', serviceAccount: 'builder' })
    const [head, body] = token.split('.')
    expect(await tokens.authenticate(ctx, { bearerToken: `${head}.${body}.${'A'.repeat(86)}` })).toBe('invalid')
    expect(await tokens.authenticate(ctx, { bearerToken: 'not.a.jwt' })).toBeUndefined()
    expect(await tokens.authenticate(ctx, {})).toBeUndefined()
  })

  it('review() answers with the audiences that both sides know', async () => {
    const { ctx, tokens } = await bench()
    const { token } = await tokens.issue(ctx, { namespace: 'default', serviceAccount: 'builder', audiences: ['vault', 'x'] })
    expect(await tokens.review(ctx, token, ['vault', 'y'])).toMatchObject({ audiences: ['vault'] })
    expect(await tokens.authenticate(ctx, { bearerToken: token })).toBe('invalid')
  })

  it('a projected volume token of 3607 s for this server lives on for a year', async () => {
    const { ctx, tokens, clock } = await bench()
    const { token, expiration } = await tokens.issue(ctx, { namespace: 'default', serviceAccount: 'builder', boundObject: podRef, expirationSeconds: 3607 })
    expect(expiration).toBe('2026-01-01T01:00:07Z')
    await clock.advance(300 * 86_400_000)
    expect(await tokens.authenticate(ctx, { bearerToken: token })).toHaveProperty('uid', 'sa-1')
  })

  it.each([
    [{ expirationSeconds: 599 }, 'TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: Invalid value: 599: may not specify a duration less than 10 minutes'],
    [{ expirationSeconds: 2 ** 32 + 1 }, 'TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: Invalid value: 4294967297: may not specify a duration larger than 2^32 seconds'],
    [{ serviceAccount: 'nobody' }, 'serviceaccounts "nobody" not found'],
    [{ boundObject: { apiVersion: 'v1', kind: 'Pod', name: 'q' } }, 'pods "q" not found'],
    [{ boundObject: { apiVersion: 'v1', kind: 'ConfigMap', name: 'q' } }, 'cannot bind token to object of type /v1, Kind=ConfigMap'],
    [{ boundObject: { ...podRef, uid: 'old' } }, 'the UID in the bound object reference (old) does not match the UID in record'],
  ])('refuses %j: %s', async (init, want) => {
    const { ctx, tokens } = await bench()
    const error: unknown = await tokens.issue(ctx, { namespace: 'default', serviceAccount: 'builder', ...init }).catch((e: unknown) => e)
    expect(isApiError(error) && error.message).toContain(want)
  })

  it('JWKS and discovery let others verify', async () => {
    const { ctx, tokens, clock } = await bench()
    const { token } = await tokens.issue(ctx, { namespace: 'default', serviceAccount: 'builder' })
    const set = createLocalJWKSet((await (await keys).jwks()) as never)
    const { payload } = await jwtVerify(token, set, { issuer: defaultIssuer, audience: defaultIssuer, currentDate: new Date(clock.now()) })
    expect(payload.sub).toBe('system:serviceaccount:default:builder')
    expect(discoveryDocument(defaultIssuer, 'https://10.0.0.1:6443/openid/v1/jwks', await keys)).toMatchObject({ id_token_signing_alg_values_supported: ['ES256'] })
  })
})

describe('bootstrapTokens()', () => {
  const base64 = (data: Record<string, string>): Record<string, string> =>
    Object.fromEntries(Object.entries(data).map(([k, v]) => [k, Buffer.from(v).toString('base64')]))
  const good = { 'token-id': 'abcdef', 'token-secret': '0123456789abcdef', 'usage-bootstrap-authentication': 'true' }
  it.each([
    ['good', { ...good, 'auth-extra-groups': 'system:bootstrappers:kubun' }, ['system:bootstrappers', 'system:bootstrappers:kubun', 'system:authenticated']],
    ['expired', { ...good, expiration: '2025-12-31T23:59:59Z' }, 'invalid'],
    ['of another secret', { ...good, 'token-secret': 'ffffffffffffffff' }, 'invalid'],
    ['not for signing in', { ...good, 'usage-bootstrap-authentication': '' }, 'invalid'],
    ['in a foreign group', { ...good, 'auth-extra-groups': 'system:masters' }, 'invalid'],
  ])('a token that is %s', async (_, data, want) => {
    const { ctx, world } = await bench()
    world.put(secrets, { metadata: { namespace: 'kube-system', name: 'bootstrap-token-abcdef' }, type: 'bootstrap.kubernetes.io/token', data: base64(data) })
    const user = await bearerTokens([bootstrapTokens(world, ['api'])], ['api']).authenticate(ctx, { bearerToken: 'abcdef.0123456789abcdef' })
    expect(typeof user === 'object' ? user.groups : user).toEqual(want)
  })
})

it('union() tells unknown, known and refused senders apart', async () => {
  const { ctx, tokens, world } = await bench()
  const all = union([certificateAuthenticator(), bearerTokens([tokens, bootstrapTokens(world, [defaultIssuer])], [defaultIssuer])])
  expect(await all.authenticate(ctx, {})).toBeUndefined()
  expect(await all.authenticate(ctx, { bearerToken: 'x' })).toBe('invalid')
  const certificate = { commonName: 'jane', organizations: ['dev'], fingerprint: 'aa' }
  const user = await all.authenticate(ctx, { certificate })
  expect(user).toMatchObject({ name: 'jane', groups: ['dev', 'system:authenticated'] })
  expect(await all.authenticate(ctx, { certificate })).toBe(user)
})
