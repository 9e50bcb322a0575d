import { afterEach, describe, expect, it } from 'vitest'
import { controllerRevisions } from '../../api/apps/controllerrevision.ts'
import { daemonSets } from '../../api/apps/daemonset.ts'
import { events } from '../../api/core/event.ts'
import { nodes } from '../../api/core/node.ts'
import { pods } from '../../api/core/pod.ts'
import type { ControllerRevision, DaemonSet, DaemonSetSpec, Node, Pod, PodSpec } from '../../api/schema/types.ts'
import { testCluster, type TestCluster, type TestClusterOptions } from '../../../test/support/controllers.ts'
import { garbageCollector } from '../garbage/garbage.ts'
import { daemonSetController } from './daemonset.ts'
import { nodeOf } from './placement.ts'

let cluster: TestCluster
const isPending = (pod: Readonly<Pod>): boolean => pod.status?.phase === 'Pending'

async function start(nodeCount = 3, options: TestClusterOptions = {}): Promise<void> {
  cluster = await testCluster([daemonSetController, garbageCollector], { rbac: true, ready: isPending, ...options })
  for (let i = 1; i <= nodeCount; i++) await cluster.create(nodes, { metadata: { name: `n${i}`, labels: { color: 'blue' } } })
}

afterEach(() => cluster?.stop())

function daemonSet(more: Partial<DaemonSetSpec> = {}, spec: Partial<PodSpec> = {}): DaemonSet {
  return {
    metadata: { name: 'ds', namespace: 'default' },
    spec: { selector: { matchLabels: { app: 'ds' } }, template: { metadata: { labels: { app: 'ds' } }, spec: { containers: [{ name: 'c', image: 'a:1' }], ...spec } }, ...more },
  }
}

const setImage = (image: string) => (mine: DaemonSet): void => {
  const container = mine.spec?.template.spec?.containers[0]
  if (container !== undefined) container.image = image
}

const ds = async (): Promise<Readonly<DaemonSet>> => (await cluster.get(daemonSets, 'ds')) as Readonly<DaemonSet>
const placed = async (): Promise<Readonly<Pod>[]> => [...(await cluster.list(pods))].sort((a, b) => ((nodeOf(a) ?? '') < (nodeOf(b) ?? '') ? -1 : 1))
const places = async (): Promise<(string | undefined)[]> => (await placed()).map(nodeOf)
const images = async (): Promise<string[]> => (await placed()).map((pod) => pod.spec?.containers[0]?.image ?? '')
const uids = async (): Promise<(string | undefined)[]> => (await placed()).map((pod) => pod.metadata.uid)
const revisions = async (): Promise<Readonly<ControllerRevision>[]> => [...(await cluster.list(controllerRevisions))].sort((a, b) => a.revision - b.revision)
const told = async (): Promise<string[]> => (await cluster.list(events)).map((e) => `${e.source?.component} ${e.reason} ${e.message}`)
const changeNode = (name: string, change: (mine: Node) => void) => cluster.change(nodes, name, change)

async function setStatus(pod: Readonly<Pod> | undefined, phase: string, ready = false): Promise<void> {
  const status = { phase, conditions: [{ type: 'Ready', status: ready ? 'True' : 'False', lastTransitionTime: '2026-01-01T00:00:00Z' }] }
  await cluster.client.patch(cluster.ctx, pods, { namespace: 'default', name: pod?.metadata.name ?? '' }, 'merge', { status }, { subresource: 'status' })
}

