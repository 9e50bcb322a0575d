/**
 * The store in memory: for tests and simulation. Durable as long as the process lives,
 * and in everything else the same as its sisters.
 */
import type { Ctx } from '../../lib/ctx.ts'
import { Feed } from '../feed.ts'
import { Sorted } from '../sorted.ts'
import { Closed, Compacted, FutureRevision } from '../store.ts'
import type { Change, Entry, Expected, Outcome, Range, RangeOptions, Revision, Store, Watch, Watcher } from '../store.ts'

interface Record {
  readonly change: Change
  readonly before: Entry | undefined
}

interface Live {
  readonly entry: Entry
  /** The change that made it: kept as long as it stands. */
  readonly change: Change
}

export function openMemory(): Store {
  return new MemoryStore()
}

class MemoryStore implements Store {
  readonly #live = new Sorted<Live>()
  /** Changes after #compacted: the one of revision r stands at r - #compacted - 1. */
  #log: Record[] = []
  #revision = 0
  #compacted = 0
  #time = 0
  #closed = false
  readonly #feed = new Feed({
    revision: () => this.#revision,
    compacted: () => this.#compacted,
    changes: (prefix, after, limit) => this.#after(prefix, after, limit),
  })

  revision(): Revision {
    return this.#revision
  }

  compacted(): Revision {
    return this.#compacted
  }

  async get(_ctx: Ctx, key: string): Promise<Entry | undefined> {
    this.#open()
    return this.#live.get(key)?.entry
  }

  async range(_ctx: Ctx, prefix: string, options: RangeOptions = {}): Promise<Range> {
    this.#open()
    const { after = '', limit = Infinity, at = this.#revision } = options
    if (at > this.#revision) throw new FutureRevision(this.#revision)
    if (at < this.#compacted) throw new Compacted(this.#compacted)
    if (at === this.#revision) {
      const { values, remaining } = this.#live.slice(prefix, after, limit)
      return { entries: values.map((live) => live.entry), revision: at, remaining }
    }
    const entries = this.#stateAt(prefix, at).filter((entry) => entry.key > after)
    return { entries: entries.slice(0, limit), revision: at, remaining: Math.max(0, entries.length - limit) }
  }

  async put(ctx: Ctx, key: string, value: Uint8Array, expected: Expected): Promise<Outcome> {
    const before = this.#check(ctx, key, expected)
    if (before === false) return { ok: false, current: this.#live.get(key)?.entry }
    const revision = this.#revision + 1
    const entry: Entry = { key, value, created: before?.created ?? revision, modified: revision }
    const change: Change = { type: 'put', key, revision, value, prev: before?.value, created: entry.created, time: this.#now(ctx) }
    this.#live.set(key, { entry, change })
    this.#append({ change, before })
    return { ok: true, revision }
  }

  async delete(ctx: Ctx, key: string, expected: Revision): Promise<Outcome> {
    const before = this.#check(ctx, key, expected)
    if (before === false || before === undefined) return { ok: false, current: this.#live.get(key)?.entry }
    const revision = this.#revision + 1
    this.#live.delete(key)
    const { value, created } = before
    this.#append({ change: { type: 'delete', key, revision, value, prev: value, created, time: this.#now(ctx) }, before })
    return { ok: true, revision }
  }

  watch(prefix: string, from: Revision, watcher: Watcher): Watch {
    this.#open()
    return this.#feed.watch(prefix, from, watcher)
  }

  async compact(_ctx: Ctx, upTo: Revision): Promise<void> {
    this.#open()
    if (upTo > this.#revision) throw new FutureRevision(this.#revision)
    if (upTo <= this.#compacted) return
    this.#log = this.#log.slice(upTo - this.#compacted)
    this.#compacted = upTo
  }

  async history(_ctx: Ctx, key: string, options: { readonly limit?: number } = {}): Promise<readonly Change[]> {
    this.#open()
    const changes = this.#log.filter((record) => record.change.key === key).map((record) => record.change)
    const made = this.#live.get(key)?.change
    if (made !== undefined && made.revision <= this.#compacted) changes.unshift(made)
    return changes.toReversed().slice(0, options.limit ?? Infinity)
  }

  async revisionAt(_ctx: Ctx, timeMs: number): Promise<Revision> {
    this.#open()
    let best = 0
    for (const { change } of this.#live.slice('').values) if (change.time <= timeMs) best = Math.max(best, change.revision)
    for (const { change } of this.#log) if (change.time <= timeMs) best = Math.max(best, change.revision)
    return best
  }

  sizeBytes(): number {
    return 0
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#feed.close()
  }

  #open(): void {
    if (this.#closed) throw new Closed()
  }

  /** What stands at the key; false when that is not what was expected. */
  #check(ctx: Ctx, key: string, expected: Expected): Entry | undefined | false {
    this.#open()
    ctx.signal.throwIfAborted()
    const current = this.#live.get(key)?.entry
    const holds = expected === 'absent' ? current === undefined : current?.modified === expected
    return holds ? current : false
  }

  #append(record: Record): void {
    this.#log.push(record)
    this.#revision = record.change.revision
    this.#feed.publish([record.change], this.#revision)
  }

  /** Time as the change table tells it: it never runs backwards. */
  #now(ctx: Ctx): number {
    this.#time = Math.max(this.#time, Math.floor(ctx.clock.now()))
    return this.#time
  }

  #after(prefix: string, after: Revision, limit: number): Change[] {
    const found: Change[] = []
    for (let i = Math.max(0, after - this.#compacted); i < this.#log.length && found.length < limit; i++) {
      const change = this.#log[i]?.change as Change
      if (change.key.startsWith(prefix)) found.push(change)
    }
    return found
  }

  #stateAt(prefix: string, at: Revision): Entry[] {
    const state = new Map<string, Entry>()
    for (const { entry } of this.#live.slice(prefix).values) state.set(entry.key, entry)
    for (let i = this.#log.length - 1; i >= at - this.#compacted; i--) {
      const { change, before } = this.#log[i] as Record
      if (!change.key.startsWith(prefix)) continue
      if (before === undefined) state.delete(change.key)
      else state.set(change.key, before)
    }
    return [...state.values()].sort((a, b) => (a.key < b.key ? -1 : 1))
  }
}
