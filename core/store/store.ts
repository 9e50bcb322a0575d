/**
 * The store: bytes under keys, numbered changes. It knows nothing of Kubernetes.
 *
 * One revision counts every change of the whole store. Writes are compare-and-set,
 * and an acknowledged write is durable. The semantics are etcd's; what an
 * implementation promises is written down as tests in store.contract.ts.
 */
import type { Ctx } from '../lib/ctx.ts'

/** Number of a change, from 1; 0 means "before any change". Safe as a JavaScript number up to 2^53. */
export type Revision = number

export interface Entry {
  readonly key: string
  readonly value: Uint8Array
  /** Revision at which the key came to be (since its last deletion). */
  readonly created: Revision
  /** Revision of the last write. */
  readonly modified: Revision
}

/** A lost race is an answer: `current` is what stands there now (undefined: nothing). */
export type Outcome =
  | { readonly ok: true; readonly revision: Revision }
  | { readonly ok: false; readonly current: Entry | undefined }

export interface Change {
  readonly type: 'put' | 'delete'
  readonly key: string
  /** Revision of this change. */
  readonly revision: Revision
  /** What was written; for a delete, what was there. */
  readonly value: Uint8Array
  /** What was there before a put; undefined when it created the key. */
  readonly prev: Uint8Array | undefined
  readonly created: Revision
  /** Milliseconds since the epoch at which the change was made. */
  readonly time: number
}

export interface Range {
  readonly entries: readonly Entry[]
  /** The revision this answer describes: the asked one, or the current. */
  readonly revision: Revision
  /** Keys in the range beyond `entries`. */
  readonly remaining: number
}

export interface RangeOptions {
  /** Only keys greater than this one. */
  readonly after?: string
  /** At most so many entries; without it all. */
  readonly limit?: number
  /** The state at this revision. Throws Compacted when it is no longer known, FutureRevision when not yet. */
  readonly at?: Revision
}

/** What must stand at the key for a write to happen: nothing, or exactly this revision. */
export type Expected = 'absent' | Revision

export interface Watch {
  /** Ends the watch; no further call comes. */
  stop(): void
}

export interface Watcher {
  /** Changes in revision order, never split within a revision, with the revision up to which nothing is missing. */
  changes(changes: readonly Change[], upTo: Revision): void
  /** The watch has ended by itself: compacted below its start, or the store closed. */
  end(why: Compacted | Closed): void
}

export interface Store {
  /** Revision of the last durable change. */
  revision(): Revision
  /** The oldest revision from which watch and range(at) still work. */
  compacted(): Revision
  get(ctx: Ctx, key: string): Promise<Entry | undefined>
  /** Keys with this prefix in byte order. */
  range(ctx: Ctx, prefix: string, options?: RangeOptions): Promise<Range>
  /** Resolves when the change is durable, or at once when the expectation does not hold. Throws Closed, or when the disk refuses. */
  put(ctx: Ctx, key: string, value: Uint8Array, expected: Expected): Promise<Outcome>
  delete(ctx: Ctx, key: string, expected: Revision): Promise<Outcome>
  /**
   * Calls the watcher with every durable change after `from` (exclusive) under the prefix. Calls are never made inside watch() itself.
   * A watcher hears of a change before the put that made it resolves, so a cache over the store shows its own writes.
   */
  watch(prefix: string, from: Revision, watcher: Watcher): Watch
  /** Forgets changes up to and including `upTo`: older reads and watches answer Compacted. In slices; resolves when done. */
  compact(ctx: Ctx, upTo: Revision): Promise<void>
  /** The kept changes of one key, newest first: the time machine's source. */
  history(ctx: Ctx, key: string, options?: { readonly limit?: number }): Promise<readonly Change[]>
  /** Revision of the last change made at or before this time (ms since the epoch); 0 when none is kept. */
  revisionAt(ctx: Ctx, timeMs: number): Promise<Revision>
  /** Bytes on disk (0 for memory). */
  sizeBytes(): number
  /** Finishes what was acknowledged, refuses the rest with Closed. */
  close(): Promise<void>
}

export class Compacted extends Error {
  readonly compacted: Revision
  constructor(compacted: Revision) {
    super(`revision is older than ${compacted}, the oldest kept`)
    this.compacted = compacted
  }
}

export class FutureRevision extends Error {
  readonly current: Revision
  constructor(current: Revision) {
    super(`revision is newer than the current one, ${current}`)
    this.current = current
  }
}

export class Closed extends Error {
  constructor() {
    super('store is closed')
  }
}
