/** Feed: as much of an informer as a level-triggered part needs: all objects, the first sync, and that something changed. */
import type { Ctx } from '../lib/ctx.ts'
import { aborted } from '../lib/ctx.ts'
import type { Handler } from './informer.ts'

export interface Feed<T> {
  readonly lister: { list(namespace?: string): readonly Readonly<T>[] }
  readonly synced: Promise<void>
  on(handler: Handler<T>): () => void
}

/** Calls back at every change of any of them; returns how to stop. */
export function onChange(feeds: readonly Pick<Feed<never>, 'on'>[], changed: () => void): () => void {
  const handler = { added: () => changed(), updated: () => changed(), deleted: () => changed() }
  const stops = feeds.map((feed) => feed.on(handler))
  return () => {
    for (const stop of stops) stop()
  }
}

/** Waits for the first list of each; throws when ctx ends first. */
export async function feedsSynced(ctx: Ctx, feeds: readonly Pick<Feed<never>, 'synced'>[]): Promise<void> {
  await Promise.race([Promise.all(feeds.map((feed) => feed.synced)), aborted(ctx.signal)])
  ctx.signal.throwIfAborted()
}
