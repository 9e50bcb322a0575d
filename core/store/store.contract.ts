/** What every store promises, as tests. A driver's own test is one line that calls storeContract(). */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { virtualClock, type VirtualClock } from '../lib/clock.ts'
import type { Ctx } from '../lib/ctx.ts'
import { silentLog } from '../lib/log.ts'
import { Closed, Compacted, FutureRevision, type Change, type Outcome, type Store, type Watch } from './store.ts'

export interface Opened {
  readonly store: Store
  /** Closes and opens again on the same data; absent where nothing outlives the process. */
  readonly reopen?: () => Promise<Store>
  readonly remove: () => Promise<void>
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const text = (value: Uint8Array | undefined): string | undefined => (value === undefined ? undefined : new TextDecoder().decode(value))
const shown = (c: Change): string => `${c.revision} ${c.type} ${c.key} ${text(c.prev) ?? '-'}>${c.type === 'put' ? text(c.value) : ''}`

export function storeContract(name: string, open: () => Promise<Opened>): void {
  describe(`store ${name}`, () => {
    let opened: Opened
    let store: Store
    let clock: VirtualClock
    let ctx: Ctx

    beforeEach(async () => {
      opened = await open()
      store = opened.store
      clock = virtualClock(1_000_000)
      ctx = { signal: new AbortController().signal, clock, log: silentLog }
    })
    afterEach(async () => {
      await store.close()
      await opened.remove()
    })

    const put = (key: string, value: string, expected: 'absent' | number): Promise<Outcome> => store.put(ctx, key, bytes(value), expected)
    const seed = async (...keys: readonly string[]): Promise<void> => {
      for (const key of keys) expect(await put(key, `v ${key}`, 'absent')).toMatchObject({ ok: true })
    }
    const watched = (prefix: string, from: number): { lines: string[]; ended: Error[]; upTo: number; watch: Watch } => {
      const seen = { lines: [] as string[], ended: [] as Error[], upTo: from, watch: undefined as unknown as Watch }
      seen.watch = store.watch(prefix, from, {
        changes: (changes, upTo) => {
          seen.lines.push(...changes.map(shown))
          seen.upTo = upTo
        },
        end: (why) => seen.ended.push(why),
      })
      return seen
    }
    const turn = (): Promise<void> => clock.settle()

    it('numbers changes from 1 and keeps created and modified', async () => {
      expect(store.revision()).toBe(0)
      expect(await put('a', '1', 'absent')).toEqual({ ok: true, revision: 1 })
      expect(await put('a', '2', 1)).toEqual({ ok: true, revision: 2 })
      expect(await store.get(ctx, 'a')).toMatchObject({ key: 'a', created: 1, modified: 2 })
      expect(text((await store.get(ctx, 'a'))?.value)).toBe('2')
      expect(await store.delete(ctx, 'a', 2)).toEqual({ ok: true, revision: 3 })
      expect(await store.get(ctx, 'a')).toBeUndefined()
      await put('a', '3', 'absent')
      expect(await store.get(ctx, 'a')).toMatchObject({ created: 4, modified: 4 })
    })

    it('answers a lost race with what stands there', async () => {
      await seed('a')
      expect(await put('a', 'x', 'absent')).toMatchObject({ ok: false, current: { modified: 1 } })
      expect(await put('a', 'x', 7)).toMatchObject({ ok: false, current: { modified: 1 } })
      expect(await put('b', 'x', 1)).toEqual({ ok: false, current: undefined })
      expect(await store.delete(ctx, 'a', 9)).toMatchObject({ ok: false, current: { modified: 1 } })
      expect(await store.delete(ctx, 'b', 1)).toEqual({ ok: false, current: undefined })
      expect(store.revision()).toBe(1)
    })

    it('lets exactly one of many racing writers win', async () => {
      await seed('a')
      const outcomes = await Promise.all(Array.from({ length: 50 }, (_, i) => put('a', `w${i}`, 1)))
      expect(outcomes.filter((o) => o.ok)).toHaveLength(1)
      for (const o of outcomes) if (!o.ok) expect(o.current?.modified).toBe(2)
      const made = await Promise.all(Array.from({ length: 50 }, (_, i) => put('b', `w${i}`, 'absent')))
      expect(made.filter((o) => o.ok)).toHaveLength(1)
      expect(store.revision()).toBe(3)
    })

    it('keeps any bytes as they are', async () => {
      const every = Uint8Array.from({ length: 256 }, (_, i) => i)
      await store.put(ctx, 'häßlich/日本', every, 'absent')
      expect([...((await store.get(ctx, 'häßlich/日本'))?.value ?? [])]).toEqual([...every])
      await store.put(ctx, 'empty', new Uint8Array(0), 'absent')
      expect((await store.get(ctx, 'empty'))?.value.length).toBe(0)
    })

    it('ranges in key order with limit, after and remaining', async () => {
      await seed('p/c', 'p/a', 'q/a', 'p/b', 'o/z')
      const keys = async (prefix: string, options?: object): Promise<unknown> => {
        const { entries, remaining } = await store.range(ctx, prefix, options)
        return [entries.map((e) => e.key).join(' '), remaining]
      }
      expect(await keys('p/')).toEqual(['p/a p/b p/c', 0])
      expect(await keys('')).toEqual(['o/z p/a p/b p/c q/a', 0])
      expect(await keys('p/', { limit: 2 })).toEqual(['p/a p/b', 1])
      expect(await keys('p/', { after: 'p/a', limit: 1 })).toEqual(['p/b', 1])
      expect(await keys('p/', { after: 'p/c' })).toEqual(['', 0])
      expect(await keys('p/', { after: 'p/aa' })).toEqual(['p/b p/c', 0])
      expect(await keys('none/')).toEqual(['', 0])
      expect((await store.range(ctx, 'p/')).revision).toBe(5)
    })

    it('ranges in the past', async () => {
      await seed('a', 'b')
      await put('a', 'new', 1)
      await store.delete(ctx, 'b', 2)
      await seed('c')
      const state = async (at: number, limit?: number): Promise<string> => {
        const range = await store.range(ctx, '', { at, ...(limit === undefined ? {} : { limit }) })
        expect(range.revision).toBe(at)
        return [...range.entries.map((e) => `${e.key}=${text(e.value)}@${e.modified}`), ...(range.remaining > 0 ? [`+${range.remaining}`] : [])].join(' ')
      }
      expect(await state(0)).toBe('')
      expect(await state(1)).toBe('a=v a@1')
      expect(await state(2)).toBe('a=v a@1 b=v b@2')
      expect(await state(2, 1)).toBe('a=v a@1 +1')
      expect(await state(3)).toBe('a=new@3 b=v b@2')
      expect(await state(4)).toBe('a=new@3')
      expect(await state(5)).toBe('a=new@3 c=v c@5')
      await expect(store.range(ctx, '', { at: 6 })).rejects.toBeInstanceOf(FutureRevision)
    })

    it('tells a watcher the past and then the present, in order, and only its prefix', async () => {
      await seed('p/a', 'q/a')
      const seen = watched('p/', 0)
      expect(seen.lines).toEqual([])
      await turn()
      await put('p/a', 'x', 1)
      await seed('p/b', 'q/b')
      await store.delete(ctx, 'p/b', 4)
      expect(seen.lines).toEqual(['1 put p/a ->v p/a', '3 put p/a v p/a>x', '4 put p/b ->v p/b', '6 delete p/b v p/b>'])
      seen.watch.stop()
      await seed('p/c')
      expect(seen.lines).toHaveLength(4)
    })

    it('starts a watch after the revision it is given', async () => {
      await seed('a', 'b', 'c')
      const seen = watched('', 2)
      const ahead = watched('', 4)
      await turn()
      await seed('d', 'e')
      expect(seen.lines).toEqual(['3 put c ->v c', '4 put d ->v d', '5 put e ->v e'])
      expect(ahead.lines).toEqual(['5 put e ->v e'])
      expect(seen.upTo).toBe(5)
    })

    it('replays a long past without a gap while writes go on', async () => {
      for (let i = 0; i < 1_200; i += 100) await Promise.all(Array.from({ length: 100 }, (_, j) => put(`k${i + j}`, 'x', 'absent')))
      const seen = watched('', 0)
      for (let i = 0; i < 50; i++) await put(`later${i}`, 'x', 'absent')
      await turn()
      expect(seen.lines.map((line) => Number(line.split(' ')[0]))).toEqual(Array.from({ length: 1_250 }, (_, i) => i + 1))
    })

    it('lets a watcher hear of a change before the write resolves', async () => {
      const seen = watched('', 0)
      await turn()
      const order: string[] = []
      await Promise.all(Array.from({ length: 20 }, async (_, i) => {
        const outcome = await put(`k${i}`, 'x', 'absent')
        if (outcome.ok) order.push(`${seen.lines.some((line) => line.startsWith(`${outcome.revision} `))} ${store.revision() >= outcome.revision}`)
      }))
      expect(new Set(order)).toEqual(new Set(['true true']))
      expect(order).toHaveLength(20)
    })

    it('forgets what is compacted, and keeps what stands', async () => {
      await seed('a', 'b')
      await put('a', 'a2', 1)
      await store.delete(ctx, 'b', 2)
      await put('a', 'a3', 3)
      await store.compact(ctx, 4)
      expect(store.compacted()).toBe(4)
      await expect(store.range(ctx, '', { at: 3 })).rejects.toBeInstanceOf(Compacted)
      const at4 = await store.range(ctx, '', { at: 4 })
      expect(at4.entries.map((e) => `${e.key}=${text(e.value)}`)).toEqual(['a=a2'])
      const old = watched('', 3)
      const fresh = watched('', 4)
      await turn()
      expect(old.ended[0]).toBeInstanceOf(Compacted)
      expect(fresh.lines).toEqual(['5 put a a2>a3'])
      expect((await store.history(ctx, 'a')).map(shown)[0]).toBe('5 put a a2>a3')
      await expect(store.compact(ctx, 6)).rejects.toBeInstanceOf(FutureRevision)
    })

    it('compacts everything, in many slices', async () => {
      for (let i = 0; i < 250; i++) await put('k', `${i}`, i === 0 ? 'absent' : i)
      await store.delete(ctx, 'k', 250)
      await store.compact(ctx, 251)
      expect(await store.history(ctx, 'k')).toEqual([])
      expect((await store.range(ctx, '')).entries).toEqual([])
      expect(await put('k', 'again', 'absent')).toEqual({ ok: true, revision: 252 })
    })

    it('tells the history of a key, newest first, and the revision at a time', async () => {
      await seed('a')
      await clock.advance(1_000)
      await put('a', 'x', 1)
      await clock.advance(1_000)
      await store.delete(ctx, 'a', 2)
      const history = await store.history(ctx, 'a')
      expect(history.map(shown)).toEqual(['3 delete a x>', '2 put a v a>x', '1 put a ->v a'])
      expect(history.map((c) => c.time)).toEqual([1_002_000, 1_001_000, 1_000_000])
      expect((await store.history(ctx, 'a', { limit: 1 })).map((c) => c.revision)).toEqual([3])
      const asked = [999_999, 1_000_000, 1_000_500, 1_001_000, 5_000_000]
      expect(await Promise.all(asked.map((time) => store.revisionAt(ctx, time)))).toEqual([0, 1, 1, 2, 3])
    })

    it('refuses a write whose caller has given up', async () => {
      const given = { ...ctx, signal: AbortSignal.abort(new Error('gone home')) }
      await expect(store.put(given, 'a', bytes('x'), 'absent')).rejects.toThrow('gone home')
      expect(store.revision()).toBe(0)
    })

    it('refuses everything once closed, and tells its watchers', async () => {
      const seen = watched('', 0)
      await store.close()
      expect(seen.ended[0]).toBeInstanceOf(Closed)
      await expect(put('a', 'x', 'absent')).rejects.toBeInstanceOf(Closed)
      await expect(store.get(ctx, 'a')).rejects.toBeInstanceOf(Closed)
      await expect(store.range(ctx, '')).rejects.toBeInstanceOf(Closed)
    })

    it('finds everything again when it is opened again', async ({ skip }) => {
      if (opened.reopen === undefined) return skip('nothing outlives the process')
      await seed('a', 'b')
      await put('a', 'x', 1)
      await store.delete(ctx, 'b', 2)
      await store.compact(ctx, 4)
      store = await opened.reopen()
      expect([store.revision(), store.compacted()]).toEqual([4, 4])
      expect((await store.range(ctx, '')).entries.map((e) => `${e.key}=${text(e.value)}`)).toEqual(['a=x'])
      expect(await put('b', 'new', 'absent')).toEqual({ ok: true, revision: 5 })
    })
  })
}
