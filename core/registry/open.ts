/**
 * Opens the registry: the cache over a store, the kinds that are served, and the two things that
 * happen by themselves: bookmarks, and the end of objects that live only for a time.
 */
import type { DeleteOptions } from '../api/schema/types.ts'
import { kindId, type Kind } from '../api/kind.ts'
import { keyOf, type AnyObject, type Key } from '../api/meta.ts'
import { isApiError } from '../api/errors.ts'
import type { Timer } from '../lib/clock.ts'
import { childCtx, type Ctx } from '../lib/ctx.ts'
import { errorPath } from '../lib/log.ts'
import type { Random } from '../lib/random.ts'
import { Cache } from '../store/cache.ts'
import type { Store } from '../store/store.ts'
import { absent, standing, type Base } from './base.ts'
import { create } from './create.ts'
import { deleteObject, sweep } from './delete.ts'
import { Horizon, markMs } from './horizon.ts'
import { storedItems, viewOf } from './item.ts'
import { list } from './list.ts'
import type { DeleteResult, Item, ListQuery, ListResult, Registry, UpdateOptions, WatchQuery, WatchSink, WriteOptions } from './registry.ts'
import { shownItem } from './remote.ts'
import { update, type ChangeObject, type Updated } from './update.ts'
import { parseVersion, waitFor } from './version.ts'
import { Bookmarks, watch } from './watch.ts'

/** Time between two bookmarks, as upstream's. */
const bookmarkMs = 60_000
/** Time between two looks for objects whose time is over. */
const sweepMs = 30_000
/** Deletions of one collection that are under way at a time. */
const collectionDeletesMax = 64

export interface RegistryInit {
  readonly store: Store
  readonly kinds: readonly Kind[]
  readonly random: Random
}

export interface OpenRegistry extends Registry {
  /** Serves a kind from now on: a custom one, or another description of one that is served. */
  addKind(kind: Kind, options?: { /** What is watched looks as before. */ readonly keepWatches?: boolean }): void
  /** Serves it no more; its objects stay where they are. */
  removeKind(kind: Kind): void
  close(): Promise<void>
}

/** `ctx` is the life of the registry; the store stays the caller's, to close after it. */
export async function openRegistry(ctx: Ctx, init: RegistryInit): Promise<OpenRegistry> {
  const cache = await Cache.open(ctx, init.store, storedItems)
  return new StoreRegistry(ctx, { store: init.store, cache, random: init.random, horizon: new Horizon() }, init.kinds)
}

class StoreRegistry implements OpenRegistry {
  readonly #base: Base
  readonly #kinds = new Map<string, Kind>()
  readonly #bookmarks = new Bookmarks()
  /** How to end the watches of a kind, which end when it is described anew or goes. */
  readonly #watches = new Map<string, Set<() => void>>()
  readonly #life: Ctx
  readonly #endLife: () => void
  readonly #timers = new Map<string, Timer>()
  #sweeping: Promise<void> = Promise.resolve()
  #listed: readonly Kind[] | undefined
  readonly #builtIn: ReadonlySet<string>

