/** What happens to a pod while it is being bound, or while an extender is asked about it. */
import { expect, it } from 'vitest'
import { conflict } from '../api/errors.ts'
import type { Node, Pod } from '../api/schema/types.ts'
import type { Client } from '../client/client.ts'
import { virtualClock } from '../lib/clock.ts'
import { silentLog } from '../lib/log.ts'
import { seededRandom } from '../lib/random.ts'
import { fakeEnv } from './env.fake.ts'
import type { Extender } from './extender.ts'
import { defaultProfile } from './plugins.ts'
import { Scheduler } from './scheduler.ts'

const pod = (name: string, more: Partial<Pod['metadata']> = {}): Pod => ({
  metadata: { name, namespace: 'default', uid: name, ...more },
  spec: { schedulerName: 'default-scheduler', containers: [{ name: 'c', resources: { requests: { cpu: '1' } } }] },
})
const placed = (lent: Pod, nodeName = 'a', phase = 'Running'): Pod => ({ ...lent, spec: { containers: [], ...lent.spec, nodeName }, status: { phase } })
const node = (name: string): Node => ({ metadata: { name }, status: { allocatable: { cpu: '1', memory: '1Gi', pods: '9' } } })

interface Lab {
  readonly scheduler: Scheduler
  readonly clock: ReturnType<typeof virtualClock>
  /** `pod node`, as asked of the API. */
  readonly asked: string[]
  /** What the API says to the binding, or to the extender's question, that waits. */
  answer: (error?: Error) => Promise<void>
}

/** One node with room for one pod. Bindings wait to be answered; or, with an extender, what it is asked does. */
function lab({ asksFirst = false, refuses = '' } = {}): Lab {
  const clock = virtualClock()
  const asked: string[] = []
  const open: PromiseWithResolvers<void>[] = []
  const wait = async (): Promise<void> => {
    const waiting = Promise.withResolvers<void>()
    open.push(waiting)
    await waiting.promise
  }
  const client = {
    async post(_ctx: unknown, _kind: unknown, { name }: { name: string }, _sub: string, { target, metadata }: { target: { name: string }; metadata: { uid: string } }) {
      asked.push(`${name} ${target.name} ${metadata.uid}`)
      if (!asksFirst) await wait()
    },
    patch: async () => ({}),
  } as unknown as Client
  const extender: Extender = { name: 'slow', ignorable: false, isInterested: () => true, filter: async (_ctx, _pod, nodes) => await wait().then(() => ({ nodes: nodes.filter(({ name }) => name !== refuses), refusals: new Map() })) }
  const ctx = { signal: new AbortController().signal, clock, log: silentLog }
  const scheduler = new Scheduler(ctx, { client, random: seededRandom(1), profiles: [defaultProfile(fakeEnv({ client, clock }))], extenders: asksFirst ? [extender] : [], event: () => {} })
  scheduler.handleNode(node('a'), undefined)
  const answer: Lab['answer'] = async (error) => {
    const waiting = open.shift()
    if (error === undefined) waiting?.resolve()
    else waiting?.reject(error)
    await clock.settle()
  }
  return { scheduler, clock, asked, answer }
}

const taken = conflict({ group: '', resource: 'pods' }, 'p', 'pod p is already assigned to node "b"')

it('a pod that is to go leaves its place at once, not when its binding fails', async () => {
  const { scheduler, clock, asked } = lab()
  scheduler.handlePod(pod('p'))
  scheduler.handlePod(pod('q'))
  await clock.settle()
  scheduler.handlePod(pod('p', { deletionTimestamp: '2026-01-01T00:00:00Z' }), pod('p'))
  await clock.settle()
  expect(asked).toEqual(['p a p', 'q a q'])
})

it('a pod whose binding fails is tried again as it is then', async () => {
  const { scheduler, clock, answer } = lab()
  scheduler.handlePod(pod('p'))
  await clock.settle()
  scheduler.handlePod(pod('p', { labels: { is: 'new' } }), pod('p'))
  await answer(new Error('connection reset'))
  expect(scheduler.queue.waiting('p')?.metadata.labels).toEqual({ is: 'new' })
})

