/** Which endpoints a frontend has, what a change writes, and the loop that writes it. */
import { describe, expect, it } from 'vitest'
import type { Endpoint, EndpointSlice, Node, Service, ServiceCIDR } from '../../core/api/schema/types.ts'
import type { Feed } from '../../core/client/feed.ts'
import type { Handler } from '../../core/client/informer.ts'
import { virtualClock } from '../../core/lib/clock.ts'
import type { Ctx } from '../../core/lib/ctx.ts'
import { silentLog } from '../../core/lib/log.ts'
import { fakeExec } from '../host/exec.fake.ts'
import { fakeNft } from '../host/nft.fake.ts'
import { staleFlows } from './conntrack.ts'
import { frontendsOf, type Frontend } from './frontends.ts'
import { runProxy } from './proxy.ts'
import { contentOf, emptyContent, render, renderChange } from './ruleset.ts'

const node = { name: 'n1', zone: 'z1', addresses: ['192.0.2.1'], ownIps: ['10.43.0.10'] }
const config = { clusterCidrs: ['10.42.0.0/16'], podCidrs: ['10.42.1.0/24'], serviceCidrs: ['10.43.0.0/16'], ownIps: ['10.43.0.10'] }

function service(spec: Partial<NonNullable<Service['spec']>> = {}, more: Partial<Service> = {}): Service {
  return { metadata: { name: 'web', namespace: 'a' }, spec: { clusterIP: '10.43.0.80', clusterIPs: ['10.43.0.80'], ports: [{ port: 80, protocol: 'TCP', nodePort: 30080 }], ...spec }, ...more }
}

function slice(...endpoints: Endpoint[]): EndpointSlice {
  return { metadata: { name: 'web-1', namespace: 'a', labels: { 'kubernetes.io/service-name': 'web' } }, addressType: 'IPv4', ports: [{ port: 8080, protocol: 'TCP' }], endpoints }
}

const end = (ip: string, nodeName = 'n2', more: Partial<Endpoint> = {}): Endpoint => ({ addresses: [ip], nodeName, conditions: { ready: true }, ...more })
const near = (zone: string, node?: string): Partial<Endpoint> => ({ hints: { forZones: [{ name: zone }], ...(node === undefined ? {} : { forNodes: [{ name: node }] }) } })
const terminating = { conditions: { ready: false, serving: true, terminating: true } }

function show(frontends: readonly Frontend[]): string[] {
  return frontends.map((f) => `${f.from} ${f.ip}:${f.port} ${f.backends.map((b) => b.ip).join(',') || f.empty}${f.masquerade ? ' masq' : ''}`)
}

