/**
 * Informer: keeps a lister like the server's state by one list and a watch from there on, and tells handlers what changed.
 * It resumes where it was after a broken watch, lists again when that is too old, and backs off while the server is away.
 */
import { isApiError, ApiError, type Status } from '../api/errors.ts'
import type { KindRef } from '../api/kind.ts'
import { keyOf, keyText, type KubeObject } from '../api/meta.ts'
import { backoff, type BackoffOptions } from '../lib/backoff.ts'
import { type Ctx, aborted } from '../lib/ctx.ts'
import type { Random } from '../lib/random.ts'
import type { Client, WatchEvent } from './client.ts'
import { Cache, type Index, type Lister } from './lister.ts'

/** Objects a list asks for at a time. */
const pageObjects = 5_000
/** A watch is renewed by the server after so long. */
const watchTimeoutS = 590
const reconnect: BackoffOptions = { firstMs: 100, maxMs: 15_000 }

export interface Handler<T> {
  /** `initial`: it was there when the informer first listed (or when the handler came). */
  readonly added?: (object: Readonly<T>, initial: boolean) => void
  readonly updated?: (next: Readonly<T>, prev: Readonly<T>) => void
  readonly deleted?: (object: Readonly<T>) => void
}

export interface InformerOptions {
  readonly namespace?: string
  readonly fieldSelector?: string
  readonly labelSelector?: string
  /** Freezes what it lends: for tests. */
  readonly freeze?: boolean
}

export interface Informer<T extends KubeObject> {
  readonly kind: KindRef<T>
  readonly lister: Lister<T>
  /** Resolves when the first list is in; never rejects. */
  readonly synced: Promise<void>
  readonly hasSynced: boolean
  /** Revision up to which the lister is complete; 0 before the first list. */
  readonly revision: number
  /** Objects that are there already are told at once, as added. Returns how to stop. */
  on(handler: Handler<T>): () => void
  addIndex(name: string, index: Index<T>): void
  /** Called after each change of what is known, bookmarks too. */
  onRevision(tell: () => void): () => void
}

export class RunningInformer<T extends KubeObject> implements Informer<T> {
  readonly kind: KindRef<T>
  readonly synced: Promise<void>
  readonly #cache: Cache<T>
  readonly #client: Client
  readonly #random: Random
  readonly #options: InformerOptions
  readonly #handlers = new Set<Handler<T>>()
  readonly #listeners = new Set<() => void>()
  #resolveSynced: () => void = () => {}
  #hasSynced = false
  #resourceVersion = ''
  /** The same as a number: asked at every event by all who wait for one. */
  #revision = 0
  #log: Ctx['log'] | undefined