it('a pod that the API calls taken, and does not show as such, is tried again', async () => {
  const { scheduler, clock, asked, answer } = lab()
  scheduler.handlePod(pod('p'))
  await clock.settle()
  await answer(taken)
  await clock.advance(1_000)
  expect(asked).toEqual(['p a p', 'p a p'])
})

it.each([['the same', 'a'], ['another', 'b']])('a pod that is shown on %s node before its binding fails stays there', async (_, where) => {
  const { scheduler, clock, asked, answer } = lab()
  scheduler.handlePod(pod('p'))
  await clock.settle()
  scheduler.handleNode(node('b'), undefined)
  scheduler.handlePod(placed(pod('p'), where), pod('p'))
  await answer(taken)
  await clock.advance(20_000)
  expect([asked, scheduler.world.nodeNameOf('p'), scheduler.queue.sizes()]).toEqual([['p a p'], where, [0, 0, 0]])
})

it('a pod that has ended makes room once, and wakes nobody when it is changed after that', async () => {
  const { scheduler, clock, asked } = lab()
  scheduler.handlePod(placed(pod('old')))
  scheduler.handlePod(pod('p'))
  await clock.settle()
  expect(asked).toEqual([])
  scheduler.handlePod(placed(pod('old'), 'a', 'Succeeded'), placed(pod('old')))
  scheduler.handlePod(placed(pod('late')))
  await clock.settle()
  const tries = scheduler.queue.sizes()
  scheduler.handlePod(placed(pod('old', { labels: { is: 'swept' } }), 'a', 'Succeeded'), placed(pod('old'), 'a', 'Succeeded'))
  expect(scheduler.queue.sizes()).toEqual(tries)
})

it.each([['gone', undefined], ['placed by another', 'a']])('a pod that is %s when the extender has answered is not placed', async (_, where) => {
  const { scheduler, clock, asked, answer } = lab({ asksFirst: true })
  scheduler.handlePod(pod('p'))
  await clock.settle()
  if (where === undefined) scheduler.handlePodGone(pod('p'))
  else scheduler.handlePod(placed(pod('p'), where), pod('p'))
  await answer()
  expect([asked, scheduler.world.nodeNameOf('p'), scheduler.queue.sizes()]).toEqual([[], where, [0, 0, 0]])
})

it('a pod that changes while the extender is asked is placed once', async () => {
  const { scheduler, clock, asked, answer } = lab({ asksFirst: true })
  scheduler.handlePod(pod('p'))
  await clock.settle()
  scheduler.handlePod(pod('p', { labels: { is: 'new' } }), pod('p'))
  await answer()
  await answer()
  expect([asked, scheduler.queue.sizes()]).toEqual([['p a p'], [0, 0, 0]])
})

it('a node that goes while the extender is asked is not chosen', async () => {
  const { scheduler, clock, asked, answer } = lab({ asksFirst: true })
  scheduler.handleNode(node('b'), undefined)
  scheduler.handlePod(pod('p'))
  await clock.settle()
  scheduler.handleNodeGone(node('a'))
  await answer()
  expect(asked).toEqual(['p b p'])
})

it('an extender that does not take the node that the pod was promised is asked about the others', async () => {
  const { scheduler, clock, asked, answer } = lab({ asksFirst: true, refuses: 'a' })
  scheduler.handleNode(node('b'), undefined)
  scheduler.handlePod({ ...pod('p'), status: { nominatedNodeName: 'a' } })
  await clock.settle()
  await answer()
  await answer()
  expect(asked).toEqual(['p b p'])
})

it('a pod that nothing wakes is tried again after five minutes, however much happens meanwhile', async () => {
  const { scheduler, clock } = lab()
  scheduler.handlePod(placed(pod('old')))
  scheduler.handlePod(pod('p'))
  await clock.settle()
  scheduler.world.removePod('old') // unheard
  for (let s = 0; s < 340 && scheduler.world.nodeNameOf('p') === undefined; s += 10) {
    scheduler.handlePod(placed(pod(`other-${s}`), 'elsewhere'))
    await clock.advance(10_000)
  }
  expect(scheduler.world.nodeNameOf('p')).toBe('a')
})
