import { describe, expect, it } from 'vitest'
import { virtualClock } from '../lib/clock.ts'
import type { Ctx } from '../lib/ctx.ts'
import { silentLog } from '../lib/log.ts'
import { seededRandom } from '../lib/random.ts'
import { openMemory } from './drivers/memory.ts'
import { identity, isSealed, keySizes, seal, type Provider, type Seal } from './seal.ts'
import { nameOf, sealedStore } from './sealed.ts'
import { storeContract } from './store.contract.ts'
import type { Change } from './store.ts'

const random = seededRandom(7)
const key = random.bytes(32)
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const text = (value: Uint8Array | undefined): string => new TextDecoder().decode(value)
const ctx: Ctx = { signal: new AbortController().signal, clock: virtualClock(1_000), log: silentLog }
const always = (...seals: readonly Seal[]) => ({ of: () => seals })

storeContract('sealed', async () => ({ store: sealedStore(openMemory(), always(seal('aesgcm', 'k', key, random))), remove: async () => {} }))

describe.each(Object.keys(keySizes) as Provider[])('%s', (provider) => {
  const mine = seal(provider, 'k1', key, random)

  it('opens what it closed, and shows nothing of it', () => {
    for (const value of [bytes(''), bytes('{"kind":"Secret"}'), random.bytes(100_000)]) {
      const closed = mine.close(value, 'secrets/a/b')
      expect(Buffer.from(mine.open(closed, 'secrets/a/b')).equals(Buffer.from(value))).toBe(true)
      expect(isSealed(closed)).toBe(true)
      expect(nameOf(closed)).toBe(`${provider}:k1`)
      if (value.length > 0) expect(Buffer.from(closed).includes(Buffer.from(value))).toBe(false)
    }
    expect(mine.close(bytes('x'), 'a')).not.toEqual(mine.close(bytes('x'), 'a'))
  })

  it('says of what is too short to be sealed that it is cut short', () => {
    const closed = mine.close(bytes(''), 'a')
    expect(() => mine.open(closed.subarray(0, mine.mark.length + 3), 'a')).toThrow('the value is cut short')
  })

  it('opens nothing that another key closed', () => {
    const other = seal(provider, 'k1', random.bytes(32), random)
    const closed = other.close(bytes('a value of some length, longer than a block'), 'a')
    let opened = ''
    try {
      opened = text(mine.open(closed, 'a'))
    } catch {}
    expect(opened).not.toContain('value')
  })
})

describe('sealed store', () => {
  it('refuses what was changed on disk, or moved', async () => {
    const raw = openMemory()
    const store = sealedStore(raw, always(seal('aesgcm', 'k', key, random)))
    await store.put(ctx, 'secrets/a/x', bytes('one'), 'absent')
    const lies = (await raw.get(ctx, 'secrets/a/x'))?.value ?? bytes('')
    await raw.put(ctx, 'secrets/a/y', lies, 'absent')
    await expect(store.get(ctx, 'secrets/a/y')).rejects.toThrow('the value of secrets/a/y was sealed with aesgcm:k, which does not open it')
    const changed = Uint8Array.from(lies)
    changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1
    await raw.put(ctx, 'secrets/a/x', changed, 1)
    await expect(store.get(ctx, 'secrets/a/x')).rejects.toThrow('does not open it')
  })

  it('reads what any key of the list has written, and names a key that is missing', async () => {
    const raw = openMemory()
    const [old, next] = [seal('aescbc', 'old', key, random), seal('secretbox', 'next', key, random)]
    await raw.put(ctx, 'a', bytes('plain'), 'absent')
    await sealedStore(raw, always(old)).put(ctx, 'b', bytes('of old'), 'absent')
    const store = sealedStore(raw, always(next, old, identity))
    expect(text((await store.get(ctx, 'a'))?.value)).toBe('plain')
    expect(text((await store.get(ctx, 'b'))?.value)).toBe('of old')
    await expect(sealedStore(raw, always(next)).get(ctx, 'b')).rejects.toThrow('was sealed with aescbc:old, which is not among the keys that are configured')
  })

  it('shows watchers the values, and what they were', async () => {
    const raw = openMemory()
    const store = sealedStore(raw, always(seal('aesgcm', 'k', key, random)))
    const seen: Change[] = []
    const watch = store.watch('', 0, { changes: (changes) => seen.push(...changes), end: () => {} })
    await store.put(ctx, 'a', bytes('1'), 'absent')
    await store.put(ctx, 'a', bytes('2'), 1)
    watch.stop()
    expect(seen.map((c) => [text(c.prev), text(c.value)])).toEqual([['', '1'], ['1', '2']])
  })

  it('reads nothing of the past for watchers that do not ask for it', async () => {
    const raw = openMemory()
    let reads = 0
    const counted = (change: Change): Change => ({ ...change, get prev() { reads++; return change.prev } })
    const rawWatch = raw.watch.bind(raw)
    raw.watch = (prefix, from, { changes, end }) => rawWatch(prefix, from, { changes: (all, upTo) => changes(all.map(counted), upTo), end })
    const store = sealedStore(raw, always(seal('aesgcm', 'k', key, random)))
    const seen: string[] = []
    const watch = store.watch('', 0, { changes: (changes) => seen.push(...changes.map((change) => text(change.value))), end: () => {} })
    await store.put(ctx, 'a', bytes('1'), 'absent')
    await store.put(ctx, 'a', bytes('2'), 1)
    watch.stop()
    expect(seen).toEqual(['1', '2'])
    expect(reads).toBe(0)
  })
})