  constructor(client: Client, random: Random, kind: KindRef<T>, options: InformerOptions = {}) {
    this.kind = kind
    this.#client = client
    this.#random = random
    this.#options = options
    this.#cache = new Cache<T>(options.freeze === undefined ? {} : { freeze: options.freeze })
    this.synced = new Promise((resolve) => (this.#resolveSynced = resolve))
  }

  get lister(): Lister<T> {
    return this.#cache
  }

  get hasSynced(): boolean {
    return this.#hasSynced
  }

  get revision(): number {
    return this.#revision
  }

  on(handler: Handler<T>): () => void {
    this.#handlers.add(handler)
    if (this.#hasSynced) for (const object of this.#cache.list()) handler.added?.(object, true)
    return () => void this.#handlers.delete(handler)
  }

  onRevision(tell: () => void): () => void {
    this.#listeners.add(tell)
    return () => void this.#listeners.delete(tell)
  }

  addIndex(name: string, index: Index<T>): void {
    this.#cache.addIndex(name, index)
  }

  /** Until ctx ends. */
  async run(ctx: Ctx): Promise<void> {
    this.#log = ctx.log
    let failures = 0
    while (!ctx.signal.aborted) {
      try {
        if (this.#resourceVersion === '') await this.#list(ctx)
        const events = await this.#watch(ctx)
        failures = events > 0 ? 0 : failures + 1
      } catch (error) {
        if (ctx.signal.aborted) return
        failures++
        if (tooOld(error)) this.#reached('')
        else if (isApiError(error, 'NotFound')) ctx.log.debug('the kind is not served', { kind: this.kind.plural }) // custom kinds come and go
        else ctx.log.warn('watch broke', { kind: this.kind.plural, error })
      }
      // The first try anew is immediate: a watch ends in the ordinary course of things.
      if (failures > 1) await Promise.race([backoff(ctx, this.#random, failures - 2, reconnect).catch(() => {}), aborted(ctx.signal)])
    }
  }

  async #list(ctx: Ctx): Promise<void> {
    const { namespace, fieldSelector, labelSelector } = this.#options
    const selection = { ...(namespace === undefined ? {} : { namespace }), ...(fieldSelector === undefined ? {} : { fieldSelector }), ...(labelSelector === undefined ? {} : { labelSelector }) }
    const items: Readonly<T>[] = []
    let resourceVersion = ''
    let next = ''
    do {
      const page = await this.#client.list(ctx, this.kind, { ...selection, limit: pageObjects, ...(next === '' ? {} : { continue: next }) })
      for (const item of page.items) items.push(item)
      resourceVersion = page.metadata.resourceVersion ?? ''
      next = page.metadata.continue ?? ''
    } while (next !== '')
    this.#replace(items, resourceVersion)
  }

  #replace(items: readonly Readonly<T>[], resourceVersion: string): void {
    const initial = !this.#hasSynced
    const gone = new Set(this.#cache.keys())
    const told: (() => void)[] = []
    for (const item of items) {
      const key = keyText(keyOf(item as T))
      gone.delete(key)
      const prev = this.#cache.at(key)
      if (prev !== undefined && prev.metadata.resourceVersion === item.metadata.resourceVersion && prev.metadata.uid === item.metadata.uid) continue
      this.#put(item, told, initial)
    }
    for (const key of gone) {
      const prev = this.#cache.remove(key)
      if (prev !== undefined) told.push(() => this.#each((h) => h.deleted?.(prev)))
    }
    this.#reached(resourceVersion)
    this.#hasSynced = true
    for (const tell of told) tell()
    this.#resolveSynced()
    this.#tellRevision()
  }

  /** A key that now stands for another object is told as a deletion and an addition. */
  #put(object: Readonly<T>, told: (() => void)[], initial: boolean): void {
    const prev = this.#cache.put(object)
    if (prev !== undefined && prev.metadata.uid === object.metadata.uid) return void told.push(() => this.#each((h) => h.updated?.(object, prev)))
    if (prev !== undefined) told.push(() => this.#each((h) => h.deleted?.(prev)))
    told.push(() => this.#each((h) => h.added?.(object, initial)))
  }

  async #watch(ctx: Ctx): Promise<number> {
    const { namespace, fieldSelector, labelSelector } = this.#options
    const events = this.#client.watch(ctx, this.kind, {
      ...(namespace === undefined ? {} : { namespace }),
      ...(fieldSelector === undefined ? {} : { fieldSelector }),
      ...(labelSelector === undefined ? {} : { labelSelector }),
      resourceVersion: this.#resourceVersion,
      allowBookmarks: true,
      timeoutS: watchTimeoutS,
    })
    let seen = 0
    for await (const event of events) {
      this.#apply(event)
      seen++
    }
    return seen
  }

  #apply(event: WatchEvent<T>): void {
    if (event.type === 'ERROR') throw ApiError.from(event.object as unknown as Partial<Status>)
    const told: (() => void)[] = []
    if (event.type === 'DELETED') {
      const prev = this.#cache.remove(keyText(keyOf(event.object as T)))
      if (prev !== undefined) told.push(() => this.#each((h) => h.deleted?.(event.object)))
    } else if (event.type !== 'BOOKMARK') this.#put(event.object, told, false)
    this.#reached(event.object.metadata.resourceVersion ?? this.#resourceVersion)
    for (const tell of told) tell()
    this.#tellRevision()
  }

  #reached(resourceVersion: string): void {
    this.#resourceVersion = resourceVersion
    this.#revision = Number(resourceVersion)
  }

  #each(call: (handler: Handler<T>) => void): void {
    for (const handler of this.#handlers) {
      try {
        call(handler)
      } catch (error) {
        this.#log?.error('handler of changes threw', { kind: this.kind.plural, error })
      }
    }
  }

  #tellRevision(): void {
    for (const tell of this.#listeners) tell()
  }
}

function tooOld(error: unknown): boolean {
  return isApiError(error) && (error.code === 410 || error.reason === 'Expired' || error.reason === 'Gone')
}
