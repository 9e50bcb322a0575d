/** Pods leave devices that are tainted, as soon as their claims say, and no others do. */
import { describe, expect, it } from 'vitest'
import { testCluster, type TestCluster } from '../../../test/support/controllers.ts'
import { events } from '../../api/core/event.ts'
import { pods } from '../../api/core/pod.ts'
import { resourceClaims } from '../../api/resource/resourceclaim.ts'
import { resourceSlices } from '../../api/resource/resourceslice.ts'
import type { DeviceTaint, DeviceToleration, ResourceSlice } from '../../api/schema/types.ts'
import { formatTime } from '../../api/time.ts'
import { deviceTaintController } from './devicetaints.ts'
import { deviceIn } from './plan.ts'

const ids = { driver: 'd.example.com', pool: 'p' }
const tolerations = (toleration?: DeviceToleration): { tolerations?: DeviceToleration[] } => (toleration === undefined ? {} : { tolerations: [toleration] })

function slice(taints: DeviceTaint[], generation = 1, name = 's'): ResourceSlice {
  return { metadata: { name }, spec: { driver: ids.driver, pool: { name: ids.pool, generation, resourceSliceCount: 1 }, allNodes: true, devices: [{ name: 'x', taints }, { name: 'y' }] } }
}

/** A pod on a node with a claim that has this device. */
async function use(cluster: TestCluster, name: string, device: string, toleration?: DeviceToleration): Promise<void> {
  await cluster.create(resourceClaims, { metadata: { name, namespace: 'default' }, spec: { devices: { requests: [{ name: 'r', exactly: { deviceClassName: 'c', ...tolerations(toleration) } }] } } })
  const pod = await cluster.create(pods, { metadata: { name, namespace: 'default' }, spec: { nodeName: 'n', containers: [{ name: 'c', image: 'i' }], resourceClaims: [{ name: 'r', resourceClaimName: name }] } })
  await cluster.change(resourceClaims, name, (mine) => {
    mine.status = {
      allocation: { devices: { results: [{ request: 'r', ...ids, device, ...tolerations(toleration) }] } },
      reservedFor: [{ resource: 'pods', name, uid: pod.metadata.uid ?? '' }],
    }
  }, { subresource: 'status' })
}

async function open() {
  const cluster = await testCluster([deviceTaintController], { rbac: true })
  return { ...cluster, taint: (taints: DeviceTaint[]) => cluster.change(resourceSlices, 's', (mine) => (mine.spec.devices = [{ name: 'x', taints }, { name: 'y' }])), [Symbol.asyncDispose]: () => cluster.stop() }
}

const names = async (cluster: TestCluster): Promise<string[]> => (await cluster.list(pods)).map(({ metadata }) => metadata.name ?? '').toSorted()
const said = async (cluster: TestCluster): Promise<(string | undefined)[]> => (await cluster.list(events, 'default')).filter(({ reason }) => reason === 'DeviceTaintManagerEviction').map(({ message }) => message)

describe('device taints', () => {
  it('a taint with NoExecute takes the pods of the device, and of no other', async () => {
    await using cluster = await open()
    await cluster.create(resourceSlices, slice([]))
    await use(cluster, 'on-x', 'x')
    await use(cluster, 'on-y', 'y')
    await use(cluster, 'tolerant', 'x', { operator: 'Exists', effect: 'NoExecute' })
    await use(cluster, 'tolerant-of-others', 'x', { operator: 'Exists', effect: 'NoSchedule' })
    await cluster.settle()
    await cluster.taint([{ key: 'ill', effect: 'NoSchedule' }])
    await cluster.settle()
    expect(await names(cluster)).toEqual(['on-x', 'on-y', 'tolerant', 'tolerant-of-others'])
    await cluster.taint([{ key: 'ill', effect: 'NoExecute' }])
    await cluster.settle()
    expect(await names(cluster)).toEqual(['on-y', 'tolerant'])
    expect(await said(cluster)).toEqual(['Marking for deletion', 'Marking for deletion'])
  })

  it('a pod says why it goes', async () => {
    await using cluster = await open()
    await cluster.create(resourceSlices, slice([]))
    await use(cluster, 'a', 'x')
    await cluster.change(pods, 'a', (mine) => (mine.metadata.finalizers = ['example.com/wait']))
    await cluster.taint([{ key: 'ill', effect: 'NoExecute' }])
    await cluster.settle()
    const pod = await cluster.get(pods, 'a')
    expect(pod?.metadata.deletionTimestamp).toBeDefined()
    expect(pod?.status?.conditions?.find(({ type }) => type === 'DisruptionTarget')).toMatchObject({ status: 'True', reason: 'DeletionByDeviceTaintManager', message: 'Device Taint manager: deleting due to NoExecute taint' })
  })

  it('a toleration for a time counts from when the taint came, and is forgotten when it goes', async () => {
    await using cluster = await open()
    await cluster.create(resourceSlices, slice([]))
    await use(cluster, 'a', 'x', { key: 'ill', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 60 })
    await use(cluster, 'b', 'x', { key: 'ill', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 600 })
    await cluster.taint([{ key: 'ill', effect: 'NoExecute', timeAdded: formatTime(cluster.clock.now()) }])
    await cluster.settle(55_000)
    expect(await names(cluster)).toEqual(['a', 'b'])
    await cluster.settle(10_000)
    expect(await names(cluster)).toEqual(['b'])
    await cluster.taint([])
    await cluster.settle(1_000_000)
    expect(await names(cluster)).toEqual(['b'])
    expect(await said(cluster)).toEqual(['Marking for deletion', 'Cancelling deletion'])
  })

  it('deviceIn() believes the newest generation only', () => {
    const old = slice([{ key: 'ill', effect: 'NoExecute' }])
    expect(deviceIn([old, slice([], 2, 't')], 'x')?.taints).toEqual([])
    expect(deviceIn([], 'x')).toBeUndefined()
  })
})
