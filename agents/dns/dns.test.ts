/** The cluster's zone, the cache, forwarding, and the whole server over loopback; messages are checked with another codec. */
import { decode, encode, streamDecode, streamEncode, type DecodedPacket, type OptAnswer } from 'dns-packet'
import { describe, expect, it } from 'vitest'
import type { EndpointSlice, Namespace, Service } from '../../core/api/schema/types.ts'
import type { KubeObject } from '../../core/api/meta.ts'
import { Cache } from '../../core/client/lister.ts'
import { systemClock, virtualClock } from '../../core/lib/clock.ts'
import type { Ctx } from '../../core/lib/ctx.ts'
import { silentLog } from '../../core/lib/log.ts'
import { seededRandom } from '../../core/lib/random.ts'
import { dnsChain } from './chain.ts'
import { worldOf, type Indexed } from './dns.ts'
import type { Exchange, Upstream } from './plugins/forward.ts'
import { serveDns } from './server.ts'
import { encodeAnswer, parseQuery, rcodes, type Query } from './wire.ts'

function indexed<T extends KubeObject>(objects: readonly T[], hasSynced = true): Indexed<T> & { cache: Cache<T> } {
  const cache = new Cache<T>()
  for (const object of objects) cache.put(object)
  return { cache, lister: cache, hasSynced, on: () => () => {}, addIndex: (name, index) => cache.addIndex(name, index) }
}

const service = (name: string, spec: Service['spec']): Service => ({ metadata: { name, namespace: 'shop' }, ...(spec === undefined ? {} : { spec }) })
const http = { name: 'http', port: 80, protocol: 'TCP' }

