/** Claims get the volumes that fit, wait for those who make them, and volumes come to the end that their policy says. */
import { describe, expect, it } from 'vitest'
import { events } from '../../api/core/event.ts'
import { persistentVolumes } from '../../api/core/persistentvolume.ts'
import { persistentVolumeClaims } from '../../api/core/persistentvolumeclaim.ts'
import { pods } from '../../api/core/pod.ts'
import type { PersistentVolume, PersistentVolumeClaim } from '../../api/schema/types.ts'
import { storageClasses } from '../../api/storage/storageclass.ts'
import { testCluster, type TestCluster } from '../../../test/support/controllers.ts'
import { claimOf, classOf, volumeOf, waitingClass } from '../../../test/support/storage.ts'
import { persistentVolumeBinder } from './binder.ts'

async function open() {
  const cluster = await testCluster([persistentVolumeBinder], { rbac: true })
  return { ...cluster, [Symbol.asyncDispose]: () => cluster.stop() }
}

async function putVolume(cluster: TestCluster, ...volumes: readonly PersistentVolume[]): Promise<void> {
  for (const volume of volumes) await cluster.create(persistentVolumes, volume)
  await cluster.settle()
}

async function putClaim(cluster: TestCluster, ...claims: readonly PersistentVolumeClaim[]): Promise<void> {
  for (const claim of claims) await cluster.create(persistentVolumeClaims, claim)
  await cluster.settle()
}

const claim = async (cluster: TestCluster, name = 'c') => await cluster.get(persistentVolumeClaims, name, 'default')
const volume = async (cluster: TestCluster, name = 'v') => await cluster.get(persistentVolumes, name)
const phases = async (cluster: TestCluster) => ({ claim: (await claim(cluster))?.status?.phase, volume: (await volume(cluster))?.status?.phase })
const told = async (cluster: TestCluster) => (await cluster.list(events)).map((e) => [e.involvedObject.name, e.reason, e.message])

async function removeClaim(cluster: TestCluster, name = 'c'): Promise<void> {
  await cluster.client.delete(cluster.ctx, persistentVolumeClaims, { namespace: 'default', name })
  await cluster.settle()
}

