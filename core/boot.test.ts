/** What a cluster has from its first moment; the class of local volumes comes once and is the user's then. */
import { expect, it } from 'vitest'
import { storageClasses } from './api/storage/storageclass.ts'
import { testApi } from '../test/support/api.ts'
import { waitingClass } from '../test/support/storage.ts'
import { bootObjects } from './boot.ts'

const config = { serviceCidr: '10.43.0.0/16', clusterDns: '10.43.0.10' }

async function open() {
  const api = await testApi()
  return {
    ...api,
    boot: (localStorage = true) => bootObjects(api.ctx, api.client, { ...config, localStorage }),
    classes: async () => (await api.list(storageClasses)).map(({ metadata }) => [metadata.name, metadata.annotations?.['storageclass.kubernetes.io/is-default-class']]),
    [Symbol.asyncDispose]: () => api.stop(),
  }
}

it('a class for local volumes is the default', async () => {
  await using cluster = await open()
  await cluster.boot()
  expect(await cluster.get(storageClasses, 'local-path')).toMatchObject({
    metadata: { annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
    provisioner: 'kubun.io/local-path', volumeBindingMode: 'WaitForFirstConsumer', reclaimPolicy: 'Delete', allowVolumeExpansion: false,
  })
})

it('who deletes the class does not get it back', async () => {
  await using cluster = await open()
  await cluster.boot()
  await cluster.client.delete(cluster.ctx, storageClasses, { namespace: '', name: 'local-path' })
  await cluster.boot()
  expect(await cluster.classes()).toEqual([])
})

it('what the user changed of the class stays', async () => {
  await using cluster = await open()
  await cluster.boot()
  await cluster.change(storageClasses, 'local-path', ({ metadata }) => (metadata.annotations = { 'storageclass.kubernetes.io/is-default-class': 'false' }))
  await cluster.boot()
  expect(await cluster.classes()).toEqual([['local-path', 'false']])
})

it('a cluster that has a default keeps it', async () => {
  await using cluster = await open()
  await cluster.create(storageClasses, waitingClass('fast', { metadata: { name: 'fast', annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } } }))
  await cluster.boot()
  expect(await cluster.classes()).toEqual([['fast', 'true'], ['local-path', undefined]])
})

it('where local storage is off there is no class, and one once it is on', async () => {
  await using cluster = await open()
  await cluster.boot(false)
  expect(await cluster.classes()).toEqual([])
  await cluster.boot()
  expect(await cluster.classes()).toEqual([['local-path', 'true']])
})
