import { afterEach, describe, expect, it } from 'vitest'
import { replicaSets } from '../../api/apps/replicaset.ts'
import { events } from '../../api/core/event.ts'
import { pods } from '../../api/core/pod.ts'
import { replicationControllers } from '../../api/core/replicationcontroller.ts'
import type { Pod, PodTemplateSpec, ReplicaSet, ReplicaSetSpec } from '../../api/schema/types.ts'
import { testCluster, type TestCluster, type TestClusterOptions } from '../../../test/support/controllers.ts'
import { replicaSetController, replicationController } from './replicaset.ts'

let cluster: TestCluster

async function start(options: TestClusterOptions = {}): Promise<void> {
  cluster = await testCluster([replicaSetController, replicationController], { rbac: true, ready: (pod) => pod.status?.phase === 'Pending', ...options })
}

afterEach(() => cluster?.stop())

const template: PodTemplateSpec = { metadata: { labels: { app: 'rs' } }, spec: { containers: [{ name: 'c', image: 'a:1' }] } }

function replicaSet(replicas: number, more: Partial<ReplicaSetSpec> = {}): ReplicaSet {
  return { metadata: { name: 'rs', namespace: 'default' }, spec: { replicas, selector: { matchLabels: { app: 'rs' } }, template, ...more } }
}

const pod = (name: string, labels: Record<string, string> = { app: 'rs' }): Pod => ({ metadata: { name, namespace: 'default', labels }, spec: { containers: [{ name: 'c', image: 'a:1' }] } })
const rs = async (): Promise<Readonly<ReplicaSet>> => (await cluster.get(replicaSets, 'rs')) as Readonly<ReplicaSet>
const names = async (): Promise<string[]> => (await cluster.list(pods)).map((one) => one.metadata.name ?? '').sort()
const scale = (replicas: number) => cluster.change(replicaSets, 'rs', (mine) => void (mine.spec !== undefined && (mine.spec.replicas = replicas)))
const setPhase = (name: string, phase: string) => cluster.client.patch(cluster.ctx, pods, { namespace: 'default', name }, 'merge', { status: { phase } }, { subresource: 'status' })
const refusing = (): { readonly options: TestClusterOptions; count: () => number; refuse: (on: boolean) => void } => {
  let [on, count] = [true, 0]
  return {
    options: {
      admission: {
        mutate: () => Promise.resolve(),
        validate: (_, { kind, operation }) => {
          if (!on || kind.kind !== 'Pod' || operation !== 'CREATE') return Promise.resolve()
          count++
          return Promise.reject(new Error('no more'))
        },
      },
    },
    count: () => count,
    refuse: (next) => (on = next),
  }
}

