import { afterEach, describe, expect, it } from 'vitest'
import { controllerRevisions } from '../../api/apps/controllerrevision.ts'
import { statefulSets } from '../../api/apps/statefulset.ts'
import { configMaps } from '../../api/core/configmap.ts'
import { events } from '../../api/core/event.ts'
import { persistentVolumeClaims } from '../../api/core/persistentvolumeclaim.ts'
import { pods } from '../../api/core/pod.ts'
import type { ControllerRevision, Pod, StatefulSet, StatefulSetSpec } from '../../api/schema/types.ts'
import { testCluster, type TestCluster, type TestClusterOptions } from '../../../test/support/controllers.ts'
import { garbageCollector } from '../garbage/garbage.ts'
import { statefulSetController } from './statefulset.ts'

let cluster: TestCluster
/** Names of pods that do not become ready. */
let held: Set<string>

async function start(options: TestClusterOptions = {}): Promise<void> {
  held = new Set()
  cluster = await testCluster([statefulSetController, garbageCollector], { rbac: true, ready: (pod) => !held.has(pod.metadata.name ?? '') && pod.status?.phase === 'Pending', ...options })
}

afterEach(() => cluster?.stop())

function statefulSet(replicas: number, more: Partial<StatefulSetSpec> = {}): StatefulSet {
  return {
    metadata: { name: 'web', namespace: 'default', annotations: { note: 'kept' } },
    spec: {
      replicas,
      serviceName: 'nginx',
      selector: { matchLabels: { app: 'web' } },
      template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image: 'a:1' }] } },
      ...more,
    },
  }
}

const claimTemplate = { metadata: { name: 'data', labels: { tier: 'db' } }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } }
const setImage = (image: string) => (mine: StatefulSet): void => {
  const container = mine.spec?.template.spec?.containers[0]
  if (container !== undefined) container.image = image
}
const scale = (replicas: number) => (mine: StatefulSet): void => {
  if (mine.spec !== undefined) mine.spec.replicas = replicas
}

const web = async (): Promise<Readonly<StatefulSet>> => (await cluster.get(statefulSets, 'web')) as Readonly<StatefulSet>
const mine = async (): Promise<Readonly<Pod>[]> => [...(await cluster.list(pods))].sort((a, b) => ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1))
const names = async (): Promise<string[]> => (await mine()).map((pod) => pod.metadata.name ?? '')
const images = async (): Promise<string[]> => (await mine()).map((pod) => pod.spec?.containers[0]?.image ?? '')
const revisions = async (): Promise<Readonly<ControllerRevision>[]> => [...(await cluster.list(controllerRevisions))].sort((a, b) => a.revision - b.revision)
const claims = async (): Promise<string[]> => (await cluster.list(persistentVolumeClaims)).map((claim) => claim.metadata.name ?? '').sort()

async function setStatus(name: string, phase: string, ready = false): Promise<void> {
  const status = { phase, conditions: [{ type: 'Ready', status: ready ? 'True' : 'False', lastTransitionTime: '2026-01-01T00:00:00Z' }] }
  await cluster.client.patch(cluster.ctx, pods, { namespace: 'default', name }, 'merge', { status }, { subresource: 'status' })
}

/** Names of pods in the order in which they came (+) and went (-). */
function record(): string[] {
  const seen: string[] = []
  void (async () => {
    for await (const { type, object } of cluster.client.watch(cluster.ctx, pods, { sendInitialEvents: true })) {
      if (type === 'ADDED') seen.push(`+${object.metadata.name}`)
      if (type === 'DELETED') seen.push(`-${object.metadata.name}`)
    }
  })().catch(() => {})
  return seen
}

