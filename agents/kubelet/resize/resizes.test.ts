/** Who is resized and when, on a node with so much room. */
import { describe, expect, it } from 'vitest'
import { podAmounts } from '../../../core/api/core/podresources.ts'
import type { Pod } from '../../../core/api/schema/types.ts'
import { virtualClock } from '../../../core/lib/clock.ts'
import type { PodRecord, Records } from './records.ts'
import { podResizes } from './resizes.ts'

function inMemory(): Records {
  const known = new Map<string, PodRecord>()
  return {
    get: (uid) => known.get(uid),
    set: (uid, change) => void known.set(uid, { inForce: {}, ...known.get(uid), ...change }),
    note: () => {},
    settled: async () => {},
    forget: (uid) => void known.delete(uid),
  }
}

const podOf = (name: string, cpu: string, generation = 1): Pod => ({ metadata: { name, namespace: 'd', uid: name, generation }, spec: { containers: [{ name: 'c', resources: { requests: { cpu } } }] } })

function rig(cores: number) {
  const pods = new Map<string, Pod>()
  const [events, changed, records, clock] = [[] as string[], [] as string[], inMemory(), virtualClock()]
  const cpu = (pod: Pod): number => podAmounts(pod, 'requests')['cpu'] ?? 0
  const resizes = podResizes({
    clock, records,
    recorder: { event: (about, _type, reason) => void events.push(`${about.name} ${reason}`) },
    pod: (uid) => pods.get(uid),
    refusal: (pod) => {
      const others = [...pods.values()].filter((other) => other !== pod && other.metadata.uid !== pod.metadata.uid).map((other) => resizes.allocated(other))
      return others.reduce((sum, other) => sum + cpu(other), cpu(pod)) > cores * 1_000 ? { reason: 'OutOfcpu', message: 'full' } : undefined
    },
    changed: (uid) => void changed.push(uid),
  })
  const add = (pod: Pod): void => {
    pods.set(pod.metadata.uid ?? '', pod)
    resizes.admitted(pod)
  }
  const want = (pod: Pod): void => {
    pods.set(pod.metadata.uid ?? '', pod)
    resizes.look(pod)
  }
  const has = (name: string): string | undefined => resizes.allocated(pods.get(name) ?? podOf(name, '0')).spec?.containers[0]?.resources?.requests?.['cpu']
  const remove = (name: string): void => {
    pods.delete(name)
    resizes.forget(name)
    resizes.look()
  }
  return { clock, resizes, events, changed, add, want, has, remove }
}

describe('podResizes()', () => {
  it('lets wait what does not fit until somebody else asks for less', () => {
    const r = rig(3)
    r.resizes.begin()
    for (const name of ['a', 'b']) r.add(podOf(name, '1'))
    r.want(podOf('a', '3', 2))
    expect([r.has('a'), r.resizes.conditions('a').map((c) => [c.type, c.reason, c.observedGeneration])]).toEqual(['1', [['PodResizePending', 'Deferred', 2]]])
    r.want(podOf('b', '0', 2))
    expect([r.has('a'), r.has('b'), r.resizes.conditions('a').map((c) => c.type)]).toEqual(['3', '0', ['PodResizeInProgress']])
    expect(r.events).toEqual(['a ResizeDeferred', 'b ResizeStarted', 'a ResizeStarted'])
  })

  it('gives room to who waits longest', () => {
    const r = rig(3)
    r.resizes.begin()
    for (const name of ['a', 'b', 'c']) r.add(podOf(name, '1'))
    r.want(podOf('b', '2', 2))
    void r.clock.advance(5_000)
    r.want(podOf('a', '2', 2))
    r.remove('c')
    expect([r.has('a'), r.has('b')]).toEqual(['1', '2'])
  })

  it('grants nothing before every pod of the node is known, and keeps what pods had', () => {
    const r = rig(3)
    r.add(podOf('a', '1'))
    r.want(podOf('a', '2', 2))
    expect(r.has('a')).toBe('1')
    r.resizes.begin()
    expect([r.has('a'), r.changed]).toEqual(['2', ['a']])
  })

  it('tells an error once, and completion with the generation that began', () => {
    const r = rig(3)
    r.resizes.begin()
    r.add(podOf('a', '1'))
    r.want(podOf('a', '2', 2))
    for (let i = 0; i < 3; i++) r.resizes.inProgress(podOf('a', '2', 3), 'refused')
    expect(r.resizes.conditions('a')).toMatchObject([{ type: 'PodResizeInProgress', status: 'True', reason: 'Error', message: 'refused', observedGeneration: 2 }])
    r.resizes.completed(podOf('a', '2', 3))
    expect([r.resizes.conditions('a'), r.events]).toEqual([[], ['a ResizeStarted', 'a ResizeError', 'a ResizeCompleted']])
  })
})
