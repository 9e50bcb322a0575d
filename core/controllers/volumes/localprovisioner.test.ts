/** Claims get volumes on the node that was chosen for them; what nobody has any more goes where its policy says so. */
import { describe, expect, it } from 'vitest'
import { events } from '../../api/core/event.ts'
import { nodes } from '../../api/core/node.ts'
import { persistentVolumes } from '../../api/core/persistentvolume.ts'
import { persistentVolumeClaims } from '../../api/core/persistentvolumeclaim.ts'
import type { PersistentVolume, PersistentVolumeClaimSpec, StorageClass } from '../../api/schema/types.ts'
import { storageClasses } from '../../api/storage/storageclass.ts'
import { testCluster, type TestCluster } from '../../../test/support/controllers.ts'
import { claimOf, waitingClass } from '../../../test/support/storage.ts'
import { volumeProtection } from '../protection.ts'
import { persistentVolumeBinder } from './binder.ts'
import { localProvisioner } from './localprovisioner.ts'
import { nodeGraceMs } from './localvolume.ts'

const root = '/var/lib/kubun/storage'

async function open(of: Partial<StorageClass> = {}) {
  const cluster = await testCluster([persistentVolumeBinder, volumeProtection, localProvisioner], { rbac: true })
  await cluster.create(storageClasses, waitingClass('local', { provisioner: 'kubun.io/local-path', ...of }))
  return { ...cluster, [Symbol.asyncDispose]: () => cluster.stop() }
}

async function putNode(cluster: TestCluster, annotations: Record<string, string> = { 'kubun.io/local-storage-path': root }): Promise<void> {
  await cluster.create(nodes, { metadata: { name: 'n1', labels: { 'kubernetes.io/hostname': 'host1' }, annotations }, spec: {} })
  await cluster.settle()
}

async function putClaim(cluster: TestCluster, spec: Partial<PersistentVolumeClaimSpec> = {}): Promise<void> {
  await cluster.create(persistentVolumeClaims, claimOf('c', { storageClassName: 'local', ...spec }))
  await cluster.settle()
}

/** As the scheduler does. */
async function select(cluster: TestCluster, node = 'n1'): Promise<void> {
  await cluster.change(persistentVolumeClaims, 'c', ({ metadata }) => (metadata.annotations = { ...metadata.annotations, 'volume.kubernetes.io/selected-node': node }))
  await cluster.settle()
}

async function bound(of: Partial<StorageClass> = {}) {
  const cluster = await open(of)
  await putNode(cluster)
  await putClaim(cluster)
  await select(cluster)
  return cluster
}

async function letGo(cluster: TestCluster): Promise<void> {
  await cluster.client.delete(cluster.ctx, persistentVolumeClaims, { namespace: 'default', name: 'c' })
  await cluster.settle(1_000)
}

/** As the node does. */
async function removed(cluster: TestCluster): Promise<void> {
  await cluster.change(persistentVolumes, await volumeName(cluster), ({ metadata }) => (metadata.finalizers = (metadata.finalizers ?? []).filter((each) => each !== 'kubun.io/local-path')))
  await cluster.settle()
}

const volumes = (cluster: TestCluster) => cluster.list(persistentVolumes)
const volumeName = async (cluster: TestCluster) => (await volumes(cluster))[0]?.metadata.name ?? ''
const change = async (cluster: TestCluster, how: (mine: PersistentVolume) => void) => {
  await cluster.change(persistentVolumes, await volumeName(cluster), how)
  await cluster.settle(1_000)
}
const told = async (cluster: TestCluster) => (await cluster.list(events)).filter(({ source }) => source?.component === 'kubun.io/local-path').map(({ type, reason, message }) => [type, reason, message]).toSorted((a, b) => a.join(' ').localeCompare(b.join(' ')))
const sight = async (cluster: TestCluster) => (await volumes(cluster)).map(({ metadata, status }) => [status?.phase, metadata.deletionTimestamp === undefined ? 'lives' : 'goes', ...(metadata.finalizers ?? [])])

