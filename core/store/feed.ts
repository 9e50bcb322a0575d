/**
 * Feed: hands a store's changes to its watchers, the past first and then what comes. The
 * drivers share it: they say what the past is, and publish what has become durable.
 */
import { Closed, Compacted, type Change, type Revision, type Watch, type Watcher } from './store.ts'

/** Changes of the past that one turn of the event loop delivers. */
const replayChangesMax = 500

export interface Past {
  revision(): Revision
  compacted(): Revision
  /** The first `limit` changes after `after` under the prefix. */
  changes(prefix: string, after: Revision, limit: number): readonly Change[]
}

interface Follower {
  readonly prefix: string
  readonly watcher: Watcher
  /** Everything up to here was delivered. */
  at: Revision
  live: boolean
  stopped: boolean
}

export class Feed {
  readonly #past: Past
  readonly #followers = new Set<Follower>()

  constructor(past: Past) {
    this.#past = past
  }

  watch(prefix: string, from: Revision, watcher: Watcher): Watch {
    const follower: Follower = { prefix, watcher, at: from, live: false, stopped: false }
    this.#followers.add(follower)
    queueMicrotask(() => this.#replay(follower))
    return { stop: () => this.#drop(follower) }
  }

  /** Changes that are durable now, in order. Every live watcher has heard of them when this returns. */
  publish(changes: readonly Change[], upTo: Revision): void {
    for (const follower of this.#followers) {
      if (!follower.live) continue
      const due = follower.at >= upTo ? [] : changes.filter((c) => c.revision > follower.at && c.key.startsWith(follower.prefix))
      follower.at = Math.max(follower.at, upTo)
      if (due.length > 0) this.#call(follower, () => follower.watcher.changes(due, upTo))
    }
  }

  close(): void {
    for (const follower of this.#followers) this.#end(follower, new Closed())
  }

  #replay(follower: Follower): void {
    if (follower.stopped) return
    if (follower.at < this.#past.compacted()) return this.#end(follower, new Compacted(this.#past.compacted()))
    const changes = this.#past.changes(follower.prefix, follower.at, replayChangesMax)
    const caughtUp = changes.length < replayChangesMax
    const upTo = caughtUp ? Math.max(follower.at, this.#past.revision()) : (changes.at(-1)?.revision ?? follower.at)
    follower.at = upTo
    follower.live = caughtUp
    this.#call(follower, () => follower.watcher.changes(changes, upTo))
    if (!caughtUp) setImmediate(() => this.#replay(follower))
  }

  #end(follower: Follower, why: Compacted | Closed): void {
    if (this.#drop(follower)) this.#call(follower, () => follower.watcher.end(why))
  }

  #drop(follower: Follower): boolean {
    follower.stopped = true
    return this.#followers.delete(follower)
  }

  /** A watcher that throws is broken and loses its watch; the write that it heard of is not to suffer. */
  #call(follower: Follower, call: () => void): void {
    try {
      call()
    } catch (error) {
      this.#drop(follower)
      queueMicrotask(() => {
        throw error
      })
    }
  }
}
