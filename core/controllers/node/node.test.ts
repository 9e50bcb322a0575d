import { afterEach, describe, expect, it } from 'vitest'
import { leases } from '../../api/coordination/lease.ts'
import { nodes } from '../../api/core/node.ts'
import { pods } from '../../api/core/pod.ts'
import type { Node } from '../../api/schema/types.ts'
import { formatMicroTime, formatTime } from '../../api/time.ts'
import { testCluster, type TestCluster } from '../../../test/support/controllers.ts'
import { podGc } from '../podgc.ts'
import { taintEvictionController } from './eviction.ts'
import { judgeZones, nextTaints } from './health.ts'
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

describe('pieces', () => {
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
