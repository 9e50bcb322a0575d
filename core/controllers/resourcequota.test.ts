/** Quotas are charged by admission and given back by the controller. */
import { describe, expect, it } from 'vitest'
import { configMaps } from '../api/core/configmap.ts'
import { pods } from '../api/core/pod.ts'
import { resourceQuotas } from '../api/core/resourcequota.ts'
import type { Pod, ResourceQuota } from '../api/schema/types.ts'
import { testCluster, type TestCluster } from '../../test/support/controllers.ts'
import { resourceQuotaController } from './resourcequota.ts'

const quotaOf = (hard: Record<string, string>, more: Partial<NonNullable<ResourceQuota['spec']>> = {}): ResourceQuota => ({ metadata: { name: 'q', namespace: 'default' }, spec: { hard, ...more } })
const pod = (name: string, cpu: string, more: Partial<NonNullable<Pod['spec']>> = {}): Pod => ({
  metadata: { name, namespace: 'default' },
  spec: { containers: [{ name: 'c', image: 'i', resources: { requests: { cpu }, limits: { cpu } } }], ...more },
})
const open = async (): Promise<TestCluster & AsyncDisposable> => {
  const cluster = await testCluster([resourceQuotaController], { ready: () => false })
  return { ...cluster, [Symbol.asyncDispose]: () => cluster.stop() }
}
const usedIn = async (cluster: TestCluster): Promise<unknown> => (await cluster.get(resourceQuotas, 'q', 'default'))?.status?.used

describe('resource quotas', () => {
  it('count what is there, canonically, and nothing else', async () => {
    await using cluster = await open()
    await cluster.create(configMaps, { metadata: { name: 'a', namespace: 'default' } })
    await cluster.create(pods, pod('p', '0.5'))
    await cluster.create(resourceQuotas, quotaOf({ 'configmaps': '5', 'requests.cpu': '2000m', 'pods': '3', 'count/deployments.apps': '1' }))
    await cluster.settle()
    const quota = await cluster.get(resourceQuotas, 'q', 'default')
    expect(quota?.status?.used).toEqual({ 'configmaps': '1', 'requests.cpu': '500m', 'pods': '1', 'count/deployments.apps': '0' })
    expect(quota?.status?.hard).toEqual(quota?.spec?.hard)
  })

  it('are given back when objects go, and when pods end', async () => {
    await using cluster = await open()
    await cluster.create(pods, pod('p', '500m', { nodeName: 'n' }))
    await cluster.create(pods, pod('r', '250m', { nodeName: 'n' }))
    await cluster.create(resourceQuotas, quotaOf({ pods: '2', cpu: '1' }))
    await cluster.settle()
    expect(await usedIn(cluster)).toEqual({ pods: '2', cpu: '750m' })
    await cluster.client.delete(cluster.ctx, pods, { namespace: 'default', name: 'p' }, { gracePeriodSeconds: 0 })
    await cluster.settle()
    expect(await usedIn(cluster)).toEqual({ pods: '1', cpu: '250m' })
    await cluster.change(pods, 'r', (mine) => ((mine.status ??= {}).phase = 'Succeeded'), { namespace: 'default', subresource: 'status' })
    await cluster.settle()
    expect(await usedIn(cluster)).toEqual({ pods: '0', cpu: '0' })
  })

  it('keep to their scopes', async () => {
    await using cluster = await open()
    await cluster.create(pods, pod('ends', '100m', { activeDeadlineSeconds: 60 }))
    await cluster.create(pods, pod('stays', '100m'))
    await cluster.create(resourceQuotas, quotaOf({ pods: '5' }, { scopes: ['Terminating'] }))
    await cluster.settle()
    expect(await usedIn(cluster)).toEqual({ pods: '1' })
  })

  it('are not given back what was charged for an object that is under way, and are when it never comes', async () => {
    await using cluster = await open()
    await cluster.create(resourceQuotas, quotaOf({ pods: '5' }))
    await cluster.settle()
    await cluster.change(resourceQuotas, 'q', (mine) => ((mine.status ??= {}).used = { pods: '1' }), { namespace: 'default', subresource: 'status' })
    await cluster.settle(5_000)
    expect(await usedIn(cluster)).toEqual({ pods: '1' })
    await cluster.settle(5_000)
    expect(await usedIn(cluster)).toEqual({ pods: '0' })
  })

  it('write nothing in a steady state', async () => {
    await using cluster = await open()
    await cluster.create(pods, pod('p', '100m'))
    await cluster.create(resourceQuotas, quotaOf({ pods: '5' }))
    await cluster.settle()
    await cluster.writes()
    await cluster.settle(600_000)
    expect(await cluster.writes()).toBe(0)
  })
})
