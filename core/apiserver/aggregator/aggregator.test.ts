import http2 from 'node:http2'
import https from 'node:https'
import tls from 'node:tls'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { certificateAuthenticator, union } from '../../auth/authn/authenticators.ts'
import { requestHeaderAuthenticator } from '../../auth/authn/requestheader.ts'
import { systemClock, virtualClock } from '../../lib/clock.ts'
import { childCtx } from '../../lib/ctx.ts'
import { createMetrics } from '../../lib/metrics.ts'
import { systemRandom } from '../../lib/random.ts'
import { silentLog } from '../../lib/log.ts'
import { createAuthority, issue, leafValidity, type Authority, type Identity } from '../../pki/certificate.ts'
import { merged, partOf, type Swagger } from './swagger.ts'
import { FlowControl } from '../flowcontrol/flowcontrol.ts'
import { openRig, type FakeOutlet, type Rig } from '../rig.fake.ts'
import { startApiServer, type ApiServer } from '../server.ts'
import { aggregator, type Aggregator } from './aggregator.ts'
import { exampleService, FakeApiServices, fakeRemote, type FakeRemote } from './remote.fake.ts'

const path = '/apis/example.com/v1/namespaces/default/things'
const listing = { kind: 'APIResourceList', groupVersion: 'example.com/v1', resources: [{ name: 'things', singularName: 'thing', namespaced: true, kind: 'Thing', verbs: ['get', 'list'] }] }

let answer: (request: IncomingMessage, response: ServerResponse, proxy: string) => void
let remote: FakeRemote
let services: FakeApiServices
let own: Aggregator
let rig: Rig
const clock = virtualClock()
const life = new AbortController()
const running: Promise<void>[] = []
const upgrades: IncomingMessage[] = []

beforeAll(async () => {
  remote = await fakeRemote((request, response, proxy) => answer(request, response, proxy), (request, socket) => {
    upgrades.push(request)
    socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n')
    socket.on('data', (chunk: Buffer) => socket.write(chunk.toString().toUpperCase()))
    socket.on('error', () => {})
  })
})
afterAll(() => remote.close())
beforeEach(async () => {
  answer = (_, response) => response.writeHead(404).end()
  services = new FakeApiServices()
  const { ctx } = childCtx({ clock, log: silentLog, signal: life.signal })
  own = aggregator(ctx, { changes: services, aggregated: remote.aggregated, random: systemRandom })
  rig = await openRig({ aggregator: own }, clock)
  running.push(own.run(rig.ctx))
})
afterEach(async () => {
  await rig.close()
  await Promise.all(running.splice(0))
})

function text(code: number, body: string | object, headers: Record<string, string> = {}): typeof answer {
  return (_, response) => response.writeHead(code, { 'content-type': 'application/json', ...headers }).end(typeof body === 'string' ? body : JSON.stringify(body))
}

