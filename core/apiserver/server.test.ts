import http2 from 'node:http2'
import https from 'node:https'
import tls from 'node:tls'
import type { Duplex } from 'node:stream'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock, virtualClock } from '../lib/clock.ts'
import { createMetrics } from '../lib/metrics.ts'
import { seededRandom } from '../lib/random.ts'
import { createAuthority, issue, leafValidity, type Authority, type Identity } from '../pki/certificate.ts'
import { union, certificateAuthenticator } from '../auth/authn/authenticators.ts'
import { startApiServer, type ApiServer } from './server.ts'
import { openRig, type Rig } from './rig.fake.ts'

const means = { random: seededRandom(7), now: systemClock.now() }
let ca: Authority
let foreign: Authority
let rig: Rig
let server: ApiServer
let kubelet: http2.Http2SecureServer
let kubeletPort = 0
const ids: Record<string, Identity> = {}
/** What came to the kubelet after it had refused an upgrade. */
const heard: string[] = []

async function leaf(by: Authority, commonName: string, usage: 'server' | 'client', organizations: readonly string[] = []): Promise<Identity> {
  return await issue(by, { commonName, organizations, usages: [usage], names: usage === 'server' ? ['127.0.0.1', 'localhost'] : [], validity: leafValidity(means.now, by) }, means)
}

function pair({ certificate, key }: Identity): { cert: string; key: string } {
  return { cert: certificate.pem, key: key.pem }
}

/** A kubelet of few words: a log, and an exec that echoes in capitals. */
function startKubelet(identity: Identity): Promise<http2.Http2SecureServer> {
  const made = http2.createSecureServer({ ...pair(identity), ca: ca.certificate.pem, requestCert: true, rejectUnauthorized: false, allowHTTP1: true })
  made.on('request', (request, response) => {
    const subject = (request.socket as tls.TLSSocket).getPeerCertificate().subject.CN
    if (request.url.includes('/missing')) {
      response.writeHead(400)
      response.end('container "missing" in pod "p" is waiting to start: ContainerCreating')
      return
    }
    response.writeHead(200, { 'content-type': 'text/plain' })
    response.write(`${subject} asks ${request.url}\n`)
    response.end('second line\n')
  })
  made.on('upgrade', (request: { url: string; headers: Record<string, string> }, socket: Duplex) => {
    if (request.url.includes('command=refused')) {
      socket.write('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno')
      socket.on('data', (chunk: Buffer) => heard.push(chunk.toString()))
      socket.on('end', () => socket.end())
      socket.on('error', () => {})
      return
    }
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: SPDY/3.1\r\nConnection: Upgrade\r\nX-Seen: ${request.url} ${request.headers['authorization'] ?? 'nothing'}\r\n\r\n`)
    socket.on('data', (chunk: Buffer) => socket.write(chunk.toString().toUpperCase()))
    socket.on('error', () => {})
  })
  return new Promise((resolve) => made.listen(0, '127.0.0.1', () => resolve(made)))
}

beforeAll(async () => {
  ca = await createAuthority('ca', means)
  foreign = await createAuthority('foreign', means)
  ids['serving'] = await leaf(ca, 'kube-apiserver', 'server')
  ids['admin'] = await leaf(ca, 'admin', 'client', ['system:masters'])
  ids['forged'] = await leaf(foreign, 'admin', 'client', ['system:masters'])
  ids['toKubelet'] = await leaf(ca, 'apiserver-kubelet-client', 'client')
  kubelet = await startKubelet(ids['serving'])
  kubeletPort = (kubelet.address() as { port: number }).port
  rig = await openRig({
    authenticator: union([certificateAuthenticator()]),
    kubelet: () => ({ ...pair(ids['toKubelet'] as Identity), ca: ca.certificate.pem }),
  }, virtualClock())
  server = await startApiServer(rig.ctx, { ...rig.deps, metrics: createMetrics() }, { host: '127.0.0.1', port: 0, serving: pair(ids['serving']), clientCa: ca.certificate.pem })
  await ask('POST', '/api/v1/namespaces', { metadata: { name: 'default' } })
  const status = { addresses: [{ type: 'InternalIP', address: '127.0.0.1' }], daemonEndpoints: { kubeletEndpoint: { Port: kubeletPort } } }
  await ask('POST', '/api/v1/nodes', { metadata: { name: 'n1' } })
  await ask('PUT', '/api/v1/nodes/n1/status', { metadata: { name: 'n1' }, status })
  await ask('POST', '/api/v1/namespaces/default/pods', { metadata: { name: 'p' }, spec: { nodeName: 'n1', containers: [{ name: 'c', image: 'i' }], initContainers: [{ name: 'missing', image: 'i' }] } })
})
afterAll(async () => {
  const stopped = server.stop({ graceMs: 50 })
  await rig.clock.advance(51)
  await stopped
  kubelet.close()
  await rig.close()
})

interface Got {
  readonly code: number
  readonly text: string
  readonly headers: http2.IncomingHttpHeaders
}

/** One HTTP/2 request on a connection of its own. */
function ask(method: string, path: string, body?: object, as: Identity | null = ids['admin'] ?? null): Promise<Got> {
  return new Promise((resolve, reject) => {
    const session = http2.connect(`https://127.0.0.1:${server.port}`, { ca: ca.certificate.pem, ...(as === null ? {} : pair(as)) })
    session.on('error', reject)
    const stream = session.request({ ':method': method, ':path': path, 'content-type': 'application/json' })
    let text = ''
    let headers: http2.IncomingHttpHeaders = {}
    stream.on('response', (got) => (headers = got as http2.IncomingHttpHeaders))
    stream.on('data', (chunk: Buffer) => (text += chunk.toString()))
    stream.on('end', () => {
      session.close()
      resolve({ code: Number(headers[':status']), text, headers })
    })
    stream.on('error', reject)
    stream.end(body === undefined ? undefined : JSON.stringify(body))
  })
}

