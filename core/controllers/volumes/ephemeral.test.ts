/** A pod's own volumes get claims, and nobody else's claims. */
import { expect, it } from 'vitest'
import { events } from '../../api/core/event.ts'
import { persistentVolumeClaims } from '../../api/core/persistentvolumeclaim.ts'
import { pods } from '../../api/core/pod.ts'
import type { Pod } from '../../api/schema/types.ts'
import { testCluster } from '../../../test/support/controllers.ts'
import { claimOf } from '../../../test/support/storage.ts'
import { ephemeralVolumeController } from './ephemeral.ts'

async function open() {
  const cluster = await testCluster([ephemeralVolumeController], { rbac: true })
  return { ...cluster, [Symbol.asyncDispose]: () => cluster.stop() }
}

const pod: Pod = {
  metadata: { name: 'p', namespace: 'default' },
  spec: {
    containers: [{ name: 'c', image: 'i' }],
    volumes: [{ name: 'scratch', ephemeral: { volumeClaimTemplate: { metadata: { labels: { of: 'p' } }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } } } }],
  },
}

it('a claim that the pod owns, and another one when it is taken away', async () => {
  await using cluster = await open()
  const { metadata } = await cluster.create(pods, pod)
  await cluster.settle()
  const claim = await cluster.get(persistentVolumeClaims, 'p-scratch')
  expect(claim?.metadata.ownerReferences).toEqual([{ apiVersion: 'v1', kind: 'Pod', name: 'p', uid: metadata.uid, controller: true, blockOwnerDeletion: true }])
  expect(claim?.metadata.labels).toEqual({ of: 'p' })
  expect(claim?.spec?.resources?.requests).toEqual({ storage: '1Gi' })
  await cluster.client.delete(cluster.ctx, persistentVolumeClaims, { namespace: 'default', name: 'p-scratch' })
  await cluster.settle()
  expect(await cluster.get(persistentVolumeClaims, 'p-scratch')).toBeDefined()
})

it("not somebody else's claim", async () => {
  await using cluster = await open()
  await cluster.create(persistentVolumeClaims, claimOf('p-scratch'))
  await cluster.create(pods, pod)
  await cluster.settle()
  expect((await cluster.get(persistentVolumeClaims, 'p-scratch'))?.metadata.ownerReferences).toBeUndefined()
  const [event] = await cluster.list(events)
  expect([event?.reason, event?.message]).toEqual(['FailedBinding', 'ephemeral volume scratch: PVC default/p-scratch was not created for pod default/p (pod is not owner)'])
})
