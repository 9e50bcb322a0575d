import { describe, expect, it } from 'vitest'
import { virtualClock } from '../lib/clock.ts'
import type { Ctx } from '../lib/ctx.ts'
import { silentLog } from '../lib/log.ts'
import { seededRandom } from '../lib/random.ts'
import type { Client } from '../client/client.ts'
import type { Node, Pod, PodSpec } from '../api/schema/types.ts'
import { decide, feasibleWanted } from './decide.ts'
import { fakeEnv } from './env.fake.ts'
import { Heap } from './heap.ts'
import { defaultProfile } from './plugins.ts'
import { Remembered } from './remembered.ts'
import { runScheduler } from './run.ts'
import { Scheduler } from './scheduler.ts'
import { World } from './world.ts'

let uids = 0
const pod = (name: string, spec: Partial<PodSpec> = {}, cpu?: string): Pod => ({
  metadata: { name, namespace: 'default', uid: `uid-${name}-${uids++}` },
  spec: { schedulerName: 'default-scheduler', containers: [{ name: 'c', ...(cpu === undefined ? {} : { resources: { requests: { cpu } } }) }], ...spec },
})
const node = (name: string, cpu = '2', more: Partial<Node> = {}): Node => ({
  metadata: { name, labels: { 'kubernetes.io/hostname': name } },
  status: { allocatable: { cpu, memory: '4Gi', pods: '110' } },
  ...more,
})

/** A scheduler whose API is a record of what it was told. */
function lab(): { scheduler: Scheduler; clock: ReturnType<typeof virtualClock>; bound: Map<string, string>; conditions: Map<string, string>; events: string[]; deleted: string[]; refuse: Set<string> } {
  const clock = virtualClock()
  const bound = new Map<string, string>()
  const conditions = new Map<string, string>()
  const events: string[] = []
  const deleted: string[] = []
  const refuse = new Set<string>()
  const client = {
    async post(_ctx: unknown, _kind: unknown, key: { name: string }, _sub: string, body: { target: { name: string } }) {
      if (refuse.delete(key.name)) throw new Error('connection reset')
      bound.set(key.name, body.target.name)
      return {}
    },
    async patch(_ctx: unknown, _kind: unknown, key: { name: string }, _type: string, patch: { status: { conditions: { message: string }[] } }) {
      if (refuse.delete(`status of ${key.name}`)) throw new Error('connection reset')
      conditions.set(key.name, patch.status.conditions[0]?.message ?? '')
      return {}
    },
    async delete(_ctx: unknown, _kind: unknown, key: { name: string }) {
      deleted.push(key.name)
      return true
    },
  } as unknown as Client
  const scheduler = new Scheduler(
    { signal: new AbortController().signal, clock, log: silentLog },
    { client, random: seededRandom(1), profiles: [defaultProfile(fakeEnv({ client, clock }))], event: (p, _type, reason) => events.push(`${p.metadata.name} ${reason}`) },
  )
  return { scheduler, clock, bound, conditions, events, deleted, refuse }
}