describe('the API server on a socket', () => {
  it('serves http/1.1 on the same port, with the same identity', async () => {
    const options = { host: '127.0.0.1', port: server.port, path: '/api/v1/namespaces', ca: ca.certificate.pem, ...pair(ids['admin'] as Identity) }
    const text = await new Promise<string>((resolve, reject) => {
      https.get(options, (response) => {
        let all = ''
        response.on('data', (chunk: Buffer) => (all += chunk.toString()))
        response.on('end', () => resolve(all))
      }).on('error', reject)
    })
    expect(JSON.parse(text)).toMatchObject({ kind: 'NamespaceList' })
  })

  it('refuses a certificate of a foreign CA, and knows no name without one', async () => {
    const got = await ask('GET', '/api/v1/namespaces', undefined, ids['forged'] ?? null)
    expect(JSON.parse(got.text)).toMatchObject({ code: 401, reason: 'Unauthorized', message: 'Unauthorized' })
    const nobody = await ask('GET', '/api/v1/namespaces', undefined, null)
    expect(JSON.parse(nobody.text)).toMatchObject({ code: 403, message: expect.stringContaining('User "system:anonymous" cannot list') })
  })

  it('refuses a body above the limit', async () => {
    const got = await ask('POST', '/api/v1/namespaces/default/configmaps', { metadata: { name: 'big' }, data: { a: 'x'.repeat(4 * 1024 * 1024) } })
    expect(JSON.parse(got.text)).toMatchObject({ code: 413, reason: 'RequestEntityTooLarge', message: 'Request entity too large: limit is 3145728' })
  })

  it('streams a watch and ends it cleanly', async () => {
    const session = http2.connect(`https://127.0.0.1:${server.port}`, { ca: ca.certificate.pem, ...pair(ids['admin'] as Identity) })
    const stream = session.request({ ':path': '/api/v1/namespaces/default/configmaps?watch=1&timeoutSeconds=5' })
    const events: string[] = []
    const first = new Promise<void>((resolve) => stream.on('data', (chunk: Buffer) => {
      events.push(...chunk.toString().trim().split('\n'))
      resolve()
    }))
    const ended = new Promise<string>((resolve) => {
      stream.on('end', () => resolve('end'))
      stream.on('error', (error) => resolve(String(error)))
    })
    await new Promise<void>((resolve) => stream.on('response', () => resolve()))
    await ask('POST', '/api/v1/namespaces/default/configmaps', { metadata: { name: 'seen' } })
    await first
    await rig.clock.advance(5_001)
    expect(await ended).toBe('end')
    expect(events.map((line) => JSON.parse(line).object.metadata.name)).toEqual(['seen'])
    session.close()
  })

  it('fetches a log from the kubelet with its own certificate, and passes on why there is none', async () => {
    const log = await ask('GET', '/api/v1/namespaces/default/pods/p/log?tailLines=3&container=c')
    expect([log.headers['content-type'], log.text]).toEqual(['text/plain', 'apiserver-kubelet-client asks /containerLogs/default/p/c?tailLines=3&stream=All\nsecond line\n'])
    const none = await ask('GET', '/api/v1/namespaces/default/pods/p/log?container=missing')
    expect(JSON.parse(none.text)).toMatchObject({ code: 400, reason: 'BadRequest', message: 'container "missing" in pod "p" is waiting to start: ContainerCreating' })
  })

  it('joins an upgraded exec with the kubelet, and keeps the user\'s token to itself', async () => {
    const socket = tls.connect({ host: '127.0.0.1', port: server.port, ca: ca.certificate.pem, ...pair(ids['admin'] as Identity), ALPNProtocols: ['http/1.1'] })
    await new Promise<void>((resolve) => socket.on('secureConnect', () => resolve()))
    let text = ''
    const has = (what: string): Promise<void> => new Promise((resolve) => {
      const look = (): void => void (text.includes(what) && resolve())
      socket.on('data', look)
      look()
    })
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()))
    socket.write('POST /api/v1/namespaces/default/pods/p/exec?command=sh&command=-c&stdin=true&stdout=true&tty=false&container=c HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: v4.channel.k8s.io\r\nContent-Length: 0\r\n\r\n')
    await has('101 Switching')
    await has('X-Seen: /exec/default/p/c?input=1&output=1&command=sh&command=-c nothing')
    socket.write('hello')
    await has('HELLO')
    socket.destroy()
  })

  it('lets nothing through to a kubelet that has refused an upgrade', async () => {
    const socket = tls.connect({ host: '127.0.0.1', port: server.port, ca: ca.certificate.pem, ...pair(ids['admin'] as Identity), ALPNProtocols: ['http/1.1'] })
    const smuggled = 'POST /run/kube-system/other/c?cmd=id HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n'
    let text = ''
    const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()))
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString()
      if (text.includes('no')) socket.write(smuggled)
    })
    socket.write(`POST /api/v1/namespaces/default/pods/p/exec?command=refused&stdin=true&container=c HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nContent-Length: 0\r\n\r\n${smuggled}`)
    await closed
    expect(text).toMatch(/^HTTP\/1\.1 403 Forbidden[^]*no$/)
    expect(heard).toEqual([])
  })

  it('says that the other side cannot be reached while the body is still coming', async () => {
    const status = { addresses: [{ type: 'InternalIP', address: '127.0.0.1' }], daemonEndpoints: { kubeletEndpoint: { Port: 1 } } }
    await ask('POST', '/api/v1/nodes', { metadata: { name: 'n2' } })
    await ask('PUT', '/api/v1/nodes/n2/status', { metadata: { name: 'n2' }, status })
    const session = http2.connect(`https://127.0.0.1:${server.port}`, { ca: ca.certificate.pem, ...pair(ids['admin'] as Identity) })
    const stream = session.request({ ':method': 'POST', ':path': '/api/v1/nodes/n2/proxy/run' })
    stream.write('a beginning')
    const code = await new Promise((resolve) => stream.on('response', (headers) => resolve(headers[':status'])))
    session.destroy()
    expect(code).toBe(503)
  })

  it('answers http/1.1 whatever the letters of a warning are', async () => {
    const post = (body: string): Promise<{ code: number | undefined; warning: string | undefined }> => new Promise((resolve, reject) => {
      const path = '/api/v1/namespaces/default/configmaps?fieldValidation=Warn&dryRun=All'
      const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
      const request = https.request({ host: '127.0.0.1', port: server.port, method: 'POST', path, headers, ca: ca.certificate.pem, ...pair(ids['admin'] as Identity) }, (response) => {
        response.resume()
        const { warning } = response.headers as Record<string, string | undefined>
        resolve({ code: response.statusCode, warning })
      })
      request.on('error', reject)
      request.end(body)
    })
    expect(await post('{"metadata":{"name":"w"},"b日":1}')).toEqual({ code: 201, warning: '299 - "unknown field \\"b?\\""' })
    expect(await post('{"metadata":{"name":"w"},"b\\u0001":1}')).toMatchObject({ code: 201 })
  })

  it('refuses an upgrade as it refuses a request', async () => {
    const socket = tls.connect({ host: '127.0.0.1', port: server.port, ca: ca.certificate.pem, ...pair(ids['admin'] as Identity), ALPNProtocols: ['http/1.1'] })
    socket.write('GET /api/v1/namespaces/default/pods/p/exec?container=zz HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n')
    let text = ''
    await new Promise<void>((resolve) => {
      socket.on('data', (chunk: Buffer) => (text += chunk.toString()))
      socket.on('close', () => resolve())
    })
    expect(text).toContain('HTTP/1.1 400 ')
    expect(text).toContain('container zz is not valid for pod p')
  })
})

