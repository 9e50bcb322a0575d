import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { defineKind } from '../../api/kind.ts'
import { loopbackClient } from '../../client/loopback.ts'
import { virtualClock } from '../../lib/clock.ts'
import { childCtx } from '../../lib/ctx.ts'
import { silentLog } from '../../lib/log.ts'
import { systemRandom } from '../../lib/random.ts'
import { inProcess } from '../inprocess.ts'
import { openRig, type Rig } from '../rig.fake.ts'
import { aggregator, type Aggregator } from './aggregator.ts'
import { exampleService, FakeApiServices, fakeRemote, type FakeRemote } from './remote.fake.ts'

const things = defineKind({ group: 'example.com', version: 'v1', kind: 'Thing', plural: 'things', namespaced: true })
const who = { name: 'system:serviceaccount:kube-system:namespace-controller', groups: ['system:masters', 'system:serviceaccounts'], agent: 'kube-controller-manager' }
const at = { namespace: 'default', name: 'a' }

let answer: (request: IncomingMessage, response: ServerResponse) => void
let remote: FakeRemote
let services: FakeApiServices
let own: Aggregator
let rig: Rig
let client: ReturnType<typeof loopbackClient>
const clock = virtualClock()
const life = new AbortController()

beforeAll(async () => {
  remote = await fakeRemote((request, response) => answer(request, response))
})
afterAll(() => remote.close())
beforeEach(async () => {
  services = new FakeApiServices()
  const { ctx } = childCtx({ clock, log: silentLog, signal: life.signal })
  own = aggregator(ctx, { changes: services, aggregated: remote.aggregated, random: systemRandom })
  rig = await openRig({ aggregator: own }, clock)
  client = loopbackClient(inProcess(rig.deps), who)
})
afterEach(() => rig.close())

function say(response: ServerResponse, code: number, value: object): void {
  response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(value))
}

it("a part's calls go where the kind is, in its own name", async () => {
  const heard: string[] = []
  answer = (request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString())).on('end', () => {
      heard.push(`${request.method} ${request.url} ${body}`)
      expect(request.headersDistinct['x-remote-group']).toEqual([...who.groups, 'system:authenticated'])
      expect(request.headers).toMatchObject({ 'x-remote-user': who.name, 'user-agent': who.agent })
      if (request.url?.endsWith('/missing')) return say(response, 404, { kind: 'Status', code: 404, reason: 'NotFound', message: 'things "missing" not found' })
      say(response, 200, request.method === 'GET' && request.url?.includes('/things?') ? { metadata: { resourceVersion: '7' }, items: [{ metadata: { name: 'a' } }] } : { kind: 'Thing', metadata: { name: 'a' } })
    })
  }
  services.put(exampleService(remote.caBundle))
  expect(await client.list(rig.ctx, things, { namespace: 'default', limit: 5 })).toEqual({ metadata: { resourceVersion: '7' }, items: [{ apiVersion: 'example.com/v1', kind: 'Thing', metadata: { name: 'a' } }] })
  expect(await client.get(rig.ctx, things, { ...at, name: 'missing' })).toBeUndefined()
  await client.patch(rig.ctx, things, at, 'merge', { metadata: { finalizers: null } })
  await client.deleteCollection(rig.ctx, things, { namespace: 'default' }, { propagationPolicy: 'Background' })
  expect(heard).toEqual([
    'GET /apis/example.com/v1/namespaces/default/things?limit=5 ',
    'GET /apis/example.com/v1/namespaces/default/things/missing ',
    'PATCH /apis/example.com/v1/namespaces/default/things/a {"metadata":{"finalizers":null}}',
    'DELETE /apis/example.com/v1/namespaces/default/things {"apiVersion":"v1","kind":"DeleteOptions","propagationPolicy":"Background"}',
  ])
  services.put(exampleService(remote.caBundle, 'v1', false))
  await expect(client.list(rig.ctx, things)).rejects.toMatchObject({ code: 503 })
})

it('a watch is told as it comes, and ends with its reader', async () => {
  let stream: ServerResponse | undefined
  let left = false
  answer = (_, response) => {
    stream = response
    response.on('close', () => (left = true))
    response.writeHead(200, { 'content-type': 'application/json' }).write('{"type":"ADDED","object":{"metadata":{"name":"a"}}}\n')
  }
  services.put(exampleService(remote.caBundle))
  const events = client.watch(rig.ctx, things, { namespace: 'default' })[Symbol.asyncIterator]()
  expect((await events.next()).value).toMatchObject({ type: 'ADDED', object: { metadata: { name: 'a' } } })
  stream?.write('{"type":"DELETED","object":{"metadata":{"name":"a"}}}\n')
  expect((await events.next()).value).toMatchObject({ type: 'DELETED' })
  await events.return?.()
  await expect.poll(() => left).toBe(true)
})

it('kinds are those of servers that answer; the others are named', async () => {
  const resources = [{ resource: 'things', responseKind: { group: '', version: '', kind: 'Thing' }, scope: 'Namespaced', singularResource: 'thing', verbs: ['list', 'delete'] }]
  answer = (_, response) => {
    response.writeHead(200, { 'content-type': 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList' })
    response.end(JSON.stringify({ items: [{ metadata: { name: 'example.com' }, versions: [{ version: 'v1', resources }] }] }))
  }
  let told = 0
  own.discovery.onChange(() => told++)
  const run = own.run(rig.ctx)
  services.put(exampleService(remote.caBundle))
  expect(own.kinds.stale()).toEqual(['example.com/v1']) // nobody knows yet
  await expect.poll(() => own.kinds.kinds()).toMatchObject([{ group: 'example.com', kind: 'Thing', plural: 'things', namespaced: true, verbs: ['list', 'delete'] }])
  expect(own.kinds.stale()).toEqual([])
  expect(own.kinds.kinds()).toBe(own.kinds.kinds())
  services.put(exampleService(remote.caBundle, 'v1', false))
  await expect.poll(() => own.kinds.stale()).toEqual(['example.com/v1'])
  expect(own.kinds.kinds()).toEqual([])
  expect(told).toBe(2)
  await rig.close()
  await run
})