describe('a claim', () => {
  it('gets a folder of the node that was chosen for it, and not before', async () => {
    await using cluster = await open()
    await putNode(cluster)
    await putClaim(cluster, { resources: { requests: { storage: '3Gi' } } })
    expect(await volumes(cluster)).toEqual([])
    await select(cluster)
    const claim = await cluster.get(persistentVolumeClaims, 'c')
    const name = `pvc-${claim?.metadata.uid}`
    const [volume] = await volumes(cluster)
    expect(claim?.spec?.volumeName).toBe(name)
    expect(claim?.status).toEqual({ phase: 'Bound', accessModes: ['ReadWriteOnce'], capacity: { storage: '3Gi' } })
    expect(volume).toMatchObject({
      metadata: { name, annotations: { 'pv.kubernetes.io/provisioned-by': 'kubun.io/local-path' }, labels: { 'kubun.io/node': 'n1' } },
      spec: {
        capacity: { storage: '3Gi' }, accessModes: ['ReadWriteOnce'], volumeMode: 'Filesystem', storageClassName: 'local', persistentVolumeReclaimPolicy: 'Delete',
        claimRef: { kind: 'PersistentVolumeClaim', apiVersion: 'v1', namespace: 'default', name: 'c', uid: claim?.metadata.uid },
        local: { path: `${root}/${name}_default_c` },
        nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: ['host1'] }] }] } },
      },
    })
    expect(await told(cluster)).toEqual([
      ['Normal', 'Provisioning', 'External provisioner is provisioning volume for claim "default/c"'],
      ['Normal', 'ProvisioningSucceeded', `Successfully provisioned volume ${name}`],
    ])
    await cluster.writes()
    await cluster.settle(60_000)
    expect(await cluster.writes()).toBe(0)
  })

  it.each<readonly [string, Partial<PersistentVolumeClaimSpec>, Partial<StorageClass>, string]>([
    ['many nodes', { accessModes: ['ReadWriteOnce', 'ReadWriteMany'] }, {}, 'access mode ReadWriteMany is not supported: a volume of kubun.io/local-path lies on one node, only ReadWriteOnce and ReadWriteOncePod are possible'],
    ['a device', { volumeMode: 'Block' }, {}, 'volumeMode Block is not supported: a volume of kubun.io/local-path is a folder'],
    ['a selector', { selector: { matchLabels: { a: 'b' } } }, {}, 'claim.Spec.Selector is not supported'],
    ['a source', { dataSource: { kind: 'PersistentVolumeClaim', name: 'other' } }, {}, 'a data source is not supported: a volume of kubun.io/local-path begins empty'],
    ['parameters', {}, { parameters: { nodePath: '/data' } }, 'parameter "nodePath" is not known: kubun.io/local-path has none'],
    ['mount options', {}, { mountOptions: ['ro'] }, 'mount options are not supported: a volume of kubun.io/local-path is a folder'],
    ['no node', {}, { volumeBindingMode: 'Immediate' }, 'volumes of kubun.io/local-path lie on the node of their first pod: the class must have volumeBindingMode WaitForFirstConsumer'],
  ])('that asks for %s is refused', async (_what, spec, of, why) => {
    await using cluster = await open(of)
    await putNode(cluster)
    await putClaim(cluster, spec)
    await select(cluster)
    expect(await volumes(cluster)).toEqual([])
    expect((await told(cluster)).at(-1)).toEqual(['Warning', 'ProvisioningFailed', `failed to provision volume with StorageClass "local": ${why}`])
  })

  it('whose node has no place for it gets one once the node says where', async () => {
    await using cluster = await open()
    await putNode(cluster, {})
    await putClaim(cluster)
    await select(cluster)
    expect((await told(cluster)).at(-1)?.[2]).toBe('failed to provision volume with StorageClass "local": node "n1" has no place for local volumes: it does not say where they would lie (annotation kubun.io/local-storage-path)')
    await cluster.change(nodes, 'n1', ({ metadata }) => (metadata.annotations = { 'kubun.io/local-storage-path': root }))
    await cluster.settle()
    expect(await sight(cluster)).toHaveLength(1)
  })

  it('whose node is gone is the scheduler\'s again', async () => {
    await using cluster = await open()
    await putClaim(cluster)
    await select(cluster, 'gone')
    expect((await cluster.get(persistentVolumeClaims, 'c'))?.metadata.annotations).not.toHaveProperty('volume.kubernetes.io/selected-node')
    expect((await told(cluster)).at(-1)?.[2]).toBe('failed to provision volume with StorageClass "local": node "gone" not found')
  })

  it('of another provisioner is left alone', async () => {
    await using cluster = await open({ provisioner: 'disks.example.com' })
    await putNode(cluster)
    await putClaim(cluster)
    await select(cluster)
    expect([await volumes(cluster), await told(cluster)]).toEqual([[], []])
  })
})

