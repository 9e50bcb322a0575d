import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../lib/clock.ts'
import type { Ctx } from '../lib/ctx.ts'
import { silentLog } from '../lib/log.ts'
import { serviceUnavailable } from '../api/errors.ts'
import { remoteServer, type RemoteServer } from './remote.fake.ts'
import { refusalOf } from './refusals.ts'
import { remoteClient, type RemoteTarget } from './remote.ts'

const ctx: Ctx = { clock: systemClock, log: silentLog, signal: new AbortController().signal }

let server: RemoteServer
let stranger: RemoteServer
let expired: RemoteServer
let nameless: RemoteServer
let plain: Server
let port = 0
const remote = remoteClient({
  agent: 'test',
  services: { resolve: (_, name) => (name === 'none' ? (() => { throw serviceUnavailable(`no endpoints available for service "${name}"`) })() : { host: '127.0.0.1', port }) },
})

beforeAll(async () => {
  server = await remoteServer(['svc.ns.svc', '127.0.0.1'], async (heard) => {
    if (heard.url.startsWith('/slow')) await systemClock.sleep(2_000)
    if (heard.url.startsWith('/cut')) return 'cut'
    if (heard.url === '/away') return { status: 302, headers: { location: '/elsewhere' } }
    return { body: JSON.stringify({ sni: heard.headers.host, client: heard.client }) }
  })
  stranger = await remoteServer(['svc.ns.svc'], () => ({ body: '{}' }))
  expired = await remoteServer(['svc.ns.svc'], () => ({ body: '{}' }), { expired: true })
  nameless = await remoteServer([], () => ({ body: '{}' }))
  plain = createServer((_, response) => response.end('{}'))
  await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve))
  port = server.port
})

afterAll(async () => {
  remote.close()
  await Promise.all([server, stranger, expired, nameless].map((s) => s.close()))
  plain.close()
})

const service = (path = '/', name = 'svc'): RemoteTarget => ({ service: { namespace: 'ns', name, path }, caBundle: server.caBundle })
const post = (target: RemoteTarget, timeoutMs = 5_000): Promise<string> =>
  remote.post(ctx, target, { a: 1 }, { timeoutMs, query: { timeout: `${timeoutMs / 1_000}s` } }).then((a) => new TextDecoder().decode(a.body))
const plainPort = (): number => (plain.address() as AddressInfo).port

