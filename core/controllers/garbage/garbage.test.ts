import { afterEach, describe, expect, it } from 'vitest'
import { configMaps } from '../../api/core/configmap.ts'
import { namespaces } from '../../api/core/namespace.ts'
import { pods } from '../../api/core/pod.ts'
import { secrets } from '../../api/core/secret.ts'
import type { KubeObject } from '../../api/meta.ts'
import type { ConfigMap, OwnerReference } from '../../api/schema/types.ts'
import { testCluster, type TestCluster } from '../../../test/support/controllers.ts'
import { namespaceController } from '../namespace.ts'
import { garbageCollector } from './garbage.ts'

let cluster: TestCluster
afterEach(() => cluster.stop())

const map = (name: string, owners: OwnerReference[] = [], more: Partial<ConfigMap['metadata']> = {}): ConfigMap => ({
  metadata: { name, namespace: 'default', ...(owners.length === 0 ? {} : { ownerReferences: owners }), ...more },
})
const owner = (o: Readonly<KubeObject>, blockOwnerDeletion = true): OwnerReference => ({ apiVersion: 'v1', kind: 'ConfigMap', name: o.metadata.name ?? '', uid: o.metadata.uid ?? '', blockOwnerDeletion })
const names = async (): Promise<string[]> => (await cluster.list(configMaps)).map((m) => m.metadata.name ?? '').sort()
const remove = (name: string, propagationPolicy: string) => cluster.client.delete(cluster.ctx, configMaps, { namespace: 'default', name }, { propagationPolicy })

describe('garbage collector', () => {
  it('deletes what has lost its last owner, down the whole tree, and keeps what another one holds', async () => {
    cluster = await testCluster([garbageCollector])
    const a = await cluster.create(configMaps, map('a'))
    const other = await cluster.create(configMaps, map('other'))
    const b = await cluster.create(configMaps, map('b', [owner(a)]))
    await cluster.create(configMaps, map('c', [owner(b)]))
    await cluster.create(configMaps, map('shared', [owner(a), owner(other)]))
    await cluster.settle()
    expect(await names()).toEqual(['a', 'b', 'c', 'other', 'shared'])
    await remove('a', 'Background')
    await cluster.settle()
    expect(await names()).toEqual(['other', 'shared'])
    expect((await cluster.get(configMaps, 'shared'))?.metadata.ownerReferences?.map((o) => o.name)).toEqual(['other'])
    await cluster.writes()
    await cluster.settle(1_500_000)
    expect(await cluster.writes()).toBe(0)
  })

  it('deletes what names an owner that never was, but not under a kind that is not served', async () => {
    cluster = await testCluster([garbageCollector])
    await cluster.create(configMaps, map('ghost', [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'x', uid: '1' }]))
    await cluster.create(configMaps, map('stranger', [{ apiVersion: 'example.com/v1', kind: 'X', name: 'x', uid: '1' }]))
    await cluster.settle()
    expect(await names()).toEqual(['stranger'])
  })

  it('in the foreground lets the owner go last', async () => {
    cluster = await testCluster([garbageCollector])
    const a = await cluster.create(configMaps, map('a'))
    await cluster.create(configMaps, map('b', [owner(a)], { finalizers: ['example.com/wait'] }))
    await cluster.create(configMaps, map('c', [owner(a)]))
    await cluster.settle()
    await remove('a', 'Foreground')
    await cluster.settle()
    expect(await names()).toEqual(['a', 'b'])
    await cluster.change(configMaps, 'b', (mine) => delete mine.metadata.finalizers)
    await cluster.settle()
    expect(await names()).toEqual([])
  })

  it('orphans: the dependents stay, without the owner', async () => {
    cluster = await testCluster([garbageCollector])
    const a = await cluster.create(configMaps, map('a'))
    await cluster.create(configMaps, map('b', [owner(a)]))
    await cluster.settle()
    await remove('a', 'Orphan')
    await cluster.settle()
    expect(await names()).toEqual(['b'])
    expect((await cluster.get(configMaps, 'b'))?.metadata.ownerReferences).toBeUndefined()
  })
})

describe('namespace controller', () => {
  it('empties a namespace and lets it go', async () => {
    cluster = await testCluster([namespaceController])
    await cluster.create(namespaces, { metadata: { name: 'old' }, spec: { finalizers: ['kubernetes'] } })
    await cluster.create(pods, { metadata: { name: 'p', namespace: 'old' }, spec: { nodeName: 'n', containers: [{ name: 'c', image: 'i' }] } })
    await cluster.create(secrets, { metadata: { name: 's', namespace: 'old' } })
    await cluster.create(configMaps, map('m'))
    await cluster.settle()
    await cluster.client.delete(cluster.ctx, namespaces, { namespace: '', name: 'old' })
    await cluster.settle(60_000)
    expect([await cluster.get(namespaces, 'old'), (await cluster.list(secrets)).length, await names()]).toEqual([undefined, 0, ['m']])
  })

  it('says what holds it up', async () => {
    cluster = await testCluster([namespaceController])
    await cluster.create(namespaces, { metadata: { name: 'old' }, spec: { finalizers: ['kubernetes'] } })
    await cluster.create(configMaps, { metadata: { name: 'm', namespace: 'old', finalizers: ['example.com/wait'] } })
    await cluster.settle()
    await cluster.client.delete(cluster.ctx, namespaces, { namespace: '', name: 'old' })
    await cluster.settle(1_000)
    const { status } = (await cluster.get(namespaces, 'old')) ?? {}
    expect(status?.phase).toBe('Terminating')
    expect(status?.conditions?.filter((c) => c.status === 'True').map((c) => c.message)).toEqual([
      'Some resources are remaining: configmaps. has 1 resource instances',
      'Some content in the namespace has finalizers remaining: example.com/wait in 1 resource instances',
    ])
    await cluster.change(configMaps, 'm', (mine) => delete mine.metadata.finalizers, { namespace: 'old' })
    await cluster.settle(60_000)
    expect(await cluster.get(namespaces, 'old')).toBeUndefined()
  })
})
