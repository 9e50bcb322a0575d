/** A store that takes its time: writes wait before they are made, and answers before they are given. Its past and its watches are the real one's. */
import type { Clock } from '../../core/lib/clock.ts'
import type { Ctx } from '../../core/lib/ctx.ts'
import type { Random } from '../../core/lib/random.ts'
import type { Store } from '../../core/store/store.ts'

export interface Slowness {
  /** How likely a write waits. */
  share: number
  msMax: number
}

export function slowStore(inner: Store, slow: Slowness, { clock, random }: { readonly clock: Clock; readonly random: Random }): Store {
  const dawdle = async (ctx: Ctx): Promise<void> => {
    if (slow.share > 0 && random.fraction() < slow.share) await clock.sleep(random.fraction() * slow.msMax, ctx.signal)
  }
  /** Once it is made, a write is made, whoever has left meanwhile. */
  const answer = async <T>(ctx: Ctx, outcome: T): Promise<T> => {
    await dawdle(ctx).catch(() => {})
    return outcome
  }
  return {
    revision: () => inner.revision(),
    compacted: () => inner.compacted(),
    get: (ctx, key) => inner.get(ctx, key),
    range: (ctx, prefix, options) => inner.range(ctx, prefix, options),
    async put(ctx, key, value, expected) {
      await dawdle(ctx)
      return await answer(ctx, await inner.put(ctx, key, value, expected))
    },
    async delete(ctx, key, expected) {
      await dawdle(ctx)
      return await answer(ctx, await inner.delete(ctx, key, expected))
    },
    watch: (prefix, from, watcher) => inner.watch(prefix, from, watcher),
    compact: (ctx, upTo) => inner.compact(ctx, upTo),
    history: (ctx, key, options) => inner.history(ctx, key, options),
    revisionAt: (ctx, timeMs) => inner.revisionAt(ctx, timeMs),
    sizeBytes: () => inner.sizeBytes(),
    close: () => inner.close(),
  }
}
