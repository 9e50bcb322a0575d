/** Volumes are attached where pods have them, told in node status, and detached once no node has them mounted. */
import { describe, expect, it } from 'vitest'
import { events } from '../../api/core/event.ts'
import { nodes } from '../../api/core/node.ts'
import { persistentVolumes } from '../../api/core/persistentvolume.ts'
import { persistentVolumeClaims } from '../../api/core/persistentvolumeclaim.ts'
import { pods } from '../../api/core/pod.ts'
import { csiDrivers } from '../../api/storage/csidriver.ts'
import { volumeAttachments } from '../../api/storage/volumeattachment.ts'
import { testCluster, type TestCluster } from '../../../test/support/controllers.ts'
import { claimOf, volumeOf } from '../../../test/support/storage.ts'
import { attachDetachController } from './attach.ts'
import { attachmentName } from './attachplan.ts'
import { persistentVolumeBinder } from './binder.ts'

const unique = 'kubernetes.io/csi/disks.example.com^h'

async function open(accessModes: string[] = ['ReadWriteOnce']) {
  const cluster = await testCluster([persistentVolumeBinder, attachDetachController], { rbac: true })
  for (const name of ['a', 'b']) {
    await cluster.create(nodes, { metadata: { name, annotations: { 'volumes.kubernetes.io/controller-managed-attach-detach': 'true' } }, status: { conditions: [{ type: 'Ready', status: 'True' }] } })
  }
  await cluster.create(persistentVolumes, volumeOf('v', { accessModes, csi: { driver: 'disks.example.com', volumeHandle: 'h' } }))
  await cluster.create(persistentVolumeClaims, claimOf('c', { accessModes }))
  await cluster.settle()
  return { ...cluster, [Symbol.asyncDispose]: () => cluster.stop() }
}

async function putPod(cluster: TestCluster, name: string, nodeName: string): Promise<void> {
  await cluster.create(pods, { metadata: { name, namespace: 'default' }, spec: { nodeName, containers: [{ name: 'c', image: 'i' }], volumes: [{ name: 'd', persistentVolumeClaim: { claimName: 'c' } }] } })
  await cluster.settle()
}

async function removePod(cluster: TestCluster, name: string): Promise<void> {
  await cluster.client.delete(cluster.ctx, pods, { namespace: 'default', name }, { gracePeriodSeconds: 0 })
  await cluster.settle()
}

/** What an attacher says. */
async function attached(cluster: TestCluster, node: string): Promise<void> {
  await cluster.change(volumeAttachments, attachmentName(unique, node) ?? '', (mine) => (mine.status = { attached: true }), { subresource: 'status' })
  await cluster.settle()
}

/** What a kubelet says. */
async function inUse(cluster: TestCluster, node: string, ...volumesInUse: string[]): Promise<void> {
  await cluster.change(nodes, node, (mine) => (mine.status = { ...mine.status, volumesInUse }), { subresource: 'status' })
  await cluster.settle()
}

async function notReady(cluster: TestCluster, node: string): Promise<void> {
  await cluster.change(nodes, node, (mine) => (mine.status = { ...mine.status, conditions: [{ type: 'Ready', status: 'Unknown' }] }), { subresource: 'status' })
  await cluster.settle()
}

const where = async (cluster: TestCluster) => (await cluster.list(volumeAttachments)).map((each) => each.spec.nodeName).toSorted()
const reported = async (cluster: TestCluster, node: string) => (await cluster.get(nodes, node))?.status?.volumesAttached?.map(({ name }) => name) ?? []
const told = async (cluster: TestCluster) => (await cluster.list(events)).filter((e) => e.involvedObject.kind === 'Pod').map((e) => [e.involvedObject.name, e.reason, e.message])