describe('frontendsOf()', () => {
  it.each([
    ['every ready endpoint', {}, [end('10.0.0.1'), end('10.0.0.2'), end('10.0.0.3', 'n2', { conditions: { ready: false } })], '10.0.0.1,10.0.0.2'],
    ['what ends but serves, when nothing else is there', {}, [end('10.0.0.1', 'n2', terminating)], '10.0.0.1'],
    ['what is ready before what ends', {}, [end('10.0.0.1', 'n2', terminating), end('10.0.0.2')], '10.0.0.2'],
    ['only its own with internalTrafficPolicy Local', { internalTrafficPolicy: 'Local' }, [end('10.0.0.1', 'n1'), end('10.0.0.2')], '10.0.0.1'],
    ['none of others with internalTrafficPolicy Local', { internalTrafficPolicy: 'Local' }, [end('10.0.0.2')], 'drop'],
    ['nobody: refused', {}, [], 'reject'],
    ['those meant for its zone', {}, [end('10.0.0.1', 'n2', { hints: { forZones: [{ name: 'z1' }] } }), end('10.0.0.2', 'n2', { hints: { forZones: [{ name: 'z2' }] } })], '10.0.0.1'],
    ['those meant for itself, before those of its zone', {}, [end('10.0.0.1', 'n1', near('z1', 'n1')), end('10.0.0.2', 'n2', near('z1', 'n2'))], '10.0.0.1'],
    ['those of its zone when none is meant for itself', {}, [end('10.0.0.1', 'n2', near('z1', 'n2')), end('10.0.0.2', 'n3', near('z2', 'n3'))], '10.0.0.1'],
    ['all when none is meant for its zone', {}, [end('10.0.0.1', 'n2', near('z2')), end('10.0.0.2', 'n3', near('z3'))], '10.0.0.1,10.0.0.2'],
    ['those of its zone when not all are meant for nodes', {}, [end('10.0.0.1', 'n1', near('z1', 'n1')), end('10.0.0.2', 'n2', near('z1'))], '10.0.0.1,10.0.0.2'],
    ['what ends anywhere, whatever it is meant for, when nothing is ready', {}, [end('10.0.0.1', 'n2', { ...terminating, ...near('z2') })], '10.0.0.1'],
    ['its zone, whatever hints of those say that are not ready', {}, [end('10.0.0.1', 'n2', near('z1')), end('10.0.0.2', 'n2', { conditions: { ready: false } }), end('10.0.0.3', 'n2', near('z2'))], '10.0.0.1'],
    ['all when one has no hint', {}, [end('10.0.0.1', 'n2', { hints: { forZones: [{ name: 'z1' }] } }), end('10.0.0.2')], '10.0.0.1,10.0.0.2'],
  ] as const)('a ClusterIP has %s', (_, spec, endpoints, want) => {
    expect(show(frontendsOf([service(spec)], [slice(...endpoints)], node))[0]).toBe(`all 10.43.0.80:80 ${want} masq`)
  })

  it('an address that is none is left out: one bad element would refuse the whole transaction', () => {
    const made = frontendsOf([service({ externalIPs: ['198.51.100.1 } add', '1.2.3'], ports: [{ port: 80, protocol: 'TCP' }] })], [slice(end('10.0.0.1'), end('10.0.0.999'))], node)
    expect(show(made)).toEqual(['all 10.43.0.80:80 10.0.0.1 masq'])
  })

  it('externalTrafficPolicy Local: own endpoints for the outside, all for pods', () => {
    const made = frontendsOf([service({ externalTrafficPolicy: 'Local', externalIPs: ['198.51.100.1'] })], [slice(end('10.0.0.1', 'n1'), end('10.0.0.2'))], node)
    expect(show(made)).toEqual([
      'all 10.43.0.80:80 10.0.0.1,10.0.0.2 masq',
      'all 198.51.100.1:80 10.0.0.1',
      'inside 198.51.100.1:80 10.0.0.1,10.0.0.2 masq',
      'all 192.0.2.1:30080 10.0.0.1',
      'inside 192.0.2.1:30080 10.0.0.1,10.0.0.2 masq',
    ])
  })

  it.each([
    ['headless', service({ clusterIP: 'None' })],
    ['external name', service({ type: 'ExternalName' })],
    ['of another proxy', service({}, { metadata: { name: 'web', namespace: 'a', labels: { 'service.kubernetes.io/service-proxy-name': 'x' } } })],
    ['the DNS of the node', service({ clusterIP: '10.43.0.10', clusterIPs: ['10.43.0.10'], ports: [{ port: 53 }] })],
  ])('leaves alone what is %s', (_, given) => expect(frontendsOf([given], [], node)).toEqual([]))

  it('carries source ranges of balancers', () => {
    const status = { loadBalancer: { ingress: [{ ip: '203.0.113.5' }] } }
    const [, balanced] = frontendsOf([service({ loadBalancerSourceRanges: ['10.0.0.0/8'] }, { status })], [slice(end('10.0.0.1'))], node)
    expect(balanced).toMatchObject({ ip: '203.0.113.5', sources: ['10.0.0.0/8'] })
    expect(render(config, contentOf([balanced as Frontend]))).toContain('add element inet kubun-services sources { 203.0.113.5 . tcp . 80 . 10.0.0.0/8 }')
  })
})

