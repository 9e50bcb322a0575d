import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import Database from 'better-sqlite3/linux-x64'
import { systemClock } from '../../lib/clock.ts'
import { silentLog } from '../../lib/log.ts'
import { storeContract } from '../store.contract.ts'
import type { Store } from '../store.ts'
import { openSqlite } from './sqlite.ts'
import { WriterThread } from './sqlite.writer.ts'

storeContract('sqlite', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'kubun-store-'))
  const path = join(dir, 'state.db')
  let store = await openSqlite(path)
  return {
    store,
    reopen: async () => {
      await store.close()
      return (store = await openSqlite(path))
    },
    remove: () => rm(dir, { recursive: true }),
  }
})

describe('sqlite file', () => {
  let dir: string
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'kubun-store-'))
  })
  afterAll(() => rm(dir, { recursive: true }))

  const ctx = { signal: new AbortController().signal, clock: systemClock, log: silentLog }
  const value = new Uint8Array([1])

  it('is refused in one sentence when another server holds it', async () => {
    const path = join(dir, 'held.db')
    const store = await openSqlite(path)
    await expect(openSqlite(path)).rejects.toThrow('in use by another process')
    await store.close()
    await (await openSqlite(path)).close()
  })

  it('is refused in one sentence when it is damaged, foreign or from the future', async () => {
    const noise = join(dir, 'noise.db')
    await writeFile(noise, 'this is not a database, it is a letter to the editor'.repeat(100))
    await expect(openSqlite(noise)).rejects.toThrow('the file is damaged')

    const foreign = join(dir, 'foreign.db')
    const other = new Database(foreign)
    other.exec('CREATE TABLE t (a)')
    other.close()
    await expect(openSqlite(foreign)).rejects.toThrow(expect.objectContaining({ cause: new Error('it is not a Kubun database') }))

    const newer = join(dir, 'newer.db')
    await (await openSqlite(newer)).close()
    const db = new Database(newer)
    db.pragma('user_version = 99')
    db.close()
    await expect(openSqlite(newer)).rejects.toThrow(
      expect.objectContaining({ cause: new Error('it was written by a newer Kubun (schema 99, this one reads up to 1)') }),
    )
  })

  it('refuses a failed batch and all that was built on it, and goes on from what is durable', async () => {
    const path = join(dir, 'full.db')
    const store: Store = await openSqlite(path)
    await store.put(ctx, 'a', value, 'absent')
    const thief = new Database(path)
    thief.exec("CREATE TRIGGER full BEFORE INSERT ON changes BEGIN SELECT raise(ABORT, 'disk is full'); END")
    const lost = await Promise.allSettled([store.put(ctx, 'a', value, 1), store.put(ctx, 'b', value, 'absent'), store.delete(ctx, 'a', 2)])
    expect(lost.map((l) => (l.status === 'rejected' ? String(l.reason) : l.status))).toEqual(Array(3).fill(`Error: write ${path}: disk is full`))
    expect(store.revision()).toBe(1)
    thief.exec('DROP TRIGGER full')
    expect(await store.put(ctx, 'a', value, 1)).toEqual({ ok: true, revision: 2 })
    expect(await store.put(ctx, 'b', value, 'absent')).toEqual({ ok: true, revision: 3 })
    thief.close()
    await store.close()
  })

  it('can be read by nobody else', async () => {
    const path = join(dir, 'private.db')
    const store = await openSqlite(path)
    await store.put(ctx, 'a', value, 'absent')
    const modes = await Promise.all([path, `${path}-wal`, `${path}.lock`].map(async (file) => (await stat(file)).mode & 0o777))
    expect(modes).toEqual([0o600, 0o600, 0o600])
    await store.close()
  })

  it('refuses what waits and what comes when the writer thread has ended', async () => {
    const asks = vi.spyOn(WriterThread.prototype, 'ask')
    const store: Store = await openSqlite(join(dir, 'ended.db'))
    const writer = asks.mock.contexts[0] as WriterThread
    asks.mockRestore()
    await store.put(ctx, 'a', value, 'absent')
    writer.terminate()
    await expect(store.put(ctx, 'b', value, 'absent')).rejects.toThrow('the writer thread was ended')
    await expect(store.put(ctx, 'c', value, 'absent')).rejects.toThrow('restart the server')
    await store.close()
  })

  it('takes no more writes when the file holds what it did not write', async () => {
    const path = join(dir, 'thief.db')
    const store: Store = await openSqlite(path)
    const thief = new Database(path)
    thief.exec("INSERT INTO changes VALUES (1, 'x', 0, 1, 0, 0, x'00')")
    thief.close()
    await expect(store.put(ctx, 'a', value, 'absent')).rejects.toThrow('restart the server')
    await expect(store.put(ctx, 'c', value, 'absent')).rejects.toThrow('restart the server')
    await store.close()
  })
})