describe('pods of a StatefulSet', () => {
  it('come in order, with names, labels, host names and claims, as upstream makes them; then it rests', async () => {
    await start()
    const seen = record()
    await cluster.create(statefulSets, statefulSet(3, { volumeClaimTemplates: [claimTemplate] }))
    await cluster.settle(2_000)
    expect(seen).toEqual(['+web-0', '+web-1', '+web-2'])
    const [revision] = await revisions()
    const [, second] = await mine()
    expect(second).toMatchObject({
      metadata: {
        name: 'web-1', generateName: 'web-',
        labels: { app: 'web', 'statefulset.kubernetes.io/pod-name': 'web-1', 'apps.kubernetes.io/pod-index': '1', 'controller-revision-hash': revision?.metadata.name },
        ownerReferences: [{ apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'web', controller: true, blockOwnerDeletion: true }],
      },
      spec: { hostname: 'web-1', subdomain: 'nginx', volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data-web-1' } }] },
    })
    expect(await claims()).toEqual(['data-web-0', 'data-web-1', 'data-web-2'])
    expect((await cluster.get(persistentVolumeClaims, 'data-web-1'))?.metadata).toMatchObject({ labels: { app: 'web', tier: 'db' } })
    const name = revision?.metadata.name
    expect((await web()).status).toEqual({
      observedGeneration: 1, replicas: 3, readyReplicas: 3, availableReplicas: 3, currentReplicas: 3, updatedReplicas: 3,
      currentRevision: name, updateRevision: name, collisionCount: 0,
    })
    const messages = (await cluster.list(events)).map((e) => `${e.source?.component} ${e.reason} ${e.message}`)
    expect(messages).toContain('statefulset-controller SuccessfulCreate Create Pod web-0 in StatefulSet web successful')
    expect(messages).toContain('statefulset-controller SuccessfulCreate Create Claim data-web-0 Pod web-0 in StatefulSet web success')
    await cluster.writes()
    await cluster.settle(1_500_000)
    expect(await cluster.writes()).toBe(0)
  })

  it('wait for those before them, coming and going', async () => {
    await start()
    held.add('web-1')
    await cluster.create(statefulSets, statefulSet(3))
    await cluster.settle(2_000)
    expect(await names()).toEqual(['web-0', 'web-1'])
    await setStatus('web-1', 'Running', true)
    await cluster.settle(2_000)
    expect(await names()).toEqual(['web-0', 'web-1', 'web-2'])
    await setStatus('web-1', 'Running', false)
    await cluster.change(statefulSets, 'web', scale(0))
    await cluster.settle(2_000)
    // The first that is not available may go; the one above it is available, and may too.
    expect(await names()).toEqual([])
  })

  it('halts a scale down at what is not ready in those that stay', async () => {
    await start()
    await cluster.create(statefulSets, statefulSet(3))
    await cluster.settle(2_000)
    await setStatus('web-0', 'Running', false)
    await cluster.change(statefulSets, 'web', scale(1))
    await cluster.settle(2_000)
    expect(await names()).toEqual(['web-0', 'web-1', 'web-2'])
    const seen = record()
    await setStatus('web-0', 'Running', true)
    await cluster.settle(2_000)
    expect(seen.filter((change) => change.startsWith('-'))).toEqual(['-web-2', '-web-1'])
  })

  it('stay all, when none of them is ready, until the first is', async () => {
    await start()
    await cluster.create(statefulSets, statefulSet(3))
    await cluster.settle(2_000)
    for (const name of ['web-0', 'web-1', 'web-2']) await setStatus(name, 'Running', false)
    await cluster.change(statefulSets, 'web', scale(0))
    await cluster.settle(10_000)
    expect(await names()).toEqual(['web-0', 'web-1', 'web-2'])
    for (const name of ['web-0', 'web-1', 'web-2']) await setStatus(name, 'Running', true)
    await cluster.settle(2_000)
    expect(await names()).toEqual([])
  })

  it('come and go all at once where the set is parallel', async () => {
    await start()
    for (let i = 0; i < 5; i++) held.add(`web-${i}`)
    await cluster.create(statefulSets, statefulSet(5, { podManagementPolicy: 'Parallel' }))
    await cluster.settle(2_000)
    expect(await names()).toEqual(['web-0', 'web-1', 'web-2', 'web-3', 'web-4'])
    await cluster.change(statefulSets, 'web', scale(0))
    await cluster.settle(2_000)
    expect(await names()).toEqual([])
  })

  it('are counted from where the set starts, also when the start moves', async () => {
    await start()
    await cluster.create(statefulSets, statefulSet(2, { ordinals: { start: 5 } }))
    await cluster.settle(2_000)
    expect(await names()).toEqual(['web-5', 'web-6'])
    await cluster.change(statefulSets, 'web', (set) => Object.assign(set.spec?.ordinals ?? {}, { start: 4 }))
    await cluster.settle(2_000)
    expect(await names()).toEqual(['web-4', 'web-5'])
  })

  it('are made again when they ended or were evicted', async () => {
    await start()
    await cluster.create(statefulSets, statefulSet(2))
    await cluster.settle(2_000)
    const before = (await mine()).map((pod) => pod.metadata.uid)
    await setStatus('web-0', 'Failed')
    await setStatus('web-1', 'Succeeded')
    await cluster.settle(2_000)
    const after = await mine()
    expect(after.map((pod) => [pod.metadata.name, pod.status?.phase])).toEqual([['web-0', 'Running'], ['web-1', 'Running']])
    expect(after.some((pod) => before.includes(pod.metadata.uid))).toBe(false)
  })

  it('count as available when they were ready for long enough, and the next waits for that', async () => {
    await start()
    await cluster.create(statefulSets, statefulSet(2, { minReadySeconds: 30 }))
    await cluster.settle(10_000)
    expect(await names()).toEqual(['web-0'])
    expect((await web()).status).toMatchObject({ readyReplicas: 1, availableReplicas: 0 })
    await cluster.settle(30_000)
    expect(await names()).toEqual(['web-0', 'web-1'])
    await cluster.settle(40_000)
    expect((await web()).status).toMatchObject({ readyReplicas: 2, availableReplicas: 2 })
  })

  it('are adopted when they match by labels and name, and let go when they match no more', async () => {
    await start()
    const pod = (name: string): Pod => ({ metadata: { name, namespace: 'default', labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image: 'old' }] } })
    await cluster.create(pods, pod('web-0'))
    await cluster.create(pods, pod('other-0'))
    await cluster.create(statefulSets, statefulSet(1, { updateStrategy: { type: 'OnDelete' } }))
    await cluster.settle(2_000)
    expect((await cluster.get(pods, 'web-0'))?.metadata).toMatchObject({ ownerReferences: [{ name: 'web' }], labels: { 'statefulset.kubernetes.io/pod-name': 'web-0', 'apps.kubernetes.io/pod-index': '0' } })
    expect((await cluster.get(pods, 'other-0'))?.metadata.ownerReferences).toBeUndefined()
    await cluster.change(pods, 'web-0', (one) => void (one.metadata.labels = { app: 'else' }))
    await cluster.settle(2_000)
    expect((await cluster.get(pods, 'web-0'))?.metadata.ownerReferences ?? []).toEqual([])
    const refused = (await cluster.list(events)).map((e) => `${e.reason} ${e.message}`)
    expect(refused.filter((text) => text.startsWith('FailedCreate'))).toEqual([]) // the name is taken: that is told nobody, and tried again
  })
})

