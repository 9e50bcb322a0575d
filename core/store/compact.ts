/**
 * Forgetting the past: every few minutes the changes that are older than the retention go, or
 * sooner when the store has grown beyond its size. What goes is a store's whole past up to a
 * revision; a thinned history (an hourly state of each object, say) would be taken here, before.
 */
import { errorPath } from '../lib/log.ts'
import type { Ctx } from '../lib/ctx.ts'
import type { Store } from './store.ts'

export interface Retention {
  readonly everyMs: number
  /** Changes younger than this stay: watches and lists may go back so far. */
  readonly keepMs: number
  /** Beyond this size changes are kept only so long. */
  readonly bytesMax: number
  readonly keepWhenFullMs: number
}

export const defaultRetention: Retention = { everyMs: 300_000, keepMs: 3_600_000, bytesMax: 2 * 1_024 ** 3, keepWhenFullMs: 300_000 }

/** Runs until ctx ends. A failure (a full disk) is logged, and tried again next time. */
export async function keepCompact(ctx: Ctx, store: Store, retention: Retention = defaultRetention): Promise<void> {
  while (!ctx.signal.aborted) {
    await ctx.clock.sleep(retention.everyMs, ctx.signal)
    try {
      await compactOnce(ctx, store, retention)
    } catch (error) {
      if (ctx.signal.aborted) return
      ctx.log.warn('compaction failed', { error: errorPath(error) })
    }
  }
}

export async function compactOnce(ctx: Ctx, store: Store, retention: Retention): Promise<void> {
  const keepMs = store.sizeBytes() > retention.bytesMax ? retention.keepWhenFullMs : retention.keepMs
  const upTo = await store.revisionAt(ctx, ctx.clock.now() - keepMs)
  if (upTo > store.compacted()) await store.compact(ctx, upTo)
}