describe('a remote server', () => {
  it('is called by the name of its Service at the address that was resolved, over kept connections', async () => {
    const before = server.connections()
    for (let i = 0; i < 3; i++) expect(JSON.parse(await post(service('/path')))).toEqual({ sni: 'svc.ns.svc:443' })
    expect(server.connections()).toBe(before + 1)
    expect(server.heard.at(-1)).toMatchObject({ method: 'POST', url: '/path?timeout=5s', body: '{"a":1}', headers: { 'content-type': 'application/json', 'user-agent': 'test' } })
  })

  it('is asked at a path without doubled slashes', async () => {
    await post(service('//path/'))
    expect(server.heard.at(-1)?.url).toBe('/path?timeout=5s')
  })

  it('is asked for what its URL says behind the question mark', async () => {
    await remote.send(ctx, { url: `https://127.0.0.1:${server.port}/claims?user=jane&x=%2F`, caBundle: server.caBundle }, { method: 'GET', timeoutMs: 5_000 })
    expect(server.heard.at(-1)).toMatchObject({ method: 'GET', url: '/claims?user=jane&x=%2F' })
  })

  it('is trusted when the bundle has its own certificate instead of its authority', async () => {
    await expect(post({ ...service(), caBundle: server.ownBundle })).resolves.toContain('svc.ns.svc:443')
    await expect(post({ ...service(), caBundle: stranger.ownBundle })).rejects.toThrow('x509: certificate signed by unknown authority')
  })

  it('is shown a certificate and a token where there are any, on connections of their own', async () => {
    const target = { ...service(), credentials: { certificate: server.client.certificate.pem, key: server.client.key.pem, token: 'secret' } }
    expect(JSON.parse(await post(target))).toMatchObject({ client: 'caller' })
    expect(server.heard.at(-1)?.headers.authorization).toBe('Bearer secret')
    expect(JSON.parse(await post(service()))).not.toHaveProperty('client')
    expect(server.heard.at(-1)?.headers.authorization).toBeUndefined()
  })

  it('is called by address, and by plain HTTP where the URL says so', async () => {
    expect(JSON.parse(await post({ url: `https://127.0.0.1:${server.port}/x`, caBundle: server.caBundle }))).toEqual({ sni: `127.0.0.1:${server.port}` })
    expect(await post({ url: `http://127.0.0.1:${plainPort()}/x` })).toBe('{}')
  })

  it('is asked again when it had closed an idle connection, and not when it cut off a fresh one', async () => {
    await post(service())
    server.hangUp()
    expect(JSON.parse(await post(service()))).toEqual({ sni: 'svc.ns.svc:443' })
    await expect(post({ ...service('/cut'), credentials: { token: 't' } })).rejects.toThrow('Post "https://svc.ns.svc:443/cut?timeout=5s": EOF')
  })

  it('is not followed elsewhere', async () => {
    expect((await remote.post(ctx, service('/away'), {}, { timeoutMs: 5_000 })).status).toBe(302)
    expect(server.heard.at(-1)?.url).toBe('/away')
  })

  it('may be given up while it thinks', async () => {
    const giveUp = new AbortController()
    const going = remote.post({ ...ctx, signal: giveUp.signal }, service('/slow'), {}, { timeoutMs: 5_000 })
    giveUp.abort(new DOMException('stop', 'AbortError'))
    await expect(going).rejects.toThrow('Post "https://svc.ns.svc:443/slow": context canceled')
  })

  it.each<[string, () => RemoteTarget, string]>([
    ['time', () => service('/slow'), 'Post "https://svc.ns.svc:443/slow?timeout=0.3s": context deadline exceeded'],
    ['no endpoints', () => service('/x', 'none'), 'Post "https://none.ns.svc:443/x?timeout=0.3s": no endpoints available for service "none"'],
    ['another name', () => service('/x', 'other'), 'Post "https://other.ns.svc:443/x?timeout=0.3s": tls: failed to verify certificate: x509: certificate is valid for svc.ns.svc, not other.ns.svc'],
    ['another address', () => ({ url: `https://127.0.0.1:${stranger.port}/`, caBundle: stranger.caBundle }), "cannot validate certificate for 127.0.0.1 because it doesn't contain any IP SANs"],
    ['a common name', () => ({ url: `https://127.0.0.1:${nameless.port}/`, caBundle: nameless.caBundle, serverName: 'remote' }), 'x509: certificate relies on legacy Common Name field, use SANs instead'],
    ['another authority', () => ({ ...service('/x'), caBundle: stranger.caBundle }), 'Post "https://svc.ns.svc:443/x?timeout=0.3s": tls: failed to verify certificate: x509: certificate signed by unknown authority'],
    ["the machine's authorities", () => ({ service: { namespace: 'ns', name: 'svc' } }), 'Post "https://svc.ns.svc:443/?timeout=0.3s": tls: failed to verify certificate: x509: certificate signed by unknown authority'],
    ['nobody there', () => ({ url: 'https://127.0.0.1:1/x' }), 'Post "https://127.0.0.1:1/x?timeout=0.3s": dial tcp 127.0.0.1:1: connect: connection refused'],
    ['no TLS', () => ({ url: `https://127.0.0.1:${plainPort()}/x` }), `/x?timeout=0.3s": http: server gave HTTP response to HTTPS client`],
    ['no names', () => ({ url: `https://127.0.0.1:${nameless.port}/`, caBundle: nameless.caBundle }), "x509: cannot validate certificate for 127.0.0.1 because it doesn't contain any IP SANs"],
    ['old', () => ({ url: `https://127.0.0.1:${expired.port}/`, caBundle: expired.caBundle, serverName: 'svc.ns.svc' }), 'x509: certificate has expired or is not yet valid'],
  ])('says what is wrong: %s', async (_, target, want) => {
    await expect(post(target(), 300)).rejects.toThrow(want)
  })

  it('is trusted blindly only where asked', async () => {
    expect(await post({ url: `https://127.0.0.1:${expired.port}/`, insecureSkipTlsVerify: true })).toBe('{}')
    await expect(post({ url: `https://127.0.0.1:${expired.port}/` })).rejects.toThrow('x509')
  })
})

describe('an answer that is no success', () => {
  const answer = (status: number, body: string, type = 'text/plain') => refusalOf({ status, body: new TextEncoder().encode(body), headers: { 'content-type': type } })?.message
  it.each([
    [200, '{}', undefined],
    [500, 'boom\n', 'an error on the server ("boom") has prevented the request from succeeding'],
    [404, 'x', 'the server could not find the requested resource'],
    [403, 'not you', 'not you'],
    [302, '', 'the server responded with the status code 302 but did not return more information'],
    [500, '{"kind":"Status","apiVersion":"v1","status":"Failure","message":"own words","code":500}', 'own words'],
  ])('%i %s', (status, body, want) => {
    expect(answer(status, body)).toBe(want)
  })
})
