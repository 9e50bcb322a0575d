import { describe, expect, it } from 'vitest'
import { suggestedLevels, suggestedSchemas } from '../../api/flowcontrol/bootstrap.ts'
import type { PriorityLevelConfiguration } from '../../api/schema/types.ts'
import { virtualClock } from '../../lib/clock.ts'
import { createMetrics } from '../../lib/metrics.ts'
import { parseRequest } from '../request.ts'
import { limitsOf, shareOut } from './allocation.ts'
import { Demand } from './demand.ts'
import { dumpLevels, dumpQueues, dumpRequests } from './dump.ts'
import { FlowControl, type FlowControlInit } from './flowcontrol.ts'
import { RetryAfter } from './retry.ts'
import { deal, flowHash } from './shuffle.ts'
import type { Ticket } from './ticket.ts'
import { atOnceSeats, turnSeats } from './turns.ts'

const pods = '/api/v1/namespaces/default/pods'

function control(more: Partial<FlowControlInit> = {}, levels: readonly PriorityLevelConfiguration[] = suggestedLevels) {
  const clock = virtualClock()
  const metrics = createMetrics()
  const flow = new FlowControl({ clock, metrics, ...more })
  flow.configure(levels, suggestedSchemas)
  const enter = (user: string, url = `${pods}/a`, method = 'GET', groups: readonly string[] = []): Ticket =>
    flow.enter(parseRequest(method, url), { name: user, groups: [...groups, 'system:authenticated'] }, clock.monotonic())
  const leave = (ticket: Ticket): void => flow.leave(ticket, clock.monotonic())
  const turn = async (): Promise<void> => await new Promise((resolve) => setImmediate(resolve))
  return { clock, metrics, flow, enter, leave, turn }
}

/** Every request of it ends in the turn in which it starts. */
function endsAtOnce(tickets: readonly Ticket[], leave: (ticket: Ticket) => void): void {
  for (const ticket of tickets) if (ticket.state === 'running') leave(ticket)
}

describe('a request', () => {
  const cases: readonly (readonly [string, string, readonly string[], string, string])[] = [
    ['admin', 'GET', ['system:masters'], pods, 'exempt'],
    ['system:node:n', 'PUT', ['system:nodes'], '/api/v1/nodes/n/status', 'system-node-high'],
    ['system:node:n', 'GET', ['system:nodes'], pods, 'system-nodes'],
    ['system:anonymous', 'GET', ['system:unauthenticated'], '/readyz', 'probes'],
    ['system:anonymous', 'GET', ['system:unauthenticated'], '/readyz/ping', 'probes'],
    ['system:anonymous', 'GET', ['system:unauthenticated'], '/readyzz', 'global-default'],
    ['system:kube-scheduler', 'PUT', [], '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/x', 'system-leader-election'],
    ['system:kube-scheduler', 'GET', [], pods, 'kube-scheduler'],
    ['system:serviceaccount:kube-system:a', 'GET', ['system:serviceaccounts'], pods, 'kube-system-service-accounts'],
    ['system:serviceaccount:kube-systems:a', 'GET', ['system:serviceaccounts'], pods, 'service-accounts'],
    ['bob', 'GET', [], '/version', 'global-default'],
  ]
  it.each(cases)('of %s, %s of %j %s, is of %s', (user, method, groups, url, schema) => {
    const { enter } = control()
    expect(enter(user, url, method, groups).flow.name).toBe(schema)
  })

  it('finds the mandatory schemas where there is no object', () => {
    const { flow, enter } = control()
    flow.configure([], [])
    expect(enter('bob').flow).toMatchObject({ name: 'catch-all', headers: { 'x-kubernetes-pf-flowschema-uid': '' } })
    expect(enter('admin', pods, 'GET', ['system:masters']).flow.name).toBe('exempt')
  })
})

