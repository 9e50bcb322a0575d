/**
 * The file behind encryption at rest: upstream's EncryptionConfiguration (apiserver.config.k8s.io/v1) as seals for
 * resources, and the one in the data dir that is ours to write. What is sealed and when is encryption.ts.
 */
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { parseYaml, renderYaml } from './api/codec/yaml.ts'
import type { Random } from './lib/random.ts'
import { identity, keySizes, seal, type Provider, type Seal } from './store/seal.ts'

/** The file does not say what can be done: one sentence that names the place. */
export class EncryptionError extends Error {}

const configVersion = 'apiserver.config.k8s.io/v1'
const configKind = 'EncryptionConfiguration'

export interface Rule {
  readonly resources: readonly string[]
  readonly seals: readonly Seal[]
}

interface Key {
  readonly name: string
  readonly secret: string
}

/** Of the file that is ours: which old keys are kept, and since which revision nothing new was sealed with them. */
const retiredAnnotation = 'retired'

/** Throws EncryptionError. */
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

/** Whether a resource is meant by a name that may have a wildcard. */
export function covers(name: string, resource: string): boolean {
  if (name === '*.*') return true
  const dot = resource.indexOf('.')
  if (name === '*.') return dot < 0
  return name.startsWith('*.') ? dot >= 0 && resource.slice(dot + 1) === name.slice(2) : name === resource
}

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

/** Our own file, with its newest key first. */
export function ownText(keys: readonly Key[], retired: Readonly<Record<string, number>>): string {
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
export function ownFile(text: string, file: string): OwnFile {
  const config = document(text, file)
  const keys = config.resources?.[0]?.providers?.[0]?.['aesgcm']?.keys
  const retired = (config[retiredAnnotation] ?? {}) as Readonly<Record<string, number>>
  if (keys === undefined || keys === null || renderYaml(config) !== ownText(keys as readonly Key[], retired)) {
    throw new EncryptionError(`${file} was changed by hand: give it to kubun server with --encryption-provider-config, and put the new key first there yourself`)
  }
  return { keys: keys as readonly Key[], retired }
}

export function newKey(name: string, random: Random): Key {
  return { name, secret: Buffer.from(random.bytes(32)).toString('base64') }
}

/** Where there is no file of ours yet, one with a first key. */
export async function makeFile(file: string, random: Random): Promise<void> {
  try {
    await readFile(file)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
    await mkdir(dirname(file), { recursive: true, mode: 0o700 })
    await writeEncryptionFile(file, ownText([newKey('key1', random)], {}))
  }
}

/** Throws EncryptionError. */
export async function readEncryptionFile(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    throw new EncryptionError(`cannot read the encryption configuration ${file}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
}

/** Readers see the old file or the new one: a key that something was sealed with is never lost. */
export async function writeEncryptionFile(file: string, text: string): Promise<void> {
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
