import { afterEach, describe, expect, it } from 'vitest'
import { leases } from '../../api/coordination/lease.ts'
import { nodes } from '../../api/core/node.ts'
import { events } from '../../api/core/event.ts'
import { pods } from '../../api/core/pod.ts'
import type { Binding, Node } from '../../api/schema/types.ts'
import { formatMicroTime, formatTime } from '../../api/time.ts'
import { testCluster, type TestCluster } from '../../../test/support/controllers.ts'
import { podGc } from '../podgc.ts'
import { taintEvictionController } from './eviction.ts'
import { judgeZones, nextTaints, oldLabels, zoneOf } from './health.ts'
import { nodeIpamController, Pool } from './ipam.ts'
import { nodeLifecycleController } from './lifecycle.ts'
import { parseCidr } from '../../lib/ip.ts'

let cluster: TestCluster
afterEach(() => cluster?.stop())

async function join(name: string): Promise<void> {
  const now = formatTime(cluster.clock.now())
  await cluster.create(nodes, { metadata: { name } })
  await cluster.change(nodes, name, (mine) => (mine.status = { conditions: [{ type: 'Ready', status: 'True', lastHeartbeatTime: now, lastTransitionTime: now }] }), { subresource: 'status' })
  await cluster.create(leases, { metadata: { name, namespace: 'kube-node-lease' }, spec: { renewTime: formatMicroTime(cluster.clock.now()) } })
}

async function renew(names: readonly string[], times: number): Promise<void> {
  for (let i = 0; i < times; i++) {
    for (const name of names) {
      await cluster.change(leases, name, (mine) => (mine.spec = { renewTime: formatMicroTime(cluster.clock.now()) }), { namespace: 'kube-node-lease' })
    }
    await cluster.settle(9_000)
  }
}

