/**
 * Encryption at rest, put together: which values are sealed with which keys, read from upstream's EncryptionConfiguration
 * (apiserver.config.k8s.io/v1), and how keys are changed. Without a file of the user's own, Secrets are sealed with a key
 * of ours in the data dir. Seals are core/store/seal.ts, the store that uses them core/store/sealed.ts.
 */
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { parseYaml, renderYaml } from './api/codec/yaml.ts'
import type { Ctx } from './lib/ctx.ts'
import type { Random } from './lib/random.ts'
import { identity, keySizes, seal, type Provider, type Seal } from './store/seal.ts'
import { nameOf, openValue, type Sealing } from './store/sealed.ts'
import type { Entry, Store } from './store/store.ts'

/** The file does not say what can be done: one sentence that names the place. */
export class EncryptionError extends Error {}

interface Rule {
  readonly resources: readonly string[]
  readonly seals: readonly Seal[]
}

interface Key {
  readonly name: string
  readonly secret: string
}

/** Of the file that is ours: which old keys are kept, and since which revision nothing new was sealed with them. */
const retiredAnnotation = 'retired'

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
    return new Encryption(place, random, parseConfiguration(await read(place.file), place.file, random))
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
    this.#use(parseConfiguration(await read(this.#place.file), this.#place.file, this.#random))
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
    let after: string | undefined
    do {
      const range = await raw.range(ctx, '', { limit: 500, ...(after === undefined ? {} : { after }) })
      for (const entry of range.entries) if (this.of(entry.key) !== undefined) yield entry
      after = range.remaining > 0 ? range.entries.at(-1)?.key : undefined
    } while (after !== undefined)
  }

  async #addKey(ctx: Ctx, raw: Store): Promise<void> {
    const file = ownFile(await read(this.#place.file), this.#place.file)
    // A write that was under way with the old key may have come after all others were rewritten.
    const { values } = await this.status(ctx, raw)
    const isForgotten = ([name, revision]: readonly [string, number]): boolean => revision < raw.compacted() && values[`aesgcm:${name}`] === undefined
    const forgotten = new Set(Object.entries(file.retired).filter(isForgotten).map(([name]) => name))
    const kept = file.keys.filter((key) => !forgotten.has(key.name))
    const retired = Object.fromEntries(Object.entries(file.retired).filter(([name]) => !forgotten.has(name)))
    const number = Math.max(0, ...file.keys.map((key) => Number(/^key(\d+)$/.exec(key.name)?.[1] ?? 0))) + 1
    await write(this.#place.file, ownText([newKey(`key${number}`, this.#random), ...kept], retired))
  }

  /** From this revision on nothing is sealed with any key but the first. */
  async #noteRetired(raw: Store): Promise<void> {
    const file = ownFile(await read(this.#place.file), this.#place.file)
    const now = raw.revision()
    const retired = Object.fromEntries(file.keys.slice(1).map((key) => [key.name, file.retired[key.name] ?? now]))
    await write(this.#place.file, ownText(file.keys, retired))
  }
}

/** `secrets/ns/name` -> `secrets`, `apps/deployments/ns/name` -> `deployments.apps`. */
function resourceOf(key: string): string {
  const parts = key.split('/')
  return parts.length > 3 ? `${parts[1] ?? ''}.${parts[0] ?? ''}` : (parts[0] ?? '')
}

function covers(name: string, resource: string): boolean {
  if (name === '*.*') return true
  const dot = resource.indexOf('.')
  if (name === '*.') return dot < 0
  return name.startsWith('*.') ? dot >= 0 && resource.slice(dot + 1) === name.slice(2) : name === resource
}

function newKey(name: string, random: Random): Key {
  return { name, secret: Buffer.from(random.bytes(32)).toString('base64') }
}

function ownText(keys: readonly Key[], retired: Readonly<Record<string, number>>): string {
  return renderYaml({
    apiVersion: configVersion,
    kind: configKind,
    resources: [{ resources: ['secrets'], providers: [{ aesgcm: { keys } }, { identity: {} }] }],
    ...(Object.keys(retired).length === 0 ? {} : { [retiredAnnotation]: retired }),
  })
}

interface OwnFile {
  readonly keys: readonly Key[]
  readonly retired: Readonly<Record<string, number>>
}

/** Only what ownText() writes is changed; anything else was edited, and is left to whoever did. */
function ownFile(text: string, file: string): OwnFile {
  const config = document(text, file)
  const keys = config.resources?.[0]?.providers?.[0]?.['aesgcm']?.keys
  const retired = (config[retiredAnnotation] ?? {}) as Readonly<Record<string, number>>
  if (keys === undefined || keys === null || renderYaml(config) !== ownText(keys as readonly Key[], retired)) {
    throw new EncryptionError(`${file} was changed by hand: give it to kubun server with --encryption-provider-config, and put the new key first there yourself`)
  }
  return { keys: keys as readonly Key[], retired }
}

const configVersion = 'apiserver.config.k8s.io/v1'
const configKind = 'EncryptionConfiguration'

interface Configuration {
  readonly apiVersion?: unknown
  readonly kind?: unknown
  readonly resources?: readonly { readonly resources?: readonly unknown[]; readonly providers?: readonly Readonly<Record<string, { readonly keys?: readonly Partial<Key>[] | null } | null>>[] }[]
  readonly retired?: unknown
}

function document(text: string, file: string): Configuration {
  const parsed = parseYaml(text)
  if (!parsed.ok) throw new EncryptionError(`${file}: ${parsed.error}`)
  const config = parsed.value as Configuration | null
  if (typeof config !== 'object' || config === null || config.apiVersion !== configVersion || config.kind !== configKind) {
    throw new EncryptionError(`${file} is no ${configKind} of ${configVersion}`)
  }
  return config
}

export function parseConfiguration(text: string, file: string, random: Random): readonly Rule[] {
  const config = document(text, file)
  const list = Array.isArray(config.resources) ? (config.resources as NonNullable<Configuration['resources']>) : []
  if (list.length === 0) throw new EncryptionError(`${file}: resources: at least one is required`)
  return list.map((entry, i) => {
    const at = `${file}: resources[${i}]`
    objectAt(entry, at)
    const resources = listAt(entry.resources, `${at}.resources`).map((name, j) => resourceName(name, `${at}.resources[${j}]`))
    if (resources.length === 0) throw new EncryptionError(`${at}.resources: at least one is required`)
    refuseOverlap(resources, at)
    const providers = listAt(entry.providers, `${at}.providers`)
    if (providers.length === 0) throw new EncryptionError(`${at}.providers: at least one is required`)
    const seals = providers.flatMap((provider, j) => sealsOf(provider, `${at}.providers[${j}]`, random))
    return { resources, seals }
  })
}

function objectAt(value: unknown, at: string): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new EncryptionError(`${at}: must be an object`)
}

function listAt<T>(value: readonly T[] | null | undefined, at: string): readonly T[] {
  if (value !== undefined && value !== null && !Array.isArray(value)) throw new EncryptionError(`${at}: must be a list`)
  return value ?? []
}

function resourceName(name: unknown, at: string): string {
  if (typeof name !== 'string' || name === '') throw new EncryptionError(`${at}: must be a resource such as secrets or deployments.apps`)
  if (name !== name.toLowerCase()) throw new EncryptionError(`${at}: ${JSON.stringify(name)}: resource name should not contain capital letters`)
  if (name === '*') throw new EncryptionError(`${at}: use '*.' to encrypt all the resources from core API group or *.* to encrypt all resources`)
  if (name.endsWith('.events.k8s.io') || name === '*.events.k8s.io') throw new EncryptionError(`${at}: events of events.k8s.io are stored as those of the core group: use 'events'`)
  return name
}

function refuseOverlap(names: readonly string[], at: string): void {
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice !== undefined) throw new EncryptionError(`${at}.resources: ${twice}: the same resource cannot be specified multiple times`)
  const masked = names.find((name) => names.some((other) => other !== name && other.startsWith('*.') && covers(other, name)))
  if (masked !== undefined) throw new EncryptionError(`${at}.resources: ${masked}: overlapping resources in one list are masked by each other`)
}

function sealsOf(provider: Readonly<Record<string, { readonly keys?: readonly Partial<Key>[] | null } | null>>, at: string, random: Random): readonly Seal[] {
  objectAt(provider, at)
  const names = Object.keys(provider)
  const [name = ''] = names
  if (names.length !== 1) throw new EncryptionError(`${at}: ${names.length === 0 ? 'a provider is required' : 'more than one provider specified in a single element, should split into different list elements'}`)
  if (name === 'identity') return [identity]
  if (name === 'kms') throw new EncryptionError(`${at}: kms is not supported; aesgcm, aescbc, secretbox and identity are`)
  if (!(name in keySizes)) throw new EncryptionError(`${at}: there is no provider ${JSON.stringify(name)}; there are aesgcm, aescbc, secretbox and identity`)
  const keys = listAt(provider[name]?.keys, `${at}.${name}.keys`)
  if (keys.length === 0) throw new EncryptionError(`${at}.${name}.keys: at least one is required`)
  return keys.map((key, i) => keySeal(name as Provider, key, `${at}.${name}.keys[${i}]`, random))
}

function keySeal(provider: Provider, key: Partial<Key>, at: string, random: Random): Seal {
  objectAt(key, at)
  if (typeof key.name !== 'string' || key.name === '') throw new EncryptionError(`${at}.name: a key needs a name`)
  if (key.name.includes(':')) throw new EncryptionError(`${at}.name: must not contain ':'`)
  if (typeof key.secret !== 'string' || key.secret === '') throw new EncryptionError(`${at}.secret: a key needs its secret`)
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(key.secret)) throw new EncryptionError(`${at}.secret: secrets must be base64 encoded`)
  const secret = Buffer.from(key.secret, 'base64')
  if (!keySizes[provider].includes(secret.length)) throw new EncryptionError(`${at}.secret: secret is not of the expected length, got ${secret.length}, expected one of [${keySizes[provider].join(' ')}]`)
  return seal(provider, key.name, secret, random)
}

async function makeFile(file: string, random: Random): Promise<void> {
  try {
    await readFile(file)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
    await mkdir(dirname(file), { recursive: true, mode: 0o700 })
    await write(file, ownText([newKey('key1', random)], {}))
  }
}

async function read(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    throw new EncryptionError(`cannot read the encryption configuration ${file}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
}

/** Readers see the old file or the new one: a key that something was sealed with is never lost. */
async function write(file: string, text: string): Promise<void> {
  const beside = `${file}.new`
  await rm(beside, { force: true })
  const handle = await open(beside, 'wx', 0o600)
  try {
    await handle.writeFile(text)
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(beside, file)
  const folder = await open(dirname(file), 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