  constructor(ctx: Ctx, base: Omit<Base, 'life'>, kinds: readonly Kind[]) {
    for (const kind of kinds) this.#kinds.set(kindId(kind), kind)
    this.#builtIn = new Set(kinds.map((kind) => kind.group))
    const { ctx: life, end } = childCtx(ctx)
    this.#base = { ...base, life: life.signal }
    this.#life = life
    this.#endLife = end
    this.#every('bookmarks', bookmarkMs, () => this.#bookmarks.tell(base.cache.revision()))
    this.#every('horizon', markMs, () => base.horizon.mark(base.cache.revision()))
    this.#every('sweep', sweepMs, () => {
      this.#sweeping = this.#sweep()
    })
  }

  revision(): number {
    return this.#base.cache.revision()
  }

  async get(ctx: Ctx, kind: Kind, key: Key, options: { readonly resourceVersion?: string } = {}): Promise<Item> {
    const version = parseVersion(options.resourceVersion)
    if (version !== undefined) await waitFor(this.#base, ctx, version)
    const item = standing(this.#base, kind, key)
    if (item === undefined) throw absent(kind, key.name)
    return kind.remote === undefined ? viewOf(kind, item) : await shownItem(this.#base, ctx, kind, item)
  }

  list(ctx: Ctx, kind: Kind, query: ListQuery): Promise<ListResult> {
    return list(this.#base, ctx, kind, query)
  }

  async watch(ctx: Ctx, kind: Kind, query: WatchQuery, sink: WatchSink): Promise<{ stop(): void }> {
    const following = await watch(this.#base, this.#bookmarks, ctx, kind, query, sink)
    const end = (): void => {
      following.stop()
      sink.end()
    }
    const id = kindId(kind)
    const watches = this.#watches.get(id) ?? new Set()
    this.#watches.set(id, watches.add(end))
    return {
      stop() {
        watches.delete(end)
        following.stop()
      },
    }
  }

  create(ctx: Ctx, kind: Kind, namespace: string, object: AnyObject, options: WriteOptions): Promise<Item> {
    return create(this.#base, ctx, kind, namespace, object, options)
  }

  update(ctx: Ctx, kind: Kind, key: Key, change: ChangeObject, options: UpdateOptions): Promise<Updated> {
    return update(this.#base, ctx, kind, key, change, options)
  }

  delete(ctx: Ctx, kind: Kind, key: Key, deleteOptions: DeleteOptions, options: WriteOptions): Promise<DeleteResult> {
    return deleteObject(this.#base, ctx, kind, key, deleteOptions, options)
  }

  async deleteCollection(
    ctx: Ctx, kind: Kind, query: ListQuery, deleteOptions: DeleteOptions, options: (object: Readonly<AnyObject>) => WriteOptions,
  ): Promise<ListResult> {
    const found = await this.list(ctx, kind, query)
    const waiting = found.items.values()
    const work = async (): Promise<void> => {
      for (const item of waiting) {
        try {
          await this.delete(ctx, kind, keyOf(item.object), deleteOptions, options(item.object))
        } catch (error) {
          if (!isApiError(error, 'NotFound')) throw error
        }
      }
    }
    await Promise.all(Array.from({ length: Math.min(collectionDeletesMax, found.items.length) }, work))
    return found
  }

  kinds(): readonly Kind[] {
    return (this.#listed ??= [...this.#kinds.values()])
  }

  kind(group: string, version: string, plural: string): Kind | undefined {
    return this.#kinds.get(`${group}/${version}/${plural}`)
  }

  hasGroup(group: string): boolean {
    return this.#builtIn.has(group)
  }

  addKind(kind: Kind, options: { readonly keepWatches?: boolean } = {}): void {
    if (options.keepWatches === true) this.#listed = undefined
    else this.removeKind(kind)
    this.#kinds.set(kindId(kind), kind)
  }

  removeKind(kind: Kind): void {
    const id = kindId(kind)
    this.#kinds.delete(id)
    this.#listed = undefined
    const watches = this.#watches.get(id)
    this.#watches.delete(id)
    for (const end of watches ?? []) end()
  }

  async close(): Promise<void> {
    for (const timer of this.#timers.values()) timer.stop()
    this.#endLife()
    await this.#sweeping
    this.#base.cache.close()
  }

  #every(name: string, ms: number, work: () => void): void {
    const arm = (): void => {
      this.#timers.set(name, this.#life.clock.after(ms, () => {
        if (this.#life.signal.aborted) return
        work()
        arm()
      }))
    }
    arm()
  }

  async #sweep(): Promise<void> {
    const { clock, log } = this.#life
    const pause = (): Promise<void> => clock.sleep(0, this.#life.signal)
    try {
      await this.#sweeping
      const prefixes = new Set<string>()
      for (const kind of this.kinds()) {
        if (kind.ttlMs === undefined || prefixes.has(kind.prefix)) continue
        prefixes.add(kind.prefix)
        // What was last written before this revision has been left alone for as long as it may live.
        const upTo = await this.#base.store.revisionAt(this.#life, clock.now() - kind.ttlMs)
        if (upTo > 0) await sweep(this.#base, this.#life, kind, upTo, pause)
      }
    } catch (error) {
      if (!this.#life.signal.aborted) log.warn('objects whose time is over stay a while', { error: errorPath(error) })
    }
  }
}
