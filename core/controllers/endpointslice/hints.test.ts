import { afterEach, describe, expect, it } from 'vitest'
import { events } from '../../api/core/event.ts'
import { nodes } from '../../api/core/node.ts'
import { pods } from '../../api/core/pod.ts'
import { services } from '../../api/core/service.ts'
import { endpointSlices } from '../../api/discovery/endpointslice.ts'
import type { Endpoint, EndpointSlice, Node, Service } from '../../api/schema/types.ts'
import { testCluster, type TestCluster } from '../../../test/support/controllers.ts'
import { endpointSliceController } from './endpointslice.ts'
import { distributionHints, type Slices, withHints } from './hints.ts'
import { allocate, isOverloaded, topologyHints, zoneShares } from './topology.ts'

const node = (name: string, zone: string, cpu = '1', more: Partial<Node> = {}): Node => ({
  metadata: { name, labels: { 'topology.kubernetes.io/zone': zone } },
  status: { allocatable: { cpu }, conditions: [{ type: 'Ready', status: 'True' }] },
  ...more,
})
const end = (ip: string, zone: string, ready = true): Endpoint => ({ addresses: [ip], zone, nodeName: `node-${zone}`, conditions: { ready, serving: ready, terminating: false } })
const ends = (count: number, zone: string): Endpoint[] => Array.from({ length: count }, (_, i) => end(`${zone}${i}`, zone))
const slice = (endpoints: Endpoint[], name = 's'): EndpointSlice => ({ metadata: { name }, addressType: 'IPv4', endpoints, ports: [] })
const created = (...endpoints: Endpoint[]): Slices => ({ create: [slice(endpoints)], update: [], unchanged: [] })
const zonesOf = (slices: Slices): Record<string, number> => tally([...slices.create, ...slices.update, ...slices.unchanged])

function tally(slices: readonly Readonly<EndpointSlice>[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const endpoint of slices.flatMap((s) => s.endpoints ?? [])) {
    const zone = endpoint.hints?.forZones?.[0]?.name ?? 'none'
    counts[zone] = (counts[zone] ?? 0) + 1
  }
  return counts
}

describe('trafficDistribution', () => {
  const of = (trafficDistribution: string): Service => ({ metadata: { name: 'web' }, spec: { trafficDistribution } })
  it.each([
    ['PreferClose', { forZones: [{ name: 'a' }] }],
    ['PreferSameZone', { forZones: [{ name: 'a' }] }],
    ['PreferSameNode', { forZones: [{ name: 'a' }], forNodes: [{ name: 'node-a' }] }],
    ['Anything', undefined],
  ])('%s', (how, want) => expect(distributionHints(of(how))(end('1', 'a'))).toEqual(want))

  it('gives hints to ready endpoints alone, and writes slices that differ in nothing else', () => {
    const hints = distributionHints(of('PreferClose'))
    const have: Slices = { create: [], update: [], unchanged: [slice([end('1', 'a'), end('2', 'b', false)])] }
    const once = withHints(have, hints)
    expect(once).toMatchObject({ unchanged: [], update: [{ endpoints: [{ hints: { forZones: [{ name: 'a' }] } }, {}] }] })
    expect(once.update[0]?.endpoints?.[1]?.hints).toBeUndefined()
    expect(withHints({ create: [], update: [], unchanged: once.update }, hints)).toMatchObject({ update: [], unchanged: [{}] })
    expect(withHints({ create: [], update: [], unchanged: once.update }, () => undefined).update[0]?.endpoints?.[0]).not.toHaveProperty('hints')
  })
})

describe('zoneShares()', () => {
  it('divides by the CPUs of ready nodes that run ordinary pods', () => {
    const plane = node('c', 'a', '64', { metadata: { name: 'c', labels: { 'node-role.kubernetes.io/control-plane': '', 'topology.kubernetes.io/zone': 'a' } } })
    const down = node('d', 'a', '64', { status: { allocatable: { cpu: '64' }, conditions: [{ type: 'Ready', status: 'False' }] } })
    expect([...(zoneShares([node('1', 'a', '1500m'), node('2', 'a', '500m'), node('3', 'b', '2'), plane, down]) ?? [])]).toEqual([['a', 0.5], ['b', 0.5]])
  })

  it.each([
    ['one zone only', [node('1', 'a')]],
    ['a node without a zone', [node('1', 'a'), node('2', 'b'), node('3', '')]],
    ['a node without CPUs', [node('1', 'a'), node('2', 'b'), node('3', 'b', '0')]],
  ])('cannot be said of %s', (_, given) => expect(zoneShares(given)).toBeUndefined())
})

