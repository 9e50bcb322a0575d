/** A pod for which others are evicted is not tried again before that is done: it would choose others, and more would go. */
import { expect, it, vi } from 'vitest'
import type { Node, Pod } from '../api/schema/types.ts'
import type { Client } from '../client/client.ts'
import { virtualClock } from '../lib/clock.ts'
import type { Ctx } from '../lib/ctx.ts'
import { silentLog } from '../lib/log.ts'
import { seededRandom } from '../lib/random.ts'
import { fakeEnv } from './env.fake.ts'
import { defaultProfile } from './plugins.ts'
import { Scheduler } from './scheduler.ts'

const pod = (name: string, cpu: string, more: Partial<Pod['spec'] & object> = {}): Pod => ({
  metadata: { name, namespace: 'default', uid: name }, spec: { schedulerName: 'default-scheduler', containers: [{ name: 'c', resources: { requests: { cpu } } }], ...more },
})
const node = (name: string): Node => ({ metadata: { name }, status: { allocatable: { cpu: '2', memory: '4Gi', pods: '110' } } })

interface Lab {
  readonly scheduler: Scheduler
  /** Pods that were told that they are evicted. */
  readonly told: string[]
  readonly bound: Map<string, string>
  /** Lets the evictions go on, or fail. */
  readonly goOn: (error?: Error) => void
}

/** Two nodes, each full with two pods that may go; the API lets the first eviction of a node pass, and waits with the second. */
function lab(): Lab {
  const clock = virtualClock()
  const told: string[] = []
  const bound = new Map<string, string>()
  let goOn: Lab['goOn'] = () => {}
  const waits = new Promise<void>((resolve, reject) => (goOn = (error) => (error === undefined ? resolve() : reject(error))))
  const victims = new Map(['a1', 'a2', 'b1', 'b2'].map((name) => [name, pod(name, '1', { nodeName: name.charAt(0) })]))
  const client = {
    async post(_ctx: unknown, _kind: unknown, key: { name: string }, _sub: string, body: { target: { name: string } }) {
      bound.set(key.name, body.target.name)
      return {}
    },
    async patch(_ctx: unknown, _kind: unknown, { name }: { name: string }) {
      if (!victims.has(name)) return {}
      told.push(name)
      if (name.endsWith('2')) await waits
      return {}
    },
    async delete(_ctx: unknown, _kind: unknown, { name }: { name: string }) {
      const gone = victims.get(name)
      if (gone !== undefined) scheduler.handlePodGone(gone)
      return true
    },
  } as unknown as Client
  const ctx: Ctx = { signal: new AbortController().signal, clock, log: silentLog }
  const scheduler: Scheduler = new Scheduler(ctx, { client, random: seededRandom(1), profiles: [defaultProfile(fakeEnv({ client, clock }))], event: () => {} })
  for (const name of ['a', 'b']) scheduler.handleNode(node(name), undefined)
  for (const victim of victims.values()) scheduler.handlePod(victim)
  return { scheduler, told, bound, goOn }
}

const settled = async (): Promise<void> => {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve))
}

it('waits until all have been told to go', async () => {
  const { scheduler, told, bound, goOn } = lab()
  scheduler.handlePod(pod('pushy', '2', { priority: 1_000 }))
  await vi.waitFor(() => expect(told.length).toBe(2))
  await settled()
  expect([told.length, bound.size]).toEqual([2, 0]) // one of them is gone, which alone would have it tried again
  goOn()
  await vi.waitFor(() => expect(bound.get('pushy')).toBe(told[0]?.charAt(0)))
  expect(told.length).toBe(2)
})

it('is told of changes meanwhile, and gone when it goes', async () => {
  const { scheduler, told, bound, goOn } = lab()
  const pushy = pod('pushy', '2', { priority: 1_000 })
  scheduler.handlePod(pushy)
  await vi.waitFor(() => expect(told.length).toBe(2))
  scheduler.handlePod({ ...pushy, metadata: { ...pushy.metadata, labels: { a: 'b' } } }, pushy)
  await settled()
  expect(told.length).toBe(2)
  scheduler.handlePodGone(pushy)
  goOn()
  await settled()
  expect([scheduler.queue.sizes(), bound.size]).toEqual([[0, 0, 0], 0])
})

it('is tried again after a time when not all could be told', async () => {
  const { scheduler, told, goOn } = lab()
  scheduler.handlePod(pod('pushy', '2', { priority: 1_000 }))
  await vi.waitFor(() => expect(told.length).toBe(2))
  goOn(new Error('connection reset'))
  await vi.waitFor(() => expect(scheduler.queue.sizes()).toEqual([0, 1, 0]))
})
