/** Those who look after objects of all kinds look after those of custom kinds, too, from when they come until they go. */
import { afterEach, describe, expect, it } from 'vitest'
import { customResourceDefinitions } from '../api/apiextensions/customresourcedefinition.ts'
import { configMaps } from '../api/core/configmap.ts'
import { namespaces } from '../api/core/namespace.ts'
import { resourceQuotas } from '../api/core/resourcequota.ts'
import type { KindRef } from '../api/kind.ts'
import type { AnyObject } from '../api/meta.ts'
import type { ConfigMap, CustomResourceDefinition, OwnerReference } from '../api/schema/types.ts'
import { testCluster, type TestCluster } from '../../test/support/controllers.ts'
import { definitionCleanup } from './crd/cleanup.ts'
import { definitionRegistration } from './crd/registration.ts'
import { garbageCollector } from './garbage/garbage.ts'
import { namespaceController } from './namespace.ts'
import { resourceQuotaController } from './resourcequota.ts'

let cluster: TestCluster
afterEach(() => cluster.stop())

const group = 'stable.example.com'
const cronTabs: KindRef<AnyObject> = { group, version: 'v1', kind: 'CronTab', plural: 'crontabs', namespaced: true }
const version = (name: string, more: object = {}) => ({ name, served: true, storage: name === 'v1', schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } }, ...more })
const definition = (...versions: object[]): CustomResourceDefinition =>
  ({ metadata: { name: `crontabs.${group}` }, spec: { group, scope: 'Namespaced', names: { plural: 'crontabs', kind: 'CronTab' }, versions } }) as unknown as CustomResourceDefinition
const cron = (name: string, more: object = {}, namespace = 'default'): AnyObject => ({ apiVersion: `${group}/v1`, kind: 'CronTab', metadata: { name, namespace, ...more } })
const ownedBy = ({ metadata }: Readonly<AnyObject>): OwnerReference[] => [{ apiVersion: `${group}/v1`, kind: 'CronTab', name: metadata.name ?? '', uid: metadata.uid ?? '' }]
const map = (name: string, ownerReferences: OwnerReference[]): ConfigMap => ({ metadata: { name, namespace: 'default', ownerReferences } })
const definitions = [definitionRegistration, definitionCleanup]

async function serve(...versions: object[]): Promise<void> {
  await cluster.create(customResourceDefinitions, definition(...(versions.length === 0 ? [version('v1')] : versions)))
  await cluster.settle()
}

describe('custom kinds', () => {
  it('own and are owned: what has lost its owner goes', async () => {
    cluster = await testCluster([...definitions, garbageCollector])
    await serve(version('v1'), version('v2'))
    const owner = await cluster.create(cronTabs, cron('owner'))
    const child = await cluster.create(cronTabs, cron('child', { ownerReferences: ownedBy(owner) }))
    await cluster.create(configMaps, map('grandchild', ownedBy(child)))
    await cluster.settle()
    await cluster.client.delete(cluster.ctx, cronTabs, { namespace: 'default', name: 'owner' }, { propagationPolicy: 'Background' })
    await cluster.settle(1_000)
    expect([(await cluster.list(cronTabs)).length, (await cluster.list(configMaps)).length]).toEqual([0, 0])
  })

  it('wait for their dependents when they are deleted in the foreground', async () => {
    cluster = await testCluster([...definitions, garbageCollector])
    await serve()
    const owner = await cluster.create(cronTabs, cron('owner'))
    await cluster.create(cronTabs, cron('child', { ownerReferences: ownedBy(owner).map((each) => ({ ...each, blockOwnerDeletion: true })), finalizers: ['example.com/wait'] }))
    await cluster.client.delete(cluster.ctx, cronTabs, { namespace: 'default', name: 'owner' }, { propagationPolicy: 'Foreground' })
    await cluster.settle(1_000)
    expect((await cluster.get(cronTabs, 'owner'))?.metadata.finalizers).toEqual(['foregroundDeletion'])
    await cluster.change(cronTabs, 'child', (mine) => delete mine.metadata.finalizers)
    await cluster.settle(1_000)
    expect((await cluster.list(cronTabs)).length).toBe(0)
  })

  it('are collected again when they come back', async () => {
    cluster = await testCluster([...definitions, garbageCollector])
    for (let i = 0; i < 2; i++) {
      await serve()
      const owner = await cluster.create(cronTabs, cron('owner'))
      await cluster.create(configMaps, map('child', ownedBy(owner)))
      await cluster.client.delete(cluster.ctx, cronTabs, { namespace: 'default', name: 'owner' }, { propagationPolicy: 'Background' })
      await cluster.settle(1_000)
      expect((await cluster.list(configMaps)).length).toBe(0)
      await cluster.client.delete(cluster.ctx, customResourceDefinitions, { namespace: '', name: `crontabs.${group}` })
      await cluster.settle(1_000)
      expect(await cluster.get(customResourceDefinitions, `crontabs.${group}`)).toBeUndefined()
    }
  })

  it('go with their namespace', async () => {
    cluster = await testCluster([...definitions, namespaceController])
    await serve(version('v1', { storage: false }), version('v2', { storage: true }))
    await cluster.create(namespaces, { metadata: { name: 'old' }, spec: { finalizers: ['kubernetes'] } })
    await cluster.create(cronTabs, cron('a', {}, 'old'))
    await cluster.client.delete(cluster.ctx, namespaces, { namespace: '', name: 'old' })
    await cluster.settle(1_000)
    expect([await cluster.get(namespaces, 'old'), (await cluster.list(cronTabs, 'old')).length]).toEqual([undefined, 0])
  })

  it('are counted by quotas', async () => {
    cluster = await testCluster([...definitions, resourceQuotaController])
    await serve()
    await cluster.create(resourceQuotas, { metadata: { name: 'q', namespace: 'default' }, spec: { hard: { [`count/crontabs.${group}`]: '5' } } })
    await cluster.create(cronTabs, cron('a'))
    await cluster.create(cronTabs, cron('b'))
    await cluster.settle(400_000)
    expect((await cluster.get(resourceQuotas, 'q'))?.status?.used).toEqual({ [`count/crontabs.${group}`]: '2' })
  })

  it('take their objects along even when no version is served any more', async () => {
    cluster = await testCluster([...definitions])
    await serve()
    await cluster.create(cronTabs, cron('a'))
    await cluster.change(customResourceDefinitions, `crontabs.${group}`, (mine) => (mine.spec.versions = [version('v1', { served: false })] as never))
    await cluster.client.delete(cluster.ctx, customResourceDefinitions, { namespace: '', name: `crontabs.${group}` })
    await cluster.settle(60_000)
    expect(await cluster.get(customResourceDefinitions, `crontabs.${group}`)).toBeUndefined()
    await serve()
    expect((await cluster.list(cronTabs)).length).toBe(0)
  })
})
