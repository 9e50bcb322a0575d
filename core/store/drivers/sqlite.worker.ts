/**
 * The writer: a thread that owns the one connection that writes. Each message is one piece of
 * work, done in order and answered with one message; a batch is one transaction and one fsync.
 */
import { connect, type Connection } from './sqlite.schema.ts'
import { decodeRequest, type Answer, type Request } from './sqlite.frame.ts'

declare const self: { onmessage: ((event: { data: string }) => void) | null; postMessage(text: string): void }

class Writer {
  readonly #db: Connection
  readonly #insert
  readonly #dropPrev
  readonly #dropDeleted
  readonly #setCompacted

  constructor(path: string) {
    this.#db = connect(path)
    this.#insert = this.#db.prepare('INSERT INTO changes VALUES (?, ?, ?, ?, ?, ?, ?)')
    this.#dropPrev = this.#db.prepare(
      'DELETE FROM changes WHERE revision IN (SELECT prev FROM changes WHERE revision > ? AND revision <= ? AND prev > 0)',
    )
    this.#dropDeleted = this.#db.prepare('DELETE FROM changes WHERE revision > ? AND revision <= ? AND deleted = 1')
    this.#setCompacted = this.#db.prepare("UPDATE meta SET value = ? WHERE name = 'compacted'")
  }

  do(request: Request): Answer {
    try {
      switch (request.do) {
        case 'write':
          this.#db.transaction(() => {
            for (const r of request.rows) {
              this.#insert.run(r.revision, r.key, r.deleted ? 1 : 0, r.created, r.prev, r.time, r.deleted ? null : r.value)
            }
          }).immediate()
          return { ok: true }
        case 'compact':
          this.#db.transaction(() => {
            this.#dropPrev.run(request.from, request.to)
            this.#dropDeleted.run(request.from, request.to)
            this.#setCompacted.run(request.to)
          }).immediate()
          return { ok: true }
        case 'reclaim':
          return { ok: true, more: this.#reclaim(request.pages) }
        case 'close':
          this.#db.pragma('wal_checkpoint(TRUNCATE)')
          this.#db.close()
          return { ok: true }
        case 'open':
          return { ok: true }
      }
    } catch (error) {
      return { ok: false, error: error instanceof Error ? error.message : String(error), ...this.#last() }
    }
  }

  /** Gives empty pages back to the file system while a quarter of the file is empty. */
  #reclaim(pages: number): boolean {
    const free = this.#db.pragma('freelist_count', { simple: true }) as number
    const all = this.#db.pragma('page_count', { simple: true }) as number
    if (free * 4 < all) return false
    this.#db.pragma(`incremental_vacuum(${pages})`)
    return free > pages
  }

  #last(): { last?: number } {
    try {
      return { last: this.#db.prepare('SELECT coalesce(max(revision), 0) FROM changes').pluck().get() as number }
    } catch {
      return {}
    }
  }
}

let writer: Writer | undefined

self.onmessage = (event) => {
  const request = decodeRequest(event.data)
  let answer: Answer
  try {
    if (request.do === 'open') writer = new Writer(request.path)
    answer = writer?.do(request) ?? { ok: false, error: 'the writer is not open' }
  } catch (error) {
    answer = { ok: false, error: error instanceof Error ? error.message : String(error) }
  }
  self.postMessage(JSON.stringify(answer))
}
