/**
 * The registry: one implementation of every verb for every kind, kind x store.
 * It defaults, applies the kind's strategy, validates, compares and sets. It knows
 * nothing of HTTP, users' rights or admission: the caller hands admission in as two
 * functions that are called at the right moments.
 */
import type { Ctx } from '../lib/ctx.ts'
import type { AnyObject, Key } from '../api/meta.ts'
import type { Kind, RuleEnv } from '../api/kind.ts'
import type { DeleteOptions } from '../api/schema/types.ts'

/** An object with its bytes: made once, shared by every list and watch. */
export interface Item {
  /** Lent: shared, never changed. Carries kind, apiVersion and resourceVersion. */
  readonly object: Readonly<AnyObject>
  /** JSON of `object` in UTF-8. */
  readonly bytes: Uint8Array
  readonly revision: number
}

export interface Admission {
  /** May change `object` in place; throws ApiError to refuse. Called before validation, again on each retry of a lost race. */
  mutate(object: AnyObject | undefined, old: Readonly<AnyObject> | undefined): Promise<void>
  /** Sees the final object; throws ApiError to refuse. */
  validate(object: Readonly<AnyObject> | undefined, old: Readonly<AnyObject> | undefined): Promise<void>
}

export interface WriteOptions {
  readonly env: RuleEnv
  /** '', 'status', or another subresource whose rules the caller applies in `change`. */
  readonly subresource: string
  readonly dryRun: boolean
  readonly admission: Admission
  readonly warn: (text: string) => void
  /** Field ownership of this write; undefined: ownership is not tracked (system writes). */
  readonly manager?: { readonly name: string; readonly operation: 'Update' | 'Apply'; readonly force?: boolean }
}

export interface UpdateOptions extends WriteOptions {
  /** Whether an absent object is created (PUT on kinds with createOnUpdate, server-side apply). Its admission, if it differs. */
  readonly createIfAbsent?: { readonly admission: Admission }
}

export interface ListQuery {
  /** '' for all. */
  readonly namespace: string
  readonly labelSelector?: string
  readonly fieldSelector?: string
  readonly limit?: number
  readonly continue?: string
  readonly resourceVersion?: string
  readonly resourceVersionMatch?: string
  /** Only this name (a watch or list that a fieldSelector or path pins). */
  readonly name?: string
}

export interface ListResult {
  readonly items: readonly Item[]
  readonly resourceVersion: string
  readonly continue?: string
  readonly remainingItemCount?: number
}

export interface WatchQuery extends ListQuery {
  readonly allowBookmarks: boolean
  readonly sendInitialEvents: boolean | undefined
}

export interface WatchSink {
  /** Called at once and never waited for, the first times before watch() has resolved. A sink that cannot follow ends its own stream. */
  event(type: 'ADDED' | 'MODIFIED' | 'DELETED', item: Item): void
  /** A bookmark at this revision; `initialEnd` marks the end of initial events (annotation k8s.io/initial-events-end). */
  bookmark(revision: number, initialEnd: boolean): void
  /** Ends the stream, with an error event when there is one (410 Expired, ...). */
  end(error?: Error): void
}

export interface DeleteResult {
  /** The object as it was last (deleted), or as it is now (finalizers or grace keep it). */
  readonly item: Item
  readonly deleted: boolean
}

export interface Registry {
  /** Revision up to which reads are complete. */
  revision(): number
  /** Throws ApiError 404. */
  get(ctx: Ctx, kind: Kind, key: Key, options?: { readonly resourceVersion?: string }): Promise<Item>
  list(ctx: Ctx, kind: Kind, query: ListQuery): Promise<ListResult>
  /** Answers refusals (bad selector, 410, resourceVersion in the future) by throwing before the first event. */
  watch(ctx: Ctx, kind: Kind, query: WatchQuery, sink: WatchSink): Promise<{ stop(): void }>
  /** The object is the callee's own from here on. Fills uid, creationTimestamp, generateName, generation, defaults; validates; stores. */
  create(ctx: Ctx, kind: Kind, namespace: string, object: AnyObject, options: WriteOptions): Promise<Item>
  /**
   * Reads, lets `change` make the next object from a private copy of the current one (or undefined), prepares, admits, validates,
   * compares and sets; a lost race is retried unless the object that `change` gave carries a resourceVersion of its own choosing.
   */
  update(
    ctx: Ctx, kind: Kind, key: Key,
    change: (current: AnyObject | undefined) => AnyObject | Promise<AnyObject>,
    options: UpdateOptions,
  ): Promise<{ readonly item: Item; readonly created: boolean }>
  delete(ctx: Ctx, kind: Kind, key: Key, deleteOptions: DeleteOptions, options: WriteOptions): Promise<DeleteResult>
  /** Each object is deleted like delete() does, with its own admission; names what it deleted. */
  deleteCollection(
    ctx: Ctx, kind: Kind, query: ListQuery, deleteOptions: DeleteOptions,
    options: (object: Readonly<AnyObject>) => WriteOptions,
  ): Promise<ListResult>
  /** Kinds that are served now: built-in ones, and custom ones as they come and go. */
  kinds(): readonly Kind[]
  kind(group: string, version: string, plural: string): Kind | undefined
  /** Whether built-in kinds are of this group. */
  hasGroup(group: string): boolean
}