describe('updates of a StatefulSet', () => {
  it('roll from the highest ordinal down, and back', async () => {
    await start()
    await cluster.create(statefulSets, statefulSet(3))
    await cluster.settle(2_000)
    const seen = record()
    await cluster.settle()
    seen.length = 0
    await cluster.change(statefulSets, 'web', setImage('a:2'))
    await cluster.settle(5_000)
    expect(seen).toEqual(['-web-2', '+web-2', '-web-1', '+web-1', '-web-0', '+web-0'])
    expect(await images()).toEqual(['a:2', 'a:2', 'a:2'])
    const [first, second] = await revisions()
    expect((await web()).status).toMatchObject({ currentRevision: second?.metadata.name, updateRevision: second?.metadata.name, currentReplicas: 3, updatedReplicas: 3 })
    await cluster.client.patch(cluster.ctx, statefulSets, { namespace: 'default', name: 'web' }, 'strategic', first?.data)
    await cluster.settle(5_000)
    expect(await images()).toEqual(['a:1', 'a:1', 'a:1'])
    expect((await revisions()).map(({ metadata, revision }) => [metadata.name, revision])).toEqual([[second?.metadata.name, 2], [first?.metadata.name, 3]])
  })

  it('wait for a pod that does not come, and leave the others', async () => {
    await start({ ready: (pod) => pod.spec?.containers[0]?.image !== 'bad' })
    await cluster.create(statefulSets, statefulSet(3))
    await cluster.settle(2_000)
    await cluster.change(statefulSets, 'web', setImage('bad'))
    await cluster.settle(5_000)
    expect(await images()).toEqual(['a:1', 'a:1', 'bad'])
    expect((await web()).status).toMatchObject({ replicas: 3, readyReplicas: 2, currentReplicas: 2, updatedReplicas: 1 })
  })

  it('stop at the partition, below which pods come back as they were', async () => {
    await start()
    await cluster.create(statefulSets, statefulSet(3, { updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 2 } } }))
    await cluster.settle(2_000)
    await cluster.change(statefulSets, 'web', setImage('a:2'))
    await cluster.settle(5_000)
    expect(await images()).toEqual(['a:1', 'a:1', 'a:2'])
    for (const name of ['web-0', 'web-2']) await cluster.client.delete(cluster.ctx, pods, { namespace: 'default', name })
    await cluster.settle(5_000)
    expect(await images()).toEqual(['a:1', 'a:1', 'a:2'])
    expect((await web()).status).toMatchObject({ currentReplicas: 2, updatedReplicas: 1 })
    await cluster.change(statefulSets, 'web', (set) => Object.assign(set.spec?.updateStrategy?.rollingUpdate ?? {}, { partition: 0 }))
    await cluster.settle(5_000)
    expect(await images()).toEqual(['a:2', 'a:2', 'a:2'])
  })

  it('wait for somebody to delete the pods where the set asks for that', async () => {
    await start()
    await cluster.create(statefulSets, statefulSet(2, { updateStrategy: { type: 'OnDelete' } }))
    await cluster.settle(2_000)
    await cluster.change(statefulSets, 'web', setImage('a:2'))
    await cluster.settle(5_000)
    expect(await images()).toEqual(['a:1', 'a:1'])
    await cluster.client.delete(cluster.ctx, pods, { namespace: 'default', name: 'web-1' })
    await cluster.settle(5_000)
    expect(await images()).toEqual(['a:1', 'a:2'])
  })
})

