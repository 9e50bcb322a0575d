/** Two nodes as namespaces, real packets: pods across the overlay, Services in every way, refusals, host ports, masquerade. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decode, encode, streamEncode } from 'dns-packet'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runDns } from '../../agents/dns/dns.ts'
import { overlay, planOverlay } from '../../agents/network/overlay.ts'
import { removeDnsDevice } from '../../agents/dns/device.ts'
import { ensureMasquerade } from '../../agents/network/masquerade.ts'
import { podNetwork, type PodNetwork } from '../../agents/network/pods.ts'
import { removeNetwork } from '../../agents/network/network.ts'
import { removeProxy, runProxy } from '../../agents/proxy/proxy.ts'
import type { Feed } from '../../core/client/feed.ts'
import type { Handler } from '../../core/client/informer.ts'
import { Cache } from '../../core/client/lister.ts'
import { Group } from '../../core/lib/group.ts'
import type { EndpointSlice, Node, Service, ServiceCIDR } from '../../core/api/schema/types.ts'
import type { KubeObject } from '../../core/api/meta.ts'
import { seededRandom } from '../../core/lib/random.ts'
import { mustLibc, openLab, tcpAsk, tcpServer, udpClient, udpServer, type Lab, type LabSpace } from '../support/netlab.ts'

const root = process.getuid?.() === 0

/** A list that can be changed, as the proxy wants it. */
function feed<T>(items: T[]): Feed<T> & { set(next: T[]): void } {
  const handlers = new Set<Handler<T>>()
  return {
    lister: { list: () => items },
    synced: Promise.resolve(),
    on(handler) {
      handlers.add(handler)
      return () => void handlers.delete(handler)
    },
    set(next) {
      items = next
      for (const handler of handlers) handler.added?.(next[0] as T, false)
    },
  }
}

interface Port {
  readonly port: number
  readonly target: number
  readonly protocol?: string
  readonly nodePort?: number
}

function service(name: string, clusterIP: string, port: Port, spec: Partial<NonNullable<Service['spec']>> = {}): Service {
  const ports = [{ port: port.port, protocol: port.protocol ?? 'TCP', ...(port.nodePort === undefined ? {} : { nodePort: port.nodePort }) }]
  return { metadata: { name, namespace: 'default' }, spec: { clusterIP, clusterIPs: [clusterIP], ports, ...spec } }
}

