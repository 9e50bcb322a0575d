/**
 * A store in which nothing happens moves on all the same: a write of its own each minute, so that what was read before
 * can be told from what is read now, and be called old. (Upstream's compaction writes such a key, too.)
 */
import { errorPath } from '../lib/log.ts'
import type { Ctx } from '../lib/ctx.ts'
import type { Revision, Store } from './store.ts'

export const pulseMs = 60_000
const pulseKey = 'pulse'

/** Runs until ctx ends. A write that fails is tried again next time. */
export async function keepMoving(ctx: Ctx, store: Store): Promise<void> {
  let before = store.revision()
  while (!ctx.signal.aborted) {
    await ctx.clock.sleep(pulseMs, ctx.signal)
    try {
      if (store.revision() === before) await beat(ctx, store)
    } catch (error) {
      if (ctx.signal.aborted) return
      ctx.log.warn('the store does not move on', { error: errorPath(error) })
    }
    before = store.revision()
  }
}

async function beat(ctx: Ctx, store: Store): Promise<void> {
  const standing: Revision | 'absent' = (await store.get(ctx, pulseKey))?.modified ?? 'absent'
  await store.put(ctx, pulseKey, nothing, standing)
}

const nothing = new TextEncoder().encode('{}')