describe('a WebSocket', () => {
  const dial = (path: string, headers: readonly string[] = ['Origin: http://localhost']) => {
    const socket = tls.connect({ host: '127.0.0.1', port: server.port, ca: ca.certificate.pem, ...pair(ids['admin'] as Identity), ALPNProtocols: ['http/1.1'] })
    const state = { bytes: Buffer.alloc(0) }
    socket.on('data', (chunk: Buffer) => (state.bytes = Buffer.concat([state.bytes, chunk])))
    const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()))
    const asked = ['Host: x', 'Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', ...headers]
    socket.write(`GET ${path} HTTP/1.1\r\n${asked.join('\r\n')}\r\n\r\n`)
    const until = async (what: string): Promise<string> => {
      while (!state.bytes.includes(what, 'latin1')) await new Promise((resolve) => socket.once('data', resolve))
      return state.bytes.toString('latin1')
    }
    return { socket, state, closed, until }
  }
  const named = '/api/v1/namespaces?watch=true&fieldSelector=metadata.name%3Ddefault'

  it('shows a watch, one message an event, answers pings and ends when told to', async () => {
    const { socket, closed, until, state } = dial(named)
    const text = await until('}}\n')
    expect(text).toContain('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n\x81\x7e')
    expect(text).toContain('{"type":"ADDED","object":{"kind":"Namespace"')
    socket.write(Buffer.from([0x81, 0x82, 1, 2, 3, 4, 0x68, 0x6b, 0x89, 0x82, 1, 2, 3, 4, 0x69, 0x6b])) // a message, a ping
    await until('\x8a\x02hi')
    socket.write(Buffer.from([0x88, 0x80, 1, 2, 3, 4]))
    await closed
    expect([...state.bytes.subarray(-4)]).toEqual([0x88, 2, 3, 0xe8])
  })

  it('is binary where the watch is', async () => {
    const { socket, until } = dial(named, ['Origin: http://localhost', 'Accept: application/vnd.kubernetes.protobuf'])
    const text = await until('Active')
    expect(text).toContain('\r\n\r\n\x82\x7e')
    expect(text).toContain('\n\x05ADDED')
    socket.destroy()
  })

  it.each([
    [named, [], /^HTTP\/1.1 403 Forbidden\r\n\r\n$/],
    [named, ['Origin: http://localhost', 'Sec-WebSocket-Protocol: a, b'], /^HTTP\/1.1 400 Bad Request\r\n\r\n$/],
    [`${named}&resourceVersion=x`, ['Origin: http://localhost'], /"kind":"Status"/],
    ['/version', [], /^HTTP\/1.1 200 OK\r\n[^]*"major": "1"/],
  ])('of %s %j gets an answer and no more', async (path, headers, want) => {
    const { closed, state } = dial(path, headers)
    await closed
    expect(state.bytes.toString('latin1')).toMatch(want)
  })

  it.each([
    [[], ['\r\n\r\n\x82\x00\x82', 'apiserver-kubelet-client asks']],
    [['Sec-WebSocket-Protocol: base64.binary.k8s.io'], ['Protocol: base64.binary.k8s.io\r\n\r\n\x81\x00\x81', 'YXBpc2VydmVyLWt1YmVsZXQtY2xpZW50']],
  ])('shows a log %j', async (headers, want) => {
    const { closed, state } = dial('/api/v1/namespaces/default/pods/p/log?container=c', headers)
    await closed
    for (const part of want) expect(state.bytes.toString('latin1')).toContain(part)
    expect([...state.bytes.subarray(-4)]).toEqual([0x88, 2, 3, 0xe8])
  })
})

