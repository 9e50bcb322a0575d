/** A pod is bound when its volumes are, and goes elsewhere when they cannot be had where it was to go. */
import { expect, it } from 'vitest'
import { nodes } from '../../api/core/node.ts'
import { persistentVolumes } from '../../api/core/persistentvolume.ts'
import { persistentVolumeClaims } from '../../api/core/persistentvolumeclaim.ts'
import { pods } from '../../api/core/pod.ts'
import { conflict } from '../../api/errors.ts'
import type { KindRef } from '../../api/kind.ts'
import { storageClasses } from '../../api/storage/storageclass.ts'
import type { StorageClass } from '../../api/schema/types.ts'
import type { Client } from '../../client/client.ts'
import { testApi, type TestApi } from '../../../test/support/api.ts'
import { claimOf, onLabel, volumeOf, waitingClass } from '../../../test/support/storage.ts'
import { defaultProfile } from '../plugins.ts'
import { runScheduler } from '../run.ts'
import type { Scheduler } from '../scheduler.ts'

async function open(storageClass: StorageClass, around: (client: Client) => Client = (client) => client) {
  const api = await testApi({ rbac: true })
  const client = around(api.clientAs({ name: 'system:kube-scheduler', groups: ['system:authenticated'], agent: 'kube-scheduler' }))
  let scheduler: Scheduler | undefined
  const run = runScheduler(api.ctx, { client, random: api.random, profiles: [defaultProfile], ready: (mine) => (scheduler = mine) })
  run.catch(() => {})
  for (const name of ['a', 'b']) await api.create(nodes, { metadata: { name, labels: { host: name } }, status: { allocatable: { cpu: '4', memory: '4Gi', pods: '110' } } })
  await api.create(storageClasses, storageClass)
  await api.create(persistentVolumeClaims, claimOf('c', { storageClassName: 'local' }))
  return {
    ...api,
    queued: () => scheduler?.queue.sizes(),
    async [Symbol.asyncDispose]() {
      await api.stop()
      await run.catch(() => {})
    },
  }
}

async function putPod(api: TestApi): Promise<void> {
  await api.create(pods, { metadata: { name: 'p', namespace: 'default' }, spec: { containers: [{ name: 'c', image: 'i' }], volumes: [{ name: 'd', persistentVolumeClaim: { claimName: 'c' } }] } })
  await api.clock.advance(2_000)
}

const nodeOf = async (api: TestApi): Promise<string | undefined> => (await api.get(pods, 'p'))?.spec?.nodeName

/** What the volume binder does last. */
async function bindClaim(api: TestApi, volumeName: string): Promise<void> {
  await api.change(persistentVolumeClaims, 'c', (mine) => {
    mine.spec = { ...mine.spec, volumeName }
    mine.metadata.annotations = { ...mine.metadata.annotations, 'pv.kubernetes.io/bind-completed': 'yes' }
  })
  await api.clock.advance(2_000)
}

it('a free volume is kept for the claim, and the pod waits until both are bound', async () => {
  await using api = await open(waitingClass('local', { provisioner: 'kubernetes.io/no-provisioner' }))
  await api.create(persistentVolumes, volumeOf('v', { storageClassName: 'local', ...onLabel('host', 'b') }))
  await api.change(persistentVolumes, 'v', (mine) => (mine.status = { phase: 'Available' }), { subresource: 'status' })
  await putPod(api)
  const volume = await api.get(persistentVolumes, 'v')
  expect(volume?.spec?.claimRef).toMatchObject({ namespace: 'default', name: 'c', uid: (await api.get(persistentVolumeClaims, 'c'))?.metadata.uid })
  expect(volume?.metadata.annotations).toEqual({ 'pv.kubernetes.io/bound-by-controller': 'yes' })
  const pod = await api.get(pods, 'p')
  expect([pod?.spec?.nodeName, pod?.status?.nominatedNodeName]).toEqual([undefined, 'b']) // told before it is true
  await bindClaim(api, 'v')
  expect(await nodeOf(api)).toBe('b')
})

it('a volume that somebody changed meanwhile: the pod is tried again', async () => {
  let lost = 0
  const losing = (client: Client): Client => ({
    ...client,
    update: (ctx, kind, object, options) => ((kind as KindRef) === (persistentVolumes as KindRef) && lost++ === 0 ? Promise.reject(conflict({ group: '', resource: 'persistentvolumes' }, 'v', 'changed')) : client.update(ctx, kind, object, options)),
  })
  await using api = await open(waitingClass('local', { provisioner: 'kubernetes.io/no-provisioner' }), losing)
  await api.create(persistentVolumes, volumeOf('v', { storageClassName: 'local', ...onLabel('host', 'b') }))
  await api.change(persistentVolumes, 'v', (mine) => (mine.status = { phase: 'Available' }), { subresource: 'status' })
  await putPod(api)
  await api.clock.advance(5_000)
  expect((await api.get(persistentVolumes, 'v'))?.spec?.claimRef?.name).toBe('c')
  await bindClaim(api, 'v')
  expect(await nodeOf(api)).toBe('b')
})

it('a volume is made on the node that was chosen; a provisioner that cannot sends the pod on', async () => {
  await using api = await open(waitingClass('local'))
  await putPod(api)
  const selected = async () => (await api.get(persistentVolumeClaims, 'c'))?.metadata.annotations?.['volume.kubernetes.io/selected-node']
  const first = await selected()
  expect(['a', 'b']).toContain(first)
  const other = first === 'a' ? 'b' : 'a'
  // full: the provisioner takes the choice back, and somebody closes the node
  await api.change(nodes, first ?? '', (mine) => (mine.spec = { unschedulable: true }))
  await api.change(persistentVolumeClaims, 'c', (mine) => (mine.metadata.annotations = {}))
  await api.clock.advance(15_000)
  expect(await selected()).toBe(other)
  expect((await api.get(pods, 'p'))?.status?.nominatedNodeName).toBe(other)
  await api.create(persistentVolumes, volumeOf('v', { storageClassName: 'local', ...onLabel('host', other) }))
  await bindClaim(api, 'v')
  expect(await nodeOf(api)).toBe(other)
})

it('a pod that goes while its volumes are made is not tried again', async () => {
  await using api = await open(waitingClass('local'))
  await putPod(api)
  await api.client.delete(api.ctx, pods, { namespace: 'default', name: 'p' }, { gracePeriodSeconds: 0 })
  await api.clock.advance(15_000)
  expect(api.queued()).toEqual([0, 0, 0])
})

it('volumes that never come: the pod is tried again after ten minutes', async () => {
  await using api = await open(waitingClass('local'))
  await putPod(api)
  await api.clock.advance(600_000)
  const scheduled = (await api.get(pods, 'p'))?.status?.conditions?.find((condition) => condition.type === 'PodScheduled')
  expect([scheduled?.reason, scheduled?.message]).toEqual(['SchedulerError', 'binding volumes: context deadline exceeded'])
})
