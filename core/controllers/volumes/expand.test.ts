/** A claim that asks for more hears who is to give it. */
import { expect, it } from 'vitest'
import { events } from '../../api/core/event.ts'
import { persistentVolumes } from '../../api/core/persistentvolume.ts'
import { persistentVolumeClaims } from '../../api/core/persistentvolumeclaim.ts'
import type { PersistentVolumeSpec } from '../../api/schema/types.ts'
import { storageClasses } from '../../api/storage/storageclass.ts'
import { testCluster } from '../../../test/support/controllers.ts'
import { claimOf, classOf, volumeOf } from '../../../test/support/storage.ts'
import { persistentVolumeBinder } from './binder.ts'
import { expandController } from './expand.ts'

it.each<readonly [string, Partial<PersistentVolumeSpec>, string, string | undefined]>([
  ['a driver', { csi: { driver: 'd.example.com', volumeHandle: 'h' } }, 'waiting for an external controller to expand this PVC', undefined],
  ['a driver that took over', { awsElasticBlockStore: { volumeID: 'v' } }, 'CSI migration enabled for kubernetes.io/aws-ebs; waiting for external resizer to expand the pvc', 'ebs.csi.aws.com'],
])('%s', async (_, source, message, resizer) => {
  const cluster = await testCluster([persistentVolumeBinder, expandController], { rbac: true })
  try {
    await cluster.create(storageClasses, classOf('fast', { allowVolumeExpansion: true }))
    await cluster.create(persistentVolumes, volumeOf('v', { storageClassName: 'fast', ...source }))
    await cluster.create(persistentVolumeClaims, claimOf('c', { storageClassName: 'fast' }))
    await cluster.settle()
    expect(await cluster.list(events)).toEqual([])
    await cluster.change(persistentVolumeClaims, 'c', (mine) => (mine.spec = { ...mine.spec, resources: { requests: { storage: '2Gi' } } }))
    await cluster.settle()
    expect((await cluster.list(events)).map((e) => [e.reason, e.message])).toEqual([['ExternalExpanding', message]])
    expect((await cluster.get(persistentVolumeClaims, 'c'))?.metadata.annotations?.['volume.kubernetes.io/storage-resizer']).toBe(resizer)
  } finally {
    await cluster.stop()
  }
})