describe('stop()', () => {
  it('ends watches and idle connections, and waits for nobody', async () => {
    const own = await openRig({ authenticator: union([certificateAuthenticator()]) })
    const options = { host: '127.0.0.1', port: 0, serving: pair(ids['serving'] as Identity), clientCa: ca.certificate.pem }
    const stopping = await startApiServer(own.ctx, { ...own.deps, metrics: createMetrics() }, options)
    const idle = tls.connect({ host: '127.0.0.1', port: stopping.port, ca: ca.certificate.pem, ...pair(ids['admin'] as Identity), ALPNProtocols: ['http/1.1'] })
    idle.on('error', () => {})
    idle.write('GET /livez HTTP/1.1\r\nHost: x\r\n\r\n')
    await new Promise<void>((resolve) => idle.once('data', () => resolve()))
    const session = http2.connect(`https://127.0.0.1:${stopping.port}`, { ca: ca.certificate.pem, ...pair(ids['admin'] as Identity) })
    const stream = session.request({ ':path': '/api/v1/configmaps?watch=1' })
    await new Promise<void>((resolve) => stream.on('response', () => resolve()))
    stream.resume()
    const ended = new Promise<string>((resolve) => {
      stream.on('end', () => resolve('end'))
      stream.on('error', (error) => resolve(String(error)))
    })
    await stopping.stop()
    expect(await ended).toBe('end')
    session.destroy()
    await own.close()
  })
})

