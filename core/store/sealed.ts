/**
 * A store whose values lie sealed on disk, where its sealing says so, and are read and written in the clear by
 * everybody above it. The seals are seal.ts; where keys come from is the composition root's.
 */
import type { Ctx } from '../lib/ctx.ts'
import { isSealed, startsWith, type Seal } from './seal.ts'
import type { Change, Entry, Expected, Outcome, Range, RangeOptions, Revision, Store, Watch, Watcher } from './store.ts'

/** What is sealed how. It may change while the store is open: the next write sees it. */
export interface Sealing {
  /** The seals of the values under this key: the first one writes, all read. Undefined: nothing is said, and values lie in the clear. */
  of(key: string): readonly Seal[] | undefined
}

/** No seal that is known opens the value. */
export class Unreadable extends Error {
  constructor(key: string, value: Uint8Array, cause?: unknown) {
    super(`the value of ${key} was sealed with ${nameOf(value)}, which ${cause === undefined ? 'is not among the keys that are configured: put that key back into the encryption configuration' : 'does not open it: the key is another, or the value was changed'}`, { cause })
  }
}

export function sealedStore(inner: Store, sealing: Sealing): Store {
  return new SealedStore(inner, sealing)
}

/** The name of the seal that a stored value has on it: `aesgcm:key1`, or 'identity'. */
export function nameOf(value: Uint8Array): string {
  if (!isSealed(value)) return 'identity'
  const [, , provider = '', , keyName = ''] = Buffer.from(value.subarray(0, 300)).toString('latin1').split(':', 5)
  return `${provider}:${keyName}`
}

/** What lies under `key` as it was before it was sealed. Throws Unreadable where no seal given opens it. */
export function openValue(seals: readonly Seal[], key: string, value: Uint8Array): Uint8Array {
  if (!isSealed(value)) return value
  const by = seals.find((seal) => seal.mark.length > 0 && startsWith(value, seal.mark))
  if (by === undefined) throw new Unreadable(key, value)
  try {
    return by.open(value, key)
  } catch (cause) {
    throw new Unreadable(key, value, cause)
  }
}

class SealedStore implements Store {
  readonly #inner: Store
  readonly #sealing: Sealing

  constructor(inner: Store, sealing: Sealing) {
    this.#inner = inner
    this.#sealing = sealing
  }

  revision(): Revision {
    return this.#inner.revision()
  }

  compacted(): Revision {
    return this.#inner.compacted()
  }

  async get(ctx: Ctx, key: string): Promise<Entry | undefined> {
    return this.#entry(await this.#inner.get(ctx, key))
  }

  async range(ctx: Ctx, prefix: string, options?: RangeOptions): Promise<Range> {
    const range = await this.#inner.range(ctx, prefix, options)
    return { ...range, entries: range.entries.map((entry) => this.#entry(entry)) }
  }

  put(ctx: Ctx, key: string, value: Uint8Array, expected: Expected): Promise<Outcome> {
    const seals = this.#sealing.of(key)
    const [first] = seals ?? []
    return this.#outcome(key, this.#inner.put(ctx, key, first === undefined ? value : first.close(value, key), expected))
  }

  delete(ctx: Ctx, key: string, expected: Revision): Promise<Outcome> {
    return this.#outcome(key, this.#inner.delete(ctx, key, expected))
  }

  watch(prefix: string, from: Revision, watcher: Watcher): Watch {
    return this.#inner.watch(prefix, from, {
      changes: (changes, upTo) => watcher.changes(changes.map((change) => this.#change(change)), upTo),
      end: (why) => watcher.end(why),
    })
  }

  compact(ctx: Ctx, upTo: Revision): Promise<void> {
    return this.#inner.compact(ctx, upTo)
  }

  async history(ctx: Ctx, key: string, options?: { readonly limit?: number }): Promise<readonly Change[]> {
    return (await this.#inner.history(ctx, key, options)).map((change) => this.#change(change))
  }

  revisionAt(ctx: Ctx, timeMs: number): Promise<Revision> {
    return this.#inner.revisionAt(ctx, timeMs)
  }

  sizeBytes(): number {
    return this.#inner.sizeBytes()
  }

  close(): Promise<void> {
    return this.#inner.close()
  }

  #entry(entry: Entry): Entry
  #entry(entry: Entry | undefined): Entry | undefined
  #entry(entry: Entry | undefined): Entry | undefined {
    if (entry === undefined) return undefined
    const value = this.#open(entry.key, entry.value)
    return value === entry.value ? entry : { ...entry, value }
  }

  #change(change: Change): Change {
    return new OpenedChange(change, (key, value) => this.#open(key, value))
  }

  /** Where nothing is sealed any more, values of before still are. */
  #open(key: string, value: Uint8Array): Uint8Array {
    return isSealed(value) ? openValue(this.#sealing.of(key) ?? [], key, value) : value
  }

  /** Writes that are not sealed wait for nothing more. */
  #outcome(key: string, outcome: Promise<Outcome>): Promise<Outcome> {
    if (this.#sealing.of(key) === undefined) return outcome
    return outcome.then((known) => (known.ok ? known : { ok: false, current: this.#entry(known.current) }))
  }
}

/** Opened when it is asked for: what was there before is read from the disk then, and hardly anybody asks. */
class OpenedChange implements Change {
  readonly type: Change['type']
  readonly key: string
  readonly revision: Revision
  readonly created: Revision
  readonly time: number
  readonly #sealed: Change
  readonly #open: (key: string, value: Uint8Array) => Uint8Array

  constructor(sealed: Change, open: (key: string, value: Uint8Array) => Uint8Array) {
    this.type = sealed.type
    this.key = sealed.key
    this.revision = sealed.revision
    this.created = sealed.created
    this.time = sealed.time
    this.#sealed = sealed
    this.#open = open
  }

  get value(): Uint8Array {
    return this.#open(this.key, this.#sealed.value)
  }

  get prev(): Uint8Array | undefined {
    const { prev } = this.#sealed
    return prev === undefined ? undefined : this.#open(this.key, prev)
  }
}