const get = async (name: string): Promise<Readonly<Node>> => (await cluster.get(nodes, name)) as Readonly<Node>
const ready = async (name: string) => (await get(name)).status?.conditions?.find((c) => c.type === 'Ready')
const taints = async (name: string): Promise<string[]> => ((await get(name)).spec?.taints ?? []).map((t) => `${t.key.split('/')[1]}:${t.effect}`).sort()
const pod = (name: string, node: string, tolerationSeconds?: number) =>
  cluster.create(pods, {
    metadata: { name, namespace: 'default' },
    spec: {
      nodeName: node, containers: [{ name: 'c', image: 'i' }],
      ...(tolerationSeconds === undefined ? {} : { tolerations: [{ key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute', tolerationSeconds }] }),
    },
  })
const podNames = async (): Promise<string[]> => (await cluster.list(pods)).map((p) => p.metadata.name ?? '').sort()

describe('node controllers', () => {
  it('give up a silent node, evict from it after the time that is tolerated, and take it back', async () => {
    cluster = await testCluster([nodeLifecycleController, taintEvictionController])
    await Promise.all(['a', 'b'].map(join))
    await pod('brief', 'a')
    await pod('long', 'a', 300)
    await pod('else', 'b')
    await renew(['a', 'b'], 10)
    expect([(await ready('a'))?.status, await taints('a')]).toEqual(['True', []])
    await renew(['b'], 7)
    expect(await ready('a')).toMatchObject({ status: 'Unknown', reason: 'NodeStatusUnknown', message: 'Kubelet stopped posting node status.' })
    expect(await taints('a')).toEqual(['unreachable:NoExecute', 'unreachable:NoSchedule'])
    expect(await podNames()).toEqual(['else', 'long'])
    expect((await cluster.get(pods, 'long'))?.status?.conditions?.find((c) => c.type === 'Ready')?.status).toBe('False')
    await renew(['b'], 31)
    expect(await podNames()).toEqual(['else'])
    await cluster.change(nodes, 'a', (mine) => (mine.status = { conditions: [{ type: 'Ready', status: 'True', lastHeartbeatTime: formatTime(cluster.clock.now()) }] }), { subresource: 'status' })
    await cluster.settle()
    expect(await taints('a')).toEqual([])
  })

  it('evict nobody when all nodes are silent', async () => {
    cluster = await testCluster([nodeLifecycleController, taintEvictionController])
    await join('a')
    await pod('p', 'a')
    await cluster.settle(600_000)
    expect([(await ready('a'))?.status, await taints('a'), await podNames()]).toEqual(['Unknown', ['unreachable:NoSchedule'], ['p']])
  })

  it('taint a cordoned node', async () => {
    cluster = await testCluster([nodeLifecycleController])
    await join('a')
    await cluster.change(nodes, 'a', (mine) => (mine.spec = { ...mine.spec, unschedulable: true }))
    await cluster.settle()
    expect(await taints('a')).toEqual(['unschedulable:NoSchedule'])
    await cluster.change(nodes, 'a', (mine) => delete mine.spec?.unschedulable)
    await cluster.settle()
    expect(await taints('a')).toEqual([])
  })

  it('give every node its own range, and end the pods of a node that is gone', async () => {
    cluster = await testCluster([nodeIpamController, podGc])
    for (const name of ['a', 'b', 'c']) await cluster.create(nodes, { metadata: { name } })
    await cluster.settle()
    const ranges = (await cluster.list(nodes)).map((n) => n.spec?.podCIDRs?.[0] ?? '')
    expect(ranges.toSorted()).toEqual(['10.42.0.0/24', '10.42.1.0/24', '10.42.2.0/24'])
    await pod('p', 'a')
    await pod('q', 'b')
    await cluster.client.delete(cluster.ctx, nodes, { namespace: '', name: 'a' })
    await cluster.settle(60_000)
    expect(await podNames()).toEqual(['q'])
  })
})

const untainted = async (name: string, more: object = {}) => cluster.create(nodes, { metadata: { name }, ...more })
const taint = (name: string, ...keys: string[]) => cluster.change(nodes, name, (mine) => (mine.spec = { ...mine.spec, taints: keys.map((key) => ({ key, effect: 'NoExecute' })) }))
const told = async (reason: string): Promise<string[]> => (await cluster.list(events)).filter((e) => e.reason === reason).map((e) => e.message ?? '')
const tolerant = (name: string, tolerations: readonly (readonly [key: string, seconds?: number])[]) =>
  cluster.create(pods, {
    metadata: { name, namespace: 'default' },
    spec: { nodeName: 'a', containers: [{ name: 'c', image: 'i' }], tolerations: tolerations.map(([key, tolerationSeconds]) => ({ key, operator: 'Exists', effect: 'NoExecute', ...(tolerationSeconds === undefined ? {} : { tolerationSeconds }) })) },
  })

describe('taintEvictionController', () => {
  it('waits as long as the shortest toleration of the taints that are there', async () => {
    cluster = await testCluster([taintEvictionController])
    await untainted('a')
    await tolerant('both', [['x', 100], ['y', 20]])
    await tolerant('one', [['x', 100]])
    await tolerant('ever', [['x'], ['y']])
    await taint('a', 'x')
    await cluster.settle(30_000)
    expect(await podNames()).toEqual(['both', 'ever', 'one'])
    await taint('a', 'x', 'y')
    await cluster.settle(1_000)
    expect(await podNames()).toEqual(['ever'])
    expect((await told('TaintManagerEviction')).toSorted()).toEqual(['Cancelling deletion of Pod default/one', 'Marking for deletion Pod default/both', 'Marking for deletion Pod default/one'])
  })

  it('says why it deletes, and lets be when the taint goes', async () => {
    cluster = await testCluster([taintEvictionController], { gone: () => false })
    await untainted('a')
    await tolerant('late', [['x', 100]])
    await pod('soon', 'a')
    await taint('a', 'x')
    await cluster.settle(10_000)
    const soon = await cluster.get(pods, 'soon')
    expect(soon?.metadata.deletionTimestamp).toBeDefined()
    expect(soon?.status?.conditions?.find((c) => c.type === 'DisruptionTarget')).toMatchObject({ status: 'True', reason: 'DeletionByTaintManager', message: 'Taint manager: deleting due to NoExecute taint' })
    await taint('a')
    await cluster.settle(200_000)
    expect((await cluster.get(pods, 'late'))?.metadata.deletionTimestamp).toBeUndefined()
    expect(await told('TaintManagerEviction')).toContain('Cancelling deletion of Pod default/late')
  })
})

describe('nodeLifecycleController', () => {
  const zoned = (name: string, zone: string) => cluster.change(nodes, name, (mine) => (mine.metadata.labels = { 'topology.kubernetes.io/zone': zone }))

  it('marks pods that come to a node which is not ready, and says so', async () => {
    cluster = await testCluster([nodeLifecycleController])
    await Promise.all(['a', 'b'].map(join))
    await renew(['b'], 8)
    expect((await ready('a'))?.status).toBe('Unknown')
    await cluster.create(pods, { metadata: { name: 'p', namespace: 'default' }, spec: { containers: [{ name: 'c', image: 'i' }] } })
    await cluster.settle(1_000)
    await cluster.client.post(cluster.ctx, pods, { namespace: 'default', name: 'p' }, 'binding', { metadata: { name: 'p' }, target: { kind: 'Node', name: 'a' } } as Binding)
    await cluster.settle(1_000)
    expect((await cluster.get(pods, 'p'))?.status?.conditions?.find((c) => c.type === 'Ready')?.status).toBe('False')
    expect((await told('NodeNotReady')).toSorted()).toEqual(['Node a status is now: NodeNotReady', 'Node is not ready'])
    expect((await told('RegisteredNode')).toSorted()).toEqual(['Node a event: Registered Node a in Controller', 'Node b event: Registered Node b in Controller'])
  })

  it('gives up nodes one after the other, each zone at its own pace', async () => {
    cluster = await testCluster([nodeLifecycleController])
    const names = ['a1', 'a2', 'a3', 'b1', 'b2']
    await Promise.all(names.map(join))
    for (const name of names) await zoned(name, name.slice(0, 1))
    await renew(['b1', 'b2'], 6)
    const given = async (): Promise<number> => (await Promise.all(names.map(taints))).filter((all) => all.includes('unreachable:NoExecute')).length
    expect(await given()).toBe(1) // all of zone a is silent: full disruption of one zone, the ordinary rate
    await renew(['b1', 'b2'], 1)
    expect(await given()).toBe(2)
    await renew(['b1', 'b2'], 1)
    expect(await given()).toBe(3)
  })

  it('takes all NoExecute taints away when nobody is left, and starts anew when somebody comes back', async () => {
    cluster = await testCluster([nodeLifecycleController])
    await Promise.all(['a', 'b'].map(join))
    await renew(['b'], 7)
    expect(await taints('a')).toContain('unreachable:NoExecute')
    await cluster.settle(60_000)
    expect([await taints('a'), await taints('b')]).toEqual([['unreachable:NoSchedule'], ['unreachable:NoSchedule']])
  })
})

describe('podGc', () => {
  const end = async (name: string, reason?: string) => {
    await pod(name, 'n')
    await cluster.change(pods, name, (mine) => (mine.status = { phase: 'Failed', ...(reason === undefined ? {} : { reason }) }), { subresource: 'status' })
  }

  it('keeps the newest of the ended, and no evicted one before them', async () => {
    cluster = await testCluster([podGc], { settings: { terminatedPodsMax: 2 }, ready: () => false })
    await untainted('n')
    for (const name of ['old', 'mid']) {
      await end(name)
      await cluster.settle(1_000)
    }
    await end('evicted', 'Evicted')
    await end('new')
    await cluster.settle(2_000)
    expect(await podNames()).toEqual(['mid', 'new'])
  })

  it('keeps all where there is no limit', async () => {
    cluster = await testCluster([podGc], { settings: { terminatedPodsMax: 0 }, ready: () => false })
    await untainted('n')
    for (const name of ['x', 'y']) await end(name)
    await cluster.settle(60_000)
    expect(await podNames()).toEqual(['x', 'y'])
  })

  it('ends what terminates on a node that is out of service, or never came to one', async () => {
    cluster = await testCluster([podGc], { gone: () => false })
    await untainted('n')
    await pod('p', 'n')
    await cluster.create(pods, { metadata: { name: 'nowhere', namespace: 'default', finalizers: ['example.com/keep'] }, spec: { containers: [{ name: 'c', image: 'i' }] } })
    await cluster.settle(1_000)
    for (const name of ['p', 'nowhere']) await cluster.client.delete(cluster.ctx, pods, { namespace: 'default', name })
    await cluster.settle(60_000)
    expect(await podNames()).toEqual(['nowhere', 'p'])
    expect((await cluster.get(pods, 'nowhere'))?.status?.phase).toBe('Failed')
    await cluster.change(nodes, 'n', (mine) => (mine.spec = { ...mine.spec, taints: [{ key: 'node.kubernetes.io/out-of-service', value: 'nodeshutdown', effect: 'NoExecute' }] }))
    await cluster.settle(1_000)
    expect(await podNames()).toEqual(['nowhere'])
  })

  it('says of the pods of a lost node why they go, after a look at what is really there', async () => {
    cluster = await testCluster([podGc], { gone: () => false })
    await cluster.create(pods, { metadata: { name: 'p', namespace: 'default', finalizers: ['example.com/keep'] }, spec: { nodeName: 'lost', containers: [{ name: 'c', image: 'i' }] } })
    await cluster.settle(30_000)
    expect((await cluster.get(pods, 'p'))?.status?.phase).toBe('Running')
    await cluster.settle(20_000)
    expect((await cluster.get(pods, 'p'))?.status).toMatchObject({ phase: 'Failed', conditions: expect.arrayContaining([expect.objectContaining({ type: 'DisruptionTarget', reason: 'DeletionByPodGC', message: 'PodGC: node no longer exists' })]) })
  })
})

describe('pieces', () => {
  it.each([
    [{ 'kubernetes.io/os': 'linux', 'kubernetes.io/arch': 'amd64' }, { 'beta.kubernetes.io/os': 'linux', 'beta.kubernetes.io/arch': 'amd64' }],
    [{ 'kubernetes.io/os': 'linux', 'beta.kubernetes.io/os': 'plan9' }, { 'beta.kubernetes.io/os': 'linux' }],
    [{ 'beta.kubernetes.io/os': 'linux' }, undefined],
  ])('oldLabels(): %j', (labels, want) => expect(oldLabels({ metadata: { name: 'a', labels: { ...labels } } })).toEqual(want))

  it('zoneOf() reads the labels of both ages', () => {
    const of = (labels: Record<string, string>): string => zoneOf({ metadata: { name: 'a', labels } })
    expect([of({ 'topology.kubernetes.io/region': 'r', 'topology.kubernetes.io/zone': 'z' }), of({ 'failure-domain.beta.kubernetes.io/zone': 'old', 'topology.kubernetes.io/zone': 'z' }), of({})]).toEqual(['r/z', '/old', '/'])
  })

  it('nextTaints() touches only taints of the node controller', () => {
    const node: Node = {
      metadata: { name: 'a' },
      spec: { taints: [{ key: 'mine', effect: 'NoSchedule' }, { key: 'node.kubernetes.io/unreachable', effect: 'NoExecute' }] },
      status: { conditions: [{ type: 'Ready', status: 'True' }, { type: 'DiskPressure', status: 'True' }] },
    }
    expect(nextTaints(node, undefined, 0)?.map((t) => t.key)).toEqual(['mine', 'node.kubernetes.io/disk-pressure'])
  })

  it.each([
    ['one of three unready', 2, 1, false, 10_000],
    ['most of a small zone unready', 1, 4, false, Infinity],
    ['most of a large zone unready', 20, 40, false, 100_000],
    ['all unready', 0, 3, true, 10_000],
  ])('judgeZones(): %s', (_, up, down, allDown, interval) => {
    const node = (status: string): Node => ({ metadata: { name: status }, status: { conditions: [{ type: 'Ready', status }] } })
    const zones = judgeZones([...Array.from({ length: up }, () => node('True')), ...Array.from({ length: down }, () => node('False'))])
    expect([zones.allDown, zones.intervalMs('/')]).toEqual([allDown, interval])
  })

  it('Pool gives what was freed again only after all others', () => {
    const pool = new Pool(parseCidr('10.0.0.0/22') ?? never(), 24)
    expect([pool.give('a'), pool.give('b'), pool.give('a')]).toEqual(['10.0.0.0/24', '10.0.1.0/24', '10.0.0.0/24'])
    pool.free('a')
    expect([pool.give('c'), pool.give('d'), pool.give('e'), pool.give('f')]).toEqual(['10.0.2.0/24', '10.0.3.0/24', '10.0.0.0/24', undefined])
  })
})

function never(): never {
  throw new Error('not reached')
}
