import { afterEach, describe, expect, it } from 'vitest'
import { deployments } from '../api/apps/deployment.ts'
import { nodes } from '../api/core/node.ts'
import { pods } from '../api/core/pod.ts'
import { isPodReady } from '../api/core/podstate.ts'
import type { Deployment, Node, Pod } from '../api/schema/types.ts'
import { serverIdentity } from '../controllers/controller.ts'
import { controllers } from '../controllers/controllers.ts'
import { virtualClock } from '../lib/clock.ts'
import { silentLog } from '../lib/log.ts'
import { seededRandom } from '../lib/random.ts'
import { bootFork, forkSettings, openFork, type Fork, type Laid } from './fork.ts'
import { HollowNodes, hollowNode, type HollowOptions } from './hollow.ts'
import type { Fate } from './hollowpod.ts'
import { start, startControllers, startScheduler } from './running.ts'

const ends: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end()
})

interface World {
  readonly fork: Fork
  readonly hollow: HollowNodes
  readonly clock: ReturnType<typeof virtualClock>
  readonly pods: () => Promise<readonly Readonly<Pod>[]>
  readonly node: (name: string) => Promise<Readonly<Node> | undefined>
}

const plain: Fate = { startMs: 500, readyMs: 1_000, stopMs: 2_000 }

async function world(options: { readonly state?: readonly Laid[]; readonly fate?: Fate; readonly condition?: HollowOptions['condition'] } = {}): Promise<World> {
  const clock = virtualClock()
  const random = seededRandom(1)
  const { state, fate = plain, condition = () => 'alive' as const } = options
  const fork = await openFork({ clock, log: silentLog, signal: new AbortController().signal }, { random, ...(state === undefined ? {} : { state }) })
  ends.push(() => fork.close())
  if (state === undefined) await bootFork(fork)
  const manager = startControllers(fork, controllers, { settings: forkSettings(fork), freeze: true })
  const scheduler = startScheduler(fork)
  const hollow = new HollowNodes({ reader: fork.clientAs(serverIdentity), clientAs: fork.clientAs, random, fate: () => fate, condition })
  const kubelets = start(fork.ctx, (ctx) => hollow.run(ctx))
  ends.push(() => manager.stop(), () => scheduler.stop(), () => kubelets.stop())
  await clock.until(() => manager.state !== undefined)
  return {
    fork, hollow, clock,
    pods: async () => (await fork.client.list(fork.ctx, pods)).items,
    node: async (name) => await fork.client.get(fork.ctx, nodes, { namespace: '', name }),
  }
}

const web = (replicas: number, more: object = {}): Deployment => ({
  metadata: { name: 'web', namespace: 'default' },
  spec: { replicas, selector: { matchLabels: { app: 'web' } }, template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image: 'i' }], ...more } } },
})

