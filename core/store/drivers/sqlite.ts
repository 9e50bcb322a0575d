/**
 * The store in one SQLite file, for one server. Races are decided here, on the request thread,
 * against an index of keys that knows of writes still on their way; the writes themselves
 * gather into batches that a thread commits with one fsync each (sqlite.worker.ts). Reads come
 * from a connection of this thread and show only what is durable.
 */
import { statSync } from 'node:fs'
import type { Ctx } from '../../lib/ctx.ts'
import { Feed } from '../feed.ts'
import { Sorted } from '../sorted.ts'
import { Closed, Compacted, FutureRevision } from '../store.ts'
import type { Change, Entry, Expected, Outcome, Range, RangeOptions, Revision, Store, Watch, Watcher } from '../store.ts'
import { connect, lock } from './sqlite.schema.ts'
import type { Answer, Row } from './sqlite.frame.ts'
import { Reader, type StoredChange } from './sqlite.reader.ts'
import { WriterThread } from './sqlite.writer.ts'

/** Revisions that one step of compaction looks at: more would hold up writes for too long. */
const compactRevisionsMax = 100
/** Pages that one step gives back to the file system. */
const reclaimPages = 250
/** Writes in one batch, and bytes: what one message and one transaction may carry. */
const batchRowsMax = 1_000
const batchBytesMax = 8 * 1_024 * 1_024
/** Writes that may wait for the disk; beyond, they are refused. */
const pendingRowsMax = 50_000

/** What stands at a key. While it is not durable, `before` is what will stand there if the batch fails. */
interface Slot {
  readonly created: Revision
  readonly modified: Revision
  readonly deleted: boolean
  before: Slot | undefined
}

interface Pending {
  readonly row: Row
  readonly slot: Slot
  readonly resolve: (outcome: Outcome) => void
  readonly reject: (error: unknown) => void
}

export async function openSqlite(path: string): Promise<Store> {
  const held = lock(path)
  let writer: WriterThread | undefined
  try {
    const db = connect(path)
    const reader = new Reader(db)
    writer = new WriterThread()
    const store = new SqliteStore(path, reader, writer, () => held.release())
    const opened = await writer.ask({ do: 'open', path })
    if (!opened.ok) throw new Error(opened.error)
    return store
  } catch (error) {
    writer?.terminate()
    held.release()
    throw error
  }
}

class SqliteStore implements Store {
  readonly #path: string
  readonly #reader: Reader
  readonly #writer: WriterThread
  readonly #release: () => void
  readonly #index = new Sorted<Slot>()
  /** The last revision given out, and the last that is durable. */
  #given: Revision
  #durable: Revision
  #compacted: Revision
  /** Up to where compaction has been written down; a slice that fails is done again. */
  #swept: Revision
  #time: number
  #gathering: Pending[] = []
  #pendingRows = 0
  /** A batch waits for the thread: what comes now joins it. */
  #queued = false
  #closed = false
  #broken: Error | undefined
  readonly #feed: Feed

