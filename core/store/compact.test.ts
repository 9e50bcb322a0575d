import { describe, expect, it } from 'vitest'
import { virtualClock } from '../lib/clock.ts'
import { childCtx } from '../lib/ctx.ts'
import { silentLog } from '../lib/log.ts'
import { compactOnce, defaultRetention, keepCompact } from './compact.ts'
import { openMemory } from './drivers/memory.ts'

describe('compaction', () => {
  const value = new Uint8Array([1])
  const world = () => {
    const clock = virtualClock()
    return { clock, store: openMemory(), ...childCtx({ signal: new AbortController().signal, clock, log: silentLog }) }
  }

  it('forgets what is older than the retention, every few minutes', async () => {
    const { clock, store, ctx, end } = world()
    const running = keepCompact(ctx, store).catch(() => {})
    for (let i = 0; i < 10; i++) {
      await store.put(ctx, `k${i}`, value, 'absent')
      await clock.advance(600_000)
    }
    expect(store.revision()).toBe(10)
    expect(store.compacted()).toBe(5)
    end()
    await running
    await store.close()
  })

  it('keeps less when the store is too large', async () => {
    const { clock, store, ctx } = world()
    await store.put(ctx, 'a', value, 'absent')
    await clock.advance(400_000)
    await store.put(ctx, 'b', value, 'absent')
    await compactOnce(ctx, store, defaultRetention)
    expect(store.compacted()).toBe(0)
    await compactOnce(ctx, store, { ...defaultRetention, bytesMax: -1 })
    expect(store.compacted()).toBe(1)
    await store.close()
  })
})