describe('pods of a DaemonSet', () => {
  it('come to every node, pinned and tolerant, as upstream makes them; then it rests', async () => {
    await start()
    await cluster.create(daemonSets, daemonSet({}, { hostNetwork: true, affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'color', operator: 'Exists' }] }] } } } }))
    await cluster.settle(2_000)
    expect(await places()).toEqual(['n1', 'n2', 'n3'])
    const [revision] = await revisions()
    const hash = revision?.metadata.labels?.['controller-revision-hash']
    const [pod] = await placed()
    expect(pod?.metadata).toMatchObject({ generateName: 'ds-', labels: { app: 'ds', 'controller-revision-hash': hash, 'pod-template-generation': '1' }, ownerReferences: [{ kind: 'DaemonSet', name: 'ds', controller: true }] })
    expect(pod?.spec?.affinity).toEqual({ nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['n1'] }] }] } } })
    expect(pod?.spec?.tolerations?.map(({ key, operator, effect }) => `${key} ${operator} ${effect}`)).toEqual([
      'node.kubernetes.io/not-ready Exists NoExecute', 'node.kubernetes.io/unreachable Exists NoExecute', 'node.kubernetes.io/disk-pressure Exists NoSchedule',
      'node.kubernetes.io/memory-pressure Exists NoSchedule', 'node.kubernetes.io/pid-pressure Exists NoSchedule', 'node.kubernetes.io/unschedulable Exists NoSchedule',
      'node.kubernetes.io/network-unavailable Exists NoSchedule',
    ])
    expect((await ds()).status).toEqual({
      currentNumberScheduled: 3, desiredNumberScheduled: 3, numberMisscheduled: 0, numberReady: 3, numberAvailable: 3, updatedNumberScheduled: 3, observedGeneration: 1,
    })
    expect(await told()).toContain(`daemonset-controller SuccessfulCreate Created pod: ${pod?.metadata.name}`)
    await cluster.writes()
    await cluster.settle(1_500_000)
    expect(await cluster.writes()).toBe(0)
  })

  it('follow nodes that come, go, and change their labels', async () => {
    await start()
    await cluster.create(daemonSets, daemonSet({}, { nodeSelector: { color: 'green' } }))
    await cluster.settle(2_000)
    expect([await places(), (await ds()).status?.desiredNumberScheduled]).toEqual([[], 0])
    await changeNode('n2', (node) => void (node.metadata.labels = { color: 'green' }))
    await cluster.create(nodes, { metadata: { name: 'n4', labels: { color: 'green' } } })
    await cluster.settle(2_000)
    expect(await places()).toEqual(['n2', 'n4'])
    await changeNode('n2', (node) => void (node.metadata.labels = { color: 'blue' }))
    await cluster.client.delete(cluster.ctx, nodes, { namespace: '', name: 'n4' })
    await cluster.settle(2_000)
    expect([await places(), (await ds()).status?.desiredNumberScheduled]).toEqual([[], 0])
  })

  it('stay away from taints that they do not tolerate, and leave for those that evict', async () => {
    await start()
    await changeNode('n1', (node) => void (node.spec = { taints: [{ key: 'x', effect: 'NoSchedule' }] }))
    await cluster.create(daemonSets, daemonSet())
    await cluster.settle(2_000)
    expect(await places()).toEqual(['n2', 'n3'])
    await changeNode('n2', (node) => void (node.spec = { taints: [{ key: 'x', effect: 'NoSchedule' }] }))
    await changeNode('n3', (node) => void (node.spec = { taints: [{ key: 'x', effect: 'NoExecute' }] }))
    await cluster.settle(2_000)
    expect(await places()).toEqual(['n2'])
    expect((await ds()).status).toMatchObject({ desiredNumberScheduled: 0, numberMisscheduled: 1 })
    for (const name of ['n1', 'n2', 'n3']) await changeNode(name, (node) => void (node.spec = { unschedulable: true, taints: [{ key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' }] }))
    await cluster.settle(2_000)
    expect([await places(), (await ds()).status?.numberMisscheduled]).toEqual([['n1', 'n2', 'n3'], 0])
  })

  it('are replaced when they failed, later each time, and when they ended well', async () => {
    await start(1)
    await cluster.create(daemonSets, daemonSet())
    await cluster.settle(2_000)
    const [first] = await placed()
    await setStatus(first, 'Failed')
    await cluster.settle()
    const [second] = await placed()
    expect(second?.metadata.uid).not.toBe(first?.metadata.uid)
    expect(await told()).toContain(`daemonset-controller FailedDaemonPod Found failed daemon pod default/${first?.metadata.name} on node n1, will try to kill it`)
    await cluster.settle(2_000)
    await setStatus(second, 'Failed')
    await cluster.settle()
    const [third] = await placed()
    await setStatus(third, 'Failed')
    await cluster.clock.advance(500)
    expect(await uids()).toEqual([third?.metadata.uid])
    await cluster.settle(2_000)
    const [fourth] = await placed()
    expect(fourth?.metadata.uid).not.toBe(third?.metadata.uid)
    await setStatus(fourth, 'Succeeded')
    await cluster.settle(2_000)
    expect(await uids()).not.toEqual([fourth?.metadata.uid])
    expect((await told()).some((text) => text.startsWith('daemonset-controller SucceededDaemonPod'))).toBe(true)
  })

  it('are adopted, one a node, the oldest first; others are let go', async () => {
    await start(1)
    const orphan = (name: string): Pod => ({
      metadata: { name, namespace: 'default', labels: { app: 'ds' } }, spec: { nodeName: 'n1', containers: [{ name: 'c', image: 'a:1' }] },
    })
    await cluster.create(pods, orphan('a'))
    await cluster.settle(2_000)
    await cluster.create(pods, orphan('b'))
    await cluster.create(daemonSets, daemonSet({ updateStrategy: { type: 'OnDelete' } }))
    await cluster.settle(2_000)
    expect((await placed()).map((pod) => pod.metadata.name)).toEqual(['a'])
    await cluster.change(pods, 'a', (pod) => void (pod.metadata.labels = {}))
    await cluster.settle(2_000)
    expect((await cluster.get(pods, 'a'))?.metadata.ownerReferences ?? []).toEqual([])
    expect((await placed()).length).toBe(2)
  })

  it('come in batches that grow: what is refused is refused once', async () => {
    let refused = 0
    const validate: NonNullable<TestClusterOptions['admission']>['validate'] = (_, { kind, operation }) => {
      if (kind.kind !== 'Pod' || operation !== 'CREATE') return Promise.resolve()
      refused++
      return Promise.reject(new Error('no'))
    }
    await start(20, { admission: { mutate: () => Promise.resolve(), validate } })
    await cluster.create(daemonSets, daemonSet())
    await cluster.settle()
    expect(refused).toBeGreaterThan(0)
    expect(refused).toBeLessThan(12)
    expect((await ds()).status).toMatchObject({ desiredNumberScheduled: 20, numberUnavailable: 20 })
  })
})

describe('updates of a DaemonSet', () => {
  it('replace as many at a time as may be unavailable', async () => {
    let least = Infinity
    await start(4, { ready: (pod) => isPending(pod) })
    await cluster.create(daemonSets, daemonSet({ minReadySeconds: 5 }))
    await cluster.settle(10_000)
    void (async () => {
      for await (const _ of cluster.client.watch(cluster.ctx, pods, {})) least = Math.min(least, (await cluster.list(pods)).filter((pod) => pod.status?.phase === 'Running').length)
    })().catch(() => {})
    await cluster.change(daemonSets, 'ds', setImage('a:2'))
    await cluster.settle(60_000)
    expect(await images()).toEqual(['a:2', 'a:2', 'a:2', 'a:2'])
    expect(least).toBe(3)
    expect((await ds()).status).toMatchObject({ updatedNumberScheduled: 4, numberAvailable: 4, observedGeneration: 2 })
    expect((await ds()).metadata.annotations).toEqual({ 'deprecated.daemonset.template.generation': '2' })
  })

  it('put a second pod beside each first where the set surges', async () => {
    let least = Infinity
    let most = 0
    await start(3)
    await cluster.create(daemonSets, daemonSet({ updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } } }))
    await cluster.settle(2_000)
    void (async () => {
      for await (const _ of cluster.client.watch(cluster.ctx, pods, {})) {
        const all = await cluster.list(pods)
        most = Math.max(most, all.length)
        least = Math.min(least, all.filter((pod) => pod.status?.phase === 'Running').length)
      }
    })().catch(() => {})
    await cluster.change(daemonSets, 'ds', setImage('a:2'))
    await cluster.settle(20_000)
    expect(await images()).toEqual(['a:2', 'a:2', 'a:2'])
    expect([least, most]).toEqual([3, 4])
  })

  it('stop at what is broken, and go back without restarting what was never touched', async () => {
    await start(4, { ready: (pod) => isPending(pod) && pod.spec?.containers[0]?.image !== 'bad' })
    await cluster.create(daemonSets, daemonSet())
    await cluster.settle(2_000)
    const before = await uids()
    const [first] = await revisions()
    await cluster.change(daemonSets, 'ds', setImage('bad'))
    await cluster.settle(10_000)
    expect((await images()).filter((image) => image === 'bad')).toEqual(['bad'])
    expect((await ds()).status).toMatchObject({ numberAvailable: 3, numberUnavailable: 1, updatedNumberScheduled: 1 })
    await cluster.client.patch(cluster.ctx, daemonSets, { namespace: 'default', name: 'ds' }, 'strategic', first?.data)
    await cluster.settle(10_000)
    expect(await images()).toEqual(['a:1', 'a:1', 'a:1', 'a:1'])
    expect((await uids()).filter((uid) => before.includes(uid)).length).toBe(3)
    expect((await revisions()).map(({ metadata, revision }) => [metadata.name === first?.metadata.name, revision])).toEqual([[false, 2], [true, 3]])
  })

  it('wait for somebody to delete the pods where the set asks for that', async () => {
    await start(2)
    await cluster.create(daemonSets, daemonSet({ updateStrategy: { type: 'OnDelete' } }))
    await cluster.settle(2_000)
    await cluster.change(daemonSets, 'ds', setImage('a:2'))
    await cluster.settle(2_000)
    expect(await images()).toEqual(['a:1', 'a:1'])
    expect((await ds()).status?.updatedNumberScheduled).toBeUndefined()
    const [pod] = await placed()
    await cluster.client.delete(cluster.ctx, pods, { namespace: 'default', name: pod?.metadata.name ?? '' })
    await cluster.settle(2_000)
    expect(await images()).toEqual(['a:2', 'a:1'])
    expect((await ds()).status?.updatedNumberScheduled).toBe(1)
  })
})

describe('revisions of a DaemonSet', () => {
  it('are kept as many as asked, besides those that pods are at', async () => {
    await start(1)
    await cluster.create(daemonSets, daemonSet({ revisionHistoryLimit: 1, updateStrategy: { type: 'OnDelete' } }))
    for (let i = 2; i <= 5; i++) {
      await cluster.settle(2_000)
      await cluster.change(daemonSets, 'ds', setImage(`a:${i}`))
    }
    await cluster.settle(2_000)
    expect((await revisions()).map(({ revision }) => revision)).toEqual([1, 5]) // the pod is at the first still
    await cluster.change(daemonSets, 'ds', (mine) => void (mine.spec !== undefined && (mine.spec.updateStrategy = { type: 'RollingUpdate' })))
    await cluster.settle(5_000)
    await cluster.change(daemonSets, 'ds', setImage('a:6'))
    await cluster.settle(5_000)
    expect((await revisions()).map(({ revision }) => revision)).toEqual([5, 6])
  })

  it('with the same data become one, and the pods go along', async () => {
    await start(2)
    await cluster.create(daemonSets, daemonSet())
    await cluster.settle(2_000)
    const before = await uids()
    const [first] = await revisions()
    const { name, namespace, ownerReferences } = first?.metadata ?? {}
    await cluster.create(controllerRevisions, {
      metadata: { name: 'twin', namespace: namespace ?? '', labels: { app: 'ds' }, ownerReferences: ownerReferences ?? [] }, data: first?.data ?? {}, revision: 3,
    })
    await cluster.settle(2_000)
    expect((await revisions()).length).toBe(2) // clients may make revisions, and find them there
    await cluster.change(daemonSets, 'ds', (set) => void (set.metadata.labels = { some: 'work' }))
    await cluster.settle(2_000)
    expect((await revisions()).map(({ metadata }) => [metadata.name, metadata.labels?.['controller-revision-hash']])).toEqual([['twin', 'twin']])
    expect((await placed()).map((pod) => pod.metadata.labels?.['controller-revision-hash'])).toEqual(['twin', 'twin'])
    expect([await uids(), name === 'twin']).toEqual([before, false])
  })

  it('come and go by the hands of clients, and are counted on', async () => {
    await start(1)
    await cluster.create(daemonSets, daemonSet())
    await cluster.settle(2_000)
    const [first] = await revisions()
    const { ownerReferences = [] } = first?.metadata ?? {}
    await cluster.create(controllerRevisions, {
      metadata: { name: 'second', namespace: 'default', labels: { app: 'ds', 'controller-revision-hash': 'second' }, ownerReferences }, data: first?.data ?? {}, revision: 2,
    })
    await cluster.client.delete(cluster.ctx, controllerRevisions, { namespace: 'default', name: first?.metadata.name ?? '' })
    await cluster.settle(2_000)
    await cluster.change(daemonSets, 'ds', setImage('a:2'))
    await cluster.settle(2_000)
    expect((await revisions()).map(({ revision }) => revision)).toEqual([2, 3])
    await cluster.client.delete(cluster.ctx, controllerRevisions, { namespace: 'default', name: 'second' })
    await cluster.settle(2_000)
    expect((await revisions()).map(({ revision }) => revision)).toEqual([3])
  })

  it('get another name when theirs is taken', async () => {
    await start(1)
    await cluster.create(daemonSets, daemonSet())
    await cluster.settle(2_000)
    const [first] = await revisions()
    await cluster.client.delete(cluster.ctx, daemonSets, { namespace: 'default', name: 'ds' })
    await cluster.settle(2_000)
    await cluster.create(controllerRevisions, { metadata: { name: first?.metadata.name ?? '', namespace: 'default' }, data: { spec: {} }, revision: 1 })
    await cluster.create(daemonSets, daemonSet())
    await cluster.settle(2_000)
    expect((await ds()).status).toMatchObject({ collisionCount: 1, numberReady: 1 })
  })

  it('are adopted with the pods of an orphaned set, which are not made anew', async () => {
    await start(2)
    await cluster.create(daemonSets, daemonSet())
    await cluster.settle(2_000)
    const before = await uids()
    await cluster.client.delete(cluster.ctx, daemonSets, { namespace: 'default', name: 'ds' }, { propagationPolicy: 'Orphan' })
    await cluster.settle(5_000)
    await cluster.create(daemonSets, daemonSet())
    await cluster.settle(5_000)
    expect([await uids(), (await revisions()).length]).toEqual([before, 1])
    expect((await revisions())[0]?.metadata.ownerReferences?.[0]?.uid).toBe((await ds()).metadata.uid)
  })
})
