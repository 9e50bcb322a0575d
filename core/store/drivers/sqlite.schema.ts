/**
 * The SQLite database: its tables, its settings, and what may be wrong with the file. One row
 * a change is all there is: the current state of a key is its newest row, found by the index.
 */
import { closeSync, openSync } from 'node:fs'
import Database from 'better-sqlite3/linux-x64'
import type { Database as Connection } from 'better-sqlite3'

export type { Connection }

/** Raised when a newer Kubun writes what an older one cannot read. */
const schemaVersion = 1
/** "KuBn": tells our files from anybody else's. */
const applicationId = 0x4b75426e

/** Pages (4 kB) of write-ahead log that make a commit carry them over into the database. */
const walPagesCheckpoint = 2_000
/** What the log file may keep on disk once it has been carried over. */
const walBytesMax = 32 * 1_024 * 1_024
/** Kilobytes of page cache of each connection. */
const cacheKb = 8_192
/** How long a connection waits for the other's lock (they meet only at checkpoints). */
const busyMs = 10_000

const tables = `
  CREATE TABLE changes (
    revision INTEGER PRIMARY KEY,
    key TEXT NOT NULL,
    deleted INTEGER NOT NULL,
    created INTEGER NOT NULL,
    prev INTEGER NOT NULL,
    time INTEGER NOT NULL,
    value BLOB
  );
  CREATE INDEX changes_by_key ON changes (key, revision);
  CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
  INSERT INTO meta VALUES ('compacted', 0);
`

/** Opens the file for reading and writing; makes the tables in a new one. Throws one clear sentence for a file that cannot be used. */
export function connect(path: string): Connection {
  let db: Connection | undefined
  try {
    makePrivate(path)
    db = new Database(path, { timeout: busyMs })
    const created = db.pragma('page_count', { simple: true }) === 0
    if (created) db.pragma('auto_vacuum = INCREMENTAL')
    settle(db)
    if (created) db.transaction(() => create(db as Connection)).immediate()
    check(db)
    return db
  } catch (cause) {
    db?.close()
    throw new Error(sentence(path, cause), { cause })
  }
}

/** Secrets lie in it: nobody but the owner may read it, nor the files that SQLite puts beside it with the same mode. */
function makePrivate(path: string): void {
  closeSync(openSync(path, 'a', 0o600))
}

function settle(db: Connection): void {
  db.pragma('journal_mode = WAL')
  db.pragma('synchronous = FULL')
  db.pragma(`wal_autocheckpoint = ${walPagesCheckpoint}`)
  db.pragma(`journal_size_limit = ${walBytesMax}`)
  db.pragma(`cache_size = -${cacheKb}`)
  db.pragma('temp_store = MEMORY')
}

function create(db: Connection): void {
  if (db.prepare('SELECT count(*) FROM sqlite_schema').pluck().get() !== 0) return
  db.exec(tables)
  db.pragma(`application_id = ${applicationId}`)
  db.pragma(`user_version = ${schemaVersion}`)
}

function check(db: Connection): void {
  if (db.pragma('application_id', { simple: true }) !== applicationId) throw new Error('it is not a Kubun database')
  const version = db.pragma('user_version', { simple: true }) as number
  if (version > schemaVersion) {
    throw new Error(`it was written by a newer Kubun (schema ${version}, this one reads up to ${schemaVersion})`)
  }
}

function sentence(path: string, cause: unknown): string {
  const code = (cause as { code?: string }).code ?? ''
  if (code === 'SQLITE_NOTADB' || code.startsWith('SQLITE_CORRUPT')) {
    return `open database ${path}: the file is damaged; restore a snapshot, or move it away to start empty`
  }
  return `open database ${path}`
}

/**
 * Holds a lock on the database for this process's life: a second server on the same data is refused.
 * The lock is SQLite's own on a file beside it, so the kernel frees it however the process ends.
 */
export function lock(path: string): { release(): void } {
  makePrivate(`${path}.lock`)
  const db = new Database(`${path}.lock`, { timeout: 0 })
  try {
    db.exec('BEGIN EXCLUSIVE')
  } catch (cause) {
    db.close()
    throw new Error(`open database ${path}: it is in use by another process; is a server running on this data directory?`, { cause })
  }
  return { release: () => db.close() }
}
