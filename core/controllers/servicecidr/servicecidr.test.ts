import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { events } from '../../api/core/event.ts'
import { services } from '../../api/core/service.ts'
import { iPAddresses } from '../../api/networking/ipaddress.ts'
import { serviceCIDRs } from '../../api/networking/servicecidr.ts'
import { addressFor } from '../../api/networking/serviceranges.ts'
import type { IPAddress, Service, ServiceCIDR } from '../../api/schema/types.ts'
import { virtualClock } from '../../lib/clock.ts'
import { silentLog } from '../../lib/log.ts'
import { seededRandom } from '../../lib/random.ts'
import { bootFork, forkSettings, openFork, type Fork } from '../../fork/fork.ts'
import { startControllers, type RunningManager } from '../../fork/running.ts'
import { serviceAddresses } from './addresses.ts'
import { defaultServiceCidr } from './default.ts'
import { decideRepair, type AddressSituation } from './repair.ts'
import { mayGo, serviceCidrController } from './servicecidr.ts'

const range = (name: string, ...cidrs: string[]): ServiceCIDR => ({ metadata: { name }, spec: { cidrs } })
const service = (name: string, clusterIP?: string): Service => ({
  metadata: { name, namespace: 'default', creationTimestamp: '2026-01-01T00:00:00Z' },
  spec: { ports: [{ port: 80 }], ...(clusterIP === undefined ? {} : { clusterIP, clusterIPs: [clusterIP] }) },
})
const of = (address: string, name: string): IPAddress => addressFor(address, { namespace: 'default', name })

describe('mayGo()', () => {
  const all = [range('small', '10.0.1.0/24'), range('other', '10.9.0.0/24')]
  it.each([
    ['nothing is given of it', all, [of('10.9.0.5', 'a')], true],
    ['a Service has an address of it alone', all, [of('10.0.1.5', 'a')], false],
    ['another range covers it', [...all, range('large', '10.0.0.0/16')], [of('10.0.1.5', 'a')], true],
    ['another range holds all that is given of it', [...all, range('half', '10.0.1.0/25')], [of('10.0.1.5', 'a')], true],
    ['somebody else made the address', all, [{ metadata: { name: '10.0.1.5' }, spec: { parentRef: { resource: 'x', name: 'y' } } }], true],
  ] as const)('when %s', (_, ranges, addresses, want) => expect(mayGo(all[0] ?? range(''), ranges, addresses)).toBe(want))
})

describe('decideRepair()', () => {
  const situation = (more: Partial<AddressSituation>): AddressSituation => ({ address: '10.43.0.5', have: undefined, owners: [], parent: undefined, ranges: [range('kubernetes', '10.43.0.0/16')], released: false, nowMs: 0, ...more })
  const made = (name: string, ms: number): IPAddress => ({ ...of('10.43.0.5', name), metadata: { ...of('10.43.0.5', name).metadata, creationTimestamp: new Date(ms).toISOString() } })
  const summary = (more: Partial<AddressSituation>) => {
    const { complaints, remove, make, againMs } = decideRepair(situation(more))
    return [complaints.map((c) => c.reason), remove, make?.metadata.name, againMs]
  }
  const at = Date.parse('2026-01-01T01:00:00Z')

  it.each([
    ['what is as it should be stays', { have: of('10.43.0.5', 'a'), owners: [service('a')] }, [[], false, undefined, undefined]],
    ['what is missing is made', { owners: [service('a')] }, [['ClusterIPNotAllocated'], false, 'a', undefined]],
    ['what names nobody that has it is made anew', { have: of('10.43.0.5', 'b'), owners: [service('a')] }, [['ClusterIPNotAllocated'], true, 'a', undefined]],
    ['what two have is told to the one who should not', { have: of('10.43.0.5', 'b'), owners: [service('a'), service('b')] }, [['ClusterIPAlreadyAllocated'], false, undefined, undefined]],
    ['what is out of range is told', { address: '192.168.0.1', owners: [service('a')] }, [['ClusterIPOutOfRange'], false, undefined, undefined]],
    ['labels are put right', { have: { ...of('10.43.0.5', 'a'), metadata: { name: '10.43.0.5', labels: { 'ipaddress.kubernetes.io/managed-by': 'ipallocator.k8s.io' } } }, owners: [service('a')] }, [[], true, 'a', undefined]],
    ['what was given back goes at once', { have: made('a', at), nowMs: at, released: true }, [[], true, undefined, undefined]],
    ['a Service on its way is waited for', { have: made('a', at), nowMs: at + 20_000 }, [[], false, undefined, 40_000]],
    ['what leaked goes', { have: made('a', at), nowMs: at + 60_000 }, [['IPAddressNotAllocated'], true, undefined, undefined]],
    ['what was claimed for a Service that got another goes a little later', { have: made('a', at), parent: service('a'), nowMs: at + 1_000 }, [[], false, undefined, 4_000]],
    ['what its Service does not have goes', { have: made('a', at), parent: service('a'), nowMs: at + 5_000 }, [['IPAddressWrongReference'], true, undefined, undefined]],
    ['what a user made is left alone', { have: { metadata: { name: '10.43.0.5' }, spec: { parentRef: { resource: 'gateways', name: 'g' } } } }, [[], false, undefined, undefined]],
  ] satisfies readonly (readonly [string, Partial<AddressSituation>, unknown])[])('%s', (_, more, want) => expect(summary(more)).toEqual(want))
})

