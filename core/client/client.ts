/**
 * The client: the only way to the API for every part of Kubun, in process
 * (loopback.ts) or over TLS (rest.ts). Refusals throw ApiError (see isApiError);
 * a missing object is undefined from get(). Objects that come back are lent:
 * deep-frozen in tests, shared in process. Copy before you change.
 */
import type { Ctx } from '../lib/ctx.ts'
import type { AnyObject, Key, KubeObject } from '../api/meta.ts'
import type { KindRef } from '../api/kind.ts'
import type { DeleteOptions, ListMeta } from '../api/schema/types.ts'

export interface List<T> {
  readonly metadata: ListMeta
  readonly items: readonly Readonly<T>[]
}

export interface ListOptions {
  /** '' or undefined: all namespaces. */
  readonly namespace?: string
  readonly labelSelector?: string
  readonly fieldSelector?: string
  readonly limit?: number
  readonly continue?: string
  readonly resourceVersion?: string
  readonly resourceVersionMatch?: 'Exact' | 'NotOlderThan'
}

export interface WatchOptions {
  readonly namespace?: string
  readonly labelSelector?: string
  readonly fieldSelector?: string
  readonly resourceVersion?: string
  readonly allowBookmarks?: boolean
  readonly sendInitialEvents?: boolean
  readonly timeoutS?: number
}

export interface WatchEvent<T> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR'
  /** For ERROR a metav1.Status; for BOOKMARK only metadata is filled. */
  readonly object: Readonly<T>
}

export interface WriteOptions {
  /** Goes to /status, /scale, /binding, ... of the object. */
  readonly subresource?: string
  readonly dryRun?: boolean
  /** Name under which field ownership is recorded; the client's own by default. */
  readonly fieldManager?: string
}

export type PatchType = 'json' | 'merge' | 'strategic' | 'apply'

export interface PatchOptions extends WriteOptions {
  readonly force?: boolean
}

export interface Place {
  readonly namespace?: string
  readonly name?: string
  readonly subresource?: string
  /** As in a URL; empty values are left out. */
  readonly query?: Readonly<Record<string, string>>
}

export interface Client {
  get<T extends KubeObject>(ctx: Ctx, kind: KindRef<T>, key: Key, options?: { readonly subresource?: string }): Promise<Readonly<T> | undefined>
  /** A GET whose answer is no object of the kind: metrics, say, that another server has. Throws where there is nothing. */
  ask<R>(ctx: Ctx, kind: KindRef, at: Place): Promise<R>
  list<T extends KubeObject>(ctx: Ctx, kind: KindRef<T>, options?: ListOptions): Promise<List<T>>
  /** Ends when ctx does or the server ends it; throws ApiError when the watch is refused. */
  watch<T extends KubeObject>(ctx: Ctx, kind: KindRef<T>, options?: WatchOptions): AsyncIterable<WatchEvent<T>>
  create<T extends KubeObject>(ctx: Ctx, kind: KindRef<T>, object: Readonly<T>, options?: WriteOptions): Promise<Readonly<T>>
  /** Conditional on the object's metadata.resourceVersion. */
  update<T extends KubeObject>(ctx: Ctx, kind: KindRef<T>, object: Readonly<T>, options?: WriteOptions): Promise<Readonly<T>>
  patch<T extends KubeObject>(ctx: Ctx, kind: KindRef<T>, key: Key, type: PatchType, patch: unknown, options?: PatchOptions): Promise<Readonly<T>>
  /** Quiet when the object is gone already: says false. */
  delete(ctx: Ctx, kind: KindRef, key: Key, options?: DeleteOptions): Promise<boolean>
  deleteCollection(ctx: Ctx, kind: KindRef, options: ListOptions, deleteOptions?: DeleteOptions): Promise<void>
  /** POST to a subresource: binding, eviction, token. `body` is an object of another kind. */
  post<R extends KubeObject = AnyObject>(ctx: Ctx, kind: KindRef, key: Key, subresource: string, body: Readonly<KubeObject>): Promise<Readonly<R>>
}
