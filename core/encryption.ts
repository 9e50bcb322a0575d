/**
 * Encryption at rest, put together: which values are sealed with which keys, and how keys are changed. Without a file of
 * the user's own, Secrets are sealed with a key of ours in the data dir. What a file says is encryptionfile.ts, seals are
 * core/store/seal.ts, the store that uses them core/store/sealed.ts.
 */
import { covers, makeFile, newKey, ownFile, ownText, parseConfiguration, readEncryptionFile, writeEncryptionFile, type Rule } from './encryptionfile.ts'
import type { Ctx } from './lib/ctx.ts'
import type { Random } from './lib/random.ts'
import { identity, type Seal } from './store/seal.ts'
import { nameOf, openValue, type Sealing } from './store/sealed.ts'
import type { Entry, Store } from './store/store.ts'

export interface Place {
  /** The EncryptionConfiguration. */
  readonly file: string
  /** Whether it is ours to write: then it is made when it is not there, and rotate() changes it. */
  readonly own: boolean
}

export interface EncryptionStatus {
  readonly file: string
  readonly resources: readonly { readonly resources: readonly string[]; readonly writes: string; readonly reads: readonly string[] }[]
  /** Seal -> stored values that have it on, of the resources above. */
  readonly values: Readonly<Record<string, number>>
}

export class Encryption implements Sealing {
  readonly #place: Place
  readonly #random: Random
  #rules: readonly Rule[]
  #byResource = new Map<string, readonly Seal[] | undefined>()
  /** The last rotation or rewriting that was wanted. */
  #last: Promise<void> = Promise.resolve()

  private constructor(place: Place, random: Random, rules: readonly Rule[]) {
    this.#place = place
    this.#random = random
    this.#rules = rules
  }

  /** Throws EncryptionError for a file that cannot be used. */
  static async open(place: Place, random: Random): Promise<Encryption> {
    if (place.own) await makeFile(place.file, random)
    return new Encryption(place, random, parseConfiguration(await readEncryptionFile(place.file), place.file, random))
  }

