/**
 * watch: the cache's events as one watcher is to see them. An object that comes to match its
 * selectors is ADDED for it, one that ceases to match DELETED, as it was when it still matched.
 * The sink is called at once and never waited for; a sink that cannot follow ends itself.
 */
import { internal, serviceUnavailable } from '../api/errors.ts'
import type { Kind } from '../api/kind.ts'
import type { Ctx } from '../lib/ctx.ts'
import type { CacheEvent } from '../store/cache.ts'
import { Closed, Compacted } from '../store/store.ts'
import { shelf, type Base } from './base.ts'
import { storedItems, viewOf } from './item.ts'
import { Line } from './line.ts'
import type { Item, WatchQuery, WatchSink } from './registry.ts'
import { covers, selectionOf, type Selection } from './select.ts'
import { checkWatchOptions, parseVersion, tooOldWatch, waitFor } from './version.ts'

/** The watchers of a registry that want bookmarks, told from time to time how far they have come. */
export class Bookmarks {
  readonly #sinks = new Set<WatchSink>()

  add(sink: WatchSink): void {
    this.#sinks.add(sink)
  }

  delete(sink: WatchSink): void {
    this.#sinks.delete(sink)
  }

  tell(revision: number): void {
    for (const sink of this.#sinks) sink.bookmark(revision, false)
  }
}

export async function watch(base: Base, bookmarks: Bookmarks, ctx: Ctx, kind: Kind, query: WatchQuery, sink: WatchSink): Promise<{ stop(): void }> {
  checkWatchOptions(query)
  const selection = selectionOf(kind, query)
  const version = parseVersion(query.resourceVersion)
  if (version !== undefined && version !== 0) await waitFor(base, ctx, version)
  // Without a version, or with 0, a watch begins with what there is, unless told not to.
  const initial = query.sendInitialEvents ?? (version === undefined || version === 0)
  const from = initial || version === undefined || version === 0 ? base.cache.revision() : version
  // What memory holds may be told however old it is.
  const oldest = shelf(base, kind).reaches(from) ? 0 : Math.max(base.horizon.oldest, base.store.compacted())
  if (from < oldest) throw tooOldWatch(from, oldest)
  if (kind.remote !== undefined) return watchConverted(base, bookmarks, ctx, kind, { query, selection, from, initial }, sink)
  if (initial) sendInitial(kind, selection, initialItems(base, kind, selection), sink)
  if (query.sendInitialEvents === true && query.allowBookmarks) sink.bookmark(from, true)
  return follow(base, bookmarks, kind, { query, selection, from }, sink, (event) => translate(kind, selection, event, sink))
}

interface Following {
  readonly query: WatchQuery
  readonly selection: Selection
  readonly from: number
}

function follow(
  base: Base, bookmarks: Bookmarks, kind: Kind, { query, selection, from }: Following, sink: WatchSink, tell: (event: CacheEvent<Item>) => void,
): { stop(): void } {
  let over = false
  const following = shelf(base, kind).watch(from, {
    events(events) {
      for (const event of events) if (!over && covers(selection, event.key)) tell(event)
    },
    live() {
      if (query.allowBookmarks && !over) bookmarks.add(sink)
    },
    end(why) {
      bookmarks.delete(sink)
      if (!over) sink.end(reasonOf(why, from))
      over = true
    },
  })
  return {
    stop() {
      over = true
      bookmarks.delete(sink)
      following.stop()
    },
  }
}

/** The same, where events wait in line until a webhook has converted what they show. */
function watchConverted(
  base: Base, bookmarks: Bookmarks, ctx: Ctx, kind: Kind, how: Following & { readonly initial: boolean }, sink: WatchSink,
): { stop(): void } {
  const { query, selection, from, initial } = how
  const line = new Line(base, ctx, kind, (error) => {
    stop()
    if (!ctx.signal.aborted) sink.end(error)
  })
  const waiting = line.sink(sink)
  const own: { following?: { stop(): void } } = {}
  const stop = (): void => {
    line.stop()
    bookmarks.delete(waiting)
    own.following?.stop()
  }
  if (initial) {
    const items = [...initialItems(base, kind, selection)]
    line.pass(items, () => sendInitial(kind, selection, items, sink))
  }
  if (query.sendInitialEvents === true && query.allowBookmarks) waiting.bookmark(from, true)
  own.following = follow(base, bookmarks, kind, how, waiting, (event) => {
    const items = event.prev === undefined || !selection.filters ? [event.item] : [event.item, event.prev]
    line.pass(items, () => translate(kind, selection, event, sink))
  })
  return { stop }
}

function* initialItems(base: Base, kind: Kind, selection: Selection): Iterable<Item> {
  for (const [key, item] of shelf(base, kind).entries(selection.range)) if (covers(selection, key)) yield item
}

function sendInitial(kind: Kind, selection: Selection, items: Iterable<Item>, sink: WatchSink): void {
  for (const item of items) {
    const shown = viewOf(kind, item)
    if (!selection.filters || selection.matches(shown)) sink.event('ADDED', shown)
  }
}

function translate(kind: Kind, selection: Selection, event: CacheEvent<Item>, sink: WatchSink): void {
  const item = viewOf(kind, event.item)
  if (!selection.filters) return sink.event(event.type, item)
  const was = event.prev !== undefined && selection.matches(viewOf(kind, event.prev))
  const is = event.type !== 'DELETED' && selection.matches(item)
  if (is) sink.event(was ? 'MODIFIED' : 'ADDED', item)
  else if (was) sink.event('DELETED', event.type === 'DELETED' ? item : viewOf(kind, left(event)))
}

/** What left a selection, as it was and under the revision at which it left; made once for all who watch. */
function left(event: CacheEvent<Item>): Item {
  let item = leaving.get(event)
  if (item === undefined) leaving.set(event, (item = storedItems.at(event.prev as Item, event.revision)))
  return item
}

const leaving = new WeakMap<CacheEvent<Item>, Item>()

function reasonOf(why: Error, from: number): Error {
  if (why instanceof Compacted) return tooOldWatch(from, why.compacted)
  if (why instanceof Closed) return serviceUnavailable('the server is shutting down')
  return internal(why.message)
}