describe('binding', () => {
  it('a volume and a claim refer to each other', async () => {
    await using cluster = await open()
    await putVolume(cluster, volumeOf('v', { capacity: { storage: '2Gi' } }))
    expect((await volume(cluster))?.status?.phase).toBe('Available')
    await putClaim(cluster, claimOf('c'))
    const [c, v] = [await claim(cluster), await volume(cluster)]
    expect(c?.spec?.volumeName).toBe('v')
    expect(c?.metadata.annotations).toEqual({ 'pv.kubernetes.io/bind-completed': 'yes', 'pv.kubernetes.io/bound-by-controller': 'yes' })
    expect(c?.status).toEqual({ phase: 'Bound', accessModes: ['ReadWriteOnce'], capacity: { storage: '2Gi' } })
    expect(v?.spec?.claimRef).toMatchObject({ kind: 'PersistentVolumeClaim', apiVersion: 'v1', namespace: 'default', name: 'c', uid: c?.metadata.uid })
    expect(v?.metadata.annotations).toEqual({ 'pv.kubernetes.io/bound-by-controller': 'yes' })
    expect(v?.status?.phase).toBe('Bound')
    await cluster.writes()
    await cluster.settle(60_000)
    expect(await cluster.writes()).toBe(0)
  })

  it('a claim that waits gets the volume that comes', async () => {
    await using cluster = await open()
    await putClaim(cluster, claimOf('c'))
    expect(await told(cluster)).toEqual([['c', 'FailedBinding', 'no persistent volumes available for this claim and no storage class is set']])
    await putVolume(cluster, volumeOf('v'))
    expect(await phases(cluster)).toEqual({ claim: 'Bound', volume: 'Bound' })
  })

  it('the smallest volume that is large enough, with the fewest access modes', async () => {
    await using cluster = await open()
    await putVolume(cluster, volumeOf('small'), volumeOf('wide', { capacity: { storage: '5Gi' }, accessModes: ['ReadWriteOnce', 'ReadOnlyMany'] }), volumeOf('huge', { capacity: { storage: '100Gi' } }), volumeOf('fits', { capacity: { storage: '6Gi' } }))
    await putClaim(cluster, claimOf('c', { resources: { requests: { storage: '5Gi' } } }))
    expect((await claim(cluster))?.spec?.volumeName).toBe('fits')
  })

  it('many claims get a volume each', async () => {
    await using cluster = await open()
    const names = Array.from({ length: 20 }, (_, i) => `n${i}`)
    await putVolume(cluster, ...names.map((name) => volumeOf(name)))
    await putClaim(cluster, ...names.map((name) => claimOf(name)))
    const got = (await cluster.list(persistentVolumeClaims)).map((c) => c.spec?.volumeName ?? '')
    expect(got.toSorted()).toEqual(names.toSorted())
  })

  it('a volume that the user kept for a claim, and no other', async () => {
    await using cluster = await open()
    await putVolume(cluster, volumeOf('free'), volumeOf('v', { claimRef: { namespace: 'default', name: 'c' } }))
    expect((await volume(cluster))?.status?.phase).toBe('Available')
    await putClaim(cluster, claimOf('c'))
    expect((await claim(cluster))?.spec?.volumeName).toBe('v')
    expect((await volume(cluster))?.metadata.annotations).toBeUndefined()
    expect((await volume(cluster, 'free'))?.status?.phase).toBe('Available')
  })

  it('the volume that the claim names, once it is there', async () => {
    await using cluster = await open()
    await putVolume(cluster, volumeOf('other'))
    await putClaim(cluster, claimOf('c', { volumeName: 'v' }))
    expect((await claim(cluster))?.status?.phase).toBe('Pending')
    await putVolume(cluster, volumeOf('v'))
    await cluster.settle(15_000)
    expect(await phases(cluster)).toEqual({ claim: 'Bound', volume: 'Bound' })
    expect((await claim(cluster))?.metadata.annotations).toEqual({ 'pv.kubernetes.io/bind-completed': 'yes' })
  })

  it.each([
    [{ capacity: { storage: '1Mi' } }, 'requested PV is too small'],
    [{ storageClassName: 'gold' }, 'storageClassName does not match'],
    [{ volumeMode: 'Block' }, 'incompatible volumeMode'],
    [{ accessModes: ['ReadOnlyMany'] }, 'incompatible accessMode'],
  ])('a named volume of %j is not for the claim', async (spec, why) => {
    await using cluster = await open()
    await putVolume(cluster, volumeOf('v', spec))
    await putClaim(cluster, claimOf('c', { volumeName: 'v' }))
    expect(await told(cluster)).toEqual([['c', 'VolumeMismatch', `Cannot bind to requested volume "v": ${why}`]])
    expect(await phases(cluster)).toEqual({ claim: 'Pending', volume: 'Available' })
  })

  it('a volume that somebody else has', async () => {
    await using cluster = await open()
    await putVolume(cluster, volumeOf('v'))
    await putClaim(cluster, claimOf('first'), claimOf('c', { volumeName: 'v' }))
    expect(await told(cluster)).toEqual([['c', 'FailedBinding', 'volume "v" already bound to a different claim.']])
  })
})

