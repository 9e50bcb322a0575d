import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Encryption } from './encryption.ts'
import { parseConfiguration } from './encryptionfile.ts'
import { virtualClock } from './lib/clock.ts'
import type { Ctx } from './lib/ctx.ts'
import { silentLog } from './lib/log.ts'
import { seededRandom } from './lib/random.ts'
import { openMemory } from './store/drivers/memory.ts'
import { sealedStore } from './store/sealed.ts'

const ctx: Ctx = { signal: new AbortController().signal, clock: virtualClock(1_000), log: silentLog }
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const random = seededRandom(3)
let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kubun-encryption-'))
})
afterEach(() => rm(folder, { recursive: true }))

describe('encryption at rest', () => {
  it('seals Secrets with a key of its own, and nothing else', async () => {
    const file = join(folder, 'server', 'encryption.yaml')
    const encryption = await Encryption.open({ file, own: true }, random)
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    expect(encryption.of('secrets/default/a')?.map((s) => s.name)).toEqual(['aesgcm:key1', 'identity'])
    expect(encryption.of('configmaps/default/a')).toBeUndefined()
    const again = await Encryption.open({ file, own: true }, random)
    const closed = encryption.of('secrets/default/a')?.[0]?.close(bytes('x'), 'k') ?? bytes('')
    expect(again.of('secrets/default/b')?.[0]?.open(closed, 'k')).toEqual(Buffer.from('x'))
  })

  it('rotates: all is written anew, old history stays readable, and the old key goes when that is forgotten', async () => {
    const file = join(folder, 'encryption.yaml')
    const encryption = await Encryption.open({ file, own: true }, random)
    const raw = openMemory()
    const store = sealedStore(raw, encryption)
    await raw.put(ctx, 'secrets/default/clear', bytes('{"from":"before"}'), 'absent')
    await store.put(ctx, 'secrets/default/a', bytes('{"a":1}'), 'absent')
    await store.put(ctx, 'configmaps/default/a', bytes('{"a":1}'), 'absent')
    expect((await encryption.status(ctx, raw)).values).toEqual({ identity: 1, 'aesgcm:key1': 1 })
    expect(await encryption.rotate(ctx, raw)).toEqual({ writes: 'aesgcm:key2', rewritten: 2 })
    expect((await encryption.status(ctx, raw)).values).toEqual({ 'aesgcm:key2': 2 })
    expect((await store.history(ctx, 'secrets/default/a')).length).toBe(2)
    await encryption.rotate(ctx, raw)
    expect(encryption.of('secrets/x/y')?.map((s) => s.name)).toEqual(['aesgcm:key3', 'aesgcm:key2', 'aesgcm:key1', 'identity'])
    await store.put(ctx, 'b', bytes('1'), 'absent')
    await store.put(ctx, 'b', bytes('2'), raw.revision())
    await raw.compact(ctx, raw.revision())
    await encryption.rotate(ctx, raw)
    expect(encryption.of('secrets/x/y')?.map((s) => s.name)).toEqual(['aesgcm:key4', 'aesgcm:key3', 'identity'])
    expect(new TextDecoder().decode((await store.get(ctx, 'secrets/default/a'))?.value)).toBe('{"a":1}')
  })

  it('rotates one after the other, however many want it at once', async () => {
    const file = join(folder, 'encryption.yaml')
    const encryption = await Encryption.open({ file, own: true }, random)
    const raw = openMemory()
    const store = sealedStore(raw, encryption)
    for (let i = 0; i < 20; i++) await store.put(ctx, `secrets/default/${i}`, bytes(`{"i":${i}}`), 'absent')
    const written = await Promise.all([encryption.rotate(ctx, raw), encryption.rotate(ctx, raw), encryption.rewrite(ctx, raw), encryption.rotate(ctx, raw)])
    expect(written).toEqual([{ writes: 'aesgcm:key2', rewritten: 20 }, { writes: 'aesgcm:key3', rewritten: 20 }, 0, { writes: 'aesgcm:key4', rewritten: 20 }])
    const again = sealedStore(raw, await Encryption.open({ file, own: true }, random))
    expect(new TextDecoder().decode((await again.get(ctx, 'secrets/default/7'))?.value)).toBe('{"i":7}')
  })

  it('keeps a key for as long as a value has its seal', async () => {
    const file = join(folder, 'encryption.yaml')
    const encryption = await Encryption.open({ file, own: true }, random)
    const raw = openMemory()
    const old = encryption.of('secrets/default/late')?.[0]
    await encryption.rotate(ctx, raw)
    await raw.put(ctx, 'secrets/default/late', old?.close(bytes('{"late":1}'), 'secrets/default/late') ?? bytes(''), 'absent') // it was under way
    await raw.put(ctx, 'b', bytes('1'), 'absent')
    await raw.compact(ctx, raw.revision())
    expect(await encryption.rotate(ctx, raw)).toEqual({ writes: 'aesgcm:key3', rewritten: 1 })
    const again = sealedStore(raw, await Encryption.open({ file, own: true }, random))
    expect(new TextDecoder().decode((await again.get(ctx, 'secrets/default/late'))?.value)).toBe('{"late":1}')
  })

  it('leaves its file as it is when somebody changed it: what was encrypted beside Secrets would be lost', async () => {
    const file = join(folder, 'encryption.yaml')
    const encryption = await Encryption.open({ file, own: true }, random)
    const edited = (await readFile(file, 'utf8')).replace('- secrets', '- secrets\n  - configmaps')
    await writeFile(file, edited)
    await expect(encryption.rotate(ctx, openMemory())).rejects.toThrow(`${file} was changed by hand: give it to kubun server with --encryption-provider-config`)
    expect(await readFile(file, 'utf8')).toBe(edited)
  })

  it('reads a configuration of the user, and rotates to what stands there now', async () => {
    const file = join(folder, 'mine.yaml')
    const secret = (n: number): string => Buffer.alloc(32, n).toString('base64')
    const config = (providers: object): string => JSON.stringify({ apiVersion: 'apiserver.config.k8s.io/v1', kind: 'EncryptionConfiguration', resources: [{ resources: ['secrets', '*.apps'], providers }] })
    await writeFile(file, config([{ secretbox: { keys: [{ name: 'a', secret: secret(1) }] } }]))
    const encryption = await Encryption.open({ file, own: false }, random)
    const raw = openMemory()
    const store = sealedStore(raw, encryption)
    await store.put(ctx, 'apps/deployments/default/a', bytes('{}'), 'absent')
    await store.put(ctx, 'secrets/default/a', bytes('{}'), 'absent')
    const before = await readFile(file, 'utf8')
    expect(await encryption.rotate(ctx, raw)).toEqual({ writes: 'secretbox:a', rewritten: 0 })
    expect(await readFile(file, 'utf8')).toBe(before)
    await writeFile(file, config([{ identity: {} }, { secretbox: { keys: [{ name: 'a', secret: secret(1) }] } }]))
    expect(await encryption.rotate(ctx, raw)).toEqual({ writes: 'identity', rewritten: 2 })
    expect((await encryption.status(ctx, raw)).values).toEqual({ identity: 2 })
  })

  it.each([
    ['resources: [1]', 'resources[0]: must be an object'], ['resources: [{resources: secrets}]', 'resources[0].resources: must be a list'],
    ['resources: [{resources: [secrets], providers: [~]}]', 'resources[0].providers[0]: must be an object'],
    ['resources: [{resources: [secrets], providers: [{aesgcm: {keys: [a]}}]}]', 'resources[0].providers[0].aesgcm.keys[0]: must be an object'],
  ])('says what of %s has the wrong shape', (text, why) => {
    expect(() => parseConfiguration(`apiVersion: apiserver.config.k8s.io/v1\nkind: EncryptionConfiguration\n${text}\n`, 'f', random)).toThrow(`f: ${why}`)
  })

  const key = { name: 'k', secret: Buffer.alloc(32).toString('base64') }
  it.each([
    ['no such kind', { kind: 'Foo' }, /is no EncryptionConfiguration of apiserver.config.k8s.io\/v1$/],
    ['no resources', { resources: [] }, /resources: at least one is required/],
    ['two providers in one', { resources: [{ resources: ['secrets'], providers: [{ identity: {}, aesgcm: { keys: [key] } }] }] }, /more than one provider/],
    ['a short key', { resources: [{ resources: ['secrets'], providers: [{ aesgcm: { keys: [{ name: 'k', secret: 'AAAA' }] } }] }] }, /providers\[0\].aesgcm.keys\[0\].secret: secret is not of the expected length, got 3, expected one of \[16 24 32\]/],
    ['no base64', { resources: [{ resources: ['secrets'], providers: [{ aesgcm: { keys: [{ name: 'k', secret: '!' }] } }] }] }, /must be base64 encoded/],
    ['kms', { resources: [{ resources: ['secrets'], providers: [{ kms: {} }] }] }, /kms is not supported/],
    ['a mask', { resources: [{ resources: ['secrets', '*.'], providers: [{ identity: {} }] }] }, /overlapping resources/],
    ['a star', { resources: [{ resources: ['*'], providers: [{ identity: {} }] }] }, /use '\*\.'/],
  ] as const)('refuses %s', async (_, more, sentence) => {
    const file = join(folder, 'bad.yaml')
    await writeFile(file, JSON.stringify({ apiVersion: 'apiserver.config.k8s.io/v1', kind: 'EncryptionConfiguration', ...more }))
    await expect(Encryption.open({ file, own: false }, random)).rejects.toThrow(sentence)
  })
})
