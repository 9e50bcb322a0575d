import { expect, it } from 'vitest'
import { virtualClock } from '../lib/clock.ts'
import { childCtx } from '../lib/ctx.ts'
import { silentLog } from '../lib/log.ts'
import { openMemory } from './drivers/memory.ts'
import { keepMoving } from './pulse.ts'

it('an idle store moves on once a minute, a busy one is left alone', async () => {
  const clock = virtualClock()
  const store = openMemory()
  const { ctx, end } = childCtx({ signal: new AbortController().signal, clock, log: silentLog })
  const running = keepMoving(ctx, store).catch(() => {})
  await clock.advance(180_000)
  expect(store.revision()).toBe(3)
  await store.put(ctx, 'a', new Uint8Array([1]), 'absent')
  await clock.advance(60_000)
  expect(store.revision()).toBe(4)
  await clock.advance(60_000)
  expect(store.revision()).toBe(5)
  end()
  await running
  await store.close()
})