describe('classes', () => {
  it('an external provisioner is asked', async () => {
    await using cluster = await open()
    await cluster.create(storageClasses, classOf('fast'))
    await putClaim(cluster, claimOf('c', { storageClassName: 'fast' }))
    const c = await claim(cluster)
    expect(c?.metadata.annotations).toEqual({ 'volume.kubernetes.io/storage-provisioner': 'disks.example.com', 'volume.beta.kubernetes.io/storage-provisioner': 'disks.example.com' })
    expect((await told(cluster)).map(([, reason]) => reason)).toEqual(['ExternalProvisioning'])
    // what an external provisioner makes
    await putVolume(cluster, volumeOf('v', { storageClassName: 'fast', csi: { driver: 'disks.example.com', volumeHandle: 'h' }, persistentVolumeReclaimPolicy: 'Delete', claimRef: { namespace: 'default', name: 'c', uid: c?.metadata.uid ?? '' } }))
    expect(await phases(cluster)).toEqual({ claim: 'Bound', volume: 'Bound' })
  })

  it.each([
    ['kubernetes.io/no-provisioner', 'no volume plugin matched name: kubernetes.io/no-provisioner'],
    [undefined, 'storageclass.storage.k8s.io "fast" not found'],
  ])('nobody makes volumes for a class of %s', async (provisioner, message) => {
    await using cluster = await open()
    if (provisioner !== undefined) await cluster.create(storageClasses, classOf('fast', { provisioner }))
    await putClaim(cluster, claimOf('c', { storageClassName: 'fast' }))
    expect(await told(cluster)).toEqual([['c', 'ProvisioningFailed', message]])
  })

  it('a class that became the default is given to claims that named none', async () => {
    await using cluster = await open()
    await putClaim(cluster, claimOf('c'), claimOf('none', { storageClassName: '' }))
    await cluster.create(storageClasses, classOf('fast', { metadata: { name: 'fast', annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } } }))
    await cluster.settle()
    expect((await claim(cluster))?.spec?.storageClassName).toBe('fast')
    expect((await claim(cluster, 'none'))?.spec?.storageClassName).toBe('')
  })

  it('a claim waits for a pod, and for its node', async () => {
    await using cluster = await open()
    await cluster.create(storageClasses, waitingClass('local', { provisioner: 'kubernetes.io/no-provisioner' }))
    await putVolume(cluster, volumeOf('v', { storageClassName: 'local' }))
    await putClaim(cluster, claimOf('c', { storageClassName: 'local' }))
    expect(await phases(cluster)).toEqual({ claim: 'Pending', volume: 'Available' })
    await cluster.create(pods, { metadata: { name: 'p', namespace: 'default' }, spec: { containers: [{ name: 'c', image: 'i' }], volumes: [{ name: 'd', persistentVolumeClaim: { claimName: 'c' } }] } })
    await cluster.settle(15_000)
    expect(await told(cluster)).toEqual([
      ['c', 'WaitForFirstConsumer', 'waiting for first consumer to be created before binding'],
      ['c', 'WaitForPodScheduled', 'waiting for pod p to be scheduled'],
    ])
    // what a scheduler writes
    await cluster.change(persistentVolumes, 'v', (mine) => {
      mine.spec = { ...mine.spec, claimRef: { kind: 'PersistentVolumeClaim', namespace: 'default', name: 'c' } }
    })
    await cluster.settle()
    expect(await phases(cluster)).toEqual({ claim: 'Bound', volume: 'Bound' })
  })

  it('a claim with a selected node is provisioned', async () => {
    await using cluster = await open()
    await cluster.create(storageClasses, waitingClass('fast'))
    await putClaim(cluster, claimOf('c', { storageClassName: 'fast' }, { annotations: { 'volume.kubernetes.io/selected-node': 'n' } }))
    expect((await claim(cluster))?.metadata.annotations?.['volume.kubernetes.io/storage-provisioner']).toBe('disks.example.com')
  })
})

describe('the end', () => {
  it.each([
    ['Retain', {}, 'Released', []],
    ['Delete', { csi: { driver: 'd.example.com', volumeHandle: 'h' } }, 'Released', []],
    ['Delete', {}, 'Failed', [['v', 'VolumeFailedDelete', 'host_path deleter only supports /tmp/.+ but received provided /data/v']]],
    ['Delete', { nfs: { server: 's', path: '/' } }, 'Failed', [['v', 'VolumeFailedDelete', 'error getting deleter volume plugin for volume "v": no deletable volume plugin matched']]],
    ['Recycle', {}, 'Failed', [['v', 'VolumeFailedRecycle', 'No recycler plugin found for the volume!']]],
  ])('%s of a volume %j', async (persistentVolumeReclaimPolicy, source, phase, want) => {
    await using cluster = await open()
    await putVolume(cluster, volumeOf('v', { ...source, persistentVolumeReclaimPolicy }))
    await putClaim(cluster, claimOf('c'))
    await removeClaim(cluster)
    expect((await volume(cluster))?.status?.phase).toBe(phase)
    expect(await told(cluster)).toEqual(want)
    // nobody gets what is on it
    await putClaim(cluster, claimOf('c'))
    expect((await claim(cluster))?.status?.phase).toBe('Pending')
  })

  it('a claim whose volume has gone is lost', async () => {
    await using cluster = await open()
    await putVolume(cluster, volumeOf('v'))
    await putClaim(cluster, claimOf('c'))
    await cluster.client.delete(cluster.ctx, persistentVolumes, { namespace: '', name: 'v' })
    await cluster.settle()
    expect((await claim(cluster))?.status).toEqual({ phase: 'Lost' })
    expect(await told(cluster)).toEqual([['c', 'ClaimLost', 'Bound claim has lost its PersistentVolume. Data on the volume is lost!']])
  })

  it('a volume that was kept for a claim that got another one is free again', async () => {
    await using cluster = await open()
    await putVolume(cluster, volumeOf('v'))
    await putClaim(cluster, claimOf('c'))
    const uid = (await claim(cluster))?.metadata.uid ?? ''
    await putVolume(cluster, volumeOf('w', { claimRef: { namespace: 'default', name: 'c', uid } }, { annotations: { 'pv.kubernetes.io/bound-by-controller': 'yes' } }))
    expect((await volume(cluster, 'w'))?.spec?.claimRef).toBeUndefined()
    expect((await volume(cluster, 'w'))?.status?.phase).toBe('Available')
  })
})
