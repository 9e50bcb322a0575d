/**
 * Reads of the SQLite store, on the request thread's own connection. It may see rows that the
 * writer has committed and not yet announced: every read is bounded by the revision it is given.
 */
import type { Change, Entry, Revision } from '../store.ts'
import type { Connection } from './sqlite.schema.ts'

interface LiveRow {
  readonly key: string
  readonly revision: Revision
  readonly created: Revision
}

interface ChangeRow extends LiveRow {
  readonly deleted: number
  readonly prev: Revision
  readonly time: number
  readonly value: Uint8Array | null
}

export interface StoredChange {
  readonly key: string
  readonly revision: Revision
  readonly deleted: boolean
  readonly created: Revision
  readonly prev: Revision
  readonly time: number
  readonly value: Uint8Array
}

/** After every key that starts with the prefix, in SQLite's byte order. */
const last = '\u{10ffff}'

export class Reader {
  readonly #db: Connection
  readonly #value
  readonly #changes
  readonly #history
  readonly #rangeAt
  readonly #countAt
  readonly #timeFrom

  constructor(db: Connection) {
    db.pragma('query_only = ON')
    this.#db = db
    this.#value = db.prepare<[Revision], Uint8Array>('SELECT value FROM changes WHERE revision = ?').pluck()
    this.#changes = db.prepare<[Revision, Revision, string, string, number], ChangeRow>(
      'SELECT * FROM changes WHERE revision > ? AND revision <= ? AND key >= ? AND key < ? ORDER BY revision LIMIT ?',
    )
    this.#history = db.prepare<[string, Revision, number], ChangeRow>(
      'SELECT * FROM changes WHERE key = ? AND revision <= ? ORDER BY revision DESC LIMIT ?',
    )
    const newest = 'SELECT max(revision) AS r FROM changes WHERE key >= ? AND key > ? AND key < ? AND revision <= ? GROUP BY key'
    this.#rangeAt = db.prepare<[string, string, string, Revision, number], ChangeRow>(
      `SELECT c.* FROM (${newest}) n CROSS JOIN changes c ON c.revision = n.r WHERE c.deleted = 0 ORDER BY c.key LIMIT ?`,
    )
    this.#countAt = db
      .prepare<[string, string, string, Revision], number>(
        `SELECT count(*) FROM (${newest}) n CROSS JOIN changes c ON c.revision = n.r WHERE c.deleted = 0`,
      )
      .pluck()
    this.#timeFrom = db.prepare<[Revision], { revision: Revision; time: number }>(
      'SELECT revision, time FROM changes WHERE revision >= ? ORDER BY revision LIMIT 1',
    )
  }

  /** Every key that stands, by hopping from key to key in the index: history costs nothing here. */
  live(): readonly LiveRow[] {
    return this.#db
      .prepare<[], LiveRow>(
        `WITH RECURSIVE keys(k) AS (
           SELECT min(key) FROM changes
           UNION ALL SELECT (SELECT min(key) FROM changes WHERE key > k) FROM keys WHERE k IS NOT NULL)
         SELECT c.key, c.revision, c.created FROM keys
         CROSS JOIN changes c ON c.revision = (SELECT max(revision) FROM changes WHERE key = k)
         WHERE k IS NOT NULL AND c.deleted = 0`,
      )
      .all()
  }

  last(): { readonly revision: Revision; readonly time: number } {
    const row = this.#db.prepare<[], { revision: Revision; time: number }>('SELECT revision, time FROM changes ORDER BY revision DESC LIMIT 1').get()
    return row ?? { revision: 0, time: 0 }
  }

  compacted(): Revision {
    return this.#db.prepare("SELECT value FROM meta WHERE name = 'compacted'").pluck().get() as Revision
  }

  value(revision: Revision): Uint8Array {
    const value = this.#value.get(revision)
    if (value === undefined) throw new Error(`store: revision ${revision} is not in the database`)
    return value ?? nothing
  }

  changes(prefix: string, after: Revision, upTo: Revision, limit: number): readonly Change[] {
    return this.#changes.all(after, upTo, prefix, prefix + last, limit).map((row) => this.#fromRow(row))
  }

  history(key: string, upTo: Revision, limit: number): readonly Change[] {
    return this.#history.all(key, upTo, limit === Infinity ? -1 : limit).map((row) => this.#fromRow(row))
  }

  rangeAt(prefix: string, after: string, limit: number, at: Revision): { entries: Entry[]; remaining: number } {
    const end = prefix + last
    const rows = this.#rangeAt.all(prefix, after, end, at, limit === Infinity ? -1 : limit)
    const entries = rows.map((row): Entry => ({ key: row.key, value: row.value ?? nothing, created: row.created, modified: row.revision }))
    const all = limit === Infinity ? rows.length : (this.#countAt.get(prefix, after, end, at) ?? 0)
    return { entries, remaining: all - rows.length }
  }

  /** Times never run backwards, so this is a search by halves. */
  revisionAt(timeMs: number, upTo: Revision): Revision {
    let best = 0
    let low = 1
    let high = upTo
    while (low <= high) {
      const middle = Math.floor((low + high) / 2)
      const row = this.#timeFrom.get(middle)
      if (row === undefined || row.revision > high) {
        // Nothing is kept from `middle` to `high`.
        high = middle - 1
      } else if (row.time <= timeMs) {
        best = row.revision
        low = row.revision + 1
      } else {
        high = middle - 1
      }
    }
    return best
  }

  /** A change whose previous value is read only when somebody asks: the cache has it anyway. */
  change(row: StoredChange): Change {
    return new LazyChange(row, this)
  }

  close(): void {
    this.#db.close()
  }

  /** Undefined where it is gone or the database is closed. */
  earlier(revision: Revision): Uint8Array | undefined {
    return this.#db.open ? (this.#value.get(revision) ?? undefined) : undefined
  }

  #fromRow(row: ChangeRow): Change {
    return new LazyChange({ ...row, deleted: row.deleted === 1, value: row.value ?? nothing }, this)
  }
}

class LazyChange implements Change {
  readonly type: 'put' | 'delete'
  readonly key: string
  readonly revision: Revision
  readonly created: Revision
  readonly time: number
  readonly #value: Uint8Array
  readonly #prev: Revision
  readonly #reader: Reader

  constructor(row: StoredChange, reader: Reader) {
    this.type = row.deleted ? 'delete' : 'put'
    this.key = row.key
    this.revision = row.revision
    this.created = row.created
    this.time = row.time
    this.#value = row.value
    this.#prev = row.prev
    this.#reader = reader
  }

  get value(): Uint8Array {
    return this.type === 'put' ? this.#value : (this.prev ?? nothing)
  }

  get prev(): Uint8Array | undefined {
    return this.#prev === 0 ? undefined : this.#reader.earlier(this.#prev)
  }
}

const nothing = new Uint8Array(0)