describe('turns of the loop', () => {
  it('start few of a thousand that come at once, and another client first of those that wait', async () => {
    const { enter, leave, turn } = control()
    const greedy = Array.from({ length: 1_000 }, () => enter('greedy'))
    expect(greedy.filter((ticket) => ticket.state === 'running')).toHaveLength(atOnceSeats)
    endsAtOnce(greedy, leave)
    const polite = enter('polite')
    expect(polite.state).toBe('waiting')
    await turn()
    expect(polite.state).toBe('running')
  })

  it('serve levels by their seats', async () => {
    const { enter, leave, turn } = control()
    const low = Array.from({ length: 100 }, () => enter('bob'))
    const high = Array.from({ length: 100 }, () => enter('system:serviceaccount:kube-system:a', `${pods}/a`, 'GET', ['system:serviceaccounts']))
    const all = [...low, ...high]
    for (let i = 0; i < 4; i++) {
      endsAtOnce(all, leave)
      await turn()
    }
    endsAtOnce(all, leave)
    const done = (of: readonly Ticket[]): number => of.filter((ticket) => ticket.state === 'done').length
    // The first turn was the low ones' alone. workload-high has twice the shares of global-default.
    expect(done(all)).toBeGreaterThan(5 * turnSeats - 1)
    expect(done(high)).toBeGreaterThan(1.5 * (done(low) - atOnceSeats))
  })

  it('send refusals in small numbers', async () => {
    const { flow, turn } = control()
    let sent = 0
    for (let i = 0; i < 20; i++) flow.refuse(() => void sent++)
    expect(sent).toBe(0)
    await turn()
    expect(sent).toBe(4)
  })
})

describe('a level', () => {
  it('refuses what does not fit into its queues, and one that has none what is beyond its seats', () => {
    const { flow, enter } = control()
    const states = (tickets: readonly Ticket[]) => ({ refused: tickets.filter((t) => t.state === 'refused').length, refusal: tickets.at(-1)?.refusal })
    const queued = Array.from({ length: 1_000 }, () => enter('greedy'))
    const { limit, mode } = queued[0]?.flow.level ?? { limit: 0, mode: { type: 'reject' } }
    if (mode.type !== 'queue') throw new Error('global-default has queues')
    expect(states(queued)).toEqual({ refused: 1_000 - Math.max(limit, atOnceSeats + mode.handSize * mode.queueLengthLimit), refusal: 'queue-full' })
    flow.configure([], [])
    const rejected = Array.from({ length: 1_000 }, () => enter('other'))
    expect(states(rejected)).toEqual({ refused: 400, refusal: 'concurrency-limit' })
  })

  it('lets those wait who find no seat until one is free', async () => {
    const { flow, clock, enter, leave, turn } = control({ seats: 12 })
    const level = flow.levels.get('global-default')
    if (level === undefined) throw new Error('no level')
    level.limit = 1
    const first = enter('a')
    await clock.advance(10)
    const second = enter('b')
    await turn()
    expect([first.state, second.state]).toEqual(['running', 'waiting'])
    leave(first)
    await turn()
    expect(second.state).toBe('running')
  })

  it('forgets those who waited too long or have left', () => {
    const { flow, enter, metrics } = control()
    const tickets = Array.from({ length: atOnceSeats + 4 }, () => enter('a'))
    const [late, gone] = tickets.filter((ticket) => ticket.state === 'waiting')
    flow.giveUp(late as Ticket, 'time-out')
    flow.giveUp(gone as Ticket, 'cancelled')
    expect([late?.state, late?.refusal, gone?.refusal]).toEqual(['refused', 'time-out', 'cancelled'])
    expect(flow.levels.get('global-default')).toMatchObject({ waiting: 2, timedOut: 1, cancelled: 1 })
    expect(metrics.render()).toContain('apiserver_flowcontrol_rejected_requests_total{priority_level="global-default",flow_schema="global-default",reason="time-out"} 2')
  })

  it('that is no longer wanted serves those that are there, and goes', () => {
    const { flow, enter, leave } = control()
    const there = enter('a')
    flow.configure([], [])
    expect(flow.levels.get('global-default')?.quiescing).toBe(true)
    leave(there)
    expect([...flow.levels.keys()].toSorted()).toEqual(['catch-all', 'exempt'])
  })

  it('has as many seats as its shares are worth', () => {
    const { flow } = control()
    const figures = Object.fromEntries([...flow.levels.values()].map(({ name, nominal, min, max }) => [name, [nominal, min, max]]))
    // 600 seats, 245 shares.
    expect(figures).toEqual({
      exempt: [0, 0, 600], 'catch-all': [13, 13, 613], 'global-default': [49, 24, 649], 'leader-election': [25, 25, 625],
      'node-high': [98, 73, 698], system: [74, 50, 674], 'workload-high': [98, 49, 698], 'workload-low': [245, 24, 845],
    })
  })

  it('gets what others do not use, and gives it back', () => {
    const { flow, clock, enter } = control()
    const level = flow.levels.get('global-default')
    if (level === undefined) throw new Error('no level')
    for (let i = 0; i < 300; i++) enter('greedy')
    return clock.advance(10_000).then(() => {
      flow.adjust()
      expect(level.limit).toBeGreaterThan(200)
      const others = [...flow.levels.values()].filter((other) => other !== level)
      for (const other of others) expect(other.limit).toBeGreaterThanOrEqual(other.min)
    })
  })
})

