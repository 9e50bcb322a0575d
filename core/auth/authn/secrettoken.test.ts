import { describe, expect, it } from 'vitest'
import { secrets } from '../../api/core/secret.ts'
import { serviceAccounts } from '../../api/core/serviceaccount.ts'
import { virtualClock } from '../../lib/clock.ts'
import type { Ctx } from '../../lib/ctx.ts'
import { silentLog } from '../../lib/log.ts'
import { generateKey } from '../../pki/key.ts'
import { FakeWorld } from '../world.fake.ts'
import { tokenKeys } from './keys.ts'
import { secretTokens } from './secrettoken.ts'

const keys = await tokenKeys([await generateKey()])
const account = { metadata: { namespace: 'default', name: 'builder', uid: 'sa-1' } }
const meta = { namespace: 'default', name: 'token', uid: 's-1' }
const ctx: Ctx = { clock: virtualClock(), log: silentLog, signal: new AbortController().signal }

async function bench() {
  const used: string[] = []
  const world = new FakeWorld().put(serviceAccounts, account)
  const tokens = secretTokens({ keys, lookup: world, audiences: ['api'], used: (_secret, day) => used.push(day) })
  const token = await tokens.issue(account, { metadata: meta })
  const secret = { metadata: meta, type: 'kubernetes.io/service-account-token', data: { token: Buffer.from(token).toString('base64') } }
  world.put(secrets, secret)
  return { tokens, token, world, used, secret }
}

describe('secretTokens()', () => {
  it('signs the account in, and notes the day', async () => {
    const { tokens, token, used } = await bench()
    expect(await tokens.authenticate(ctx, { bearerToken: token })).toEqual({
      name: 'system:serviceaccount:default:builder', uid: 'sa-1', groups: ['system:serviceaccounts', 'system:serviceaccounts:default', 'system:authenticated'],
    })
    expect(used).toEqual(['2026-01-01'])
    expect(await tokens.review(ctx, token, ['other'])).toEqual({ error: expect.stringContaining('audiences') as unknown })
    expect(await tokens.authenticate(ctx, { bearerToken: 'x.y.z' })).toBeUndefined()
  })

  it('notes a day once', async () => {
    const { tokens, token, used, world, secret } = await bench()
    world.put(secrets, { ...secret, metadata: { ...meta, labels: { 'kubernetes.io/legacy-token-last-used': '2026-01-01' } } })
    await tokens.authenticate(ctx, { bearerToken: token })
    expect(used).toEqual([])
  })

  type Bench = Awaited<ReturnType<typeof bench>>
  it.each<[string, (b: Bench) => unknown, string]>([
    ['its Secret is going', (b) => b.world.put(secrets, { ...b.secret, metadata: { ...meta, deletionTimestamp: '2026-01-01T00:00:00Z' } }), 'Token has been invalidated'],
    ['its Secret has another', (b) => b.world.put(secrets, { ...b.secret, data: { token: 'AAAA' } }), "Token does not match server's copy"],
    ['the account is another of that name', (b) => b.world.put(serviceAccounts, { metadata: { ...account.metadata, uid: 'sa-2' } }), 'ServiceAccount UID (sa-2) does not match claim (sa-1)'],
    ['it was marked invalid', (b) => b.world.put(secrets, { ...b.secret, metadata: { ...meta, labels: { 'kubernetes.io/legacy-token-invalid-since': '2025-01-01' } } }), 'has been marked invalid'],
  ])('refuses a token when %s', async (_, change, why) => {
    const b = await bench()
    change(b)
    expect(await b.tokens.review(ctx, b.token, ['api'])).toEqual({ error: expect.stringContaining(why) as unknown })
    expect(await b.tokens.authenticate(ctx, { bearerToken: b.token })).toBe('invalid')
  })
})
