import { expect, it } from 'vitest'
import { namespaces } from '../api/core/namespace.ts'
import { testCluster } from '../../test/support/controllers.ts'
import { namespaceController } from './namespace.ts'

it('a namespace stays while a server does not say what it has in it, and says so', async () => {
  let stale: readonly string[] = ['example.com/v1']
  const cluster = await testCluster([namespaceController], { settings: { staleVersions: () => stale } })
  await cluster.create(namespaces, { metadata: { name: 'doomed' }, spec: { finalizers: ['kubernetes'] } })
  await cluster.client.delete(cluster.ctx, namespaces, { namespace: '', name: 'doomed' })
  await cluster.settle(1_000)
  const held = await cluster.get(namespaces, 'doomed')
  expect(held?.status?.phase).toBe('Terminating')
  expect(held?.status?.conditions?.find(({ type }) => type === 'NamespaceDeletionDiscoveryFailure')).toMatchObject({
    status: 'True', reason: 'DiscoveryFailed',
    message: 'Discovery failed for some groups, 1 failing: unable to retrieve the complete list of server APIs: example.com/v1: stale GroupVersion discovery: example.com/v1',
  })
  stale = []
  await cluster.settle(60_000)
  expect(await cluster.get(namespaces, 'doomed')).toBeUndefined()
  await cluster.stop()
})
