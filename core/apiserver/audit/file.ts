/**
 * The audit log: a file of JSON lines, written in batches off the request's way, moved aside when it is full, and no more
 * of them than was asked for (as lumberjack does it for upstream: NAME-TIME.EXT beside it).
 */
import { mkdir, open, readdir, rename, stat, unlink, type FileHandle } from 'node:fs/promises'
import { basename, dirname, extname, join } from 'node:path'
import type { Ctx } from '../../lib/ctx.ts'
import { errorPath } from '../../lib/log.ts'
import type { Sink } from './audit.ts'

export interface FileOptions {
  readonly path: string
  /** 0: no limit. */
  readonly bytesMax: number
  readonly backupsMax: number
  readonly ageMsMax: number
}

/** Time for which lines are gathered. */
const gatherMs = 100
/** Bytes that may wait for the disk; beyond that, lines are lost and counted. */
const waitingBytesMax = 64 * 1_024 * 1_024

/** Throws where the file cannot be written. */
/** `lost` is told of lines that were taken and could not be written. */
export async function openAuditFile(ctx: Ctx, options: FileOptions, lost: (events: number) => void = () => {}): Promise<Sink> {
  const file = new RotatingFile(ctx, options, lost)
  try {
    await mkdir(dirname(options.path), { recursive: true, mode: 0o700 })
    await file.open()
  } catch (cause) {
    throw new Error(`audit log ${options.path}`, { cause })
  }
  return {
    name: 'log',
    add: (line) => file.add(line),
    close: () => file.close(),
  }
}

class RotatingFile {
  readonly #ctx: Ctx
  readonly #options: FileOptions
  readonly #lost: (events: number) => void
  #handle: FileHandle | undefined
  #size = 0
  #lines: string[] = []
  #bytes = 0
  #timer: { stop(): void } | undefined
  #writing: Promise<void> = Promise.resolve()

  constructor(ctx: Ctx, options: FileOptions, lost: (events: number) => void) {
    this.#ctx = ctx
    this.#options = options
    this.#lost = lost
  }

  async open(): Promise<void> {
    this.#handle = await open(this.#options.path, 'a', 0o600)
    this.#size = (await this.#handle.stat()).size
    await this.#prune()
  }

  add(line: string): boolean {
    if (this.#bytes > waitingBytesMax) return false
    this.#lines.push(line)
    this.#bytes += line.length
    this.#timer ??= this.#ctx.clock.after(gatherMs, () => this.#flush())
    return true
  }

  async close(): Promise<void> {
    this.#flush()
    await this.#writing
    await this.#handle?.close()
    this.#handle = undefined
  }

  #flush(): void {
    this.#timer?.stop()
    this.#timer = undefined
    if (this.#lines.length === 0) return
    const text = this.#lines.join('')
    const bytes = this.#bytes
    this.#lines = []
    this.#writing = this.#writing.then(() => this.#write(text)).then(() => void (this.#bytes -= bytes))
  }

  async #write(text: string): Promise<void> {
    const bytes = Buffer.from(text)
    const { bytesMax } = this.#options
    const isFull = bytesMax > 0 && this.#size > 0 && this.#size + bytes.length > bytesMax
    // A log that is too long is better than none.
    if (isFull) await this.#rotate().catch((error: unknown) => this.#failed(error))
    try {
      await this.#handle?.appendFile(bytes)
      this.#size += bytes.length
    } catch (error) {
      this.#lost(text.split('\n').length - 1)
      this.#failed(error)
    }
  }

  #failed(error: unknown): void {
    this.#ctx.log.error('audit log', { path: this.#options.path, error: errorPath(error) })
  }

  async #rotate(): Promise<void> {
    const { path } = this.#options
    const time = new Date(this.#ctx.clock.now()).toISOString().replaceAll(':', '-').slice(0, -1)
    await rename(path, join(dirname(path), `${this.#stem()}-${time}${extname(path)}`)).catch((error: unknown) => {
      if (!isMissing(error)) throw error // somebody else took it away: a new one begins all the same
    })
    const full = this.#handle
    try {
      await this.open()
    } finally {
      if (full !== this.#handle) await full?.close()
    }
  }

  #stem(): string {
    return basename(this.#options.path, extname(this.#options.path))
  }

  /** Old ones go: the oldest beyond the number, and those whose time is over. */
  async #prune(): Promise<void> {
    const { path, backupsMax, ageMsMax } = this.#options
    const [stem, ext] = [`${this.#stem()}-`, extname(path)]
    const names = (await readdir(dirname(path))).filter((name) => name.startsWith(stem) && name.endsWith(ext) && /\d{4}-\d\d-\d\dT[\d.-]+$/.test(name.slice(stem.length, name.length - ext.length)))
    const backups = names.toSorted().reverse()
    const old = backupsMax > 0 ? backups.slice(backupsMax) : []
    for (const name of backupsMax > 0 ? backups.slice(0, backupsMax) : backups) {
      const { mtimeMs } = await stat(join(dirname(path), name))
      if (ageMsMax > 0 && this.#ctx.clock.now() - mtimeMs > ageMsMax) old.push(name)
    }
    for (const name of old) await unlink(join(dirname(path), name)).catch(() => undefined) // somebody else was quicker
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}
