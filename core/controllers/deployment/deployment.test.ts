import { afterEach, describe, expect, it } from 'vitest'
import { deployments } from '../../api/apps/deployment.ts'
import { replicaSets } from '../../api/apps/replicaset.ts'
import { pods } from '../../api/core/pod.ts'
import { events } from '../../api/core/event.ts'
import type { Deployment, Pod, ReplicaSet } from '../../api/schema/types.ts'
import { testCluster, type TestCluster, type TestClusterOptions } from '../../../test/support/controllers.ts'
import { replicaSetController } from '../replicaset/replicaset.ts'
import { deploymentController } from './deployment.ts'
import { planRolling, planScale } from './plan.ts'

let cluster: TestCluster

async function start(options: TestClusterOptions = {}): Promise<void> {
  cluster = await testCluster([deploymentController, replicaSetController], options)
}

afterEach(() => cluster?.stop())

function deployment(replicas: number, image = 'a:1', more: Partial<NonNullable<Deployment['spec']>> = {}): Deployment {
  return {
    metadata: { name: 'web', namespace: 'default' },
    spec: {
      replicas,
      selector: { matchLabels: { app: 'web' } },
      template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image }] } },
      ...more,
    },
  }
}

const setImage = (image: string) => (mine: Deployment): void => {
  const container = mine.spec?.template.spec?.containers[0]
  if (container !== undefined) container.image = image
}

const web = async (): Promise<Readonly<Deployment>> => (await cluster.get(deployments, 'web')) as Readonly<Deployment>
const condition = async (type: string) => (await web()).status?.conditions?.find((c) => c.type === type)
const sets = async (): Promise<Readonly<ReplicaSet>[]> => [...(await cluster.list(replicaSets))].sort((a, b) => Number(a.metadata.resourceVersion) - Number(b.metadata.resourceVersion))
const sizes = async (): Promise<number[]> => (await sets()).map((s) => s.spec?.replicas ?? 0).sort((a, b) => a - b)
const images = async (): Promise<string[]> => (await cluster.list(pods)).map((pod: Readonly<Pod>) => pod.spec?.containers[0]?.image ?? '').sort()

