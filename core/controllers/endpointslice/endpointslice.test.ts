import { afterEach, describe, expect, it } from 'vitest'
import { endpoints } from '../../api/core/endpoints.ts'
import { nodes } from '../../api/core/node.ts'
import { pods } from '../../api/core/pod.ts'
import { services } from '../../api/core/service.ts'
import { endpointSlices } from '../../api/discovery/endpointslice.ts'
import type { EndpointSlice, Node, Pod, Service } from '../../api/schema/types.ts'
import { testCluster, type TestCluster } from '../../../test/support/controllers.ts'
import { endpointsController } from '../endpoints.ts'
import { endpointSliceController } from './endpointslice.ts'
import { endpointsPerSliceMax } from './placement.ts'
import { planSlices } from './plan.ts'

const node: Node = { metadata: { name: 'n', labels: { 'topology.kubernetes.io/zone': 'z' } } }
const service: Service = {
  metadata: { name: 'web', namespace: 'default', uid: 's', labels: { team: 'a' } },
  spec: { clusterIP: '10.43.0.9', ipFamilies: ['IPv4'], selector: { app: 'web' }, ports: [{ name: 'http', port: 80, protocol: 'TCP', targetPort: 'http' }] },
}

function pod(name: string, more: Partial<Pod['metadata']> & { ready?: boolean; phase?: string; port?: number; ip?: string } = {}): Pod {
  const { ready = true, phase = 'Running', port = 8080, ip = `10.42.0.${name.slice(1)}`, ...metadata } = more
  return {
    metadata: { name, namespace: 'default', uid: name, labels: { app: 'web' }, ...metadata },
    spec: { nodeName: 'n', containers: [{ name: 'c', image: 'i', ports: [{ name: 'http', containerPort: port, protocol: 'TCP' }] }] },
    status: { phase, podIPs: [{ ip }], conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
  }
}

const many = (count: number): Pod[] => Array.from({ length: count }, (_, i) => pod(`p${i}`, { ip: `10.42.${i >> 8}.${i & 255}` }))
const plan = (selected: readonly Pod[], slices: readonly EndpointSlice[] = [], of: Service = service) => planSlices({ service: of, pods: selected, slices, nodeOf: (name) => (name === 'n' ? node : undefined) })
const stored = (slices: readonly EndpointSlice[]): EndpointSlice[] => slices.map((slice, i) => ({ ...slice, metadata: { ...slice.metadata, name: `web-${i}` } }))

describe('planSlices()', () => {
  it('shows what a pod is: ready, not ready, terminating, ended', () => {
    const [slice] = plan([pod('p1'), pod('p2', { ready: false }), pod('p3', { deletionTimestamp: '2026-01-01T00:00:00Z' }), pod('p4', { phase: 'Failed' })]).create
    expect(slice).toMatchObject({
      addressType: 'IPv4',
      metadata: { generateName: 'web-', labels: { team: 'a', 'kubernetes.io/service-name': 'web', 'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io' }, ownerReferences: [{ kind: 'Service', uid: 's', controller: true }] },
      ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
    })
    expect(slice?.endpoints?.map((e) => [e.addresses[0], e.conditions?.ready, e.conditions?.serving, e.conditions?.terminating, e.zone, e.nodeName])).toEqual([
      ['10.42.0.1', true, true, false, 'z', 'n'],
      ['10.42.0.2', false, false, false, 'z', 'n'],
      ['10.42.0.3', false, true, true, 'z', 'n'],
    ])
  })

  it('cuts into slices of at most a hundred, and puts pods with other ports apart', () => {
    const { create } = plan([...many(250), pod('p251', { port: 9090 })])
    expect(create.map((s) => [s.endpoints?.length, s.ports?.[0]?.port])).toEqual([[100, 8080], [100, 8080], [50, 8080], [1, 9090]])
  })

  it('writes only the slice that changes', () => {
    const have = stored(plan(many(250)).create)
    const next = many(250)
    next[120] = pod('p120', { ip: '10.42.0.120', ready: false })
    const { create, update, remove } = plan(next, have)
    expect([create.length, update.map((s) => s.metadata.name), remove.length]).toEqual([0, ['web-1'], 0])
    expect(plan(many(250), have)).toMatchObject({ create: [], update: [], remove: [], unplaced: [] })
  })

  it('fills a slice that has room before it makes a new one', () => {
    const have = stored(plan(many(150)).create)
    const { create, update } = plan(many(160), have)
    expect([create.length, update.map((s) => [s.metadata.name, s.endpoints?.length])]).toEqual([0, [['web-1', 60]]])
    expect(plan(many(290), have).update.every((s) => (s.endpoints?.length ?? 0) <= endpointsPerSliceMax)).toBe(true)
  })

  it('keeps one empty slice for a Service without endpoints, and replaces it when they come', () => {
    const [placeholder] = plan([]).create
    expect(placeholder).toMatchObject({ endpoints: [], ports: [] })
    const have = stored([placeholder as EndpointSlice])
    expect(plan([], have)).toMatchObject({ create: [], update: [], remove: [] })
    expect(plan([pod('p1')], have)).toMatchObject({ create: [], update: [{ metadata: { name: 'web-0' }, endpoints: [{}], ports: [{ port: 8080 }] }], remove: [] })
  })

  it('removes slices whose pods are all gone', () => {
    const have = stored(plan(many(250)).create)
    const { update, remove } = plan(many(100), have)
    expect([update.length, remove.map((s) => s.metadata.name ?? '').sort()]).toEqual([0, ['web-1', 'web-2']])
  })

  it('leaves out pods of nodes that are not known, unless unready ones are published', () => {
    const lost = { ...pod('p1'), spec: { ...pod('p1').spec, nodeName: 'gone' } } as Pod
    expect(plan([lost])).toMatchObject({ create: [{ endpoints: [] }], unplaced: [lost] })
    expect(plan([lost], [], { ...service, spec: { ...service.spec, publishNotReadyAddresses: true } }).create[0]?.endpoints?.length).toBe(1)
  })

  it('labels a headless Service, and hints at zones where traffic should stay near', () => {
    expect(plan([pod('p1')], [], { ...service, spec: { ...service.spec, clusterIP: 'None' } }).create[0]?.metadata.labels).toHaveProperty('service.kubernetes.io/headless', '')
    const near = plan([pod('p1')], [], { ...service, spec: { ...service.spec, trafficDistribution: 'PreferSameNode' } })
    expect(near.create[0]?.endpoints?.[0]?.hints).toEqual({ forZones: [{ name: 'z' }], forNodes: [{ name: 'n' }] })
  })
})

describe('endpoint controllers', () => {
  let cluster: TestCluster
  afterEach(() => cluster.stop())

  it('follow pods from ready to gone, then rest', async () => {
    cluster = await testCluster([endpointSliceController, endpointsController])
    await cluster.create(nodes, structuredClone(node))
    await cluster.create(services, { metadata: { name: 'web', namespace: 'default' }, spec: { clusterIP: '10.43.0.9', ipFamilies: ['IPv4'], selector: { app: 'web' }, ports: [{ port: 80, targetPort: 8080 }] } })
    await cluster.settle()
    for (const name of ['a', 'b']) {
      await cluster.create(pods, { metadata: { name, namespace: 'default', labels: { app: 'web' } }, spec: { nodeName: 'n', containers: [{ name: 'c', image: 'i' }] } })
    }
    await cluster.settle(1_000)
    const slices = await cluster.list(endpointSlices)
    expect(slices.map((s) => s.endpoints?.map((e) => e.conditions?.ready))).toEqual([[true, true]])
    expect((await cluster.get(endpoints, 'web'))?.subsets).toMatchObject([{ addresses: [{ ip: '10.42.0.9' }, { ip: '10.42.0.9' }], ports: [{ port: 8080 }] }])
    await cluster.writes()
    await cluster.settle(1_500_000)
    expect(await cluster.writes()).toBe(0)
    for (const name of ['a', 'b']) await cluster.client.delete(cluster.ctx, pods, { namespace: 'default', name }, { gracePeriodSeconds: 0 })
    await cluster.settle(1_000)
    expect((await cluster.list(endpointSlices)).map((s) => s.endpoints ?? [])).toEqual([[]])
    expect((await cluster.get(endpoints, 'web'))?.subsets).toBeUndefined()
  })
})