describe('a request for an aggregated API', () => {
  it('goes on in the name of its user, with the front proxy\'s certificate and nothing of the sender\'s own', async () => {
    const heard: { url: string; proxy: string; headers: NodeJS.Dict<string[]> }[] = []
    answer = (request, response, proxy) => {
      heard.push({ url: request.url ?? '', proxy, headers: request.headersDistinct })
      response.writeHead(203, { 'x-from': 'there', 'content-type': 'application/json', 'access-control-allow-origin': '*' }).end('{"a":1}')
    }
    services.put(exampleService(remote.caBundle))
    const got = await rig.ask('GET', `${path}?limit=5`, undefined, { 'authorization': 'Bearer ann ä|dev,system:masters', 'x-remote-user': 'root', 'x-remote-extra-a': 'b', 'x-remote-thing': 'stays' })
    expect(got).toMatchObject({ code: 203, text: '{"a":1}', headers: { 'x-from': 'there' } })
    expect(got.headers).not.toHaveProperty('access-control-allow-origin')
    const [one] = heard.filter(({ url }) => url.includes('things'))
    expect(one).toMatchObject({ url: `${path}?limit=5`, proxy: 'system:auth-proxy' })
    expect(one?.headers['x-remote-user']?.map((name) => Buffer.from(name, 'latin1').toString('utf8'))).toEqual(['ann ä'])
    expect((one?.headers['x-remote-group'] ?? []).join(',').split(/, ?/)).toEqual(['dev', 'system:masters', 'system:authenticated'])
    expect(one?.headers['x-remote-thing']).toEqual(['stays'])
    expect(one?.headers['audit-id']).toHaveLength(1)
    for (const name of ['authorization', 'x-remote-extra-a', 'x-remote-uid']) expect(one?.headers[name]).toBeUndefined()
  })

  it('needs the rights of its path here, first', async () => {
    services.put(exampleService(remote.caBundle))
    expect((await rig.ask('GET', path, undefined, { authorization: 'Bearer bob' })).json).toMatchObject({ code: 403, reason: 'Forbidden' })
  })

  it('carries bodies there and back', async () => {
    answer = (request, response) => {
      response.writeHead(201)
      response.write(`${request.method} ${request.headers['content-length'] ?? request.headers['transfer-encoding'] ?? ''} `)
      request.on('data', (chunk: Buffer) => response.write(chunk)).on('end', () => response.end())
    }
    services.put(exampleService(remote.caBundle))
    expect(await rig.ask('POST', path, { kind: 'Thing' })).toMatchObject({ code: 201, text: 'POST chunked {"kind":"Thing"}' })
    expect(await rig.ask('DELETE', `${path}/a`, { kind: 'DeleteOptions' })).toMatchObject({ code: 201, text: 'DELETE chunked {"kind":"DeleteOptions"}' })
    expect(await rig.ask('PUT', `${path}/a`, 'abc', { 'content-length': '3' })).toMatchObject({ code: 201, text: 'PUT 3 abc' })
    expect(await rig.ask('GET', `${path}/a`, 'never sent', { 'content-length': '10' })).toMatchObject({ code: 201, text: 'GET  ' })
  })

  it('streams a watch as it comes, and ends it there when the client leaves', async () => {
    let stream: ServerResponse | undefined
    let left = false
    answer = (request, response) => {
      if (!(request.url ?? '').includes('watch')) return void response.writeHead(404).end()
      stream = response
      response.writeHead(200, { 'content-type': 'application/json' }).write('{"type":"ADDED"}\n')
      response.on('close', () => (left = true))
    }
    services.put(exampleService(remote.caBundle))
    const outlet: FakeOutlet = rig.open(`${path}?watch=1`)
    await expect.poll(() => outlet.text()).toBe('{"type":"ADDED"}\n')
    stream?.write('{"type":"DELETED"}\n')
    await expect.poll(() => outlet.events().length).toBe(2)
    outlet.close()
    await expect.poll(() => left).toBe(true)
  })

  it('has a deadline, which a watch has not', async () => {
    let ended = 0
    answer = (request, response) => {
      if ((request.url ?? '').includes('things')) response.on('close', () => ended++)
      else response.writeHead(404).end()
    }
    services.put(exampleService(remote.caBundle))
    const slow = rig.ask('GET', path)
    await clock.settle()
    await clock.advance(61_000)
    expect(await slow).toMatchObject({ code: 504, json: { reason: 'Timeout' } })
    await expect.poll(() => ended).toBe(1)
  })

  it('is refused in plain words when the server is not to be had', async () => {
    services.put(exampleService(remote.caBundle, 'v1', false))
    const plain = { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' }
    expect(await rig.ask('GET', path)).toMatchObject({ code: 503, text: 'service unavailable\n', headers: plain })
    services.put(exampleService(btoa((await createAuthority('others', { random: systemRandom, now: systemClock.now() })).certificate.pem)))
    expect(await rig.ask('GET', path)).toMatchObject({ code: 503, text: 'error trying to reach service: tls: failed to verify certificate: x509: certificate signed by unknown authority\n' })
    answer = text(302, '', { location: 'https://elsewhere/' })
    services.put(exampleService(remote.caBundle))
    expect(await rig.ask('GET', path)).toMatchObject({ code: 502, text: 'the backend attempted to redirect this request, which is not permitted\n' })
    services.remove(exampleService(remote.caBundle))
    expect(await rig.ask('GET', path)).toMatchObject({ code: 404, text: '404 page not found\n' })
  })

  it('is never for a group that this server cannot do without', async () => {
    services.put({ metadata: { name: 'v1.apiregistration.k8s.io' }, spec: { ...exampleService('').spec, group: 'apiregistration.k8s.io', groupPriorityMinimum: 1, versionPriority: 1 } })
    expect((await rig.ask('GET', '/apis/apiregistration.k8s.io/v1/apiservices')).json).toMatchObject({ kind: 'APIServiceList' })
  })
})

describe('what aggregated servers say of themselves', () => {
  const aggregatedType = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'
  const entry = async (): Promise<unknown> => {
    const list = (await rig.ask('GET', '/apis', undefined, { accept: aggregatedType })).json.items as { metadata: { name: string }; versions: unknown[] }[]
    return list.find((group) => group.metadata.name === 'example.com')?.versions
  }
  const tick = async (ms: number): Promise<void> => {
    await clock.advance(ms)
  }

  it('is merged into discovery where its priority says, asked for again by ETag, and stale when it is gone', async () => {
    const things = [{ resource: 'things', responseKind: { group: '', version: '', kind: 'Thing' }, scope: 'Namespaced', singularResource: 'thing', verbs: ['get'] }]
    const etags: (string | undefined)[] = []
    answer = (request, response) => {
      if (request.url !== '/apis') return void response.writeHead(404).end()
      etags.push(request.headers['if-none-match'])
      if (request.headers['if-none-match'] === '"1"') return void response.writeHead(304).end()
      text(200, { items: [{ metadata: { name: 'example.com' }, versions: [{ version: 'v1', resources: things, freshness: 'Current' }] }] }, { 'content-type': aggregatedType, etag: '"1"' })(request, response, '')
    }
    services.put(exampleService(remote.caBundle))
    await expect.poll(entry).toEqual([{ version: 'v1', resources: things, freshness: 'Current' }])
    const names = ((await rig.ask('GET', '/apis')).json.groups as { name: string }[]).map(({ name }) => name)
    expect(names.slice(0, 4)).toEqual(['apiregistration.k8s.io', 'apps', 'example.com', 'events.k8s.io'])
    expect((await rig.ask('GET', '/apis/example.com')).json).toMatchObject({ kind: 'APIGroup', preferredVersion: { groupVersion: 'example.com/v1' } })
    await tick(61_000)
    await expect.poll(() => etags.length).toBe(2)
    expect(etags).toEqual([undefined, '"1"'])
    services.put(exampleService(remote.caBundle, 'v1', false))
    await expect.poll(entry).toEqual([{ version: 'v1', freshness: 'Stale' }])
    services.remove(exampleService(remote.caBundle))
    await expect.poll(entry).toBeUndefined()
    expect((await rig.ask('GET', '/apis/example.com')).code).toBe(404)
  })

  it('may have the old form', async () => {
    answer = (request, response, proxy) => (request.url === '/apis/example.com/v1' ? text(200, listing) : text(200, { kind: 'APIGroupList' }))(request, response, proxy)
    services.put(exampleService(remote.caBundle))
    await expect.poll(entry).toEqual([{
      version: 'v1', freshness: 'Current',
      resources: [{ resource: 'things', responseKind: { group: '', version: '', kind: 'Thing' }, scope: 'Namespaced', singularResource: 'thing', verbs: ['get', 'list'] }],
    }])
    expect((await rig.ask('GET', '/apis/example.com/v1')).json).toEqual(listing)
  })

  it('is in the OpenAPI documents', async () => {
    const v3 = { openapi: '3.0.0', info: { title: 'theirs' } }
    answer = (request, response, proxy) => {
      const url = request.url ?? ''
      if (url === '/openapi/v3') return text(200, { paths: { 'apis/example.com/v1': { serverRelativeURL: '/openapi/v3/apis/example.com/v1?hash=AB' }, 'apis/apps/v1': { serverRelativeURL: 'foreign' } } })(request, response, proxy)
      if (url === '/openapi/v3/apis/example.com/v1?hash=AB') return text(200, v3)(request, response, proxy)
      if (url !== '/openapi/v2') return text(404, '')(request, response, proxy)
      const thing = { type: 'object', properties: { metadata: { $ref: '#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta' }, port: { $ref: '#/definitions/io.k8s.api.core.v1.Container' } } }
      text(200, {
        paths: { '/apis/example.com/v1/things': { get: { responses: { 200: { schema: { $ref: '#/definitions/Thing' } } } } }, '/api/v1/pods': { get: {} } },
        definitions: { Thing: thing, 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta': { type: 'object' }, 'io.k8s.api.core.v1.Container': { type: 'string' }, Unused: {} },
      })(request, response, proxy)
    }
    services.put(exampleService(remote.caBundle))
    const index = async (): Promise<Record<string, { serverRelativeURL: string }>> => (await rig.ask('GET', '/openapi/v3')).json.paths as never
    await clock.advance(1_001)
    await expect.poll(async () => (await index())['apis/example.com/v1']?.serverRelativeURL).toBe('/openapi/v3/apis/example.com/v1?hash=AB')
    expect((await index())['apis/apps/v1']?.serverRelativeURL).toMatch(/^\/openapi\/v3\/apis\/apps\/v1\?hash=/)
    expect((await rig.ask('GET', '/openapi/v3/apis/example.com/v1?hash=AB')).json).toEqual(v3)
    const { paths, definitions } = (await rig.ask('GET', '/openapi/v2')).json as { paths: Record<string, unknown>; definitions: Record<string, { properties?: Record<string, unknown> }> }
    expect(paths['/apis/example.com/v1/things']).toEqual({ get: { responses: { 200: { schema: { $ref: '#/definitions/Thing' } } } } })
    expect(definitions['Thing']?.properties).toEqual({
      metadata: { $ref: '#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta_v2' },
      port: { $ref: '#/definitions/io.k8s.api.core.v1.Container_v2' },
    })
    expect(definitions['Unused']).toBeUndefined()
    expect(Object.keys(paths)).toContain('/api/v1/pods')
  })

  it('is described in version 3 also when its server knows version 2 only', async () => {
    const thing = { type: 'object', properties: { next: { description: 'the next one', $ref: '#/definitions/Thing' } } }
    const limit = { name: 'limit', in: 'query', type: 'integer', uniqueItems: true }
    const body = { name: 'body', in: 'body', schema: { $ref: '#/definitions/Thing' } }
    const post = { consumes: ['*/*'], produces: ['application/json'], operationId: 'make', parameters: [body, limit], responses: { 201: { description: 'Created', schema: { $ref: '#/definitions/Thing' } } } }
    answer = (request, response, proxy) => (request.url === '/openapi/v2' ? text(200, { paths: { '/apis/example.com/v1/things': { post } }, definitions: { Thing: thing } }) : text(404, ''))(request, response, proxy)
    services.put(exampleService(remote.caBundle))
    await clock.advance(1_001)
    const url = async (): Promise<string | undefined> => ((await rig.ask('GET', '/openapi/v3')).json.paths as Record<string, { serverRelativeURL: string }>)['apis/example.com/v1']?.serverRelativeURL
    await expect.poll(url).toMatch(/^\/openapi\/v3\/apis\/example.com\/v1\?hash=[0-9A-F]{128}$/)
    const reference = { $ref: '#/components/schemas/Thing' }
    expect((await rig.ask('GET', (await url()) ?? '')).json).toMatchObject({
      openapi: '3.0.0',
      paths: { '/apis/example.com/v1/things': { post: {
        operationId: 'make',
        parameters: [{ name: 'limit', in: 'query', schema: { type: 'integer', uniqueItems: true } }],
        requestBody: { content: { '*/*': { schema: reference } } },
        responses: { 201: { description: 'Created', content: { 'application/json': { schema: reference } } } },
      } } },
      components: { schemas: { Thing: { properties: { next: { description: 'the next one', allOf: [reference] } } } } },
    })
  })
})

it('an OpenAPI document may say anything', () => {
  const odd = { paths: { '/apis/a/v1/x': { get: { $ref: '#/definitions/X' } }, '/apis/a/v1/y': null }, definitions: { X: null, Y: 'text' } } as unknown as Swagger
  const parts = ['/apis/a/v1/', '/apis/a/v1/'].map((prefix) => partOf(odd, prefix))
  expect(parts[0]?.definitions).toEqual({})
  expect(merged({ definitions: {} }, parts).paths).toEqual(odd.paths)
})

describe('on a socket', () => {
  let server: ApiServer
  let clients: Authority
  let flow: FlowControl
  const ids: Record<string, Identity> = {}
  beforeEach(async () => {
    const means = { random: systemRandom, now: systemClock.now() }
    clients = await createAuthority('clients', means)
    const leaf = (commonName: string, usage: 'server' | 'client', organizations: readonly string[] = []): Promise<Identity> =>
      issue(clients, { commonName, organizations, usages: [usage], names: usage === 'server' ? ['127.0.0.1'] : [], validity: leafValidity(means.now, clients) }, means)
    ids['serving'] = await leaf('kube-apiserver', 'server')
    ids['admin'] = await leaf('admin', 'client', ['system:masters'])
    ids['proxy'] = await remote.proxy('system:auth-proxy')
    ids['other proxy'] = await remote.proxy('admin')
    const authenticator = union([requestHeaderAuthenticator(['system:auth-proxy']), certificateAuthenticator()])
    flow = new FlowControl({ clock, metrics: createMetrics() })
    server = await startApiServer(rig.ctx, { ...rig.deps, authenticator, flow, metrics: createMetrics() }, {
      host: '127.0.0.1', port: 0, serving: pair('serving'), clientCa: clients.certificate.pem, requestHeaderCa: remote.proxies.certificate.pem,
    })
  })
  afterEach(async () => {
    const stopped = server.stop({ graceMs: 50 })
    await clock.advance(51)
    await stopped
  })
  const pair = (id: string): { cert: string; key: string } => ({ cert: ids[id]?.certificate.pem ?? '', key: ids[id]?.key.pem ?? '' })

  function whoami(as: string, headers: Record<string, string | string[]>): Promise<{ status?: { userInfo: object }; code?: number }> {
    return new Promise((resolve, reject) => {
      const session = http2.connect(`https://127.0.0.1:${server.port}`, { ca: clients.certificate.pem, ...pair(as) })
      session.on('error', reject)
      const stream = session.request({ ':method': 'POST', ':path': '/apis/authentication.k8s.io/v1/selfsubjectreviews', 'content-type': 'application/json', ...headers })
      let all = ''
      stream.on('data', (chunk: Buffer) => (all += chunk.toString())).on('end', () => {
        session.close()
        resolve(JSON.parse(all) as never)
      })
      stream.end('{}')
    })
  }

  it('a front proxy asks for whom it names, and is nobody itself', async () => {
    const named = { 'x-remote-user': 'ann', 'x-remote-uid': '7', 'x-remote-group': ['system:masters', 'dev'], 'x-remote-extra-example.com%2fa': 'b' }
    expect((await whoami('proxy', named)).status?.userInfo).toEqual({ username: 'ann', uid: '7', groups: ['system:masters', 'dev', 'system:authenticated'], extra: { 'example.com/a': ['b'] } })
    expect(await whoami('proxy', {})).toMatchObject({ code: 401 })
    expect(await whoami('other proxy', named)).toMatchObject({ code: 401 }) // allowed by its CA, but not by its name
    expect((await whoami('admin', named)).status?.userInfo).toMatchObject({ username: 'admin' })
  })

  it('an upgrade goes through, in the name of the user', async () => {
    services.put(exampleService(remote.caBundle))
    const socket = tls.connect({ port: server.port, host: '127.0.0.1', ca: clients.certificate.pem, ...pair('admin') })
    let got = ''
    socket.on('data', (chunk: Buffer) => (got += chunk.toString()))
    socket.write(`GET ${path}/a/exec?x=1 HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX-Remote-User: root\r\nAuthorization: Basic x\r\n\r\n`)
    await expect.poll(() => got).toContain('101 Switching Protocols')
    socket.write('hello')
    await expect.poll(() => got).toContain('HELLO')
    expect(upgrades[0]).toMatchObject({ url: `${path}/a/exec?x=1`, headers: { 'x-remote-user': 'admin', upgrade: 'websocket' } })
    expect(upgrades[0]?.headersDistinct['x-remote-group']).toEqual(['system:masters', 'system:authenticated'])
    expect(upgrades[0]?.headers.authorization).toBeUndefined()
    socket.destroy()
    services.put(exampleService(remote.caBundle, 'v1', false))
    const refused = await new Promise<number | undefined>((resolve, reject) => {
      const asked = https.request({ port: server.port, host: '127.0.0.1', path, ca: clients.certificate.pem, ...pair('admin'), headers: { connection: 'Upgrade', upgrade: 'websocket' } }, (response) => resolve(response.statusCode))
      asked.on('error', reject).end()
    })
    expect(refused).toBe(503)
    // Whatever asks for an upgrade, only what goes on by its name is outside flow control.
    expect([...flow.levels.values()].reduce((sum, level) => sum + level.dispatched, 0)).toBe(1)
    expect(flow.running).toBe(0)
  })
})
