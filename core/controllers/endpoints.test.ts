import { afterEach, describe, expect, it } from 'vitest'
import { endpoints } from '../api/core/endpoints.ts'
import { pods } from '../api/core/pod.ts'
import { services } from '../api/core/service.ts'
import type { EndpointSubset, Pod, Service } from '../api/schema/types.ts'
import { testCluster, type TestCluster } from '../../test/support/controllers.ts'
import { endpointsController, endpointsOf } from './endpoints.ts'
import { repackSubsets, truncated } from './subsets.ts'

const port = (number: number, name = '') => ({ ...(name === '' ? {} : { name }), port: number, protocol: 'TCP' })
const ips = (...all: string[]) => all.map((ip) => ({ ip }))

describe('repackSubsets()', () => {
  it('puts ports together that are open at the same addresses', () => {
    const packed = repackSubsets([
      { addresses: ips('10.0.0.2', '10.0.0.1'), ports: [port(80, 'a')] },
      { addresses: ips('10.0.0.1'), notReadyAddresses: ips('10.0.0.3'), ports: [port(81, 'b')] },
      { addresses: ips('10.0.0.1', '10.0.0.2'), ports: [port(82, 'c')] },
    ])
    expect(packed).toEqual([
      { addresses: ips('10.0.0.1', '10.0.0.2'), ports: [port(80, 'a'), port(82, 'c')] },
      { addresses: ips('10.0.0.1'), notReadyAddresses: ips('10.0.0.3'), ports: [port(81, 'b')] },
    ])
    expect(repackSubsets(packed)).toEqual(packed)
  })

  it('shows an address once, not ready where anybody says so; keeps addresses without ports', () => {
    expect(repackSubsets([{ addresses: ips('10.0.0.1'), ports: [port(80)] }, { notReadyAddresses: ips('10.0.0.1'), ports: [port(80)] }])).toEqual([{ notReadyAddresses: ips('10.0.0.1'), ports: [port(80)] }])
    expect(repackSubsets([{ addresses: ips('10.0.0.1') }])).toEqual([{ addresses: ips('10.0.0.1') }])
  })
})

describe('truncated()', () => {
  const some = (ready: number, unready: number, number: number): EndpointSubset => ({
    addresses: Array.from({ length: ready }, (_, i) => ({ ip: `r${i}` })),
    notReadyAddresses: Array.from({ length: unready }, (_, i) => ({ ip: `u${i}` })),
    ports: [port(number)],
  })
  const counts = (subsets: readonly EndpointSubset[] | undefined) => subsets?.map((s) => [s.addresses?.length ?? 0, s.notReadyAddresses?.length ?? 0])

  it.each([
    ['nothing', [some(500, 500, 1)], undefined],
    ['unready ones first', [some(400, 400, 1), some(400, 400, 2)], [[400, 100], [400, 100]]],
    ['ready ones in proportion', [some(900, 10, 1), some(300, 10, 2)], [[750, 0], [250, 0]]],
  ])('takes away %s', (_, given, want) => expect(counts(truncated(given))).toEqual(want))
})

const service: Service = { metadata: { name: 'web', namespace: 'default', labels: { team: 'a' } }, spec: { clusterIP: '10.43.0.9', ipFamilies: ['IPv4'], selector: { app: 'web' }, ports: [{ name: 'http', port: 80, targetPort: 'http' }, { name: 'more', port: 81, targetPort: 'more' }] } }
const pod = (name: string, ports: readonly string[], more: Partial<Pod['metadata']> = {}): Pod => ({
  metadata: { name, namespace: 'default', uid: name, ...more },
  spec: { nodeName: 'n', containers: [{ name: 'c', image: 'i', ports: ports.map((p, i) => ({ name: p, containerPort: 8080 + i })) }] },
  status: { phase: 'Running', podIPs: [{ ip: `10.42.0.${name.slice(1)}` }], conditions: [{ type: 'Ready', status: 'True' }] },
})

describe('endpointsOf()', () => {
  it('shows who has which port', () => {
    expect(endpointsOf(service, [pod('p1', ['http', 'more']), pod('p2', ['http'])])).toMatchObject({
      metadata: { labels: { team: 'a', 'endpoints.kubernetes.io/managed-by': 'endpoint-controller' } },
      subsets: [
        { addresses: [{ ip: '10.42.0.1', nodeName: 'n', targetRef: { uid: 'p1' } }, { ip: '10.42.0.2' }], ports: [{ name: 'http', port: 8080 }] },
        { addresses: [{ ip: '10.42.0.1' }], ports: [{ name: 'more', port: 8081 }] },
      ],
    })
  })

  it('shows terminating pods only where unready ones are published', () => {
    const going = pod('p1', ['http'], { deletionTimestamp: '2026-01-01T00:00:00Z' })
    expect(endpointsOf(service, [going]).subsets).toBeUndefined()
    expect(endpointsOf({ ...service, spec: { ...service.spec, publishNotReadyAddresses: true } }, [going]).subsets).toMatchObject([{ addresses: [{ ip: '10.42.0.1' }] }])
  })
})

describe('endpointsController', () => {
  let cluster: TestCluster
  afterEach(() => cluster.stop())
  const own = (name: string) => ({ metadata: { name, namespace: 'default' }, subsets: [{ addresses: ips('10.1.2.3'), ports: [{ port: 80 }] }] })

  it('says when the change was made that it shows', async () => {
    cluster = await testCluster([endpointsController])
    const made = await cluster.create(services, structuredClone(service))
    const time = async (): Promise<string | undefined> => (await cluster.get(endpoints, 'web'))?.metadata.annotations?.['endpoints.kubernetes.io/last-change-trigger-time']
    await cluster.settle(5_000)
    expect(await time()).toBe(made.metadata.creationTimestamp)
    await cluster.create(pods, { metadata: { name: 'p', namespace: 'default', labels: { app: 'web' } }, spec: { nodeName: 'n', containers: [{ name: 'c', image: 'i', ports: [{ name: 'http', containerPort: 80 }] }] } })
    await cluster.settle(5_000)
    const shown = await cluster.get(pods, 'p')
    expect(await time()).toBe(shown?.status?.conditions?.find((c) => c.type === 'Ready')?.lastTransitionTime)
  })

  it('leaves Endpoints alone that come before their Service, and takes them away with it', async () => {
    cluster = await testCluster([endpointsController])
    await cluster.create(endpoints, own('mine'))
    await cluster.settle(1_000)
    await cluster.create(services, { metadata: { name: 'mine', namespace: 'default' }, spec: { clusterIP: '10.43.0.9', ports: [{ port: 80 }] } })
    await cluster.settle(1_000)
    expect((await cluster.get(endpoints, 'mine'))?.subsets).toMatchObject([{ addresses: [{ ip: '10.1.2.3' }] }])
    await cluster.client.delete(cluster.ctx, services, { namespace: 'default', name: 'mine' })
    await cluster.settle(1_000)
    expect(await cluster.get(endpoints, 'mine')).toBeUndefined()
  })
})