describe('cost', () => {
  it('of a list is what it reads, of a write what it tells', () => {
    const { flow, enter } = control({ sizes: (_group, resource) => (resource === 'pods' ? { count: 1_000, averageBytes: 500 } : undefined) })
    expect(enter('a', pods).seats).toBe(5)
    expect(enter('a', `${pods}?limit=100`).seats).toBe(1)
    expect(enter('a', `${pods}?watch=1`).seats).toBe(5)
    expect(enter('a', `${pods}?watch=1&resourceVersion=7`).seats).toBe(1)
    expect(enter('a', '/api/v1/secrets').seats).toBe(1)
    const work = (): number => enter('a', `${pods}/x`, 'PUT').work
    const before = work()
    const ends = Array.from({ length: 30 }, () => flow.watches.begin(parseRequest('GET', '/api/v1/pods?watch=1')))
    expect(work()).toBe(before + 15)
    for (const end of ends) end()
    expect(work()).toBe(before)
  })
})

describe('figures', () => {
  it('hands have no card twice and are the same for the same flow', () => {
    for (let i = 0; i < 200; i++) {
      const hand = deal(flowHash('s', `user-${i}`), 64, 6)
      expect(new Set(hand).size).toBe(6)
      expect(hand.every((card) => card >= 0 && card < 64)).toBe(true)
      expect(deal(flowHash('s', `user-${i}`), 64, 6)).toEqual(hand)
    }
  })

  it('shares are within their bounds and come to the sum', () => {
    const claims = [{ target: 10, low: 5, high: 20 }, { target: 100, low: 0, high: 50 }, { target: 0, low: 0, high: 1_000 }]
    const shared = shareOut(60, claims)
    expect(shared?.shares.reduce((a, b) => a + b, 0)).toBeCloseTo(60, 5)
    expect(shared?.shares[1]).toBeCloseTo(50, 5)
    expect(shareOut(4, claims)).toBeUndefined()
    expect(shareOut(2_000, claims)).toBeUndefined()
    const level = { exempt: false, nominal: 50, min: 25, max: 650, highWatermark: 100, smoothed: 100 }
    expect(limitsOf([level, { ...level, highWatermark: 0, smoothed: 0 }], [50, 50]).limits).toEqual([75, 25])
  })

  it('demand is averaged over time', () => {
    const demand = new Demand(0)
    demand.set(10, 0)
    demand.set(0, 5_000)
    demand.look(10_000)
    expect(demand).toMatchObject({ average: 5, deviation: 5, highWatermark: 10, smoothed: 10 })
    demand.look(20_000)
    expect(demand.smoothed).toBeCloseTo(9.77)
  })

  it('clients are sent away for longer while many are refused', () => {
    const retry = new RetryAfter()
    const seconds = [0, 1, 2, 3, 4].map((second) => {
      for (let i = 0; i < 50; i++) retry.refused((second + 100) * 1_000)
      return retry.seconds
    })
    expect(seconds).toEqual([1, 2, 2, 4, 4])
  })

  it('are shown in tables', () => {
    const { flow, enter } = control()
    enter('a')
    expect(dumpLevels(flow).split('\n')[3]).toBe('global-default,    0,            false,  false,       0,               1,                 1,                  0,                0,                0')
    expect(dumpQueues(flow).split('\n')).toHaveLength(64 + 64 + 16 + 3 * 128 + 2)
    expect(dumpRequests(flow, true)).toMatch(/global-default, +global-default, +-1, +-1, +a, .*, +a, +get, +\/api\/v1\/namespaces\/default\/pods\/a, +default, +a, +v1, +pods, *$/m)
    expect(flow.running).toBe(1)
  })
})
