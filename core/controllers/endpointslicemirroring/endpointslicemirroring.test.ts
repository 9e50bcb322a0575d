import { afterEach, describe, expect, it } from 'vitest'
import { endpoints } from '../../api/core/endpoints.ts'
import { events } from '../../api/core/event.ts'
import { services } from '../../api/core/service.ts'
import { endpointSlices } from '../../api/discovery/endpointslice.ts'
import type { Endpoints, EndpointSlice, EndpointSubset } from '../../api/schema/types.ts'
import { testCluster, type TestCluster } from '../../../test/support/controllers.ts'
import { endpointSliceMirroring } from './endpointslicemirroring.ts'
import { planMirror } from './mirror.ts'

const ips = (...all: string[]) => all.map((ip) => ({ ip }))
const of = (subsets: EndpointSubset[], more: Partial<Endpoints['metadata']> = {}): Endpoints => ({ metadata: { name: 'ext', namespace: 'default', uid: 'e', ...more }, subsets })
const stored = (slices: readonly EndpointSlice[]): EndpointSlice[] => slices.map((slice, i) => ({ ...slice, metadata: { ...slice.metadata, name: `ext-${i}` } }))

describe('planMirror()', () => {
  it('makes one slice for each set of ports and family', () => {
    const { create } = planMirror(of([
      { addresses: [{ ip: '10.1.2.3', hostname: 'h', nodeName: 'n' }, { ip: 'fd00::1' }], notReadyAddresses: ips('10.1.2.4'), ports: [{ name: 'http', port: 80, protocol: 'TCP' }] },
      { addresses: ips('10.1.2.5'), ports: [{ port: 90, protocol: 'UDP' }] },
    ], { labels: { team: 'a' }, annotations: { note: 'x', 'kubectl.kubernetes.io/last-applied-configuration': '{}', 'endpoints.kubernetes.io/last-change-trigger-time': 't' } }), [])
    const shown = create.map((s) => [s.addressType, s.ports?.[0]?.port, s.endpoints?.map((e) => [e.addresses[0], e.conditions?.ready])])
    expect(shown).toEqual(expect.arrayContaining([
      ['IPv4', 80, [['10.1.2.3', true], ['10.1.2.4', false]]],
      ['IPv6', 80, [['fd00::1', true]]],
      ['IPv4', 90, [['10.1.2.5', true]]],
    ]))
    expect(create.find((s) => s.ports?.[0]?.port === 80 && s.addressType === 'IPv4')).toMatchObject({
      metadata: {
        generateName: 'ext-', annotations: { note: 'x' }, ownerReferences: [{ kind: 'Endpoints', uid: 'e', controller: true }],
        labels: { team: 'a', 'kubernetes.io/service-name': 'ext', 'endpointslice.kubernetes.io/managed-by': 'endpointslicemirroring-controller.k8s.io' },
      },
      endpoints: [{ hostname: 'h', nodeName: 'n' }, {}],
    })
  })

  it('writes nothing where nothing changes, and one slice where one does', () => {
    const have = stored(planMirror(of([{ addresses: ips('10.1.2.3'), ports: [{ port: 80 }] }, { addresses: ips('10.1.2.4'), ports: [{ port: 90 }] }]), []).create)
    const same = planMirror(of([{ addresses: ips('10.1.2.3'), ports: [{ port: 80 }] }, { addresses: ips('10.1.2.4'), ports: [{ port: 90 }] }]), have)
    expect([same.create, same.update, same.remove]).toEqual([[], [], []])
    const one = planMirror(of([{ addresses: ips('10.1.2.3', '10.1.2.9'), ports: [{ port: 80 }] }, { addresses: ips('10.1.2.4'), ports: [{ port: 90 }] }]), have)
    expect([one.create.length, one.update.map((s) => s.endpoints?.length), one.remove.length]).toEqual([0, [2], 0])
    expect(planMirror(of([]), have).remove.length).toBe(2)
  })

  it('uses a slice again whose ports are wanted no more', () => {
    const have = stored(planMirror(of([{ addresses: ips('10.1.2.3'), ports: [{ port: 80 }] }]), []).create)
    expect(planMirror(of([{ addresses: ips('10.1.2.3'), ports: [{ port: 81 }] }]), have)).toMatchObject({ create: [], update: [{ metadata: { name: 'ext-0' }, ports: [{ port: 81 }] }], remove: [] })
  })

  it('mirrors a thousand addresses of a subset, and says what it left out', () => {
    const many = Array.from({ length: 1_005 }, (_, i) => ({ ip: `10.1.${i >> 8}.${i & 255}` }))
    const plan = planMirror(of([{ addresses: [...ips('nonsense'), ...many], ports: [{ port: 80 }] }]), [])
    expect([plan.create[0]?.endpoints?.length, plan.skipped >= 5]).toEqual([1_000, true])
  })
})

describe('endpointSliceMirroring', () => {
  let cluster: TestCluster
  afterEach(() => cluster.stop())
  const shown = async () => (await cluster.list(endpointSlices)).map((s) => s.endpoints?.flatMap((e) => e.addresses))
  const service = (selector?: Record<string, string>) => ({ metadata: { name: 'ext', namespace: 'default' }, spec: { clusterIP: '10.43.0.9', ports: [{ port: 80 }], ...(selector === undefined ? {} : { selector }) } })
  const made = (more: Partial<Endpoints['metadata']> = {}) => cluster.create(endpoints, { metadata: { name: 'ext', namespace: 'default', ...more }, subsets: [{ addresses: ips('10.1.2.3'), ports: [{ port: 80 }] }] })

  it('follows Endpoints of a Service without a selector, from their making to their end', async () => {
    cluster = await testCluster([endpointSliceMirroring])
    await made()
    await cluster.settle(1_000)
    expect(await shown()).toEqual([])
    await cluster.create(services, service())
    await cluster.settle(1_000)
    expect(await shown()).toEqual([['10.1.2.3']])
    await cluster.change(endpoints, 'ext', (mine) => (mine.subsets = [{ addresses: ips('10.2.3.4'), ports: [{ port: 80 }] }]))
    await cluster.settle(1_000)
    expect(await shown()).toEqual([['10.2.3.4']])
    await cluster.writes()
    await cluster.settle(60_000)
    expect(await cluster.writes()).toBe(0)
    await cluster.client.delete(cluster.ctx, endpoints, { namespace: 'default', name: 'ext' })
    await cluster.settle(1_000)
    expect(await shown()).toEqual([])
  })

  it('has nothing to do with those of a selector, of an election, or that want none', async () => {
    cluster = await testCluster([endpointSliceMirroring])
    await cluster.create(services, service())
    await made({ labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } })
    await cluster.settle(1_000)
    expect(await shown()).toEqual([])
    await cluster.change(endpoints, 'ext', (mine) => delete mine.metadata.labels)
    await cluster.settle(1_000)
    expect(await shown()).toEqual([['10.1.2.3']])
    await cluster.change(endpoints, 'ext', (mine) => (mine.metadata.annotations = { 'control-plane.alpha.kubernetes.io/leader': '{}' }))
    await cluster.settle(1_000)
    expect(await shown()).toEqual([])
    await cluster.change(endpoints, 'ext', (mine) => delete mine.metadata.annotations)
    await cluster.settle(1_000)
    await cluster.change(services, 'ext', (mine) => (mine.spec = { ...mine.spec, selector: { app: 'web' } }))
    await cluster.settle(1_000)
    expect(await shown()).toEqual([])
    expect((await cluster.list(events)).length).toBe(0)
  })
})