function world(synced = true) {
  const services = indexed<Service>([
    service('web', { clusterIP: '10.43.0.80', clusterIPs: ['10.43.0.80', 'fd00::80'], ports: [http, { name: 'dns', port: 53, protocol: 'UDP' }] }),
    service('db', { clusterIP: 'None', ports: [{ name: 'pg', port: 5432 }] }),
    service('empty', { clusterIP: 'None', ports: [http] }),
    service('out', { type: 'ExternalName', externalName: 'Example.org.' }),
    service('loop', { type: 'ExternalName', externalName: 'web.shop.svc.cluster.local' }),
    service('big', { clusterIP: 'None', ports: [http] }),
  ], synced)
  const slice = (name: string, ports: EndpointSlice['ports'], endpoints: NonNullable<EndpointSlice['endpoints']>): EndpointSlice => ({
    metadata: { name: `${name}-x`, namespace: 'shop', labels: { 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    ...(ports === undefined ? {} : { ports }),
    endpoints,
  })
  const endpointSlices = indexed<EndpointSlice>([
    slice('db', [{ name: 'pg', port: 5432, protocol: 'TCP' }], [
      { addresses: ['10.42.0.5'], hostname: 'db-0' },
      { addresses: ['10.42.0.6'], conditions: { ready: true } },
      { addresses: ['10.42.0.7'], hostname: 'db-2', conditions: { ready: false } },
    ]),
    slice('big', [{ name: 'http', port: 80 }], Array.from({ length: 200 }, (_, i) => ({ addresses: [`10.42.1.${i}`] }))),
  ], synced)
  const namespaces = indexed<Namespace>([{ metadata: { name: 'shop' } }], synced)
  return { services, endpointSlices, namespaces }
}

const zone = { domain: 'cluster.local', dnsIp: '10.43.0.10', ttlS: 5 }

function ctxOf(clock = virtualClock()): { ctx: Ctx; clock: typeof clock } {
  return { ctx: { signal: new AbortController().signal, clock, log: silentLog }, clock }
}

function question(name: string, type: string, edns?: number): Buffer {
  const opt: OptAnswer = { type: 'OPT', name: '.', udpPayloadSize: edns ?? 0, extendedRcode: 0, ednsVersion: 0, flags: 0, flag_do: false, options: [] }
  return encode({ type: 'query', id: 4711, flags: 256, questions: [{ name, type: type as 'A' }], ...(edns === undefined ? {} : { additionals: [opt] }) })
}

function queryOf(packet: Buffer, transport: 'udp' | 'tcp' = 'udp'): Query {
  const parsed = parseQuery(packet, transport)
  if (parsed === undefined || 'error' in parsed) throw new Error('not a query')
  return parsed.query
}

/** Example.org's resolver, counting. */
function resolver(rules: Partial<Record<string, (packet: Uint8Array) => Buffer | Error>> = {}): Exchange & { asked: string[] } {
  const asked: string[] = []
  return {
    asked,
    ask(_ctx, upstream, packet) {
      asked.push(upstream.ip)
      const made = (rules[upstream.ip] ?? ((p) => respond(p, [{ type: 'A', name: decode(Buffer.from(p)).questions?.[0]?.name ?? '', ttl: 60, data: '192.0.2.1' }])))(packet)
      return made instanceof Error ? Promise.reject(made) : Promise.resolve(made)
    },
  }
}

function respond(packet: Uint8Array, answers: Parameters<typeof encode>[0]['answers'], rcode = 0): Buffer {
  const asked = decode(Buffer.from(packet))
  return encode({ type: 'response', id: asked.id ?? 0, flags: 0x180 | rcode, questions: asked.questions ?? [], answers: answers ?? [] })
}

function chain(exchange: Exchange = resolver(), upstreams: readonly Upstream[] = [{ ip: '192.0.2.53', port: 53 }], deps = world()) {
  return dnsChain({ world: worldOf(deps), zone, random: seededRandom(1), exchange, upstreams: () => upstreams })
}

async function ask(handler: ReturnType<typeof chain>['handler'], ctx: Ctx, packet: Buffer, transport: 'udp' | 'tcp' = 'udp'): Promise<DecodedPacket> {
  const query = queryOf(packet, transport)
  const reply = await handler(ctx, query)
  return decode(Buffer.from('answer' in reply ? encodeAnswer(query, reply.answer) : reply.packet))
}

const rcodeOf = (packet: DecodedPacket): string => (packet as unknown as { rcode: string }).rcode
const show = (packet: DecodedPacket): string => {
  const rows = (packet.answers ?? []).map((a) => `${a.name} ${a.type} ${JSON.stringify('data' in a ? a.data : '').replaceAll('"', '')}`).toSorted()
  return [rcodeOf(packet), ...rows].join('\n')
}

describe('the zone', () => {
  const nx = 'NXDOMAIN'
  const none = 'NOERROR'
  it.each([
    ['web.shop.svc.cluster.local', 'A', 'NOERROR\nweb.shop.svc.cluster.local A 10.43.0.80'],
    ['WEB.shop.svc.Cluster.Local', 'A', 'NOERROR\nWEB.shop.svc.Cluster.Local A 10.43.0.80'],
    ['web.shop.svc.cluster.local', 'AAAA', 'NOERROR\nweb.shop.svc.cluster.local AAAA fd00::80'],
    ['web.shop.svc.cluster.local', 'MX', none],
    ['_http._tcp.web.shop.svc.cluster.local', 'SRV', 'NOERROR\n_http._tcp.web.shop.svc.cluster.local SRV {priority:0,weight:100,port:80,target:web.shop.svc.cluster.local}'],
    ['_http._udp.web.shop.svc.cluster.local', 'SRV', nx],
    ['_tcp.web.shop.svc.cluster.local', 'SRV', none],
    ['db.shop.svc.cluster.local', 'A', 'NOERROR\ndb.shop.svc.cluster.local A 10.42.0.5\ndb.shop.svc.cluster.local A 10.42.0.6'],
    ['db.shop.svc.cluster.local', 'AAAA', none],
    ['db-0.db.shop.svc.cluster.local', 'A', 'NOERROR\ndb-0.db.shop.svc.cluster.local A 10.42.0.5'],
    ['10-42-0-6.db.shop.svc.cluster.local', 'A', 'NOERROR\n10-42-0-6.db.shop.svc.cluster.local A 10.42.0.6'],
    ['db-2.db.shop.svc.cluster.local', 'A', nx],
    ['empty.shop.svc.cluster.local', 'A', nx],
    ['nobody.shop.svc.cluster.local', 'A', nx],
    ['shop.svc.cluster.local', 'A', none],
    ['other.svc.cluster.local', 'A', nx],
    ['svc.cluster.local', 'A', none],
    ['web.shop.svc.cluster.local.shop.svc.cluster.local', 'A', nx],
    ['10-1-2-3.shop.pod.cluster.local', 'A', 'NOERROR\n10-1-2-3.shop.pod.cluster.local A 10.1.2.3'],
    ['10-1-2-3.other.pod.cluster.local', 'A', nx],
    ['dns-version.cluster.local', 'TXT', 'NOERROR\ndns-version.cluster.local TXT [{type:Buffer,data:[49,46,49,46,48]}]'],
    ['80.0.43.10.in-addr.arpa', 'PTR', 'NOERROR\n80.0.43.10.in-addr.arpa PTR web.shop.svc.cluster.local'],
    ['5.0.42.10.in-addr.arpa', 'PTR', 'NOERROR\n5.0.42.10.in-addr.arpa PTR db-0.db.shop.svc.cluster.local'],
    ['out.shop.svc.cluster.local', 'CNAME', 'NOERROR\nout.shop.svc.cluster.local CNAME example.org'],
    ['out.shop.svc.cluster.local', 'A', 'NOERROR\nexample.org A 192.0.2.1\nout.shop.svc.cluster.local CNAME example.org'],
    ['loop.shop.svc.cluster.local', 'A', 'NOERROR\nloop.shop.svc.cluster.local CNAME web.shop.svc.cluster.local\nweb.shop.svc.cluster.local A 10.43.0.80'],
  ])('%s %s', async (name, type, want) => expect(show(await ask(chain().handler, ctxOf().ctx, question(name, type)))).toBe(want))

  it('an absence comes with the SOA, so that it is believed no longer than an answer', async () => {
    const packet = await ask(chain().handler, ctxOf().ctx, question('nobody.shop.svc.cluster.local', 'A'))
    expect(packet.authorities?.[0]).toMatchObject({ type: 'SOA', name: 'cluster.local', ttl: 5, data: { minimum: 5 } })
    expect(packet.flag_aa).toBe(true)
  })

  it('says SERVFAIL, not NXDOMAIN, while it does not know everything', async () => {
    const { handler } = chain(resolver(), [], world(false))
    expect(rcodeOf(await ask(handler, ctxOf().ctx, question('nobody.shop.svc.cluster.local', 'A')))).toBe('SERVFAIL')
  })

  it('cuts a long answer to what the client takes, and gives all of it over TCP', async () => {
    const { handler } = chain()
    const short = await ask(handler, ctxOf().ctx, question('big.shop.svc.cluster.local', 'A'))
    expect(short.flag_tc).toBe(true)
    expect(short.answers?.length).toBeGreaterThan(10)
    const more = await ask(handler, ctxOf().ctx, question('big.shop.svc.cluster.local', 'A', 4_096))
    expect([more.flag_tc, more.answers?.length]).toEqual([false, 200])
    expect((await ask(handler, ctxOf().ctx, question('big.shop.svc.cluster.local', 'A'), 'tcp')).answers).toHaveLength(200)
  })
})

describe('other names', () => {
  it('are remembered as long as they allow, with their age', async () => {
    const exchange = resolver()
    const { handler } = chain(exchange)
    const { ctx, clock } = ctxOf()
    await ask(handler, ctx, question('example.org', 'A'))
    await clock.advance(10_000)
    const second = await ask(handler, ctx, question('example.org', 'A'))
    expect(second.answers?.[0]).toMatchObject({ ttl: 50 })
    expect(exchange.asked).toHaveLength(1)
    await clock.advance(30_000)
    await ask(handler, ctx, question('example.org', 'A'))
    expect(exchange.asked).toHaveLength(2)
  })

  it('go to the next resolver when one is silent or fails, and not back to it at once', async () => {
    const exchange = resolver({ '192.0.2.1': () => new Error('silent'), '192.0.2.2': (p) => respond(p, [], 2) })
    const { handler } = chain(exchange, ['192.0.2.1', '192.0.2.2', '192.0.2.3'].map((ip) => ({ ip, port: 53 })))
    const { ctx } = ctxOf()
    expect(rcodeOf(await ask(handler, ctx, question('a.example', 'A')))).toBe('NOERROR')
    await ask(handler, ctx, question('b.example', 'A'))
    expect(exchange.asked).toEqual(['192.0.2.1', '192.0.2.2', '192.0.2.3', '192.0.2.2', '192.0.2.3'])
  })

  it('are SERVFAIL without a resolver, and a resolver that leads back is left out', async () => {
    const { ctx } = ctxOf()
    expect(rcodeOf(await ask(chain(resolver(), []).handler, ctx, question('a.example', 'A')))).toBe('SERVFAIL')
    const circle: Exchange = { ask: async (inner, _upstream, packet) => await back(inner, packet) }
    const { handler, forwarder } = chain(circle)
    const back = async (inner: Ctx, packet: Uint8Array): Promise<Uint8Array> => {
      const query = queryOf(Buffer.from(packet))
      const reply = await handler(inner, query)
      return 'answer' in reply ? encodeAnswer(query, reply.answer) : reply.packet
    }
    await forwarder.probe(ctx)
    expect(rcodeOf(await ask(handler, ctx, question('a.example', 'A')))).toBe('SERVFAIL')
  })
})

describe('parseQuery()', () => {
  it.each([
    ['nothing for an answer', encode({ type: 'response', id: 1, questions: [{ name: 'a', type: 'A' }] }), undefined],
    ['nothing for noise', Buffer.from('hello'), undefined],
    ['FORMERR for two questions', encode({ type: 'query', questions: [{ name: 'a', type: 'A' }, { name: 'b', type: 'A' }] }), { error: rcodes.formErr }],
    ['FORMERR for a name beyond the packet', Buffer.concat([question('a', 'A').subarray(0, 12), Buffer.from([60, 1, 2])]), { error: rcodes.formErr }],
    ['NOTIMP for other operations', Buffer.concat([Buffer.from([0, 1, 0x28, 0]), question('a', 'A').subarray(4)]), { error: rcodes.notImp }],
  ])('says %s', (_, packet, want) => expect(parseQuery(packet, 'udp')).toEqual(want))
})

it('serveDns() says SERVFAIL when a question breaks its handler, at once or later', async () => {
  const ctx: Ctx = { signal: new AbortController().signal, clock: systemClock, log: silentLog }
  const handler = (_ctx: Ctx, query: Query): Promise<never> => {
    if (query.name.startsWith('now')) throw new Error('broken')
    return Promise.reject(new Error('broken'))
  }
  const server = await serveDns(ctx, { ip: '127.0.0.1', port: 0, handler, generation: () => 0 })
  const answered = Promise.withResolvers<void>()
  const got: string[] = []
  const client = await Bun.udpSocket({ socket: { data: (_socket, data) => void (got.push(show(decode(Buffer.from(data)))) === 2 && answered.resolve()) } })
  try {
    for (const name of ['now.example', 'later.example']) client.send(question(name, 'A'), server.port, '127.0.0.1')
    await answered.promise
    expect(got).toEqual(['SERVFAIL', 'SERVFAIL'])
  } finally {
    client.close()
    server.stop()
  }
})

it('serveDns() answers over UDP and TCP, and sees a change at once', async () => {
  const ctx: Ctx = { signal: new AbortController().signal, clock: systemClock, log: silentLog }
  const deps = world()
  let generation = 0
  const server = await serveDns(ctx, { ip: '127.0.0.1', port: 0, handler: chain(resolver(), [], deps).handler, generation: () => generation })
  let got: (data: Buffer) => void = () => {}
  const client = await Bun.udpSocket({ socket: { data: (_socket, data) => got(Buffer.from(data)) } })
  const udp = async (packet: Buffer): Promise<string> => {
    const answer = new Promise<Buffer>((resolve) => (got = resolve))
    client.send(packet, server.port, '127.0.0.1')
    return show(decode(await answer))
  }
  try {
    const name = 'web.shop.svc.cluster.local'
    for (let i = 0; i < 2; i++) expect(await udp(question(name, 'A'))).toContain('10.43.0.80')
    deps.services.cache.put(service('web', { clusterIP: '10.43.0.81' }))
    generation++
    expect(await udp(question(name, 'A'))).toContain('10.43.0.81')
    expect(await udp(question('a.example', 'A'))).toBe('SERVFAIL')
    const stream = new Promise<Buffer>((resolve) => {
      let all = Buffer.alloc(0)
      void Bun.connect({ hostname: '127.0.0.1', port: server.port, socket: {
        open: (socket) => void socket.write(streamEncode(decode(question(name, 'A')))),
        data: (socket, data) => {
          all = Buffer.concat([all, data])
          if (all.length > 2 && all.length >= all.readUInt16BE(0) + 2) {
            socket.end()
            resolve(all)
          }
        },
      } })
    })
    expect(show(streamDecode(await stream) as DecodedPacket)).toContain('10.43.0.81')
  } finally {
    client.close()
    server.stop()
  }
})