describe('ReplicaSets', () => {
  it('adopt what matches and runs, let go what matches no more, and leave alone what ended', async () => {
    await start()
    for (const name of ['a', 'b', 'ended']) await cluster.create(pods, pod(name))
    await cluster.settle()
    await setPhase('ended', 'Succeeded')
    await cluster.create(replicaSets, replicaSet(3))
    await cluster.settle(2_000)
    const owners = async (name: string) => ((await cluster.get(pods, name))?.metadata.ownerReferences ?? []).map((owner) => owner.name)
    expect([await owners('a'), await owners('b'), await owners('ended')]).toEqual([['rs'], ['rs'], []])
    expect((await names()).length).toBe(4)
    await cluster.change(pods, 'a', (mine) => void (mine.metadata.labels = { app: 'else' }))
    await cluster.settle(2_000)
    expect(await owners('a')).toEqual([])
    expect((await rs()).status).toMatchObject({ replicas: 3, readyReplicas: 3 })
  })

  it('replace pods that ended, without deleting them', async () => {
    await start()
    await cluster.create(replicaSets, replicaSet(1))
    await cluster.settle(2_000)
    const [first = ''] = await names()
    await setPhase(first, 'Failed')
    await cluster.settle(2_000)
    expect([(await names()).length, (await names()).includes(first)]).toEqual([2, true])
    expect((await rs()).status).toMatchObject({ replicas: 1, readyReplicas: 1 })
  })

  it('replace pods that are going at once, and count them', async () => {
    await start()
    const held = { ...template, metadata: { ...template.metadata, finalizers: ['test/held'] } }
    await cluster.create(replicaSets, replicaSet(2, { template: held }))
    await cluster.settle(2_000)
    const [first = ''] = await names()
    await cluster.client.delete(cluster.ctx, pods, { namespace: 'default', name: first })
    await cluster.settle(2_000)
    expect((await rs()).status).toMatchObject({ replicas: 2, readyReplicas: 2, terminatingReplicas: 1 })
    expect((await names()).length).toBe(3)
    await cluster.change(pods, first, (mine) => void (mine.metadata.finalizers = []))
    await cluster.settle(2_000)
    expect((await rs()).status).toMatchObject({ replicas: 2, terminatingReplicas: 0 })
  })

  it('make pods in batches that grow, and say why they cannot', async () => {
    const gate = refusing()
    await start(gate.options)
    await cluster.create(replicaSets, replicaSet(50))
    await cluster.settle()
    expect(gate.count()).toBeLessThan(15)
    const failure = (await rs()).status?.conditions?.[0]
    expect(failure).toMatchObject({ type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate' })
    expect((await cluster.list(events)).some((e) => e.reason === 'FailedCreate' && (e.message ?? '').startsWith('Error creating: '))).toBe(true)
    gate.refuse(false)
    await cluster.settle(30_000)
    expect((await rs()).status).toMatchObject({ replicas: 50, readyReplicas: 50 })
    expect((await rs()).status?.conditions ?? []).toEqual([])
  })

  it('give up first what costs least, and what is not ready', async () => {
    await start()
    const cost = (name: string, value: string): Pod => ({ ...pod(name), metadata: { ...pod(name).metadata, annotations: { 'controller.kubernetes.io/pod-deletion-cost': value } } })
    for (const [name, value] of [['cheap', '-5'], ['dear', '10'], ['middle', '0']] as const) await cluster.create(pods, cost(name, value))
    await cluster.settle()
    await cluster.create(replicaSets, replicaSet(3))
    await cluster.settle(2_000)
    await scale(2)
    await cluster.settle(2_000)
    expect(await names()).toEqual(['dear', 'middle'])
    const status = { conditions: [{ type: 'Ready', status: 'False' }] }
    await cluster.client.patch(cluster.ctx, pods, { namespace: 'default', name: 'dear' }, 'merge', { status }, { subresource: 'status' })
    await scale(1)
    await cluster.settle(2_000)
    expect(await names()).toEqual(['middle'])
  })

  it('count as available what was ready for long enough', async () => {
    await start()
    await cluster.create(replicaSets, replicaSet(2, { minReadySeconds: 20 }))
    await cluster.settle(2_000)
    expect((await rs()).status).toMatchObject({ readyReplicas: 2 })
    expect((await rs()).status?.availableReplicas).toBeUndefined()
    await cluster.settle(20_000)
    expect((await rs()).status).toMatchObject({ readyReplicas: 2, availableReplicas: 2 })
  })
})

describe('ReplicationControllers', () => {
  it('keep as many pods as asked', async () => {
    await start()
    await cluster.create(replicationControllers, { metadata: { name: 'rc', namespace: 'default' }, spec: { replicas: 2, selector: { app: 'rs' }, template } })
    await cluster.settle(2_000)
    expect((await cluster.get(replicationControllers, 'rc'))?.status).toEqual({ replicas: 2, readyReplicas: 2, availableReplicas: 2, fullyLabeledReplicas: 2, observedGeneration: 1 })
    const [first = ''] = await names()
    await cluster.client.delete(cluster.ctx, pods, { namespace: 'default', name: first })
    await cluster.settle(2_000)
    expect((await names()).length).toBe(2)
  })
})