  constructor(path: string, reader: Reader, writer: WriterThread, release: () => void) {
    this.#path = path
    this.#reader = reader
    this.#writer = writer
    this.#release = release
    for (const { key, revision, created } of reader.live()) {
      this.#index.set(key, { created, modified: revision, deleted: false, before: undefined })
    }
    this.#compacted = reader.compacted()
    this.#swept = this.#compacted
    const last = reader.last()
    this.#durable = Math.max(last.revision, this.#compacted)
    this.#given = this.#durable
    this.#time = last.time
    this.#feed = new Feed({
      revision: () => this.#durable,
      compacted: () => this.#compacted,
      changes: (prefix, after, limit) => reader.changes(prefix, after, this.#durable, limit),
    })
  }

  revision(): Revision {
    return this.#durable
  }

  compacted(): Revision {
    return this.#compacted
  }

  async get(_ctx: Ctx, key: string): Promise<Entry | undefined> {
    this.#open()
    return this.#entry(key, this.#durableSlot(this.#index.get(key)))
  }

  async range(_ctx: Ctx, prefix: string, options: RangeOptions = {}): Promise<Range> {
    this.#open()
    const { after = '', limit = Infinity, at = this.#durable } = options
    if (at > this.#durable) throw new FutureRevision(this.#durable)
    if (at < this.#compacted) throw new Compacted(this.#compacted)
    if (at < this.#durable) return { ...this.#reader.rangeAt(prefix, after, limit, at), revision: at }
    const entries: Entry[] = []
    let remaining = 0
    for (const [key, newest] of this.#index.entries(prefix, after)) {
      const slot = this.#durableSlot(newest)
      if (slot === undefined) continue
      if (entries.length >= limit) remaining++
      else entries.push(this.#entry(key, slot) as Entry)
    }
    return { entries, revision: at, remaining }
  }

  put(ctx: Ctx, key: string, value: Uint8Array, expected: Expected): Promise<Outcome> {
    return this.#write(ctx, key, value, expected)
  }

  delete(ctx: Ctx, key: string, expected: Revision): Promise<Outcome> {
    return this.#write(ctx, key, undefined, expected)
  }

  watch(prefix: string, from: Revision, watcher: Watcher): Watch {
    this.#open()
    return this.#feed.watch(prefix, from, watcher)
  }

  async compact(ctx: Ctx, upTo: Revision): Promise<void> {
    this.#open()
    if (upTo > this.#durable) throw new FutureRevision(this.#durable)
    while (this.#swept < upTo) {
      ctx.signal.throwIfAborted()
      const from = this.#swept
      const to = Math.min(upTo, from + compactRevisionsMax)
      this.#compacted = Math.max(this.#compacted, to) // first, so that no read begins in what is about to go
      const answer = await this.#writer.ask({ do: 'compact', from, to })
      if (!answer.ok) throw new Error(`compact ${this.#path}: ${answer.error}`)
      this.#swept = Math.max(this.#swept, to)
    }
    for (let more = true; more && !this.#closed; ) {
      ctx.signal.throwIfAborted()
      more = (await this.#writer.ask({ do: 'reclaim', pages: reclaimPages })).more === true
    }
  }

  async history(_ctx: Ctx, key: string, options: { readonly limit?: number } = {}): Promise<readonly Change[]> {
    this.#open()
    return this.#reader.history(key, this.#durable, options.limit ?? Infinity)
  }

  async revisionAt(_ctx: Ctx, timeMs: number): Promise<Revision> {
    this.#open()
    return this.#reader.revisionAt(timeMs, this.#durable)
  }

  sizeBytes(): number {
    const size = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0
    return size(this.#path) + size(`${this.#path}-wal`)
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#refuse(this.#gathering.splice(0), new Closed())
    this.#feed.close()
    this.#reader.close()
    await this.#writer.ask({ do: 'close' }) // comes after the batch that is being written
    this.#writer.terminate()
    this.#release()
  }

  async #write(ctx: Ctx, key: string, value: Uint8Array | undefined, expected: Expected): Promise<Outcome> {
    for (;;) {
      this.#open()
      ctx.signal.throwIfAborted()
      const newest = this.#index.get(key)
      const standing = newest?.deleted === true ? undefined : newest
      const holds = expected === 'absent' ? standing === undefined : standing?.modified === expected
      if (holds && (value !== undefined || standing !== undefined)) return await this.#enqueue(ctx, key, value, newest)
      // What refuses this write may itself not be durable yet: the answer waits for it, and is another if that fails.
      if (newest === undefined || newest.modified <= this.#durable) return { ok: false, current: this.#entry(key, standing) }
      await this.#writer.ask(() => ({ do: 'write', rows: [] }))
    }
  }

  #enqueue(ctx: Ctx, key: string, value: Uint8Array | undefined, before: Slot | undefined): Promise<Outcome> {
    if (this.#pendingRows >= pendingRowsMax) throw new Error(`store: more than ${pendingRowsMax} writes wait for the disk`)
    const revision = ++this.#given
    const standing = before?.deleted === true ? undefined : before
    const created = standing?.created ?? revision
    const deleted = value === undefined
    this.#time = Math.max(this.#time, Math.floor(ctx.clock.now()))
    const slot: Slot = { created, modified: revision, deleted, before }
    this.#index.set(key, slot)
    this.#pendingRows++
    return new Promise((resolve, reject) => {
      const row: Row = { revision, key, deleted, created, prev: standing?.modified ?? 0, time: this.#time, value: value ?? nothing }
      this.#gathering.push({ row, slot, resolve, reject })
      this.#send()
    })
  }

  /** Sends what has gathered as soon as the thread is free. */
  #send(): void {
    if (this.#queued) return
    this.#queued = true
    // In a microtask, so that writes made in one go share a batch.
    queueMicrotask(() => {
      let batch: Pending[] = []
      this.#writer.push(
        () => {
          this.#queued = false
          batch = this.#takeBatch()
          return { do: 'write', rows: batch.map((p) => p.row) }
        },
        (answer) => this.#answered(batch, answer),
      )
    })
  }

  #takeBatch(): Pending[] {
    let bytes = 0
    let count = 0
    for (const { row } of this.#gathering) {
      if (count === batchRowsMax || (count > 0 && bytes + row.value.length > batchBytesMax)) break
      bytes += row.value.length
      count++
    }
    const batch = this.#gathering.splice(0, count)
    if (this.#gathering.length > 0) this.#send()
    return batch
  }

  #answered(batch: Pending[], answer: Answer): void {
    // A thread that has ended takes no batch any more: what gathers is refused all the same.
    if (answer.ok) return batch.length === 0 ? undefined : this.#commit(batch)
    // Later writes may build on these: none of them holds any more.
    const lost = [...batch, ...this.#gathering.splice(0)]
    if (answer.last === undefined || answer.last > this.#durable) {
      this.#broken = new Error(`write ${this.#path}: ${answer.error}; what the file holds is not known: restart the server`)
    }
    this.#refuse(lost, this.#broken ?? new Error(`write ${this.#path}: ${answer.error}`))
  }

  #commit(batch: readonly Pending[]): void {
    const changes: Change[] = []
    for (const { row, slot } of batch) {
      slot.before = undefined
      if (row.deleted && this.#index.get(row.key) === slot) this.#index.delete(row.key)
      changes.push(this.#reader.change(row satisfies StoredChange))
      this.#durable = row.revision
    }
    this.#pendingRows -= batch.length
    if (!this.#closed) this.#feed.publish(changes, this.#durable)
    for (const { row, resolve } of batch) resolve({ ok: true, revision: row.revision })
  }

  /** Takes back writes that did not become durable, newest first. */
  #refuse(lost: readonly Pending[], error: Error): void {
    for (const { row, slot, reject } of lost.toReversed()) {
      if (this.#index.get(row.key) === slot) {
        if (slot.before === undefined) this.#index.delete(row.key)
        else this.#index.set(row.key, slot.before)
      }
      reject(error)
    }
    this.#pendingRows -= lost.length
    if (lost.length > 0) this.#given = Math.min(this.#given, (lost[0] as Pending).row.revision - 1)
  }

  #durableSlot(newest: Slot | undefined): Slot | undefined {
    let slot = newest
    while (slot !== undefined && slot.modified > this.#durable) slot = slot.before
    return slot?.deleted === true ? undefined : slot
  }

  #entry(key: string, slot: Slot | undefined): Entry | undefined {
    if (slot === undefined) return undefined
    return { key, value: this.#reader.value(slot.modified), created: slot.created, modified: slot.modified }
  }

  #open(): void {
    if (this.#closed) throw new Closed()
    if (this.#broken !== undefined) throw this.#broken
  }
}

const nothing = new Uint8Array(0)