  of(key: string): readonly Seal[] | undefined {
    const resource = resourceOf(key)
    if (!this.#byResource.has(resource)) this.#byResource.set(resource, this.#rules.find((rule) => rule.resources.some((name) => covers(name, resource)))?.seals)
    return this.#byResource.get(resource)
  }

  async status(ctx: Ctx, raw: Store): Promise<EncryptionStatus> {
    const values: Record<string, number> = {}
    for await (const entry of this.#entries(ctx, raw)) {
      const name = nameOf(entry.value)
      values[name] = (values[name] ?? 0) + 1
    }
    const resources = this.#rules.map((rule) => ({ resources: rule.resources, writes: rule.seals[0]?.name ?? identity.name, reads: rule.seals.map(({ name }) => name) }))
    return { file: this.#place.file, resources, values }
  }

  /**
   * Seals every value with a new key (in a file of the user's own: with the first key that now stands there). The old key
   * stays for the values that history still shows, and goes with the first rotation after those are forgotten.
   */
  rotate(ctx: Ctx, raw: Store): Promise<{ readonly writes: string; readonly rewritten: number }> {
    return this.#inTurn(() => this.#rotate(ctx, raw))
  }

  /** Writes every value again that does not lie as the configuration wants it. A value that somebody writes meanwhile is sealed by that. */
  rewrite(ctx: Ctx, raw: Store): Promise<number> {
    return this.#inTurn(() => this.#rewrite(ctx, raw))
  }

  /** Two at once would each write a file of their own, and what the first one's key had sealed could not be opened again. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(work)
    this.#last = mine.then(() => undefined, () => undefined)
    return mine
  }

  async #rotate(ctx: Ctx, raw: Store): Promise<{ readonly writes: string; readonly rewritten: number }> {
    if (this.#place.own) await this.#addKey(ctx, raw)
    this.#use(parseConfiguration(await readEncryptionFile(this.#place.file), this.#place.file, this.#random))
    const rewritten = await this.#rewrite(ctx, raw)
    if (this.#place.own) await this.#noteRetired(raw)
    return { writes: this.#rules[0]?.seals[0]?.name ?? identity.name, rewritten }
  }

  async #rewrite(ctx: Ctx, raw: Store): Promise<number> {
    let rewritten = 0
    for await (const entry of this.#entries(ctx, raw)) {
      const seals = this.of(entry.key)
      const [first] = seals ?? []
      if (seals === undefined || first === undefined || nameOf(entry.value) === first.name) continue
      const value = first.close(openValue(seals, entry.key, entry.value), entry.key)
      const outcome = await raw.put(ctx, entry.key, value, entry.modified)
      if (outcome.ok) rewritten++
    }
    return rewritten
  }

  #use(rules: readonly Rule[]): void {
    this.#rules = rules
    this.#byResource = new Map()
  }

  /** What lies under the resources of the configuration, in slices. */
  async *#entries(ctx: Ctx, raw: Store): AsyncGenerator<Entry> {
    for (const prefix of prefixesOf(this.#rules.flatMap(({ resources }) => resources))) {
      let after: string | undefined
      do {
        const range = await raw.range(ctx, prefix, { limit: 500, ...(after === undefined ? {} : { after }) })
        for (const entry of range.entries) if (this.of(entry.key) !== undefined) yield entry
        after = range.remaining > 0 ? range.entries.at(-1)?.key : undefined
      } while (after !== undefined)
    }
  }

  async #addKey(ctx: Ctx, raw: Store): Promise<void> {
    const file = ownFile(await readEncryptionFile(this.#place.file), this.#place.file)
    // A write that was under way with the old key may have come after all others were rewritten.
    const { values } = await this.status(ctx, raw)
    const isForgotten = ([name, revision]: readonly [string, number]): boolean => revision < raw.compacted() && values[`aesgcm:${name}`] === undefined
    const forgotten = new Set(Object.entries(file.retired).filter(isForgotten).map(([name]) => name))
    const kept = file.keys.filter((key) => !forgotten.has(key.name))
    const retired = Object.fromEntries(Object.entries(file.retired).filter(([name]) => !forgotten.has(name)))
    const number = Math.max(0, ...file.keys.map((key) => Number(/^key(\d+)$/.exec(key.name)?.[1] ?? 0))) + 1
    await writeEncryptionFile(this.#place.file, ownText([newKey(`key${number}`, this.#random), ...kept], retired))
  }

  /** From this revision on nothing is sealed with any key but the first. */
  async #noteRetired(raw: Store): Promise<void> {
    const file = ownFile(await readEncryptionFile(this.#place.file), this.#place.file)
    const now = raw.revision()
    const retired = Object.fromEntries(file.keys.slice(1).map((key) => [key.name, file.retired[key.name] ?? now]))
    await writeEncryptionFile(this.#place.file, ownText(file.keys, retired))
  }
}

/** Under which keys these resources lie, none of them within another: `secrets/`, `apps/` for `*.apps`, all for `*.` and `*.*`. */
function prefixesOf(resources: readonly string[]): readonly string[] {
  const all = new Set(resources.map(prefixOf))
  return [...all].filter((prefix) => ![...all].some((other) => other !== prefix && prefix.startsWith(other)))
}

function prefixOf(resource: string): string {
  if (resource === '*.' || resource === '*.*') return ''
  const dot = resource.indexOf('.')
  if (dot < 0) return `${resource}/`
  const [plural, group] = [resource.slice(0, dot), resource.slice(dot + 1)]
  return plural === '*' ? `${group}/` : `${group}/${plural}/`
}

/** `secrets/ns/name` -> `secrets`, `apps/deployments/ns/name` -> `deployments.apps`. */
function resourceOf(key: string): string {
  const parts = key.split('/')
  return parts.length > 3 ? `${parts[1] ?? ''}.${parts[0] ?? ''}` : (parts[0] ?? '')
}