describe('Scheduler', () => {
  it('a refusal that could not be written is written the next time', async () => {
    const { scheduler, clock, conditions, refuse } = lab()
    scheduler.handleNode(node('a', '1'), undefined)
    const others = ['x', 'y'].map((name) => pod(name, { nodeName: 'a' }))
    for (const other of others) scheduler.handlePod(other)
    refuse.add('status of big')
    scheduler.handlePod(pod('big', {}, '4'))
    await clock.settle()
    expect(conditions.size).toBe(0)
    for (const other of others) {
      scheduler.handlePodGone(other)
      await clock.advance(12_000)
    }
    expect([conditions.size, ...conditions.values()].join(' ')).toContain('1 0/1 nodes are available: 1 Insufficient cpu.')
  })

  it('a pod over which a plugin trips waits and is tried again, and the others go on', async () => {
    const { scheduler, clock, bound } = lab()
    scheduler.handleNode(node('a'), undefined)
    let trips = true
    const bad = pod('bad')
    Object.defineProperty(bad.spec, 'nodeSelector', { get: () => { if (trips) throw new Error('cannot read it') } })
    scheduler.handlePod(bad)
    scheduler.handlePod(pod('good'))
    await clock.settle()
    expect([...bound.keys()]).toEqual(['good'])
    trips = false
    await clock.advance(2_000)
    expect([...bound.keys()]).toEqual(['good', 'bad'])
  })

  it('spreads equal pods over equal nodes and tells the world', async () => {
    const { scheduler, clock, bound, events } = lab()
    for (const name of ['a', 'b']) scheduler.handleNode(node(name), undefined)
    for (let i = 0; i < 4; i++) scheduler.handlePod(pod(`p${i}`))
    await clock.settle()
    expect([...bound.values()].toSorted()).toEqual(['a', 'a', 'b', 'b'])
    expect(events).toContain('p0 Scheduled')
  })

  it.each([
    ['resources', [node('a', '1'), node('b', '1')], pod('p', {}, '2'), '0/2 nodes are available: 2 Insufficient cpu. no new claims to deallocate, preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.'],
    [
      'taints and affinity',
      [node('a', '4', { spec: { taints: [{ key: 'x', effect: 'NoSchedule' }] } }), node('b')],
      pod('p', { nodeSelector: { disk: 'ssd' } }),
      "0/2 nodes are available: 1 node(s) didn't match Pod's node affinity/selector, 1 node(s) had untolerated taint(s). no new claims to deallocate, preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.",
    ],
    ['a cordoned node', [node('a', '2', { spec: { unschedulable: true } })], pod('p'), '0/1 nodes are available: 1 node(s) were unschedulable. no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.'],
    [
      'affinity that contradicts itself, of which the plugins after it are not asked',
      [node('a')],
      pod('p', { affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchFields: ['a', 'b'].map((name) => ({ key: 'metadata.name', operator: 'In', values: [name] })) }] } } } }),
      '0/1 nodes are available: pod affinity terms conflict. not found',
    ],
    ['no nodes', [], pod('p'), 'no nodes available to schedule pods'],
  ])('says why nothing fits: %s', async (_, nodes, waiting, message) => {
    const { scheduler, clock, conditions, events } = lab()
    for (const n of nodes) scheduler.handleNode(n, undefined)
    scheduler.handlePod(waiting)
    await clock.settle()
    expect(conditions.get('p')).toBe(message)
    expect(events).toEqual(['p FailedScheduling'])
  })

  it('tries a waiting pod again when a node makes room, not before', async () => {
    const { scheduler, clock, bound } = lab()
    scheduler.handleNode(node('a', '1'), undefined)
    const big = pod('big', {}, '800m')
    const late = pod('late', {}, '800m')
    scheduler.handlePod(big)
    await clock.settle()
    scheduler.handlePod({ ...big, spec: { ...big.spec, nodeName: 'a' } as PodSpec })
    scheduler.handlePod(late)
    await clock.advance(20_000)
    expect(bound.has('late')).toBe(false)
    scheduler.handlePodGone({ ...big, spec: { ...big.spec, nodeName: 'a' } as PodSpec })
    await clock.settle()
    expect(bound.get('late')).toBe('a')
  })

  it('waits for a toleration or an uncordon', async () => {
    const { scheduler, clock, bound } = lab()
    const cordoned = node('a', '2', { spec: { unschedulable: true } })
    scheduler.handleNode(cordoned, undefined)
    scheduler.handlePod(pod('p'))
    await clock.advance(2_000)
    scheduler.handleNode(node('a'), cordoned)
    await clock.settle()
    expect(bound.get('p')).toBe('a')
  })

  it('backs off after a failed binding and then succeeds', async () => {
    const { scheduler, clock, bound, refuse } = lab()
    scheduler.handleNode(node('a'), undefined)
    refuse.add('p')
    scheduler.handlePod(pod('p'))
    await clock.settle()
    expect(bound.has('p')).toBe(false)
    await clock.advance(1_000)
    expect(bound.get('p')).toBe('a')
  })

  it('takes the more important pod first', async () => {
    const { scheduler, clock, bound } = lab()
    scheduler.handlePod(pod('low', { priority: 1 }, '900m'))
    scheduler.handlePod(pod('high', { priority: 10 }, '900m'))
    await clock.settle()
    scheduler.handleNode(node('a', '1'), undefined)
    await clock.advance(5_000)
    expect([...bound.keys()]).toEqual(['high'])
  })

  it('evicts the least important pods that make room, and names the node', async () => {
    const { scheduler, clock, deleted, events, conditions } = lab()
    scheduler.handleNode(node('a', '2'), undefined)
    for (const [name, priority] of [['keep', 5], ['go', 1]] as const) scheduler.handlePod({ ...pod(name, { priority, nodeName: 'a' }, '1') })
    scheduler.handlePod(pod('urgent', { priority: 10 }, '1'))
    await clock.settle()
    expect(deleted).toEqual(['go'])
    expect(events).toContain('go Preempted')
    expect(conditions.get('go')).toContain('preempting to accommodate a higher priority pod')
  })

  it('leaves pods of other schedulers and gated pods alone', async () => {
    const { scheduler, clock, bound } = lab()
    scheduler.handleNode(node('a'), undefined)
    scheduler.handlePod(pod('other', { schedulerName: 'mine' }))
    const gated = pod('gated', { schedulingGates: [{ name: 'wait' }] })
    scheduler.handlePod(gated)
    await clock.settle()
    expect(bound.size).toBe(0)
    scheduler.handlePod({ ...gated, spec: { ...gated.spec, schedulingGates: [] } as PodSpec })
    await clock.advance(10_000)
    expect(bound.get('gated')).toBe('a')
  })
})

