import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../lib/random.ts'
import { chooseFamilies, type Family, type Spec } from './families.ts'
import { NodePorts } from './ports.ts'
import { bandOf, search, Used } from './used.ts'

describe('chooseFamilies()', () => {
  const selector = { app: 'web' }
  const both: readonly Family[] = ['IPv4', 'IPv6']
  const one: readonly Family[] = ['IPv4']
  const dual: Spec = { selector, ipFamilyPolicy: 'RequireDualStack', ipFamilies: ['IPv4', 'IPv6'], clusterIPs: ['10.0.0.1', 'fd00::1'] }

  it.each<[string, Spec, Spec | undefined, readonly Family[], Partial<Spec>]>([
    ['the default family', { selector }, undefined, one, { ipFamilyPolicy: 'SingleStack', ipFamilies: ['IPv4'] }],
    ['one family where two are preferred and one is there', { selector, ipFamilyPolicy: 'PreferDualStack' }, undefined, one, { ipFamilies: ['IPv4'] }],
    ['two where they are there', { selector, ipFamilyPolicy: 'PreferDualStack' }, undefined, both, { ipFamilies: ['IPv4', 'IPv6'] }],
    ['what its addresses are of', { selector, ipFamilyPolicy: 'PreferDualStack', clusterIPs: ['fd00::1'] }, undefined, both, { ipFamilies: ['IPv6', 'IPv4'] }],
    ['both without a selector and an address', { clusterIP: 'None', clusterIPs: ['None'] }, undefined, one, { ipFamilyPolicy: 'RequireDualStack', ipFamilies: ['IPv4', 'IPv6'] }],
    ['one when it asks for one again', { ...dual, ipFamilyPolicy: 'SingleStack' }, dual, both, { ipFamilies: ['IPv4'], clusterIPs: ['10.0.0.1'] }],
  ])('gives %s', (_, spec, before, has, want) => {
    const mine = structuredClone(spec)
    expect(chooseFamilies(mine, before, has)).toEqual([])
    expect(mine).toMatchObject(want)
  })

  it.each<[string, Spec, Spec | undefined, readonly Family[], string]>([
    ['two families of a cluster that has one', { selector, ipFamilyPolicy: 'RequireDualStack' }, undefined, one, 'this cluster is not configured for dual-stack services'],
    ['a family that is not there', { selector, ipFamilies: ['IPv6'] }, undefined, one, 'not configured on this cluster'],
    ['an address of a family that is not there', { selector, clusterIPs: ['fd00::1'] }, undefined, one, 'IPv6 is not configured on this cluster'],
    ['one family with two addresses', { selector, clusterIPs: ['10.0.0.1', 'fd00::1'] }, undefined, both, "must be 'RequireDualStack' or 'PreferDualStack' when multiple cluster IPs are specified"],
    ['fewer addresses without saying so', { ...dual, clusterIPs: ['10.0.0.1'] }, dual, both, "must be 'SingleStack' to release the secondary cluster IP"],
  ])('refuses %s', (_, spec, before, has, why) => expect(chooseFamilies(structuredClone(spec), before, has)[0]?.detail).toBe(why))
})

describe('values', () => {
  it('held for one are nobody else\'s until they are stored, or forgotten', () => {
    const used = new Used()
    used.hold('v', 'a', 0)
    expect([used.takenFor('v', 'a', 1), used.takenFor('v', 'b', 1), used.takenFor('v', 'b', 60_001)]).toEqual([false, true, false])
    used.set('v', 'a')
    used.free('v', 'b')
    expect(used.takenFor('v', 'b', 60_001)).toBe(true)
    used.free('v', 'a')
    expect(used.takenFor('v', 'b', 60_001)).toBe(false)
  })

  it('are free at once when the Service does not come, but not while another request of it may', () => {
    const used = new Used()
    used.hold('v', 'a', 0)
    used.hold('v', 'a', 1)
    used.letGo('v', 'b')
    used.letGo('v', 'a')
    expect(used.takenFor('v', 'b', 2)).toBe(true)
    used.letGo('v', 'a')
    expect(used.takenFor('v', 'b', 2)).toBe(false)
  })

  it.each([[16, 0], [32, 16], [4_096, 256], [65_536, 256]])('of a range of %d: the first %d are for those who ask by name', (size, want) => expect(bandOf(size, { min: 16, max: 256, share: 16 })).toBe(want))

  it('are looked for all around', () => {
    expect(search(seededRandom(1), 3, 9, (at) => (at === 5 ? at : undefined))).toBe(5)
    expect(search(seededRandom(1), 3, 3, (at) => at)).toBeUndefined()
  })
})

