import { describe, expect, it } from 'vitest'
import type { Pod } from '../schema/types.ts'
import { formatTime } from '../time.ts'
import { availableInMs, byDeletionRank } from './podstate.ts'

const nowMs = Date.UTC(2026, 0, 2)
const ago = (s: number): string => formatTime(nowMs - s * 1_000)

interface Shape {
  readonly node?: string
  readonly phase?: string
  readonly readyS?: number
  readonly cost?: string
  readonly restarts?: number
  readonly ageS?: number
}

function pod(name: string, { node = 'n', phase = 'Running', readyS, cost, restarts = 0, ageS = 1_000 }: Shape): Pod {
  return {
    metadata: { name, uid: name, creationTimestamp: ago(ageS), ...(cost === undefined ? {} : { annotations: { 'controller.kubernetes.io/pod-deletion-cost': cost } }) },
    spec: { nodeName: node, containers: [] },
    status: {
      phase,
      ...(readyS === undefined ? {} : { conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: ago(readyS) }] }),
      containerStatuses: [{ name: 'c', image: '', imageID: '', ready: true, restartCount: restarts }],
    },
  }
}

describe('byDeletionRank()', () => {
  it.each<[string, Shape, Shape]>([
    ['without a node before with one', { node: '' }, {}],
    ['pending before running', { phase: 'Pending' }, {}],
    ['not ready before ready', {}, { readyS: 10 }],
    ['cheap before dear', { readyS: 1_000, cost: '-5' }, { readyS: 10, cost: '3' }],
    ['from the crowded node before the other', { readyS: 1_000, node: 'crowd' }, { readyS: 10 }],
    ['ready for short before for long', { readyS: 10 }, { readyS: 10_000 }],
    ['with restarts before without', { restarts: 3 }, {}],
    ['young before old', { ageS: 10 }, { ageS: 10_000 }],
  ])('%s', (_, first, second) => {
    const rank = byDeletionRank({ nowMs, onNode: (p) => (p.spec?.nodeName === 'crowd' ? 2 : 1) })
    // Names against the expected order, so that the last resort does not decide.
    expect([pod('a', second), pod('b', first)].toSorted(rank).map((p) => p.metadata.name)).toEqual(['b', 'a'])
  })
})

describe('availableInMs()', () => {
  it.each([
    [undefined, 10, undefined],
    [4, 10, 6_000],
    [10, 10, 0],
    [1, 0, 0],
  ])('ready for %s s of %s s: %s', (readyS, minReadyS, want) => {
    expect(availableInMs(pod('a', readyS === undefined ? {} : { readyS }), minReadyS, nowMs)).toBe(want)
  })
})