describe('a server that is told to stop', () => {
  const start = async () => {
    const own = await openRig({ authenticator: union([certificateAuthenticator()]) }, virtualClock())
    const options = { host: '127.0.0.1', port: 0, serving: pair(ids['serving'] as Identity), clientCa: ca.certificate.pem }
    return { own, api: await startApiServer(own.ctx, { ...own.deps, metrics: createMetrics() }, options) }
  }
  const agent = () => new https.Agent({ keepAlive: true, maxSockets: 1, ca: ca.certificate.pem, ...pair(ids['admin'] as Identity) })
  const get = (port: number, path: string, by: https.Agent): Promise<{ code: number; text: string; connection: string | undefined }> =>
    new Promise((resolve, reject) => {
      const asked = https.request({ host: '127.0.0.1', port, path, agent: by }, (response) => {
        let text = ''
        response.on('data', (chunk: Buffer) => (text += chunk.toString()))
        response.on('end', () => resolve({ code: response.statusCode ?? 0, text, connection: response.headers.connection }))
      })
      asked.on('error', reject)
      asked.end()
    })

  it('is not ready first, lives on, and answers until its delay is over', async () => {
    const { own, api } = await start()
    const by = agent()
    const stopped = api.stop({ notReadyMs: 5_000 })
    expect((await get(api.port, '/readyz', by)).text).toContain('[-]shutdown failed: reason withheld\n')
    expect((await get(api.port, '/livez', by)).text).toBe('ok')
    expect((await get(api.port, '/api/v1/configmaps', by)).code).toBe(200)
    await own.clock.advance(5_000)
    await stopped
    await expect(get(api.port, '/livez', agent())).rejects.toThrow()
    by.destroy()
    await own.close()
  })

  it('lets what is in flight finish, and closes its connection', async () => {
    const { own, api } = await start()
    const socket = tls.connect({ host: '127.0.0.1', port: api.port, ca: ca.certificate.pem, ...pair(ids['admin'] as Identity), ALPNProtocols: ['http/1.1'] })
    let text = ''
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()))
    const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()))
    const body = JSON.stringify({ metadata: { name: 'late' } })
    socket.write(`POST /api/v1/namespaces HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body.slice(0, 5)}`)
    await get(api.port, '/livez', agent()) // comes after it
    const stopped = api.stop()
    socket.write(body.slice(5))
    await stopped
    await closed
    expect(text).toMatch(/^HTTP\/1.1 201 /)
    await own.close()
  })
})