describe('renderChange()', () => {
  const of = (...endpoints: Endpoint[]) => contentOf(frontendsOf([service({ ports: [{ port: 80 }] })], [slice(...endpoints)], node))

  it('writes only what differs, chains before and after the elements that lead there', () => {
    expect(renderChange(of(end('10.0.0.1')), of(end('10.0.0.1')))).toBe('')
    expect(renderChange(of(end('10.0.0.1')), of(end('10.0.0.1'), end('10.0.0.2'))).trim().split('\n')).toEqual([
      'add chain inet kubun-services any-2',
      'add rule inet kubun-services any-2 meta mark set numgen random mod 2 offset 16384',
      'add rule inet kubun-services any-2 dnat ip to ip daddr . meta l4proto . th dport . meta mark map @endpoints',
      'delete element inet kubun-services services { 10.43.0.80 . tcp . 80 }',
      'add element inet kubun-services services { 10.43.0.80 . tcp . 80 : goto any-2 }',
      'add element inet kubun-services endpoints { 10.43.0.80 . tcp . 80 . 16385 : 10.0.0.2 . 8080 }',
      'add element inet kubun-services hairpin { 10.0.0.2 . 10.0.0.2 }',
      'flush chain inet kubun-services any-1',
      'delete chain inet kubun-services any-1',
    ])
  })

  it('the last endpoint leaves a refusal', () => {
    expect(renderChange(of(end('10.0.0.1')), of())).toContain('add element inet kubun-services refused { 10.43.0.80 . tcp . 80 : goto refuse }')
  })

  it('an endpoint keeps its affinity number when others come and go', () => {
    const sticky = (...endpoints: Endpoint[]) => contentOf(frontendsOf([service({ sessionAffinity: 'ClientIP' })], [slice(...endpoints)], node)).elements['sticky-endpoints']
    const numberOf = (map: ReadonlyMap<string, string>): string | undefined => [...map].find(([, v]) => v === '10.0.0.2 . 8080')?.[0]
    expect(numberOf(sticky(end('10.0.0.2')))).toBe(numberOf(sticky(end('10.0.0.1'), end('10.0.0.2'), end('10.0.0.3'))))
  })
})

it('staleFlows() names UDP endpoints that went and addresses that woke up', () => {
  const udp = (...ips: string[]): Frontend => ({ ip: '10.43.0.53', protocol: 'udp', port: 53, backends: ips.map((ip) => ({ ip, port: 53 })), empty: 'reject', from: 'all', masquerade: true })
  expect(staleFlows([udp('a', 'b')], [udp('b')])).toEqual([{ ip: '10.43.0.53', port: 53, backend: 'a' }])
  expect(staleFlows([udp()], [udp('b')])).toEqual([{ ip: '10.43.0.53', port: 53, backend: undefined }])
  expect(staleFlows([udp('a')], [])).toEqual([{ ip: '10.43.0.53', port: 53, backend: 'a' }])
})