describe('a volume', () => {
  it('that was let go waits for its node to remove it', async () => {
    await using cluster = await bound()
    expect(await sight(cluster)).toEqual([['Bound', 'lives', 'kubun.io/local-path', 'kubernetes.io/pv-protection']])
    await letGo(cluster)
    expect(await sight(cluster)).toEqual([['Released', 'goes', 'kubun.io/local-path']])
    await cluster.settle(2 * nodeGraceMs)
    expect(await sight(cluster)).toHaveLength(1)
    await removed(cluster)
    expect(await volumes(cluster)).toEqual([])
  })

  it('that is retained stays, and can be deleted without its node', async () => {
    await using cluster = await bound({ reclaimPolicy: 'Retain' })
    await letGo(cluster)
    expect(await sight(cluster)).toEqual([['Released', 'lives', 'kubernetes.io/pv-protection']])
    await cluster.client.delete(cluster.ctx, persistentVolumes, { namespace: '', name: await volumeName(cluster) })
    await cluster.settle()
    expect(await volumes(cluster)).toEqual([])
  })

  it('whose policy changes is held as long as its data go with it', async () => {
    await using cluster = await bound()
    await change(cluster, ({ spec }) => void (spec !== undefined && (spec.persistentVolumeReclaimPolicy = 'Retain')))
    expect(await sight(cluster)).toEqual([['Bound', 'lives', 'kubernetes.io/pv-protection']])
    await letGo(cluster)
    await change(cluster, ({ spec }) => void (spec !== undefined && (spec.persistentVolumeReclaimPolicy = 'Delete')))
    expect(await sight(cluster)).toEqual([['Released', 'goes', 'kubun.io/local-path']])
  })

  it('that is to go keeps its data when that is asked in time', async () => {
    await using cluster = await bound()
    await letGo(cluster)
    await change(cluster, ({ spec }) => void (spec !== undefined && (spec.persistentVolumeReclaimPolicy = 'Retain')))
    expect(await volumes(cluster)).toEqual([])
  })

  it('whose node is gone for good goes as well', async () => {
    await using cluster = await bound()
    await cluster.client.delete(cluster.ctx, nodes, { namespace: '', name: 'n1' })
    await letGo(cluster)
    await cluster.settle(nodeGraceMs - 10_000)
    expect(await sight(cluster)).toEqual([['Released', 'goes', 'kubun.io/local-path']])
    await cluster.settle(20_000)
    expect(await volumes(cluster)).toEqual([])
  })

  it('that a claim has goes with its claim only', async () => {
    await using cluster = await bound()
    await cluster.client.delete(cluster.ctx, persistentVolumes, { namespace: '', name: await volumeName(cluster) })
    await cluster.settle(2 * nodeGraceMs)
    expect(await sight(cluster)).toEqual([['Bound', 'goes', 'kubun.io/local-path', 'kubernetes.io/pv-protection']])
  })
})
