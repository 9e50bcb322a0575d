/**
 * The watch cache: what stands in the store, in memory, made into items once and shared by
 * everybody who reads or watches. Keys are `prefix/x/y`; each prefix has its items in order,
 * the last events, and its watchers. One watch of the store feeds all of it, so a write shows
 * here before it is acknowledged. What an item is, the caller says (Make).
 * Other keys are the store's own affairs, and not shown.
 */
import type { Ctx } from '../lib/ctx.ts'
import { Sorted, type Slice } from './sorted.ts'
import { Closed, type Change, type Revision, type Store, type Watch } from './store.ts'

/** Events a prefix remembers for watchers that come back and lists that go on; older ones are read from the store. */
export const windowEventsMax = 1_000
/** Entries read from the store at a time when the cache fills. */
const fillEntriesMax = 2_000

export interface Make<T> {
  readonly item: (value: Uint8Array, revision: Revision) => T
  /** The same content under another revision: what a deletion shows. */
  readonly at: (item: T, revision: Revision) => T
}

export interface CacheEvent<T> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'
  readonly key: string
  readonly revision: Revision
  /** For DELETED what was there last, under the revision of the deletion. */
  readonly item: T
  readonly prev: T | undefined
}

export interface CacheWatcher<T> {
  events(events: readonly CacheEvent<T>[]): void
  /** The past has been told: from now on nothing up to the cache's revision is missing. */
  live?(): void
  end(why: Error): void
}

export class Cache<T> {
  readonly #store: Store
  readonly #make: Make<T>
  readonly #prefixes = new Map<string, PrefixCache<T>>()
  readonly #waiting = new Set<{ readonly revision: Revision; readonly wake: () => void }>()
  #revision: Revision = 0
  #watch: Watch | undefined
  #ended: Error | undefined

  private constructor(store: Store, make: Make<T>) {
    this.#store = store
    this.#make = make
  }

  /** Reads the whole store once and follows it from there. */
  static async open<T>(ctx: Ctx, store: Store, make: Make<T>): Promise<Cache<T>> {
    const cache = new Cache(store, make)
    await cache.#fill(ctx)
    return cache
  }

  revision(): Revision {
    return this.#revision
  }

  prefix(prefix: string): PrefixCache<T> {
    let found = this.#prefixes.get(prefix)
    if (found === undefined) {
      found = new PrefixCache(prefix, this.#store, this.#make, this.#revision)
      this.#prefixes.set(prefix, found)
    }
    return found
  }

  /** Whether the cache has come to this revision within `ms`. */
  async reached(ctx: Ctx, revision: Revision, ms: number): Promise<boolean> {
    if (revision <= this.#revision) return true
    return await new Promise((resolve) => {
      const done = (answer: boolean): void => {
        this.#waiting.delete(waiter)
        timer.stop()
        ctx.signal.removeEventListener('abort', stop)
        resolve(answer)
      }
      const waiter = { revision, wake: () => done(true) }
      const stop = (): void => done(false)
      const timer = ctx.clock.after(ms, stop)
      this.#waiting.add(waiter)
      ctx.signal.addEventListener('abort', stop, { once: true })
    })
  }

  /** Why the cache no longer follows the store, once it does not. */
  ended(): Error | undefined {
    return this.#ended
  }

  close(): void {
    this.#watch?.stop()
    this.#end(new Closed())
  }

  async #fill(ctx: Ctx): Promise<void> {
    let after = ''
    let at: Revision | undefined
    for (;;) {
      const range = await this.#store.range(ctx, '', { after, limit: fillEntriesMax, ...(at === undefined ? {} : { at }) })
      at ??= range.revision
      for (const entry of range.entries) {
        if (isOwn(entry.key)) continue
        this.prefix(prefixOf(entry.key)).fill(entry.key, this.#make.item(entry.value, entry.modified))
      }
      after = range.entries.at(-1)?.key ?? after
      if (range.remaining === 0) break
    }
    this.#revision = at
    for (const prefix of this.#prefixes.values()) prefix.filled(at)
    this.#watch = this.#store.watch('', at, {
      changes: (changes, upTo) => this.#changes(changes, upTo),
      end: (why) => this.#end(why),
    })
  }

  #changes(changes: readonly Change[], upTo: Revision): void {
    const touched = new Map<PrefixCache<T>, CacheEvent<T>[]>()
    for (const change of changes) {
      if (isOwn(change.key)) continue
      const prefix = this.prefix(prefixOf(change.key))
      const event = prefix.apply(change)
      if (event === undefined) continue
      const events = touched.get(prefix)
      if (events === undefined) touched.set(prefix, [event])
      else events.push(event)
    }
    this.#revision = Math.max(this.#revision, upTo)
    for (const [prefix, events] of touched) prefix.tell(events)
    if (this.#waiting.size > 0) for (const waiter of this.#waiting) if (waiter.revision <= this.#revision) waiter.wake()
  }

  #end(why: Error): void {
    this.#ended ??= why
    for (const prefix of this.#prefixes.values()) prefix.end(why)
  }
}

/** Of the store's own affairs: `pulse`. */
function isOwn(key: string): boolean {
  return prefixOf(key) === key
}

/** `apps/deployments` of `apps/deployments/default/web`. */
function prefixOf(key: string): string {
  const name = key.lastIndexOf('/')
  const middle = name <= 0 ? -1 : key.lastIndexOf('/', name - 1)
  return middle < 0 ? key : key.slice(0, middle)
}

/** The part of the cache under one prefix. */
export class PrefixCache<T> {
  readonly #prefix: string
  readonly #store: Store
  readonly #make: Make<T>
  readonly #items = new Sorted<T>()
  /** Events after #since, oldest first; trimmed to the window in halves, so that it costs nothing an event. */
  #events: CacheEvent<T>[] = []
  #since: Revision
  readonly #watchers = new Set<CacheWatcher<T>>()