describe('a client that says nothing', () => {
  it.each(['http/1.1', 'h2'])('is let go after a while, not while it asks (%s)', async (protocol) => {
    const session = protocol === 'h2' ? http2.connect(`https://127.0.0.1:${server.port}`, { ca: ca.certificate.pem }) : undefined
    const socket = session === undefined ? tls.connect({ host: '127.0.0.1', port: server.port, ca: ca.certificate.pem, ALPNProtocols: [protocol] }) : undefined
    let gone = false
    const closed = new Promise<void>((resolve) => (session ?? socket)?.on('close', () => {
      gone = true
      resolve()
    }))
    const asks = (): Promise<unknown> => new Promise((resolve, reject) => {
      if (socket !== undefined) {
        socket.once('data', resolve)
        socket.write('GET /livez HTTP/1.1\r\nHost: x\r\n\r\n')
        return
      }
      const stream = session?.request({ ':path': '/livez' })
      stream?.on('error', reject)
      stream?.on('end', resolve)
      stream?.resume()
    })
    for (let i = 0; i < 3; i++) {
      await asks()
      await rig.clock.advance(60_000)
    }
    await asks()
    expect(gone).toBe(false)
    await rig.clock.advance(90_000)
    await rig.clock.advance(90_000)
    await closed
  })

  it('gets a timeout for a body that never ends, and its connection ends', async () => {
    const socket = tls.connect({ host: '127.0.0.1', port: server.port, ca: ca.certificate.pem, ...pair(ids['admin'] as Identity), ALPNProtocols: ['http/1.1'] })
    let text = ''
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()))
    const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()))
    socket.write('POST /openapi/v2?timeout=3s HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{')
    await ask('GET', '/livez')
    await rig.clock.advance(3_001)
    await closed
    expect(text).toMatch(/^HTTP\/1.1 504 [^]*connection: close[^]*request did not complete within the allotted timeout/i)
  })

  it('is cut off after its handshake', async () => {
    const socket = tls.connect({ host: '127.0.0.1', port: server.port, ca: ca.certificate.pem, ALPNProtocols: ['http/1.1'] })
    await new Promise<void>((resolve) => socket.on('secureConnect', () => resolve()))
    socket.write('GET / HTTP/1.1\r\nX-Slow: ')
    const closed = new Promise<string>((resolve) => socket.on('close', () => resolve('closed')))
    await ask('GET', '/livez')
    await rig.clock.advance(10_001)
    expect(await closed).toBe('closed')
  })
})
