import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { describe, expect, it } from 'vitest'
import { definitionOf } from '../schema/schema.ts'
import { decodeProtobuf, encodeProtobuf, isProtobuf, watchFrame } from './protobuf.ts'

interface Golden {
  readonly name: string
  readonly protobuf: string
  readonly json: Record<string, unknown>
}

const golden = readFileSync(new URL('../../../test/golden/api/protobuf.jsonl', import.meta.url), 'utf8').trim().split('\n').map((line) => JSON.parse(line) as Golden)

/** Upstream's own golden data, when Go's module cache is here. */
const moduleCache = `${homedir()}/go/pkg/mod/k8s.io`
const upstreamDirs = ['api@v0.36.3/testdata/HEAD', 'apiextensions-apiserver@v0.36.3/pkg/apis/testdata/HEAD'].map((dir) => `${moduleCache}/${dir}`)

describe('protobuf', () => {
  it.each(golden)('$name is decoded to its JSON and encoded to the same bytes', ({ protobuf, json }) => {
    const bytes = Uint8Array.fromBase64(protobuf)
    expect(decodeProtobuf(bytes)).toEqual({ ok: true, object: json })
    expect(encodeProtobuf(json)?.toBase64()).toBe(protobuf)
  })

  it('an older version with the same fields is read where the reader wants it', () => {
    const newer = encodeProtobuf({ apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'a' } }) ?? new Uint8Array()
    // The envelope's lengths stand before it and before the version in it.
    const version = new TextEncoder().encode('policy/v1beta1')
    const older = Uint8Array.of(...newer.subarray(0, 5), (newer[5] ?? 0) + 5, 0x0a, version.length, ...version, ...newer.subarray(8 + 'policy/v1'.length))
    const wanted = { group: 'policy', version: 'v1', kind: 'Eviction' }
    expect(decodeProtobuf(older, { ...wanted, olderVersions: ['v1beta1'] })).toMatchObject({ ok: true, object: { kind: 'Eviction', metadata: { name: 'a' } } })
    expect(decodeProtobuf(older, wanted)).toEqual({ ok: false, error: 'no kind "Eviction" is registered for version "policy/v1beta1"' })
  })

  it.skipIf(!upstreamDirs.every((dir) => existsSync(dir)))('every kind in upstream\'s golden data goes both ways (needs k8s.io/api@v0.36.3 in the module cache)', () => {
    const seen: string[] = []
    for (const dir of upstreamDirs) {
      for (const file of readdirSync(dir).filter((name) => name.endsWith('.json'))) {
        const json = JSON.parse(readFileSync(`${dir}/${file}`, 'utf8')) as Record<string, unknown>
        const [group = '', version = '', kind = ''] = file.split(/\.(v\d\w*)\.|\.json$/)
        if (json['kind'] === undefined || definitionOf(group === 'core' ? '' : group, version, kind) === undefined) continue
        const bytes = new Uint8Array(readFileSync(`${dir}/${file.replace(/json$/, 'pb')}`))
        expect(decodeProtobuf(bytes), file).toEqual({ ok: true, object: json })
        expect(encodeProtobuf(json), file).toEqual(bytes)
        seen.push(file)
      }
    }
    expect(seen.length).toBeGreaterThan(100)
  })

  it('text that is not ASCII and negative numbers survive', () => {
    const pod = {
      kind: 'Pod', apiVersion: 'v1', metadata: { name: 'a', annotations: { 'ü': '日本 🚀', long: 'é'.repeat(100) } },
      spec: { priority: -5, terminationGracePeriodSeconds: 4_294_967_296 * 3 },
    }
    const bytes = encodeProtobuf(pod)
    expect(bytes !== undefined && isProtobuf(bytes)).toBe(true)
    expect(decodeProtobuf(bytes ?? new Uint8Array())).toMatchObject({ ok: true, object: pod })
  })

  it('custom kinds and tables have no protobuf form', () => {
    expect(encodeProtobuf({ kind: 'Foo', apiVersion: 'example.com/v1' })).toBeUndefined()
    expect(encodeProtobuf({ kind: 'Table', apiVersion: 'meta.k8s.io/v1' })).toBeUndefined()
  })

  it('broken bytes are refused, never thrown on', () => {
    expect(decodeProtobuf(Uint8Array.of(1, 2, 3))).toMatchObject({ ok: false })
    const bytes = Uint8Array.fromBase64(golden[0]?.protobuf ?? '')
    for (let length = 4; length < bytes.length; length += 97) expect(typeof decodeProtobuf(bytes.subarray(0, length)).ok).toBe('boolean')
    for (let i = 4; i < 2_000; i += 7) {
      const broken = bytes.slice()
      broken[i] = 0xff
      expect(typeof decodeProtobuf(broken).ok).toBe('boolean')
    }
  })

  it('watchFrame() puts the length, the type and the object\'s envelope', () => {
    const object = encodeProtobuf({ kind: 'ConfigMap', apiVersion: 'v1', metadata: { name: 'a' } }) ?? new Uint8Array()
    const frame = watchFrame('ADDED', object)
    expect(new DataView(frame.buffer, frame.byteOffset).getUint32(0)).toBe(frame.length - 4)
    expect(new TextDecoder().decode(frame.subarray(6, 11))).toBe('ADDED')
    expect(frame.subarray(frame.length - object.length)).toEqual(object)
  })
})

it('a time that no Date holds is refused', () => {
  const event = (...seconds: readonly number[]): Uint8Array => {
    const raw = [0x32, seconds.length + 1, 0x08, ...seconds]
    return Uint8Array.of(0x6b, 0x38, 0x73, 0, 0x0a, 11, 0x0a, 2, ...Buffer.from('v1'), 0x12, 5, ...Buffer.from('Event'), 0x12, raw.length, ...raw)
  }
  expect(decodeProtobuf(event(1))).toMatchObject({ ok: true, object: { firstTimestamp: '1970-01-01T00:00:01Z' } })
  expect(decodeProtobuf(event(255, 255, 255, 255, 255, 255, 255, 255, 127))).toEqual({ ok: false, error: 'time is out of range' })
})
