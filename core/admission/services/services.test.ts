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

  it.each([[16, 0], [32, 16], [4_096, 256], [65_536, 256]])('of a range of %d: the first %d are for those who ask by name', (size, want) => expect(bandOf(size, { min: 16, max: 256, share: 16 })).toBe(want))

  it('are looked for all around', () => {
    expect(search(seededRandom(1), 3, 9, (at) => (at === 5 ? at : undefined))).toBe(5)
    expect(search(seededRandom(1), 3, 3, (at) => at)).toBeUndefined()
  })

  it('are no two ports of one Service', () => {
    const ports = new NodePorts({ from: 30_000, to: 30_003 }, seededRandom(1))
    const spec: Spec = { type: 'NodePort', ports: [1, 2, 3, 4].map((port) => ({ port, protocol: 'TCP' })) }
    expect(ports.allocate(spec, undefined, 'a', 0)).toEqual([])
    expect(spec.ports?.map((port) => port.nodePort).toSorted()).toEqual([30_000, 30_001, 30_002, 30_003])
    const more: Spec = { type: 'NodePort', ports: [{ port: 1, nodePort: 29_999 }] }
    expect(ports.allocate(more, undefined, 'b', 0)[0]?.detail).toBe('provided port is not in the valid range. The range of valid ports is 30000-30003')
  })
})
