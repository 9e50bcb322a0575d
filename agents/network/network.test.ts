/** Leases on disk, the overlay's plan and its device, pods' devices and host ports. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import type { Node } from '../../core/api/schema/types.ts'
import { virtualClock } from '../../core/lib/clock.ts'
import type { Ctx } from '../../core/lib/ctx.ts'
import { silentLog } from '../../core/lib/log.ts'
import { fakeExec } from '../host/exec.fake.ts'
import { fakeLink } from '../host/link.fake.ts'
import { fakeNft } from '../host/nft.fake.ts'
import { Addresses } from './addresses.ts'
import { ensureMasquerade } from './masquerade.ts'
import { overlay, planOverlay } from './overlay.ts'
import { deviceName, podNetwork } from './pods.ts'

const dirs: string[] = []
afterEach(() => {
  for (const dir of dirs.splice(0)) rmSync(dir, { recursive: true, force: true })
})
function tempDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'kubun-net-'))
  dirs.push(dir)
  return dir
}
const ctx: Ctx = { signal: new AbortController().signal, clock: virtualClock(), log: silentLog }
const pod = (podUid: string) => ({ podUid, namespace: 'a', name: podUid, device: deviceName('kb', podUid), hostPorts: [] })

describe('Addresses', () => {
  it('gives each pod its own, the same again after a restart, and none when the range is full', async () => {
    const dir = tempDir()
    const first = await Addresses.open(dir)
    expect((await first.take('10.42.1.0/29', pod('a')))?.ip).toBe('10.42.1.2')
    expect((await first.take('10.42.1.0/29', pod('b')))?.ip).toBe('10.42.1.3')
    writeFileSync(join(dir, 'half.json'), '{"podUid":"ha')
    const second = await Addresses.open(dir)
    expect((await second.take('10.42.1.0/29', pod('a')))?.ip).toBe('10.42.1.2')
    for (const uid of ['c', 'd', 'e']) await second.take('10.42.1.0/29', pod(uid))
    expect(await second.take('10.42.1.0/29', pod('f'))).toBeUndefined()
    await second.release('b')
    expect((await second.take('10.42.1.0/29', pod('f')))?.ip).toBe('10.42.1.3')
    expect(readdirSync(dir).toSorted()).toEqual(['a.json', 'c.json', 'd.json', 'e.json', 'f.json'])
  })

  it('uses an address again as late as it can', async () => {
    const addresses = await Addresses.open(tempDir())
    await addresses.take('10.42.1.0/24', pod('a'))
    await addresses.release('a')
    expect((await addresses.take('10.42.1.0/24', pod('b')))?.ip).toBe('10.42.1.3')
  })
})

describe('planOverlay()', () => {
  const node = (name: string, ip: string, podCIDR?: string): Node => ({
    metadata: { name },
    spec: podCIDR === undefined ? {} : { podCIDR },
    status: { addresses: [{ type: 'Hostname', address: name }, { type: 'InternalIP', address: ip }] },
  })

  it('has every other node with a range, and nobody twice', () => {
    const nodes = [node('a', '192.0.2.1', '10.42.0.0/24'), node('b', '192.0.2.2', '10.42.1.0/24'), node('c', '192.0.2.3'), node('d', '192.0.2.4', '10.42.1.0/24')]
    expect(planOverlay(nodes, 'a')?.peers).toEqual([{ nodeIp: '192.0.2.2', podCidr: '10.42.1.0/24', gateway: '10.42.1.0', mac: '0a:42:c0:00:02:02' }])
    expect(planOverlay(nodes, 'c')).toBeUndefined()
  })

  it('leaves out nodes whose address is none: it would be read as commands', () => {
    const nodes = [node('a', '192.0.2.1', '10.42.0.0/24'), node('b', '192.0.2.2\nlink delete eth0', '10.42.1.0/24'), node('c', '192.0.2', '10.42.2.0/24')]
    expect(planOverlay(nodes, 'a')?.peers).toEqual([])
  })

  it('removes what is gone and writes nothing when nothing changed', async () => {
    const link = fakeLink({
      show: (args) => (args.includes('route') ? [{ dst: '10.42.9.0/24' }] : args.includes('neigh') ? [{ dst: '10.42.9.0' }] : []),
      fdb: () => [{ mac: '0a:42:c0:00:02:09', dst: '192.0.2.9' }],
    })
    const mesh = overlay(link, { nodeName: 'a', device: 'kubun.1', vni: 1, port: 8472, mtu: 1450 })
    const plan = planOverlay([node('a', '192.0.2.1', '10.42.0.0/24'), node('b', '192.0.2.2', '10.42.1.0/24')], 'a')!
    await mesh.sync(ctx, plan)
    expect(link.lines).toContain('ip route delete 10.42.9.0/24 dev kubun.1')
    expect(link.lines).toContain('ip neigh delete 10.42.9.0 dev kubun.1')
    expect(link.lines).toContain('bridge fdb delete 0a:42:c0:00:02:09 dev kubun.1 dst 192.0.2.9')
    expect(link.lines).toContain('ip route replace 10.42.1.0/24 via 10.42.1.0 dev kubun.1 onlink')
    const before = link.lines.length
    await mesh.sync(ctx, plan)
    expect(link.lines).toHaveLength(before)
  })
})

describe('podNetwork()', () => {
  it('attaches, remembers host ports, and gives everything back', async () => {
    const [link, nft, dir] = [fakeLink(), fakeNft(), tempDir()]
    const deps = { link, nft, dir, podCidr: () => '10.42.1.0/24', mtu: 1450 }
    const network = await podNetwork(ctx, deps)
    const hostPorts = [{ hostPort: 8080, containerPort: 80, protocol: 'tcp' as const }, { hostIp: '192.0.2.1', hostPort: 53, containerPort: 53, protocol: 'udp' as const }]
    expect(await network.attach(ctx, { podUid: 'u1', namespace: 'a', name: 'web', netns: '/proc/7/ns/net', hostPorts })).toEqual({ ips: ['10.42.1.2'] })
    expect(link.lines).toContain('ip@/proc/7/ns/net route replace default via 169.254.1.1 dev eth0 onlink')
    expect(nft.loads.at(-1)).toContain('elements = { tcp . 8080 : 10.42.1.2 . 80 }')
    expect(nft.loads.at(-1)).toContain('elements = { 192.0.2.1 . udp . 53 : 10.42.1.2 . 53 }')
    const again = await podNetwork(ctx, deps)
    expect(await again.adopt(ctx, new Set(['u1']))).toEqual(new Map([['u1', ['10.42.1.2']]]))
    expect(await again.adopt(ctx, new Set())).toEqual(new Map())
    expect(link.lines.at(-1)).toBe(`ip link delete ${deviceName('kb', 'u1')}`)
    expect(nft.loads.at(-1)).not.toContain('elements')
  })

  it('a pod whose connecting was cut short is connected again after the restart, with the same address', async () => {
    const dir = tempDir()
    // As kill -9 leaves it: the second process of connecting never ends.
    const link = { ...fakeLink(), sysctl: () => new Promise<void>(() => {}) }
    const deps = { nft: fakeNft(), dir, podCidr: () => '10.42.1.0/24', mtu: 1450 }
    const pod = { podUid: 'u1', namespace: 'a', name: 'web', netns: '/proc/7/ns/net' }
    void (await podNetwork(ctx, { ...deps, link })).attach(ctx, pod)
    await expect.poll(() => link.lines.some((line) => line.includes('route replace default'))).toBe(true)
    const next = await podNetwork(ctx, { ...deps, link: fakeLink() })
    expect(await next.adopt(ctx, new Set(['u1']))).toEqual(new Map())
    expect(await next.attach(ctx, pod)).toEqual({ ips: ['10.42.1.2'] })
    const last = await podNetwork(ctx, { ...deps, link: fakeLink() })
    expect(await last.adopt(ctx, new Set(['u1']))).toEqual(new Map([['u1', ['10.42.1.2']]]))
  })

  it('a host address that is none is left out: it would be read as rules', async () => {
    const nft = fakeNft()
    const network = await podNetwork(ctx, { link: fakeLink(), nft, dir: tempDir(), podCidr: () => '10.42.1.0/24', mtu: 1450 })
    const hostPorts = ['192.0.2.1 }; } delete table inet kubun-services #', 'here', '192.0.2.9'].map((hostIp) => ({ hostIp, hostPort: 80, containerPort: 80, protocol: 'tcp' as const }))
    await network.attach(ctx, { podUid: 'u1', namespace: 'a', name: 'web', netns: '/proc/7/ns/net', hostPorts })
    expect(nft.loads.at(-1)).toContain('elements = { 192.0.2.9 . tcp . 80 : 10.42.1.2 . 80 }')
  })

  it('a pod that cannot be connected leaves no lease', async () => {
    const link = fakeLink({ fail: (line) => line.startsWith('link add') })
    const dir = tempDir()
    const network = await podNetwork(ctx, { link, nft: fakeNft(), dir, podCidr: () => '10.42.1.0/24', mtu: 1450 })
    await expect(network.attach(ctx, { podUid: 'u1', namespace: 'a', name: 'web', netns: '/proc/7/ns/net' })).rejects.toThrow('connect pod a/web')
    expect(readdirSync(dir)).toEqual([])
  })
})

it.each([
  ['goes through DOCKER-USER where Docker filters', '-P FORWARD DROP\n-A FORWARD -j DOCKER-USER\n', 'DOCKER-USER'],
  ['goes through FORWARD where its policy is DROP', '-P FORWARD DROP\n', 'FORWARD'],
  ['adds nothing where nobody drops', '-P FORWARD ACCEPT\n', undefined],
])('ensureMasquerade() %s', async (_, forward, chain) => {
  const exec = fakeExec((run) => (run.args.includes('-S') ? forward : run.args.includes('-C') ? { code: 1 } : ''))
  await ensureMasquerade(ctx, { nft: fakeNft(), exec }, { clusterCidrs: ['10.42.0.0/16'] })
  const inserted = exec.runs.filter((run) => run.args.includes('-I')).map((run) => run.args.slice(2, 6).join(' '))
  expect(inserted).toEqual(chain === undefined ? [] : [`-I ${chain} -s 10.42.0.0/16`, `-I ${chain} -d 10.42.0.0/16`])
})