describe('decide()', () => {
  it('two host ports do not share a node unless their addresses differ', () => {
    const world = new World()
    world.setNode(node('a'))
    const withPort = (name: string, hostIP?: string): Pod => pod(name, { containers: [{ name: 'c', ports: [{ containerPort: 80, hostPort: 80, protocol: 'TCP', ...(hostIP === undefined ? {} : { hostIP }) }] }] })
    world.assume(withPort('first', '10.0.0.1'), 'a')
    const profile = defaultProfile(fakeEnv())
    const options = { random: seededRandom(1), start: 0, looked: () => {}, remembered: new Remembered() }
    expect(decide(withPort('second', '10.0.0.2'), world, profile, options).fits).toBe(true)
    expect(decide(withPort('third'), world, profile, options).fits).toBe(false)
  })

  it('prefers what weighs more', () => {
    const world = new World()
    for (const name of ['a', 'b', 'c']) world.setNode(node(name))
    world.setNode(node('soft', '2', { spec: { taints: [{ key: 'x', effect: 'PreferNoSchedule' }] } }))
    const wants = pod('p', { affinity: { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 10, preference: { matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: ['b'] }] } }] } } })
    expect(decide(wants, world, defaultProfile(fakeEnv()), { random: seededRandom(3), start: 0, looked: () => {}, remembered: new Remembered() })).toEqual({ fits: true, nodeName: 'b' })
  })

  it.each([[50, 50], [100, 100], [1_000, 420], [5_000, 500]])('of %i nodes %i are enough', (nodes, want) => expect(feasibleWanted(nodes)).toBe(want))
})

describe('Heap', () => {
  it('gives the first by order, equals as they came', () => {
    const heap = new Heap<[number, string]>((a, b) => a[0] - b[0])
    for (const item of [[2, 'x'], [1, 'a'], [1, 'b'], [3, 'z'], [1, 'c']] as [number, string][]) heap.push(item)
    expect(Array.from({ length: 5 }, () => heap.pop()?.[1])).toEqual(['a', 'b', 'c', 'x', 'z'])
  })
})

it('runScheduler() decides nothing before it knows all nodes and all pods', async () => {
  const clock = virtualClock()
  const controller = new AbortController()
  const bound: string[] = []
  const told: unknown[] = []
  const never = (signal: AbortSignal): Promise<void> => new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
  const client = {
    async list(ctx: Ctx, kind: { plural: string }) {
      if (kind.plural === 'nodes') await ctx.clock.sleep(3_000, ctx.signal)
      return { metadata: { resourceVersion: '1' }, items: kind.plural === 'nodes' ? [node('a')] : [pod('p')] }
    },
    // oxlint-disable-next-line require-yield
    async *watch(ctx: Ctx) {
      await never(ctx.signal)
    },
    post: async (_ctx: unknown, _kind: unknown, key: { name: string }) => void bound.push(key.name),
    patch: async (_ctx: unknown, _kind: unknown, _key: unknown, _type: unknown, patch: unknown) => void told.push(patch),
    create: async () => ({ metadata: {} }),
  } as unknown as Client
  const run = runScheduler({ signal: controller.signal, clock, log: silentLog }, { client, random: seededRandom(1), profiles: [defaultProfile] })
  await clock.advance(3_100)
  expect([bound, told]).toEqual([['p'], []])
  controller.abort()
  await run.catch(() => {})
})
