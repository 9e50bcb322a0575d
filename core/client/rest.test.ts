import { createSecureServer, type ServerHttp2Stream } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { configMaps } from '../api/core/configmap.ts'
import { isApiError } from '../api/errors.ts'
import { systemClock } from '../lib/clock.ts'
import { silentLog } from '../lib/log.ts'
import { systemRandom } from '../lib/random.ts'
import { createAuthority, issue, leafValidity } from '../pki/certificate.ts'
import { Disconnected } from './connection.ts'
import { textOf } from './lines.ts'
import { restClient, type RestClient } from './rest.ts'

interface Seen {
  readonly method: string
  readonly path: string
  readonly authorization: string | undefined
  readonly contentType: string | undefined
  readonly body: string
}

const seen: Seen[] = []
let answer: (stream: ServerHttp2Stream, request: Seen) => void = () => {}
let server: ReturnType<typeof createSecureServer>
let client: RestClient
let url = ''
let foreignCa = ''
let token = 'one'
const ctx = { signal: new AbortController().signal, clock: systemClock, log: silentLog }
const key = { namespace: 'default', name: 'a' }

beforeAll(async () => {
  const means = { random: systemRandom, now: Date.now() }
  const authority = await createAuthority('ca', means)
  foreignCa = (await createAuthority('other', means)).certificate.pem
  const identity = await issue(authority, { commonName: 's', usages: ['server'], names: ['127.0.0.1'], validity: leafValidity(means.now, authority) }, means)
  server = createSecureServer({ cert: identity.certificate.pem, key: identity.key.pem })
  server.on('stream', (raw, headers) => {
    const stream = raw as ServerHttp2Stream
    const parts: Buffer[] = []
    stream.on('error', () => {})
    stream.on('data', (part: Buffer) => parts.push(part))
    stream.on('end', () => {
      const request = {
        method: String(headers[':method']), path: String(headers[':path']), authorization: headers.authorization,
        contentType: headers['content-type'], body: Buffer.concat(parts).toString(),
      }
      seen.push(request)
      answer(stream, request)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
  client = restClient({ server: url, ca: authority.certificate.pem, credentials: () => ({ token }), agent: 'test', clock: systemClock })
})

afterAll(async () => {
  client.close()
  await new Promise((resolve) => server.close(resolve))
})

function json(stream: ServerHttp2Stream, status: number, body: unknown, headers: Record<string, string> = {}): void {
  stream.respond({ ':status': status, 'content-type': 'application/json', ...headers })
  stream.end(JSON.stringify(body))
}

describe('restClient', () => {
  it('signs requests with the token of the moment, and names the kind of list items', async () => {
    answer = (stream) => json(stream, 200, { metadata: { resourceVersion: '7' }, items: [{ metadata: { name: 'a' } }] })
    token = 'two'
    const list = await client.list(ctx, configMaps, { namespace: 'default', labelSelector: 'a=b' })
    expect(seen.at(-1)).toMatchObject({ method: 'GET', path: '/api/v1/namespaces/default/configmaps?labelSelector=a%3Db', authorization: 'Bearer two' })
    expect(list.items[0]).toMatchObject({ kind: 'ConfigMap', apiVersion: 'v1' })
  })

  it('gives undefined for what is not there, and throws other refusals as they were sent', async () => {
    answer = (stream) => json(stream, 404, { kind: 'Status', code: 404, reason: 'NotFound', message: 'configmaps "a" not found' })
    expect(await client.get(ctx, configMaps, key)).toBeUndefined()
    expect(await client.delete(ctx, configMaps, key)).toBe(false)
    answer = (stream) => json(stream, 409, { kind: 'Status', code: 409, reason: 'Conflict', message: 'Operation cannot be fulfilled' })
    const error = await client.update(ctx, configMaps, { metadata: key }).catch((e: unknown) => e)
    expect(isApiError(error, 'Conflict')).toBe(true)
    expect(JSON.parse(seen.at(-1)?.body ?? '')).toMatchObject({ kind: 'ConfigMap', apiVersion: 'v1' })
  })

  it('sends a patch with its content type', async () => {
    answer = (stream) => json(stream, 200, { metadata: key })
    await client.patch(ctx, configMaps, key, 'merge', { data: { a: 'b' } }, { fieldManager: 'm' })
    expect(seen.at(-1)).toMatchObject({ method: 'PATCH', path: '/api/v1/namespaces/default/configmaps/a?fieldManager=m', contentType: 'application/merge-patch+json', body: '{"data":{"a":"b"}}' })
  })

  it('reads a watch line by line however its bytes are cut, until the server ends it', async () => {
    const events = ['ADDED', 'MODIFIED', 'DELETED'].map((type) => ({ type, object: { metadata: { name: 'ä' } } }))
    answer = (stream) => {
      stream.respond({ ':status': 200 })
      const bytes = Buffer.from(events.map((e) => `${JSON.stringify(e)}\n`).join(''))
      for (let i = 0; i < bytes.length; i += 7) stream.write(bytes.subarray(i, i + 7))
      stream.end()
    }
    const got = []
    for await (const event of client.watch(ctx, configMaps, { resourceVersion: '7' })) got.push(event)
    expect(got).toEqual(events)
    expect(seen.at(-1)?.path).toBe('/api/v1/configmaps?watch=true&resourceVersion=7')
  })

  it('ends a watch when ctx ends', async () => {
    const controller = new AbortController()
    answer = (stream) => {
      stream.respond({ ':status': 200 })
      stream.write('{"type":"ADDED","object":{"metadata":{}}}\n')
    }
    let count = 0
    for await (const _ of client.watch({ ...ctx, signal: controller.signal }, configMaps)) {
      count++
      controller.abort()
    }
    expect(count).toBe(1)
  })

  it('reads again over a new connection when the old one broke, and after reload()', async () => {
    let times = 0
    answer = (stream) => {
      if (times++ === 0) stream.session?.destroy()
      else json(stream, 200, { metadata: key })
    }
    expect(await client.get(ctx, configMaps, key)).toMatchObject({ metadata: key })
    client.reload()
    expect(await client.get(ctx, configMaps, key)).toMatchObject({ metadata: key })
    expect(times).toBe(3)
  })

  it('gives the raw bytes of any path', async () => {
    answer = (stream) => {
      stream.respond({ ':status': 200 })
      stream.end('line\n')
    }
    const raw = await client.raw(ctx, { method: 'GET', path: '/api/v1/namespaces/default/pods/a/log' })
    expect(await textOf(raw.body)).toBe('line\n')
  })

  it('reads on when a stream has sent many times its window', async () => {
    const chunk = 'x'.repeat(64 * 1_024)
    answer = (stream) => {
      stream.respond({ ':status': 200 })
      let left = 64
      const send = (): void => {
        while (left > 0) if (left-- > 0 && !stream.write(chunk)) return void stream.once('drain', send)
        stream.end()
      }
      send()
    }
    const raw = await client.raw(ctx, { method: 'GET', path: '/api/v1/pods?watch=true' })
    expect((await textOf(raw.body)).length).toBe(64 * chunk.length)
  })

  it('does not talk to a server of another authority', async () => {
    const other = restClient({ server: url, ca: foreignCa, credentials: () => ({}), agent: 'test', clock: systemClock })
    const before = seen.length
    expect(await other.list(ctx, configMaps).catch((e: unknown) => e)).toBeInstanceOf(Disconnected)
    expect(seen.length).toBe(before)
    other.close()
  })
})