describe('a fork with hollow nodes', () => {
  it('the pods of a node have addresses of their own, however many come', async () => {
    const { fork, clock, ...look } = await world()
    await fork.client.create(fork.ctx, nodes, hollowNode('n1', { size: { pods: '300' } }))
    for (let i = 0; i < 260; i++) {
      await fork.client.create(fork.ctx, pods, { metadata: { name: `p${i}`, namespace: 'default' }, spec: { nodeName: 'n1', containers: [{ name: 'c', image: 'i' }] } })
      if (i < 200) await fork.client.delete(fork.ctx, pods, { namespace: 'default', name: `p${i}` }, { gracePeriodSeconds: 0 })
    }
    await clock.advance(10_000)
    const all = await look.pods()
    expect(all.filter(isPodReady).length).toBe(60)
    expect(new Set(all.map(({ status }) => status?.podIP)).size).toBe(60)
  })

  it('runs a Deployment under the rights of a real cluster: bound, started, ready, and let go at the end', async () => {
    const { fork, clock, ...look } = await world()
    for (const name of ['n1', 'n2']) await fork.client.create(fork.ctx, nodes, hollowNode(name))
    await fork.client.create(fork.ctx, deployments, web(4))
    await clock.advance(10_000)
    expect((await fork.client.get(fork.ctx, deployments, { namespace: 'default', name: 'web' }))?.status).toMatchObject({ availableReplicas: 4 })
    const running = await look.pods()
    expect(new Set(running.map((pod) => pod.spec?.nodeName))).toEqual(new Set(['n1', 'n2']))
    expect(new Set(running.map((pod) => pod.status?.podIP)).size).toBe(4)
    await fork.client.delete(fork.ctx, deployments, { namespace: 'default', name: 'web' })
    await clock.advance(10_000)
    expect(await look.pods()).toEqual([])
  })

  it('a node that dies is called unreachable and loses its pods; when it returns it is ready again', async () => {
    const { fork, clock, hollow, ...look } = await world()
    for (const name of ['n1', 'n2']) await fork.client.create(fork.ctx, nodes, hollowNode(name))
    await fork.client.create(fork.ctx, deployments, web(4))
    await clock.advance(10_000)
    hollow.kill('n1')
    await clock.advance(400_000)
    const alive = (await look.pods()).filter((pod) => pod.metadata.deletionTimestamp === undefined)
    expect(alive.filter(isPodReady).map((pod) => pod.spec?.nodeName)).toEqual(['n2', 'n2', 'n2', 'n2'])
    expect((await look.node('n1'))?.spec?.taints?.map(({ key }) => key)).toContain('node.kubernetes.io/unreachable')
    hollow.revive('n1')
    await clock.advance(20_000)
    expect((await look.node('n1'))?.spec?.taints).toBeUndefined()
    expect(await look.pods()).toHaveLength(4)
  })

  it('begins with the state of another: what ran runs on', async () => {
    const first = await world()
    await first.fork.client.create(first.fork.ctx, nodes, hollowNode('n1'))
    await first.fork.client.create(first.fork.ctx, deployments, web(2))
    await first.clock.advance(10_000)
    const before = await first.pods()
    const second = await world({ state: await first.fork.state() })
    await second.clock.advance(60_000)
    const after = await second.pods()
    const brief = (pod: Readonly<Pod>): unknown => [pod.metadata.uid, pod.status?.podIP, isPodReady(pod)]
    expect(after.map(brief)).toEqual(before.map(brief))
  })

  it('a pod that is to stay as it is says nothing, and still goes when it is deleted', async () => {
    const first = await world({ fate: { ...plain, readyMs: undefined } })
    await first.fork.client.create(first.fork.ctx, nodes, hollowNode('n1'))
    await first.fork.client.create(first.fork.ctx, deployments, web(1))
    await first.clock.advance(10_000)
    const [before] = await first.pods()
    const state = await first.fork.state()
    const second = await world({ state, fate: { ...plain, still: true } })
    await second.clock.advance(60_000)
    expect((await second.pods()).map((pod) => [pod.metadata.uid, isPodReady(pod)])).toEqual([[before?.metadata.uid, false]])
    await second.fork.client.delete(second.fork.ctx, deployments, { namespace: 'default', name: 'web' })
    await second.clock.advance(10_000)
    expect(await second.pods()).toEqual([])
  })

  it('a pod of a real kubelet, which names all addresses of its node, goes when it is deleted', async () => {
    const first = await world()
    await first.fork.client.create(first.fork.ctx, nodes, hollowNode('n1'))
    await first.fork.client.create(first.fork.ctx, deployments, web(1))
    await first.clock.advance(10_000)
    const [before] = await first.pods()
    const addresses = { hostIP: '198.51.100.7', hostIPs: [{ ip: '198.51.100.7' }, { $patch: 'replace' }] }
    await first.fork.client.patch(first.fork.ctx, pods, { namespace: 'default', name: before?.metadata.name ?? '' }, 'strategic', { status: addresses }, { subresource: 'status' })
    const second = await world({ state: await first.fork.state(), fate: { ...plain, still: true } })
    await second.clock.advance(10_000)
    expect((await second.pods())[0]?.status).toMatchObject({ hostIP: '198.51.100.7', hostIPs: [{ ip: '198.51.100.7' }] })
    await second.fork.client.delete(second.fork.ctx, deployments, { namespace: 'default', name: 'web' })
    await second.clock.advance(10_000)
    expect(await second.pods()).toEqual([])
  })

  it('a node that is not ready stays so, and a dead one is not heard of', async () => {
    const { fork, clock, ...look } = await world({ condition: (node) => (node.metadata.name === 'n1' ? 'unready' : 'dead') })
    const condition = { type: 'Ready', status: 'False', reason: 'KubeletNotReady', message: 'disk', lastHeartbeatTime: '2026-01-01T00:00:00Z', lastTransitionTime: '2026-01-01T00:00:00Z' }
    for (const name of ['n1', 'n2']) await fork.client.create(fork.ctx, nodes, { ...hollowNode(name), status: { conditions: [condition] } })
    await clock.advance(120_000)
    const ready = (node: Readonly<Node> | undefined): unknown => node?.status?.conditions?.find(({ type }) => type === 'Ready')?.status
    expect([ready(await look.node('n1')), ready(await look.node('n2'))]).toEqual(['False', 'Unknown'])
  })

  it('containers that end are started again where their pod wants it, later each time', async () => {
    const { fork, clock, ...look } = await world({ fate: { ...plain, runMs: 3_000, exitCodes: [1, 0] } })
    await fork.client.create(fork.ctx, nodes, hollowNode('n1'))
    const pod = (name: string, restartPolicy: string): Pod => ({ metadata: { name, namespace: 'default' }, spec: { restartPolicy, containers: [{ name: 'c', image: 'i' }] } })
    for (const policy of ['Always', 'OnFailure', 'Never']) await fork.client.create(fork.ctx, pods, pod(policy.toLowerCase(), policy))
    await clock.advance(30_000)
    expect((await look.pods()).map(({ metadata, status }) => [metadata.name, status?.phase, status?.containerStatuses?.[0]?.restartCount])).toEqual([
      ['always', 'Running', 2], ['never', 'Failed', 0], ['onfailure', 'Succeeded', 1],
    ])
  })
})