describe('NodePorts', () => {
  const open = (size = 128) => new NodePorts({ from: 30_000, to: 30_000 + size - 1 }, seededRandom(1))
  const nodePort = (...ports: NonNullable<Spec['ports']>): Spec => ({ type: 'NodePort', ports })
  const balancer = (more: Partial<Spec>): Spec => ({ type: 'LoadBalancer', ...more })
  const local = { externalTrafficPolicy: 'Local' } as const
  const numbers = (spec: Spec): (number | undefined)[] => (spec.ports ?? []).map((port) => port.nodePort)
  /** What a Service is told that is made, or that was `before`. */
  const told = (ports: NodePorts, spec: Spec, before?: Spec): string | undefined => {
    const outcome = ports.allocate(spec, before, 'default/mine', 0)
    return outcome instanceof Error ? outcome.message : outcome[0] && `${outcome[0].field}: ${outcome[0].detail}`
  }
  const taken = 'provided port is already allocated'

  it('gives every port its own, until there are no more', () => {
    const spec = nodePort(...[1, 2, 3, 4].map((port) => ({ port })))
    expect(told(open(4), spec)).toBeUndefined()
    expect(new Set(numbers(spec))).toEqual(new Set([30_000, 30_001, 30_002, 30_003]))
    expect(told(open(3), nodePort(...[1, 2, 3, 4].map((port) => ({ port }))))).toBe('Internal error occurred: failed to allocate a nodePort: range is full')
  })

  it.each<[string, Spec, Spec | undefined, string | undefined]>([
    ["another Service's", nodePort({ port: 80, nodePort: 30_100 }), undefined, `spec.ports[0].nodePort: ${taken}`],
    ["another Service's, in another protocol", nodePort({ port: 80 }, { port: 53, protocol: 'UDP', nodePort: 30_100 }), undefined, `spec.ports[1].nodePort: ${taken}`],
    ["another Service's, where none would be given", balancer({ allocateLoadBalancerNodePorts: false, ports: [{ port: 80, nodePort: 30_100 }] }), undefined, `spec.ports[0].nodePort: ${taken}`],
    ["another Service's, for health", balancer({ ...local, healthCheckNodePort: 30_100 }), undefined, `Internal error occurred: failed to allocate requested HealthCheck NodePort 30100: ${taken}`],
    ['its own, for health', balancer({ ...local, healthCheckNodePort: 30_050, ports: [{ port: 80, nodePort: 30_050 }] }), undefined, `Internal error occurred: failed to allocate requested HealthCheck NodePort 30050: ${taken}`],
    ['that of its health', balancer({ ...local, healthCheckNodePort: 30_050, ports: [{ port: 80, nodePort: 30_050 }] }), balancer({ ...local, healthCheckNodePort: 30_050, ports: [{ port: 80, nodePort: 30_051 }] }), `spec.ports[0].nodePort: ${taken}`],
    ['one twice', nodePort({ port: 80, nodePort: 30_050 }, { port: 81, protocol: 'UDP', nodePort: 30_050 }), undefined, `spec.ports[1].nodePort: ${taken}`],
    ['one out of range', nodePort({ port: 80, nodePort: 29_999 }), undefined, 'spec.ports[0].nodePort: provided port is not in the valid range. The range of valid ports is 30000-30127'],
    ['what it has', nodePort({ port: 80, nodePort: 30_100 }), nodePort({ port: 80, nodePort: 30_100 }), undefined],
    ['one for two protocols', nodePort({ port: 80, nodePort: 30_050 }, { port: 80, protocol: 'UDP', nodePort: 30_050 }), undefined, undefined],
  ])('answers who asks for %s', (_, spec, before, want) => {
    const ports = open()
    ports.used.set('30100', 'default/other')
    expect(told(ports, spec, before)).toBe(want)
  })

  it('gives two protocols of one port one number when the Service is made, wherever it is asked for', () => {
    const ports = open()
    const spec = nodePort({ port: 53, protocol: 'UDP' }, { port: 53, nodePort: 30_053 }, { port: 80 }, { port: 80, protocol: 'UDP' })
    expect(told(ports, spec)).toBeUndefined()
    expect(numbers(spec).slice(0, 2)).toEqual([30_053, 30_053])
    expect(spec.ports?.[2]?.nodePort).toBe(spec.ports?.[3]?.nodePort)
  })

  it('keeps what a port has by its name, not by its number', () => {
    const before = nodePort({ name: 'web', port: 80, nodePort: 30_050 })
    const moved = nodePort({ name: 'web', port: 81 })
    const renamed = nodePort({ name: 'www', port: 80 })
    const ports = open()
    ports.used.set('30050', 'default/mine')
    expect([told(ports, moved, before), told(ports, renamed, before)]).toEqual([undefined, undefined])
    expect(numbers(moved)).toEqual([30_050])
    expect(numbers(renamed)).not.toEqual([30_050])
  })

  it('gives a port for health, and none to ports of who wants none', () => {
    const spec = balancer({ ...local, allocateLoadBalancerNodePorts: false, ports: [{ port: 80 }] })
    expect(told(open(1), spec)).toBeUndefined()
    expect([numbers(spec), spec.healthCheckNodePort]).toEqual([[undefined], 30_000])
  })
})
