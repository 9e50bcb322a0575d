import { beforeEach, describe, expect, it } from 'vitest'
import type { Pod } from '../api/schema/types.ts'
import type { ClusterEvent, Plugin } from './framework.ts'
import { Queue, unschedulableMsMax } from './queue.ts'
import { World } from './world.ts'

const pod = (name: string, priority = 0, labels: Readonly<Record<string, string>> = {}): Pod => ({ metadata: { name, uid: name, labels }, spec: { priority, containers: [] } })
const node: ClusterEvent = { type: 'node added', node: { metadata: { name: 'n' } } }
const before = (a: { readonly pod: Readonly<Pod> }, b: { readonly pod: Readonly<Pod> }): number => (b.pod.spec?.priority ?? 0) - (a.pod.spec?.priority ?? 0)

const byNode: Plugin = { name: 'ByNode', wakes: (_, event) => event.type === 'node added' }
const byPod: Plugin = { name: 'ByPod', wakes: (_, event) => event.type === 'pod changed' }
const never: Plugin = { name: 'Never' }
const broken: Plugin = {
  name: 'Broken',
  wakes: () => {
    throw new Error('cannot say')
  },
}

const world = new World()
let gates: readonly Plugin[] = []
let queue: Queue

beforeEach(() => {
  gates = []
  queue = new Queue({ before, gates: () => gates })
})

const popped = (now: number): string | undefined => queue.pop(now)?.pod.metadata.name

/** Tried at `now`, and refused. */
function refuse(name: string, now: number, ...by: readonly Plugin[]): void {
  const tried = queue.pop(now)
  expect(tried?.pod.metadata.name).toBe(name)
  if (tried !== undefined) queue.failed(tried, by, world, now)
}

describe('Queue', () => {
  it('the more important pod goes first, also of those whose back-off is cut short', () => {
    for (const each of [pod('low', 1), pod('high', 9)]) queue.set(each, world, 0)
    refuse('high', 300, byNode)
    refuse('low', 100, byNode)
    queue.happened(node, world, 400)
    expect([popped(400), popped(400)]).toEqual(['high', 'low'])
  })

  it('a pod over which something broke waits its time, and holds up no other', () => {
    for (const each of [pod('a', 2), pod('b', 1)]) queue.set(each, world, 0)
    refuse('a', 0)
    refuse('b', 500, byNode)
    queue.happened(node, world, 500)
    expect([popped(500), popped(999), queue.nextDeadline(), popped(1_000)]).toEqual(['b', undefined, 1_000, 'a'])
  })

  it.each([
    ['happened before it was tried', [], undefined],
    ['helps', [node], 'p'],
    ['does not help', [{ type: 'node gone', node: { metadata: { name: 'n' } } } as const], undefined],
  ])('a pod that is refused while something happens that %s', (_, events, wanted) => {
    queue.happened(node, world, 0)
    queue.set(pod('p'), world, 0)
    const tried = queue.pop(0)
    for (const event of events) queue.happened(event, world, 0)
    if (tried !== undefined) queue.failed(tried, [byNode], world, 0)
    expect(popped(0)).toBe(wanted)
  })

  it('a pod that changes while it is tried is not tried twice at a time, and comes back as it is then', () => {
    queue.set(pod('p'), world, 0)
    const tried = queue.pop(0)
    queue.set(pod('p', 0, { now: 'other' }), world, 0)
    expect(popped(0)).toBeUndefined()
    if (tried !== undefined) queue.failed(tried, [byPod], world, 0)
    expect(queue.pop(0)?.pod.metadata.labels).toEqual({ now: 'other' })
  })

  it('what is written of a pod that waits, and says nothing new to plugins, does not wake it', () => {
    queue.set(pod('p'), world, 0)
    refuse('p', 0, byPod)
    queue.set({ ...pod('p'), status: { conditions: [{ type: 'PodScheduled', status: 'False' }] } }, world, 2_000)
    expect(popped(2_000)).toBeUndefined()
    queue.set(pod('p', 0, { now: 'other' }), world, 2_000)
    expect(popped(2_000)).toBe('p')
  })

  it('a pod that goes while it is tried does not come back', () => {
    queue.set(pod('p'), world, 0)
    const tried = queue.pop(0)
    queue.delete('p')
    if (tried !== undefined) queue.failed(tried, [byNode], world, 0)
    expect([queue.isOut('p'), queue.has('p'), queue.hasWaiting()]).toEqual([false, false, false])
  })

  it('another plugin may hold a pod back than the one that did first', () => {
    gates = [never]
    queue.set(pod('p'), world, 0)
    gates = [byNode]
    queue.set(pod('p', 0, { gate: 'gone' }), world, 0)
    expect(popped(0)).toBeUndefined()
    gates = []
    queue.happened(node, world, 0)
    expect(popped(0)).toBe('p')
  })

  it('where a plugin cannot say whether an event helps, it does', () => {
    queue.set(pod('p'), world, 0)
    refuse('p', 0, broken)
    queue.happened(node, world, 2_000)
    expect(popped(2_000)).toBe('p')
  })

  it.each([['refused', true], ['held back', false]])('a pod that was %s and that nothing wakes is looked at again after five minutes', (_, tried) => {
    gates = tried ? [] : [never]
    queue.set(pod('p'), world, 0)
    if (tried) refuse('p', 0, never)
    gates = []
    queue.flush(unschedulableMsMax - 1)
    expect(popped(unschedulableMsMax - 1)).toBeUndefined()
    queue.flush(unschedulableMsMax)
    expect(popped(unschedulableMsMax)).toBe('p')
  })
})