describe('a cluster', () => {
  const clock = virtualClock()
  let fork: Fork
  let manager: RunningManager
  beforeEach(async () => {
    fork = await openFork({ clock, log: silentLog, signal: new AbortController().signal }, { random: seededRandom(1) })
    await bootFork(fork)
    manager = startControllers(fork, [defaultServiceCidr, serviceCidrController, serviceAddresses], { settings: forkSettings(fork), freeze: true })
    await clock.until(() => manager.state !== undefined)
    await clock.advance(1_000)
  })
  afterEach(async () => {
    await manager.stop()
    await fork.close()
  })

  const create = async (name: string, clusterIP?: string): Promise<string> => (await fork.client.create(fork.ctx, services, service(name, clusterIP))).spec?.clusterIP ?? ''
  const remove = (name: string) => fork.client.delete(fork.ctx, services, { namespace: 'default', name })
  const parents = async () => Object.fromEntries((await fork.client.list(fork.ctx, iPAddresses)).items.map((a) => [a.metadata.name, a.spec?.parentRef?.name]))
  const rangeOf = (name: string) => fork.client.get(fork.ctx, serviceCIDRs, { namespace: '', name })
  const condition = async (name: string) => (await rangeOf(name))?.status?.conditions?.find((c) => c.type === 'Ready')

  it('has its range ready, with its finalizer; every Service claims its address', async () => {
    expect((await rangeOf('kubernetes'))?.metadata.finalizers).toEqual(['networking.k8s.io/service-cidr-finalizer'])
    expect(await condition('kubernetes')).toMatchObject({ status: 'True', message: 'Kubernetes Service CIDR is ready' })
    const address = await create('web')
    expect(await parents()).toEqual({ '10.43.0.10': 'kube-dns', [address]: 'web' })
    expect((await fork.client.get(fork.ctx, iPAddresses, { namespace: '', name: address }))?.metadata.labels).toEqual({ 'ipaddress.kubernetes.io/ip-family': 'IPv4', 'ipaddress.kubernetes.io/managed-by': 'ipallocator.k8s.io' })
  })

  it('gives an address back with its Service, and to the next that asks at once', async () => {
    expect(await create('one', '10.43.0.77')).toBe('10.43.0.77')
    await expect(create('two', '10.43.0.77')).rejects.toThrow('failed to allocate IP 10.43.0.77: provided IP is already allocated')
    await remove('one')
    expect(await create('two', '10.43.0.77')).toBe('10.43.0.77')
    await clock.advance(70_000)
    expect((await parents())['10.43.0.77']).toBe('two')
    await remove('two')
    await clock.advance(1_000)
    expect((await parents())['10.43.0.77']).toBeUndefined()
    expect((await fork.client.list(fork.ctx, events)).items).toEqual([])
  })

  it('never gives to Services what somebody else has claimed', async () => {
    await fork.client.create(fork.ctx, iPAddresses, { metadata: { name: '10.43.0.88' }, spec: { parentRef: { group: 'gateway.networking.k8s.io', resource: 'gateways', namespace: 'default', name: 'g' } } })
    await expect(create('web', '10.43.0.88')).rejects.toThrow('provided IP is already allocated')
    const many = await Promise.all(Array.from({ length: 40 }, (_, i) => create(`s${i}`)))
    expect(new Set(many).size).toBe(40)
  })

  it('claims nothing for a dry run, or for a name that is taken', async () => {
    await create('web')
    const before = await parents()
    await fork.client.create(fork.ctx, services, service('dry', '10.43.0.99'), { dryRun: true })
    await expect(create('web')).rejects.toThrow('already exists')
    expect(await parents()).toEqual(before)
    expect(await create('wet', '10.43.0.99')).toBe('10.43.0.99')
  })

  it('extends by another range, which goes when no Service needs it', async () => {
    await expect(create('far', '10.96.0.5')).rejects.toThrow('the provided network does not match the current range')
    await fork.client.create(fork.ctx, serviceCIDRs, range('more', '10.96.0.0/28'))
    await clock.advance(1_000)
    expect(await create('far', '10.96.0.5')).toBe('10.96.0.5')
    await fork.client.delete(fork.ctx, serviceCIDRs, { namespace: '', name: 'more' })
    await clock.advance(60_000)
    expect(await condition('more')).toMatchObject({ status: 'False', reason: 'Terminating' })
    await expect(create('farther', '10.96.0.6')).rejects.toThrow('the provided network does not match the current range')
    await remove('far')
    await clock.advance(11_000)
    expect(await rangeOf('more')).toBeUndefined()
  })

  it('claims under the name that was made up', async () => {
    const made = await Promise.all(Array.from({ length: 5 }, () => fork.client.create(fork.ctx, services, { metadata: { generateName: 'web-', namespace: 'default' }, spec: { ports: [{ port: 80 }] } })))
    const claimed = await parents()
    expect(made.map(({ metadata, spec }) => claimed[spec?.clusterIP ?? ''] === metadata.name)).toEqual([true, true, true, true, true])
  })

  it('gives an address to a name that becomes a Service of its own, and takes it back', async () => {
    await fork.client.create(fork.ctx, services, { metadata: { name: 'web', namespace: 'default' }, spec: { type: 'ExternalName', externalName: 'example.com' } })
    const be = (spec: Service['spec']) => fork.client.patch(fork.ctx, services, { namespace: 'default', name: 'web' }, 'merge', { spec })
    const address = (await be({ type: 'ClusterIP', ports: [{ port: 80 }] })).spec?.clusterIP ?? ''
    expect((await parents())[address]).toBe('web')
    await clock.advance(10_000)
    expect((await parents())[address]).toBe('web')
    await be({ type: 'ExternalName', externalName: 'example.com' })
    await clock.advance(1_000)
    expect((await parents())[address]).toBeUndefined()
  })

  it('has its default range again when somebody took it away', async () => {
    await fork.client.delete(fork.ctx, services, { namespace: 'kube-system', name: 'kube-dns' })
    await clock.advance(1_000)
    await fork.client.delete(fork.ctx, serviceCIDRs, { namespace: '', name: 'kubernetes' })
    await expect(create('web')).rejects.toThrow('range is full')
    await clock.advance(30_000)
    expect(await condition('kubernetes')).toMatchObject({ status: 'True' })
    expect(await create('web')).toMatch(/^10\.43\./)
  })

  it('repairs what was taken away', async () => {
    const address = await create('web')
    await fork.client.delete(fork.ctx, iPAddresses, { namespace: '', name: address })
    await clock.advance(1_000)
    expect((await parents())[address]).toBe('web')
    expect((await fork.client.list(fork.ctx, events)).items.map((e) => e.reason)).toEqual(['ClusterIPNotAllocated'])
  })
})