describe('runProxy()', () => {
  function feed<T>(items: T[]): Feed<T> & { set(next: T[]): void } {
    const handlers = new Set<Handler<T>>()
    const lister = { list: () => items }
    return {
      lister,
      synced: Promise.resolve(),
      on: (handler) => (handlers.add(handler), () => void handlers.delete(handler)),
      set(next) {
        items = next
        for (const handler of handlers) handler.added?.(next[0] as T, false)
      },
    }
  }

  it('outlives an nft that fails for a while, at the start and at a look', async () => {
    const controller = new AbortController()
    const clock = virtualClock()
    let fails = true
    const nft = fakeNft()
    const has = (): Promise<boolean> => (fails ? Promise.reject(new Error('nft: out of memory')) : Promise.resolve(true))
    const deps = { services: feed<Service>([service()]), endpointSlices: feed<EndpointSlice>([]), exec: fakeExec(), nodeName: 'n1', config, nodeAddresses: () => node.addresses, nodes: feed<Node>([]), serviceCidrs: feed<ServiceCIDR>([]) }
    let ended = false
    const run = runProxy({ signal: controller.signal, clock, log: silentLog }, { ...deps, nft: { ...nft, has } }).catch(() => {}).finally(() => (ended = true))
    await clock.advance(5_000)
    expect(ended).toBe(false)
    fails = false
    await clock.advance(5_000)
    expect(nft.loads).toHaveLength(1)
    fails = true
    await clock.advance(60_000)
    fails = false
    expect(ended).toBe(false)
    controller.abort()
    await run
  })

  it('refuses first, loads all once, then changes in one transaction each; a refused one is followed by all', async () => {
    const controller = new AbortController()
    const clock = virtualClock()
    const ctx: Ctx = { signal: controller.signal, clock, log: silentLog }
    let broken = false
    const nft = fakeNft(() => (broken ? new Error('no such chain') : undefined))
    const services = feed<Service>([service()])
    const endpointSlices = feed<EndpointSlice>([slice(end('10.0.0.1'))])
    const run = runProxy(ctx, { services, endpointSlices, nft, exec: fakeExec(), nodeName: 'n1', config, nodeAddresses: () => node.addresses, nodes: feed<Node>([]), serviceCidrs: feed<ServiceCIDR>([]) }).catch(() => {})
    await clock.settle()
    expect(nft.loads).toEqual([render(config, emptyContent), render(config, contentOf(frontendsOf([service()], [slice(end('10.0.0.1'))], node)))])
    endpointSlices.set([slice(end('10.0.0.2'))])
    endpointSlices.set([slice(end('10.0.0.3'))])
    await clock.advance(100)
    expect(nft.loads).toHaveLength(3)
    expect(nft.loads[2]).toContain('10.0.0.3')
    expect(nft.loads[2]).not.toContain('delete table')
    broken = true
    endpointSlices.set([slice(end('10.0.0.4'))])
    await clock.advance(100)
    broken = false
    await clock.advance(1_000)
    expect(nft.loads).toHaveLength(5)
    expect(nft.loads[4]).toContain('delete table')
    controller.abort()
    await run
    expect(clock.pending()).toBe(0)
  })

  it('keeps to the zone that its node has, also when the node gets it later', async () => {
    const controller = new AbortController()
    const clock = virtualClock()
    const nft = fakeNft()
    const nodes = feed<Node>([{ metadata: { name: 'n2', labels: { 'topology.kubernetes.io/zone': 'z2' } } }, { metadata: { name: 'n1' } }])
    const slices = [slice(end('10.0.0.1', 'n2', near('z1')), end('10.0.0.2', 'n2', near('z2')))]
    const deps = { services: feed<Service>([service()]), endpointSlices: feed<EndpointSlice>(slices), nft, exec: fakeExec(), nodeName: 'n1', config, nodeAddresses: () => node.addresses, nodes, serviceCidrs: feed<ServiceCIDR>([]) }
    const run = runProxy({ signal: controller.signal, clock, log: silentLog }, deps).catch(() => {})
    await clock.settle()
    const { zone: _none, ...zoneless } = node
    expect(nft.loads.at(-1)).toBe(render(config, contentOf(frontendsOf([service()], slices, zoneless))))
    nodes.set([{ metadata: { name: 'n1', labels: { 'topology.kubernetes.io/zone': 'z1' } } }])
    await clock.advance(100)
    expect(nft.loads).toHaveLength(3)
    expect(nft.loads[2]).toContain('delete element')
    expect(frontendsOf([service()], slices, node)[0]?.backends.map((b) => b.ip)).toEqual(['10.0.0.1'])
    controller.abort()
    await run
    expect(clock.pending()).toBe(0)
  })

  it('refuses what is nobody\'s in every range that Services have', async () => {
    const controller = new AbortController()
    const clock = virtualClock()
    const nft = fakeNft()
    const serviceCidrs = feed<ServiceCIDR>([{ metadata: { name: 'kubernetes' }, spec: { cidrs: ['10.43.0.0/16'] } }])
    const deps = { services: feed<Service>([service()]), endpointSlices: feed<EndpointSlice>([]), nft, exec: fakeExec(), nodeName: 'n1', config, nodeAddresses: () => node.addresses, nodes: feed<Node>([]), serviceCidrs }
    const run = runProxy({ signal: controller.signal, clock, log: silentLog }, deps).catch(() => {})
    await clock.settle()
    expect(nft.loads).toHaveLength(2)
    serviceCidrs.set([...serviceCidrs.lister.list(), { metadata: { name: 'more' }, spec: { cidrs: ['10.96.0.0/16', 'fd00::/108'] } }])
    await clock.advance(100)
    expect(nft.loads).toHaveLength(3)
    expect(nft.loads[2]).toContain('set service-ranges { type ipv4_addr; flags interval; auto-merge; elements = { 10.43.0.0/16, 10.96.0.0/16 } }')
    controller.abort()
    await run
  })
})