  constructor(prefix: string, store: Store, make: Make<T>, since: Revision) {
    this.#prefix = prefix
    this.#store = store
    this.#make = make
    this.#since = since
  }

  get size(): number {
    return this.#items.size
  }

  get(key: string): T | undefined {
    return this.#items.get(key)
  }

  /** What stands now under `range` (a beginning of keys), in order. */
  list(range: string, after = '', limit = Infinity): Slice<T> {
    return this.#items.slice(range, after, limit)
  }

  /** Whether anything under the prefix has changed after this revision, as far as is remembered. */
  changedSince(at: Revision): boolean {
    return at < this.#since || (this.#events.at(-1)?.revision ?? 0) > at
  }

  /** Whether all that has happened since this revision is remembered. */
  reaches(at: Revision): boolean {
    return at >= this.#since
  }

  entries(range: string, after = ''): Iterable<[string, T]> {
    return this.#items.entries(range, after)
  }

  /** What stood at a revision not later than now. Throws Compacted where nobody knows any more. */
  async listAt(ctx: Ctx, range: string, at: Revision): Promise<Sorted<T>> {
    const state = new Sorted<T>()
    if (at < this.#since) {
      const { entries } = await this.#store.range(ctx, range, { at })
      for (const entry of entries) state.set(entry.key, this.#make.item(entry.value, entry.modified))
      return state
    }
    for (const [key, item] of this.#items.entries(range)) state.set(key, item)
    for (let i = this.#events.length - 1; i >= 0; i--) {
      const event = this.#events[i] as CacheEvent<T>
      if (event.revision <= at) break
      if (!event.key.startsWith(range)) continue
      if (event.prev === undefined) state.delete(event.key)
      else state.set(event.key, event.prev)
    }
    return state
  }

  /** Every event after `from`, the past ones at once or as soon as the store has told them. A watcher that cannot be served ends with Compacted. */
  watch(from: Revision, watcher: CacheWatcher<T>): Watch {
    if (from < this.#since) return this.#watchStore(from, watcher)
    const past = this.#after(from)
    this.#watchers.add(watcher)
    if (past.length > 0) watcher.events(past)
    watcher.live?.()
    return { stop: () => void this.#watchers.delete(watcher) }
  }

  fill(key: string, item: T): void {
    this.#items.set(key, item)
  }

  filled(at: Revision): void {
    this.#since = at
  }

  apply(change: Change): CacheEvent<T> | undefined {
    const prev = this.#items.get(change.key)
    const event = this.#event(change, prev)
    if (event === undefined) return undefined
    if (event.type === 'DELETED') this.#items.delete(change.key)
    else this.#items.set(change.key, event.item)
    this.#events.push(event)
    if (this.#events.length > 2 * windowEventsMax) {
      const dropped = this.#events.splice(0, this.#events.length - windowEventsMax)
      this.#since = (dropped.at(-1) as CacheEvent<T>).revision
    }
    return event
  }

  tell(events: readonly CacheEvent<T>[]): void {
    for (const watcher of this.#watchers) {
      try {
        watcher.events(events)
      } catch (error) {
        // One that cannot take an event is not to cost the others theirs.
        this.#watchers.delete(watcher)
        watcher.end(error instanceof Error ? error : new Error(String(error)))
      }
    }
  }

  end(why: Error): void {
    for (const watcher of this.#watchers) watcher.end(why)
    this.#watchers.clear()
  }

  #event(change: Change, prev: T | undefined): CacheEvent<T> | undefined {
    const { key, revision } = change
    if (change.type === 'put') {
      return { type: prev === undefined ? 'ADDED' : 'MODIFIED', key, revision, item: this.#make.item(change.value, revision), prev }
    }
    return prev === undefined ? undefined : { type: 'DELETED', key, revision, item: this.#make.at(prev, revision), prev }
  }

  #after(from: Revision): readonly CacheEvent<T>[] {
    let first = this.#events.length
    while (first > 0 && (this.#events[first - 1] as CacheEvent<T>).revision > from) first--
    return this.#events.slice(first)
  }

  /** Older than the window: the store tells the past, until the window takes over. */
  #watchStore(from: Revision, watcher: CacheWatcher<T>): Watch {
    let live: Watch | undefined
    let stopped = false
    const past = this.#store.watch(`${this.#prefix}/`, from, {
      changes: (changes, upTo) => {
        const events = changes.flatMap((change) => {
          const prev = change.prev === undefined ? undefined : this.#make.item(change.prev, change.revision - 1)
          return prefixOf(change.key) === this.#prefix ? (this.#event(change, prev) ?? []) : []
        })
        const handOver = upTo >= this.#since
        if (handOver) past.stop()
        if (events.length > 0) watcher.events(events)
        if (handOver && live === undefined && !stopped) live = this.watch(upTo, watcher)
      },
      end: (why) => watcher.end(why),
    })
    return {
      stop() {
        stopped = true
        past.stop()
        live?.stop()
      },
    }
  }
}