describe('topologyHints()', () => {
  const shares = new Map([['a', 0.5], ['b', 0.5]])
  const thirds = new Map([['a', 1 / 3], ['b', 1 / 3], ['c', 1 / 3]])

  it.each([
    ['nothing is known of nodes', undefined, 4, 'Insufficient Node information: allocatable CPU or zone not specified on one or more nodes'],
    ['there are fewer endpoints than zones', thirds, 2, 'Insufficient number of endpoints (2 endpoints, 3 zones)'],
    ['a zone would be overloaded', thirds, 4, 'Unable to allocate minimum required endpoints to each zone without exceeding overload threshold (4 endpoints, 3 zones)'],
  ])('are refused where %s', (_, given, count, why) => expect(allocate(given, count)).toBe(why))

  it('keep endpoints in their zone, and give away what a zone has too many of', () => {
    expect(zonesOf(topologyHints(created(...ends(3, 'a'), ...ends(3, 'b')), shares).slices)).toEqual({ a: 3, b: 3 })
    const outcome = topologyHints(created(...ends(5, 'a'), ...ends(1, 'b')), shares)
    expect([zonesOf(outcome.slices), 'counts' in outcome && [...outcome.counts]]).toEqual([{ a: 3, b: 3 }, [['a', 3], ['b', 3]]])
  })

  it('count ready endpoints alone', () => {
    expect(zonesOf(topologyHints(created(...ends(2, 'a'), ...ends(2, 'b'), end('x', 'a', false)), shares).slices)).toEqual({ a: 2, b: 2, none: 1 })
  })

  it('leave slices as they are while no zone has more than it may', () => {
    const first = topologyHints(created(...ends(3, 'a'), ...ends(3, 'b')), shares).slices.create
    const uneven = topologyHints({ create: [], update: [], unchanged: first }, new Map([['a', 0.25], ['b', 0.75]]))
    expect([uneven.slices.update.length, zonesOf(uneven.slices)]).toEqual([1, { a: 2, b: 4 }])
    expect(topologyHints({ create: [], update: [], unchanged: first }, shares).slices).toMatchObject({ update: [], unchanged: first })
  })

  it('take all hints away when they cannot be given', () => {
    const first = topologyHints(created(...ends(3, 'a'), ...ends(3, 'b')), shares).slices.create
    const outcome = topologyHints({ create: [], update: [], unchanged: first }, undefined)
    expect([zonesOf(outcome.slices), outcome.slices.update.length]).toEqual([{ none: 6 }, 1])
    const lost = topologyHints(created(...ends(3, 'a'), { addresses: ['x'], conditions: { ready: true } }), shares)
    expect(lost).toMatchObject({ refused: 'One or more endpoints do not have a zone specified' })
  })

  it('are looked at again when a zone has fewer endpoints than it needs', () => {
    expect(isOverloaded(new Map([['a', 3], ['b', 3]]), shares)).toBe(false)
    expect(isOverloaded(new Map([['a', 5], ['b', 1]]), shares)).toBe(true)
    expect(isOverloaded(new Map([['a', 3], ['b', 3]]), thirds)).toBe(true)
    expect(isOverloaded(new Map([['a', 3]]), undefined)).toBe(true)
  })
})

describe('endpointSliceController', () => {
  let cluster: TestCluster
  afterEach(() => cluster.stop())

  it('hints by zone while nodes stand in two of them, and says when that begins and ends', async () => {
    cluster = await testCluster([endpointSliceController])
    for (const zone of ['a', 'b']) {
      const { status, ...rest } = node(`node-${zone}`, zone)
      await cluster.create(nodes, rest)
      await cluster.change(nodes, `node-${zone}`, (mine) => (mine.status = { ...status }), { subresource: 'status' })
    }
    await cluster.create(services, {
      metadata: { name: 'web', namespace: 'default', annotations: { 'service.kubernetes.io/topology-mode': 'Auto' } },
      spec: { clusterIP: '10.43.0.9', ipFamilies: ['IPv4'], selector: { app: 'web' }, ports: [{ port: 80 }] },
    })
    for (let i = 0; i < 4; i++) {
      await cluster.create(pods, { metadata: { name: `p${i}`, namespace: 'default', labels: { app: 'web' } }, spec: { nodeName: 'node-a', containers: [{ name: 'c', image: 'i' }] } })
    }
    await cluster.settle(1_000)
    expect(tally(await cluster.list(endpointSlices))).toEqual({ a: 2, b: 2 })
    await cluster.writes()
    await cluster.settle(60_000)
    expect(await cluster.writes()).toBe(0)
    await cluster.change(nodes, 'node-b', (mine) => (mine.status = { conditions: [{ type: 'Ready', status: 'False' }] }), { subresource: 'status' })
    await cluster.settle(1_000)
    expect(tally(await cluster.list(endpointSlices))).toEqual({ none: 4 })
    const told = (await cluster.list(events)).filter((event) => event.reason?.startsWith('TopologyAware')).map(({ type, message }) => `${type} ${message}`)
    expect(told).toContain('Normal Topology Aware Hints has been enabled, addressType: IPv4')
    expect(told).toContain('Warning Insufficient Node information: allocatable CPU or zone not specified on one or more nodes, addressType: IPv4')
  })
})