describe('attach', () => {
  it('to the node of the pod, and tells the kubelet once it is done', async () => {
    await using cluster = await open()
    await putPod(cluster, 'p', 'a')
    const [attachment] = await cluster.list(volumeAttachments)
    expect(attachment?.metadata.name).toBe('csi-3ae17322d7a99509cba8b1821876374d0ab589fc4a8cb20777009761b4612254')
    expect(attachment?.spec).toEqual({ attacher: 'disks.example.com', nodeName: 'a', source: { persistentVolumeName: 'v' } })
    expect(await reported(cluster, 'a')).toEqual([])
    await attached(cluster, 'a')
    expect(await reported(cluster, 'a')).toEqual([unique])
    expect(await told(cluster)).toEqual([['p', 'SuccessfulAttachVolume', 'AttachVolume.Attach succeeded for volume "v" ']])
  })

  it('not to a node whose kubelet does it', async () => {
    await using cluster = await open()
    await cluster.change(nodes, 'a', (mine) => (mine.metadata.annotations = {}))
    await putPod(cluster, 'p', 'a')
    expect(await where(cluster)).toEqual([])
  })

  it('not for a driver that needs none', async () => {
    await using cluster = await open()
    await cluster.create(csiDrivers, { metadata: { name: 'disks.example.com' }, spec: { attachRequired: false } })
    await putPod(cluster, 'p', 'a')
    expect(await where(cluster)).toEqual([])
  })

  it('tells what an attacher could not do, and that there is none', async () => {
    await using cluster = await open()
    await putPod(cluster, 'p', 'a')
    await cluster.settle(120_000)
    await cluster.change(volumeAttachments, attachmentName(unique, 'a') ?? '', (mine) => (mine.status = { attached: false, attachError: { message: 'no such disk' } }), { subresource: 'status' })
    await cluster.settle()
    expect(await told(cluster)).toEqual([
      ['p', 'FailedAttachVolume', 'AttachVolume.Attach failed for volume "v" : timed out waiting for external-attacher of disks.example.com CSI driver to attach volume h'],
      ['p', 'FailedAttachVolume', 'AttachVolume.Attach failed for volume "v" : no such disk'],
    ])
  })

  it.each([
    [['ReadWriteOnce'], ['a'], [['q', 'FailedAttachVolume', 'Multi-Attach error for volume "v" Volume is already used by pod(s) p']]],
    [['ReadWriteMany'], ['a', 'b'], []],
  ])('a volume of %j on a second node', async (modes, want, said) => {
    await using cluster = await open(modes)
    await putPod(cluster, 'p', 'a')
    await attached(cluster, 'a')
    await putPod(cluster, 'q', 'b')
    expect(await where(cluster)).toEqual(want)
    expect((await told(cluster)).filter(([name]) => name === 'q')).toEqual(said)
  })
})

describe('detach', () => {
  it('once the node has unmounted it; then the next node has it', async () => {
    await using cluster = await open()
    await putPod(cluster, 'p', 'a')
    await attached(cluster, 'a')
    await inUse(cluster, 'a', unique)
    await putPod(cluster, 'q', 'b')
    await removePod(cluster, 'p')
    expect(await where(cluster)).toEqual(['a'])
    await inUse(cluster, 'a')
    expect(await reported(cluster, 'a')).toEqual([])
    expect(await where(cluster)).toEqual(['b'])
  })

  it('by force from a node that is silent, after six minutes', async () => {
    await using cluster = await open()
    await putPod(cluster, 'p', 'a')
    await attached(cluster, 'a')
    await inUse(cluster, 'a', unique)
    await removePod(cluster, 'p')
    await cluster.settle(360_000)
    expect(await where(cluster)).toEqual(['a'])
    await notReady(cluster, 'a')
    expect(await where(cluster)).toEqual([])
  })

  it('at once from a node that is out of service', async () => {
    await using cluster = await open()
    await putPod(cluster, 'p', 'a')
    await attached(cluster, 'a')
    await inUse(cluster, 'a', unique)
    await removePod(cluster, 'p')
    await cluster.change(nodes, 'a', (mine) => (mine.spec = { taints: [{ key: 'node.kubernetes.io/out-of-service', effect: 'NoExecute' }] }))
    await cluster.settle()
    expect(await where(cluster)).toEqual([])
  })

  it('from a node that is gone, once what it had mounted is past', async () => {
    await using cluster = await open()
    await putPod(cluster, 'p', 'a')
    await attached(cluster, 'a')
    await inUse(cluster, 'a', unique)
    await cluster.client.delete(cluster.ctx, nodes, { namespace: '', name: 'a' })
    await cluster.settle()
    expect(await where(cluster)).toEqual(['a'])
    await cluster.settle(360_000)
    expect(await where(cluster)).toEqual([])
  })

  it('nothing that others attached', async () => {
    await using cluster = await open()
    await cluster.create(volumeAttachments, { metadata: { name: 'mine' }, spec: { attacher: 'disks.example.com', nodeName: 'a', source: { persistentVolumeName: 'v' } } })
    await cluster.settle(600_000)
    expect(await where(cluster)).toEqual(['a'])
  })
})