function slice(name: string, port: Port, endpoints: readonly (readonly [ip: string, node: string])[]): EndpointSlice {
  return {
    metadata: { name: `${name}-1`, namespace: 'default', labels: { 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    ports: [{ port: port.target, protocol: port.protocol ?? 'TCP' }],
    endpoints: endpoints.map(([ip, nodeName]) => ({ addresses: [ip], nodeName, conditions: { ready: true } })),
  }
}

describe.skipIf(!root)('network and proxy, with packets', () => {
  let lab: Lab
  let parts: Group
  const dir = mkdtempSync(join(tmpdir(), 'kubun-net-'))
  const services = feed<Service>([])
  const slices = feed<EndpointSlice>([])
  const networks: PodNetwork[] = []
  const stops: { stop(): void }[] = []
  const pods: Record<string, { space: LabSpace; ip: string }> = {}
  const node = (i: number): LabSpace => lab.nodes[i - 1] as LabSpace
  const pod = (name: string): { space: LabSpace; ip: string } => pods[name] as { space: LabSpace; ip: string }
  const ask = (from: string, ip: string, port: number): Promise<string> => tcpAsk(pod(from).space.netns, ip, port)
  const web: Port = { port: 80, target: 8080, nodePort: 30080 }
  const dnsPort: Port = { port: 53, target: 5353, protocol: 'UDP' }

  beforeAll(async () => {
    lab = await openLab({ nodes: 2 })
    parts = new Group(lab.ctx)
    const nodes: Node[] = lab.nodes.map((n, i) => ({
      metadata: { name: `n${i + 1}` },
      spec: { podCIDR: `10.42.${i + 1}.0/24` },
      status: { addresses: [{ type: 'InternalIP', address: n.ip }] },
    }))
    for (const [i, n] of lab.nodes.entries()) {
      const name = `n${i + 1}`
      const mesh = overlay(n.link, { nodeName: name, device: 'kubun.1', vni: 1, port: 8472, mtu: 1450 })
      await mesh.sync(lab.ctx, planOverlay(nodes, name)!)
      // The first node's firewall is as Docker leaves it; the second's is open.
      const docker = ['-N DOCKER-USER', '-A DOCKER-USER -j RETURN', '-A FORWARD -j DOCKER-USER', '-P FORWARD DROP']
      if (i === 0) for (const rule of docker) await n.exec.run(lab.ctx, 'iptables', rule.split(' '))
      await ensureMasquerade(lab.ctx, n, { clusterCidrs: ['10.42.0.0/16'] })
      networks.push(await podNetwork(lab.ctx, { link: n.link, nft: n.nft, dir: join(dir, name), podCidr: () => `10.42.${i + 1}.0/24`, mtu: 1450 }))
      parts.go(`proxy ${name}`, (ctx) =>
        runProxy(ctx, {
          services, endpointSlices: slices, serviceCidrs: feed<ServiceCIDR>([]), nft: n.nft, exec: n.exec, nodeName: name, nodeAddresses: () => [n.ip], nodes: feed<Node>(nodes),
          config: { clusterCidrs: ['10.42.0.0/16'], podCidrs: [`10.42.${i + 1}.0/24`], serviceCidrs: ['10.43.0.0/16'], ownIps: ['10.43.0.10'] },
        }),
      )
    }
    for (const [name, at] of [['a1', 1], ['b1', 1], ['a2', 2]] as const) {
      const space = await lab.space(name)
      const hostPorts = name === 'b1' ? [{ hostPort: 18080, containerPort: 8080, protocol: 'tcp' as const }] : []
      const { ips } = await networks[at - 1]!.attach(lab.ctx, { podUid: `uid-${name}`, namespace: 'default', name, netns: space.netns, hostPorts })
      pods[name] = { space, ip: ips[0] as string }
      stops.push(await tcpServer(space.netns, '0.0.0.0', 8080, (peer) => `${name} ${peer}`))
      stops.push(await udpServer(space.netns, '0.0.0.0', 5353, () => name))
    }
    stops.push(await tcpServer(lab.outside.netns, '0.0.0.0', 8080, (peer) => `outside ${peer}`))
  }, 60_000)

  afterAll(async () => {
    for (const { stop } of stops) stop()
    parts?.stop()
    await parts?.wait().catch((error: unknown) => console.error(error))
    await lab?.end()
    rmSync(dir, { recursive: true, force: true })
  }, 60_000)

  const show = async (list: Service[], ends: EndpointSlice[]): Promise<void> => {
    services.set(list)
    slices.set(ends)
    await lab.ctx.clock.sleep(400)
  }

  it('pods reach pods on both nodes with their own address', async () => {
    expect(await ask('a1', pod('b1').ip, 8080)).toBe(`b1 ${pod('a1').ip}`)
    expect(await ask('a1', pod('a2').ip, 8080)).toBe(`a2 ${pod('a1').ip}`)
    expect(await ask('a2', pod('a1').ip, 8080)).toBe(`a1 ${pod('a2').ip}`)
  })

  it('nodes reach every pod, pods reach nodes and the world as their node', async () => {
    expect(await tcpAsk(node(1).netns, pod('a1').ip, 8080)).toMatch(/^a1 /)
    expect(await tcpAsk(node(1).netns, pod('a2').ip, 8080)).toBe('a2 10.42.1.0')
    expect(await ask('a1', lab.outside.ip, 8080)).toBe(`outside ${node(1).ip}`)
  })

  it('a ClusterIP answers from pods and nodes, near and far', async () => {
    await show([service('web', '10.43.0.80', web)], [slice('web', web, [[pod('a2').ip, 'n2']])])
    expect(await ask('a1', '10.43.0.80', 80)).toBe(`a2 ${pod('a1').ip}`)
    expect(await tcpAsk(node(2).netns, '10.43.0.80', 80)).toMatch(/^a2 /)
    expect(await tcpAsk(node(1).netns, '10.43.0.80', 80)).toMatch(/^a2 10\.42\.1\.0/)
  })

  it('a pod reaches itself through its Service', async () => {
    expect(await ask('a2', '10.43.0.80', 80)).toMatch(/^a2 /)
  })

  it('a NodePort answers the outside on every node, wherever the endpoint is', async () => {
    await show([service('web', '10.43.0.80', web, { type: 'NodePort' })], [slice('web', web, [[pod('a2').ip, 'n2']])])
    expect(await tcpAsk(lab.outside.netns, node(1).ip, 30080)).toMatch(/^a2 /)
    expect(await tcpAsk(lab.outside.netns, node(2).ip, 30080)).toBe(`a2 ${lab.outside.ip}`)
    expect(await ask('a1', node(1).ip, 30080)).toBe(`a2 ${pod('a1').ip}`)
    expect(await tcpAsk(node(1).netns, node(1).ip, 30080)).toMatch(/^a2 /)
  })

  it('externalTrafficPolicy Local keeps the source and drops where there is no endpoint; pods still get through', async () => {
    await show([service('web', '10.43.0.80', web, { type: 'NodePort', externalTrafficPolicy: 'Local' })], [slice('web', web, [[pod('a2').ip, 'n2']])])
    expect(await tcpAsk(lab.outside.netns, node(2).ip, 30080)).toBe(`a2 ${lab.outside.ip}`)
    expect(await tcpAsk(lab.outside.netns, node(1).ip, 30080, 500)).toBe('timeout')
    expect(await ask('a1', node(1).ip, 30080)).toMatch(/^a2 /)
  })

  it('spreads over all endpoints', async () => {
    await show([service('web', '10.43.0.80', web)], [slice('web', web, [[pod('a1').ip, 'n1'], [pod('b1').ip, 'n1'], [pod('a2').ip, 'n2']])])
    const seen = new Set<string>()
    for (let i = 0; i < 40; i++) seen.add((await ask('a1', '10.43.0.80', 80)).split(' ')[0] as string)
    expect([...seen].toSorted()).toEqual(['a1', 'a2', 'b1'])
  })

  it('affinity keeps a client at its endpoint, and frees it when the endpoint goes', async () => {
    const sticky = service('web', '10.43.0.80', web, { sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: 100 } } })
    await show([sticky], [slice('web', web, [[pod('a1').ip, 'n1'], [pod('b1').ip, 'n1'], [pod('a2').ip, 'n2']])])
    const answers = new Set<string>()
    for (let i = 0; i < 12; i++) answers.add((await ask('a2', '10.43.0.80', 80)).split(' ')[0] as string)
    expect(answers.size).toBe(1)
    const [kept] = answers
    const rest = Object.keys(pods).filter((name) => name !== kept)
    await show([sticky], [slice('web', web, rest.map((name) => [pod(name).ip, name === 'a2' ? 'n2' : 'n1'] as const))])
    const after = new Set<string>()
    for (let i = 0; i < 12; i++) after.add((await ask('a2', '10.43.0.80', 80)).split(' ')[0] as string)
    expect(after.size).toBe(1)
    expect(rest).toContain([...after][0])
  })

  it('refuses at once what has no endpoint, and every Service address nobody has', async () => {
    await show([service('web', '10.43.0.80', web, { type: 'NodePort' })], [])
    for (const from of [pod('a1').space.netns, node(1).netns]) {
      expect(await tcpAsk(from, '10.43.0.80', 80)).toBe('ECONNREFUSED')
      expect(await tcpAsk(from, '10.43.99.99', 1234)).toBe('ECONNREFUSED')
      expect(await tcpAsk(from, node(1).ip, 30080)).toBe('ECONNREFUSED')
    }
    expect(await tcpAsk(lab.outside.netns, node(1).ip, 30080)).toBe('ECONNREFUSED')
  })

  it('UDP follows the living endpoint, with one client port', async () => {
    const udp = service('dns', '10.43.0.53', dnsPort)
    await show([udp], [slice('dns', dnsPort, [[pod('b1').ip, 'n1']])])
    const client = await udpClient(pod('a1').space.netns)
    const say = async (): Promise<string> => Buffer.from((await client.ask('10.43.0.53', 53, 'x')) ?? []).toString()
    expect(await say()).toBe('b1')
    await show([udp], [slice('dns', dnsPort, [[pod('a2').ip, 'n2']])])
    expect(await say()).toBe('a2')
    client.close()
  })

  it('a host port answers from outside, from the node and on loopback', async () => {
    expect(await tcpAsk(lab.outside.netns, node(1).ip, 18080)).toBe(`b1 ${lab.outside.ip}`)
    expect(await tcpAsk(node(1).netns, node(1).ip, 18080)).toMatch(/^b1 /)
    expect(await tcpAsk(node(1).netns, '127.0.0.1', 18080)).toMatch(/^b1 /)
    expect(await ask('b1', node(1).ip, 18080)).toMatch(/^b1 /)
  })

  it('the cluster DNS answers pods and nodes over UDP and TCP, each on its own node, and forwards the rest', async () => {
    const informer = <T extends KubeObject>(objects: readonly T[]) => {
      const cache = new Cache<T>()
      for (const object of objects) cache.put(object)
      return { lister: cache, hasSynced: true, on: () => () => {}, addIndex: cache.addIndex.bind(cache) }
    }
    const c = await mustLibc()
    const deps = {
      services: informer<Service>([service('web', '10.43.0.80', web)]),
      endpointSlices: informer<EndpointSlice>([]),
      namespaces: informer([{ metadata: { name: 'default' } }]),
      random: seededRandom(1),
      zone: { domain: 'cluster.local', dnsIp: '10.43.0.10', ttlS: 5 },
    }
    const upstream = await c.inNetns(lab.outside.netns, () => Bun.udpSocket({ hostname: lab.outside.ip, port: 53, socket: {
      data: (socket, data, port, from) => {
        const asked = decode(Buffer.from(data))
        socket.send(encode({ type: 'response', id: asked.id ?? 0, questions: asked.questions ?? [], answers: [{ type: 'A', name: 'example.org', ttl: 60, data: '192.0.2.1' }] }), port, from)
      },
    } }))
    stops.push({ stop: () => upstream.close() })
    for (const n of lab.nodes) {
      parts.go(`dns ${n.name}`, (ctx) => runDns(ctx, { ...deps, upstreams: () => [lab.outside.ip], device: { link: n.link, name: 'kubun-dns' }, enter: (open) => c.inNetns(n.netns, open) }))
    }
    await lab.ctx.clock.sleep(500)
    const packet = (name: string): Buffer => encode({ type: 'query', id: 7, flags: 256, questions: [{ name, type: 'A' }] })
    for (const from of [pod('a1').space.netns, pod('a2').space.netns, node(1).netns, node(2).netns]) {
      const client = await udpClient(from)
      const answers = async (name: string): Promise<unknown> => decode(Buffer.from((await client.ask('10.43.0.10', 53, packet(name))) ?? [])).answers?.map((a) => 'data' in a && a.data)
      expect(await answers('web.default.svc.cluster.local')).toEqual(['10.43.0.80'])
      expect(await answers('example.org')).toEqual(['192.0.2.1'])
      client.close()
    }
    const tcp = await new Promise<Buffer>((resolve) => void c.inNetns(pod('a2').space.netns, () => Bun.connect({ hostname: '10.43.0.10', port: 53, socket: {
      open: (socket) => void socket.write(streamEncode(decode(packet('web.default.svc.cluster.local')))),
      data: (socket, data) => (socket.end(), resolve(Buffer.from(data))),
    } })))
    expect(decode(tcp.subarray(2)).answers?.[0]).toMatchObject({ data: '10.43.0.80' })
    // Other ports of the address are the node's, not a Service's; other Service addresses stay refused.
    expect(await ask('a1', '10.43.0.10', 9153)).toBe('ECONNREFUSED')
    expect(await ask('a1', '10.43.0.11', 53)).toBe('ECONNREFUSED')
  })

  it('a second start adopts pods and addresses, and removes what nobody owns', async () => {
    const again = await podNetwork(lab.ctx, { link: node(1).link, nft: node(1).nft, dir: join(dir, 'n1'), podCidr: () => '10.42.1.0/24', mtu: 1450 })
    const kept = await again.adopt(lab.ctx, new Set(['uid-a1']))
    expect(kept.get('uid-a1')).toEqual([pod('a1').ip])
    expect(await ask('a2', pod('a1').ip, 8080)).toMatch(/^a1 /)
    expect(await node(1).link.show(lab.ctx, ['link', 'show', 'type', 'veth'])).toHaveLength(2) // eth0 of the lab and a1
    await again.removeAll(lab.ctx)
    expect(await node(1).link.show(lab.ctx, ['link', 'show', 'type', 'veth'])).toHaveLength(1)
  })

  it('uninstalling leaves other people\'s rules, and nothing of ours', async () => {
    parts.stop()
    await parts.wait()
    const n = node(1)
    await removeProxy(lab.ctx, n.nft)
    await removeNetwork(lab.ctx, { ...n, clusterCidrs: ['10.42.0.0/16'], overlay: { nodeName: 'n1', device: 'kubun.1', vni: 1, port: 8472, mtu: 1450 } })
    await removeDnsDevice(lab.ctx, n.link, 'kubun-dns')
    expect((await n.exec.run(lab.ctx, 'nft', ['list', 'tables'])).stdout).toBe('table ip filter\n')
    expect((await n.exec.run(lab.ctx, 'iptables', ['-S', 'DOCKER-USER'])).stdout).toBe('-N DOCKER-USER\n-A DOCKER-USER -j RETURN\n')
    expect((await n.link.show(lab.ctx, ['link', 'show'])).map((row) => row['ifname'])).toEqual(['lo', 'eth0'])
  })
})
