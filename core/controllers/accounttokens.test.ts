/** Secrets of service account tokens are filled, and go with their account. */
import { describe, expect, it } from 'vitest'
import { secrets } from '../api/core/secret.ts'
import { serviceAccounts } from '../api/core/serviceaccount.ts'
import type { Secret } from '../api/schema/types.ts'
import { testCluster, type TestCluster } from '../../test/support/controllers.ts'
import { accountTokens } from './accounttokens.ts'

const secretFor = (account: string): Secret => ({
  metadata: { name: 's', namespace: 'default', annotations: { 'kubernetes.io/service-account.name': account } },
  type: 'kubernetes.io/service-account-token',
})
const open = async (): Promise<TestCluster & AsyncDisposable> => {
  const cluster = await testCluster([accountTokens])
  return { ...cluster, [Symbol.asyncDispose]: () => cluster.stop() }
}
const text = (secret: Readonly<Secret> | undefined, key: string): string => Buffer.from(secret?.data?.[key] ?? '', 'base64').toString()

describe('tokens in Secrets', () => {
  it('are filled in, and mended', async () => {
    await using cluster = await open()
    await cluster.create(serviceAccounts, { metadata: { name: 'a', namespace: 'default' } })
    await cluster.create(secrets, secretFor('a'))
    await cluster.settle()
    const filled = await cluster.get(secrets, 's', 'default')
    expect([text(filled, 'token'), text(filled, 'ca.crt'), text(filled, 'namespace')]).toEqual(['token of a in s', 'CA', 'default'])
    const account = await cluster.get(serviceAccounts, 'a', 'default')
    expect(filled?.metadata.annotations?.['kubernetes.io/service-account.uid']).toBe(account?.metadata.uid)
    await cluster.change(secrets, 's', (mine) => delete mine.data?.['token'], { namespace: 'default' })
    await cluster.settle()
    expect(text(await cluster.get(secrets, 's', 'default'), 'token')).toBe('token of a in s')
    await cluster.writes()
    await cluster.settle(600_000)
    expect(await cluster.writes()).toBe(0)
  })

  it('go with their account, or without one', async () => {
    await using cluster = await open()
    await cluster.create(serviceAccounts, { metadata: { name: 'a', namespace: 'default' } })
    await cluster.create(secrets, secretFor('a'))
    await cluster.create(secrets, { ...secretFor('nobody'), metadata: { ...secretFor('nobody').metadata, name: 'orphan' } })
    await cluster.settle()
    expect(await cluster.get(secrets, 'orphan', 'default')).toBeUndefined()
    await cluster.client.delete(cluster.ctx, serviceAccounts, { namespace: 'default', name: 'a' })
    await cluster.settle()
    expect(await cluster.get(secrets, 's', 'default')).toBeUndefined()
  })
})
