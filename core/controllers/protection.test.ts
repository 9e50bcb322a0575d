/** Claims, volumes and classes go when nobody needs them, and not before. */
import { describe, expect, it } from 'vitest'
import { persistentVolumes } from '../api/core/persistentvolume.ts'
import { persistentVolumeClaims } from '../api/core/persistentvolumeclaim.ts'
import { pods } from '../api/core/pod.ts'
import type { PersistentVolume, PersistentVolumeClaim, Pod } from '../api/schema/types.ts'
import { testCluster } from '../../test/support/controllers.ts'
import { claimProtection, needsClaim, volumeProtection } from './protection.ts'

const claimNamed = (name: string): PersistentVolumeClaim => ({ metadata: { name, namespace: 'default' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } })
const podWith = (claimName: string, nodeName = 'n'): Pod => ({
  metadata: { name: 'user', namespace: 'default' },
  spec: { nodeName, containers: [{ name: 'c', image: 'i' }], volumes: [{ name: 'v', persistentVolumeClaim: { claimName } }] },
})

describe('protection', () => {
  it('a claim outlives its deletion while a pod has it', async () => {
    await using cluster = await open([claimProtection])
    await cluster.create(persistentVolumeClaims, claimNamed('data'))
    await cluster.create(pods, podWith('data'))
    await cluster.settle()
    expect((await cluster.get(persistentVolumeClaims, 'data', 'default'))?.metadata.finalizers).toEqual(['kubernetes.io/pvc-protection'])
    await cluster.client.delete(cluster.ctx, persistentVolumeClaims, { namespace: 'default', name: 'data' })
    await cluster.settle()
    expect((await cluster.get(persistentVolumeClaims, 'data', 'default'))?.metadata.deletionTimestamp).toBeDefined()
    await cluster.client.delete(cluster.ctx, pods, { namespace: 'default', name: 'user' }, { gracePeriodSeconds: 0 })
    await cluster.settle()
    expect(await cluster.get(persistentVolumeClaims, 'data', 'default')).toBeUndefined()
  })

  it('a volume goes once it is bound no more', async () => {
    await using cluster = await open([volumeProtection])
    const volume: PersistentVolume = { metadata: { name: 'pv' }, spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/x' } } }
    await cluster.create(persistentVolumes, volume)
    const phase = (to: string) => cluster.change(persistentVolumes, 'pv', (mine) => ((mine.status ??= {}).phase = to), { subresource: 'status' })
    await phase('Bound')
    await cluster.settle()
    await cluster.client.delete(cluster.ctx, persistentVolumes, { namespace: '', name: 'pv' })
    await cluster.settle()
    expect(await cluster.get(persistentVolumes, 'pv')).toBeDefined()
    await phase('Released')
    await cluster.settle()
    expect(await cluster.get(persistentVolumes, 'pv')).toBeUndefined()
  })

  const own = { ...claimNamed('user-v'), metadata: { name: 'user-v', namespace: 'default', ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'user', uid: 'u', controller: true }] } }
  const ephemeral = (more: Partial<Pod['metadata']>): Pod => ({ metadata: { name: 'user', namespace: 'default', uid: 'u', ...more }, spec: { nodeName: 'n', containers: [], volumes: [{ name: 'v', ephemeral: {} }] } })
  it.each([
    ['a pod on a node', podWith('data'), claimNamed('data'), true],
    ['a pod without a node', podWith('data', ''), claimNamed('data'), false],
    ['another claim', podWith('data'), claimNamed('other'), false],
    ['its own ephemeral claim', ephemeral({}), own, true],
    ['somebody else\'s claim of that name', ephemeral({ uid: 'other' }), own, false],
    ['its own claim, after its end', ephemeral({ deletionTimestamp: '2026-01-01T00:00:00Z', deletionGracePeriodSeconds: 0 }), own, false],
  ] as const)('%s', (_, pod, claim, want) => {
    expect(needsClaim(pod, claim)).toBe(want)
  })
})

async function open(controllers: Parameters<typeof testCluster>[0]) {
  const cluster = await testCluster(controllers)
  return { ...cluster, [Symbol.asyncDispose]: () => cluster.stop() }
}