describe('revisions of a StatefulSet', () => {
  it('hold the template as a patch, under the name that upstream gives', async () => {
    await start()
    await cluster.create(statefulSets, statefulSet(1))
    await cluster.settle(2_000)
    const [revision] = await revisions()
    expect(revision?.metadata).toMatchObject({ annotations: { note: 'kept' }, labels: { app: 'web' }, ownerReferences: [{ kind: 'StatefulSet', name: 'web', controller: true }] })
    expect(revision?.metadata.name).toBe(`web-${revision?.metadata.labels?.['controller.kubernetes.io/hash']}`)
    const text = JSON.stringify(revision?.data)
    expect(text.startsWith('{"spec":{"template":{"$patch":"replace","metadata":{"labels":{"app":"web"}},"spec":{"containers":[{"image":"a:1","imagePullPolicy":"IfNotPresent","name":"c","resources":{},"terminationMessagePath"')).toBe(true)
  })

  it('are kept as many as asked, besides those that are in use', async () => {
    await start()
    await cluster.create(statefulSets, statefulSet(1, { revisionHistoryLimit: 1 }))
    for (let i = 2; i <= 5; i++) {
      await cluster.settle(2_000)
      await cluster.change(statefulSets, 'web', setImage(`a:${i}`))
    }
    await cluster.settle(2_000)
    expect((await revisions()).map(({ revision }) => revision)).toEqual([4, 5])
  })

  it('get another name when theirs is taken', async () => {
    await start()
    await cluster.create(statefulSets, statefulSet(1))
    await cluster.settle(2_000)
    const [first] = await revisions()
    await cluster.client.delete(cluster.ctx, statefulSets, { namespace: 'default', name: 'web' })
    await cluster.settle(2_000)
    expect(await revisions()).toEqual([])
    await cluster.create(controllerRevisions, { metadata: { name: first?.metadata.name ?? '', namespace: 'default' }, data: { spec: {} }, revision: 1 })
    await cluster.create(statefulSets, statefulSet(1))
    await cluster.settle(2_000)
    expect((await web()).status).toMatchObject({ collisionCount: 1, readyReplicas: 1 })
    expect((await revisions()).length).toBe(2)
  })

  it('are adopted with the pods of an orphaned set, which are not made anew', async () => {
    await start()
    await cluster.create(statefulSets, statefulSet(2))
    await cluster.settle(2_000)
    const before = (await mine()).map((pod) => pod.metadata.uid)
    await cluster.client.delete(cluster.ctx, statefulSets, { namespace: 'default', name: 'web' }, { propagationPolicy: 'Orphan' })
    await cluster.settle(5_000)
    expect(await cluster.get(statefulSets, 'web')).toBeUndefined()
    await cluster.create(statefulSets, statefulSet(2))
    await cluster.settle(5_000)
    expect((await mine()).map((pod) => pod.metadata.uid)).toEqual(before)
    expect((await revisions()).length).toBe(1)
    expect((await revisions())[0]?.metadata.ownerReferences?.[0]?.uid).toBe((await web()).metadata.uid)
  })
})