describe('deployment controller', () => {
  it('brings a Deployment up, says so as upstream does, and then rests', async () => {
    await start()
    await cluster.create(deployments, deployment(3))
    await cluster.settle()
    const [set] = await sets()
    const hash = set?.metadata.labels?.['pod-template-hash'] ?? ''
    expect(set?.metadata).toMatchObject({
      name: `web-${hash}`,
      annotations: { 'deployment.kubernetes.io/revision': '1', 'deployment.kubernetes.io/desired-replicas': '3', 'deployment.kubernetes.io/max-replicas': '4' },
      ownerReferences: [{ apiVersion: 'apps/v1', kind: 'Deployment', name: 'web', controller: true, blockOwnerDeletion: true }],
    })
    expect(set?.spec?.selector).toEqual({ matchLabels: { app: 'web', 'pod-template-hash': hash } })
    expect((await web()).metadata.annotations).toEqual({ 'deployment.kubernetes.io/revision': '1' })
    expect((await web()).status).toMatchObject({ replicas: 3, updatedReplicas: 3, readyReplicas: 3, availableReplicas: 3, observedGeneration: 1 })
    expect(await condition('Available')).toMatchObject({ status: 'True', reason: 'MinimumReplicasAvailable', message: 'Deployment has minimum availability.' })
    expect(await condition('Progressing')).toMatchObject({ status: 'True', reason: 'NewReplicaSetAvailable', message: `ReplicaSet "web-${hash}" has successfully progressed.` })
    const messages = (await cluster.list(events)).map((e) => `${e.source?.component} ${e.reason} ${e.message}`)
    expect(messages).toContain(`deployment-controller ScalingReplicaSet Scaled up replica set web-${hash} from 0 to 3`)
    expect(messages.filter((m) => m.startsWith('replicaset-controller SuccessfulCreate Created pod: web-')).length).toBe(3)
    await cluster.writes()
    await cluster.settle(1_500_000)
    expect(await cluster.writes()).toBe(0)
  })

  it('makes every replica exactly once, however many Deployments come at a time', async () => {
    await start()
    let made = 0
    const watching = (async () => {
      for await (const { type } of cluster.client.watch(cluster.ctx, pods, {})) if (type === 'ADDED') made++
    })().catch(() => {})
    await Promise.all(Array.from({ length: 6 }, (_, i) => cluster.create(deployments, { ...deployment(10), metadata: { name: `web${i}`, namespace: `ns${i % 3}` } })))
    await cluster.settle(5_000)
    const ready = (await cluster.list(deployments)).reduce((n, d) => n + (d.status?.readyReplicas ?? 0), 0)
    expect([made, ready]).toEqual([60, 60])
    void watching
  })

  it('rolls a new template out and, undone, back again, keeping to surge and availability', async () => {
    let most = 0
    let least = Infinity
    await start()
    await cluster.create(deployments, deployment(4))
    await cluster.settle()
    const counting = (async () => {
      for await (const { object } of cluster.client.watch(cluster.ctx, replicaSets, {})) {
        void object
        const all = await cluster.list(pods)
        most = Math.max(most, all.length)
        least = Math.min(least, all.filter((p) => p.status?.phase === 'Running').length)
      }
    })().catch(() => {})
    await cluster.change(deployments, 'web', setImage('a:2'))
    await cluster.settle(5_000)
    expect(await images()).toEqual(['a:2', 'a:2', 'a:2', 'a:2'])
    await cluster.change(deployments, 'web', setImage('a:1'))
    await cluster.settle(5_000)
    expect(await images()).toEqual(['a:1', 'a:1', 'a:1', 'a:1'])
    const all = await sets()
    expect(all.length).toBe(2)
    expect(all.find((s) => s.spec?.replicas === 4)?.metadata.annotations).toMatchObject({ 'deployment.kubernetes.io/revision': '3', 'deployment.kubernetes.io/revision-history': '1' })
    expect((await web()).metadata.annotations?.['deployment.kubernetes.io/revision']).toBe('3')
    expect([most <= 5, least >= 3]).toEqual([true, true])
    void counting
  })

  it('recreates: nothing new comes before all old is gone', async () => {
    await start()
    await cluster.create(deployments, deployment(3, 'a:1', { strategy: { type: 'Recreate' } }))
    await cluster.settle()
    const seen = new Set<string>()
    const watching = (async () => {
      for await (const _ of cluster.client.watch(cluster.ctx, pods, {})) seen.add([...new Set(await images())].join())
    })().catch(() => {})
    await cluster.change(deployments, 'web', setImage('a:2'))
    await cluster.settle(5_000)
    expect(await images()).toEqual(['a:2', 'a:2', 'a:2'])
    expect(seen.has('a:1,a:2')).toBe(false)
    void watching
  })

  it('stops at what is broken, and says that the deadline has passed', async () => {
    await start({ ready: (pod) => pod.spec?.containers[0]?.image !== 'bad' })
    await cluster.create(deployments, deployment(4, 'a:1', { progressDeadlineSeconds: 60 }))
    await cluster.settle()
    await cluster.change(deployments, 'web', setImage('bad'))
    await cluster.settle(30_000)
    expect(await images()).toEqual(['a:1', 'a:1', 'a:1', 'bad', 'bad'])
    expect(await condition('Progressing')).toMatchObject({ status: 'True', reason: 'ReplicaSetUpdated' })
    await cluster.settle(60_000)
    expect(await condition('Progressing')).toMatchObject({ status: 'False', reason: 'ProgressDeadlineExceeded' })
    await cluster.writes()
    await cluster.settle(1_500_000)
    expect(await cluster.writes()).toBe(0)
  })

  it('does not roll while it is paused, but scales', async () => {
    await start()
    await cluster.create(deployments, deployment(2))
    await cluster.settle()
    await cluster.change(deployments, 'web', (mine) => {
      setImage('a:2')(mine)
      if (mine.spec !== undefined) Object.assign(mine.spec, { paused: true, replicas: 3 })
    })
    await cluster.settle(5_000)
    expect(await images()).toEqual(['a:1', 'a:1', 'a:1'])
    expect(await condition('Progressing')).toMatchObject({ status: 'Unknown', reason: 'DeploymentPaused' })
    await cluster.change(deployments, 'web', (mine) => delete mine.spec?.paused)
    await cluster.settle(5_000)
    expect(await images()).toEqual(['a:2', 'a:2', 'a:2'])
  })

  it('spreads a change of size over a rollout that stands still', async () => {
    await start({ ready: (pod) => pod.spec?.containers[0]?.image !== 'bad' })
    await cluster.create(deployments, deployment(10, 'a:1', { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 3, maxUnavailable: 2 } } }))
    await cluster.settle()
    await cluster.change(deployments, 'web', setImage('bad'))
    await cluster.settle(5_000)
    expect(await sizes()).toEqual([5, 8])
    await cluster.change(deployments, 'web', (mine) => void (mine.spec !== undefined && (mine.spec.replicas = 30)))
    await cluster.settle(5_000)
    expect(await sizes()).toEqual([13, 20]) // 33 in all, in the shares that they had
  })

  it('does not count a pause against the deadline', async () => {
    await start({ ready: (pod) => pod.spec?.containers[0]?.image !== 'bad' })
    await cluster.create(deployments, deployment(2, 'a:1', { progressDeadlineSeconds: 60 }))
    await cluster.settle()
    await cluster.change(deployments, 'web', setImage('bad'))
    await cluster.settle(30_000)
    await cluster.change(deployments, 'web', (mine) => void (mine.spec !== undefined && (mine.spec.paused = true)))
    await cluster.settle(300_000)
    expect(await condition('Progressing')).toMatchObject({ status: 'Unknown', reason: 'DeploymentPaused', message: 'Deployment is paused' })
    await cluster.change(deployments, 'web', (mine) => delete mine.spec?.paused)
    await cluster.settle(30_000)
    expect(await condition('Progressing')).toMatchObject({ status: 'Unknown', reason: 'DeploymentResumed' })
    await cluster.settle(60_000)
    expect(await condition('Progressing')).toMatchObject({ status: 'False', reason: 'ProgressDeadlineExceeded' })
  })

  it('takes another name when a set with another template has its own', async () => {
    await start()
    await cluster.create(deployments, deployment(1))
    await cluster.settle()
    const [first] = await sets()
    const name = first?.metadata.name ?? ''
    await cluster.client.delete(cluster.ctx, deployments, { namespace: 'default', name: 'web' }, { propagationPolicy: 'Orphan' })
    await cluster.change(deployments, 'web', (mine) => void (mine.metadata.finalizers = []))
    await cluster.client.delete(cluster.ctx, replicaSets, { namespace: 'default', name })
    await cluster.create(replicaSets, {
      metadata: { name, namespace: 'default' }, spec: { replicas: 0, selector: { matchLabels: { other: 'x' } }, template: { metadata: { labels: { other: 'x' } }, spec: { containers: [{ name: 'c', image: 'z' }] } } },
    })
    await cluster.create(deployments, deployment(1))
    await cluster.settle(5_000)
    expect((await web()).status).toMatchObject({ collisionCount: 1, readyReplicas: 1 })
    expect((await sets()).length).toBe(2)
  })

  it('adopts a set without a manager that matches, and goes on from its revision', async () => {
    await start()
    await cluster.create(deployments, deployment(2))
    await cluster.settle()
    const before = (await cluster.list(pods)).map((pod) => pod.metadata.uid)
    await cluster.client.patch(cluster.ctx, replicaSets, { namespace: 'default', name: (await sets())[0]?.metadata.name ?? '' }, 'merge', { metadata: { ownerReferences: null } })
    await cluster.settle()
    expect((await sets()).map((s) => s.metadata.ownerReferences?.[0]?.name)).toEqual(['web'])
    expect((await cluster.list(pods)).map((pod) => pod.metadata.uid)).toEqual(before)
    await cluster.change(replicaSets, (await sets())[0]?.metadata.name ?? '', (mine) => void (mine.metadata.labels = { app: 'else' }))
    await cluster.settle()
    const owners = (await sets()).map((s) => s.metadata.ownerReferences?.[0]?.name)
    expect(owners.filter((owner) => owner === undefined).length).toBe(1) // what matches no more is let go
  })

  it('counts pods that are still going', async () => {
    await start()
    const held = deployment(2)
    if (held.spec !== undefined) held.spec.template.metadata = { ...held.spec.template.metadata, finalizers: ['test/held'] }
    await cluster.create(deployments, held)
    await cluster.settle()
    expect((await web()).status).toMatchObject({ terminatingReplicas: 0 })
    await cluster.change(deployments, 'web', setImage('a:2'))
    await cluster.settle(5_000)
    expect((await web()).status).toMatchObject({ replicas: 2, updatedReplicas: 2, readyReplicas: 2, terminatingReplicas: 2 })
  })

  it('says why it cannot make a set', async () => {
    await start({ admission: { mutate: () => Promise.resolve(), validate: (_, { kind, operation }) => (kind.kind === 'ReplicaSet' && operation === 'CREATE' ? Promise.reject(new Error('no')) : Promise.resolve()) } })
    await cluster.create(deployments, deployment(1))
    await cluster.settle()
    expect(await condition('Progressing')).toMatchObject({ status: 'False', reason: 'ReplicaSetCreateError' })
    expect((await condition('Progressing'))?.message).toMatch(/^Failed to create new replica set "web-[a-z0-9]+": /)
  })

  it('keeps as many old sets as asked', async () => {
    await start()
    await cluster.create(deployments, deployment(1, 'a:0', { revisionHistoryLimit: 2 }))
    await cluster.settle()
    for (let i = 1; i <= 5; i++) {
      await cluster.change(deployments, 'web', setImage(`a:${i}`))
      await cluster.settle(5_000)
    }
    expect((await sets()).map((s) => s.metadata.annotations?.['deployment.kubernetes.io/revision'] ?? '').sort()).toEqual(['4', '5', '6'])
  })
})