describe('claims of a StatefulSet', () => {
  const withPolicy = (whenScaled: string, whenDeleted: string): StatefulSet =>
    statefulSet(3, { volumeClaimTemplates: [claimTemplate], persistentVolumeClaimRetentionPolicy: { whenScaled, whenDeleted } })

  it('stay by default', async () => {
    await start()
    await cluster.create(statefulSets, statefulSet(3, { volumeClaimTemplates: [claimTemplate] }))
    await cluster.settle(5_000)
    await cluster.change(statefulSets, 'web', scale(1))
    await cluster.settle(5_000)
    await cluster.client.delete(cluster.ctx, statefulSets, { namespace: 'default', name: 'web' })
    await cluster.settle(5_000)
    expect([await names(), await claims()]).toEqual([[], ['data-web-0', 'data-web-1', 'data-web-2']])
  })

  it('go with the set where the policy says so', async () => {
    await start()
    await cluster.create(statefulSets, withPolicy('Retain', 'Delete'))
    await cluster.settle(5_000)
    await cluster.change(statefulSets, 'web', scale(2))
    await cluster.settle(5_000)
    expect(await claims()).toEqual(['data-web-0', 'data-web-1', 'data-web-2'])
    await cluster.client.delete(cluster.ctx, statefulSets, { namespace: 'default', name: 'web' })
    await cluster.settle(5_000)
    expect(await claims()).toEqual([])
  })

  it('go with a pod that is scaled away where the policy says so, and come anew with it', async () => {
    await start()
    await cluster.create(statefulSets, withPolicy('Delete', 'Retain'))
    await cluster.settle(5_000)
    await cluster.change(statefulSets, 'web', scale(1))
    await cluster.settle(5_000)
    expect(await claims()).toEqual(['data-web-0'])
    await cluster.change(statefulSets, 'web', scale(2))
    await cluster.settle(5_000)
    expect([await names(), await claims()]).toEqual([['web-0', 'web-1'], ['data-web-0', 'data-web-1']])
    await cluster.client.delete(cluster.ctx, statefulSets, { namespace: 'default', name: 'web' })
    await cluster.settle(5_000)
    expect(await claims()).toEqual(['data-web-0', 'data-web-1'])
  })

  it('follow a policy that changes, and are left to others who manage them', async () => {
    await start()
    await cluster.create(statefulSets, statefulSet(2, { volumeClaimTemplates: [claimTemplate] }))
    await cluster.settle(5_000)
    const { metadata: { uid = '' } } = await cluster.create(configMaps, { metadata: { name: 'x', namespace: 'default' } })
    const other = { apiVersion: 'v1', kind: 'ConfigMap', name: 'x', uid, controller: true }
    await cluster.client.patch(cluster.ctx, persistentVolumeClaims, { namespace: 'default', name: 'data-web-1' }, 'merge', { metadata: { ownerReferences: [other] } })
    await cluster.change(statefulSets, 'web', (set) => void (set.spec !== undefined && (set.spec.persistentVolumeClaimRetentionPolicy = { whenScaled: 'Retain', whenDeleted: 'Delete' })))
    await cluster.settle(500)
    const owners = async (name: string) => ((await cluster.get(persistentVolumeClaims, name))?.metadata.ownerReferences ?? []).map((ref) => ref.kind)
    expect([await owners('data-web-0'), await owners('data-web-1')]).toEqual([['StatefulSet'], ['ConfigMap']])
    await cluster.change(statefulSets, 'web', (set) => void (set.spec !== undefined && (set.spec.persistentVolumeClaimRetentionPolicy = { whenScaled: 'Retain', whenDeleted: 'Retain' })))
    await cluster.settle(500)
    expect(await owners('data-web-0')).toEqual([])
  })

  it('that are going keep their pod from coming, and are waited for', async () => {
    await start()
    const claim = { metadata: { name: 'data-web-0', namespace: 'default', finalizers: ['test/held'] }, spec: claimTemplate.spec }
    await cluster.create(persistentVolumeClaims, claim)
    await cluster.client.delete(cluster.ctx, persistentVolumeClaims, { namespace: 'default', name: 'data-web-0' })
    await cluster.create(statefulSets, statefulSet(1, { volumeClaimTemplates: [claimTemplate] }))
    await cluster.settle(5_000)
    expect(await names()).toEqual([])
    expect((await cluster.list(events)).map((e) => `${e.reason} ${e.message}`)).toContain('FailedCreate Create Pod web-0 in StatefulSet web failed error: pvc data-web-0 is being deleted')
    await cluster.change(persistentVolumeClaims, 'data-web-0', (one) => void (one.metadata.finalizers = []))
    await cluster.settle(1_000)
    expect(await names()).toEqual(['web-0'])
  })
})