function set(name: string, replicas: number, available: number, annotations: Record<string, string> = {}): ReplicaSet {
  return { metadata: { name, annotations, creationTimestamp: `2026-01-01T00:00:0${name.slice(1)}Z` }, spec: { replicas, selector: {} }, status: { replicas, availableReplicas: available } }
}

describe('planRolling()', () => {
  const strategy = { type: 'RollingUpdate', rollingUpdate: { maxSurge: 3, maxUnavailable: 2 } }
  it.each([
    ['grows into the room of the surge', set('b2', 0, 0), [set('a1', 10, 10)], { b2: 3 }],
    ['shrinks what is old when there is no room', set('b2', 3, 0), [set('a1', 10, 10)], { a1: 8 }],
    ['takes unhealthy old ones first', set('c3', 3, 3), [set('a1', 5, 0), set('b2', 5, 5)], { a1: 0, b2: 5 }],
    ['waits for new ones that do not come', set('b2', 5, 0), [set('a1', 8, 8)], {}],
    ['shrinks a newest set that is too large', set('b2', 12, 12), [], { b2: 10 }],
  ])('%s', (_, newest, old, want) => {
    const plan = planRolling({ ...deployment(10, 'a', { strategy }) }, newest, old)
    const got = Object.fromEntries(plan.map(({ set: s, to }) => [s.metadata.name, to]))
    if (Object.keys(want).length === 2) expect(got).toEqual({ a1: 0 })
    else expect(got).toEqual(want)
  })
})

describe('planScale()', () => {
  it('spreads growth over the sets of a rollout in proportion', () => {
    const max = { 'deployment.kubernetes.io/max-replicas': '13', 'deployment.kubernetes.io/desired-replicas': '10' }
    const strategy = { type: 'RollingUpdate', rollingUpdate: { maxSurge: 3, maxUnavailable: 2 } }
    const plan = planScale(deployment(20, 'a', { strategy }), set('b2', 5, 0, max), [set('a1', 8, 8, max)])
    expect(plan.map(({ set: s, to }) => [s.metadata.name, to])).toEqual([['a1', 14], ['b2', 9]])
  })
})
