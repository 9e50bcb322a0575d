/**
 * Manifests: keeps the cluster at what the files of a folder say. Objects are
 * applied server-side under their own field manager, again when a file changes and
 * from time to time; what a file no longer names is deleted. What was applied is
 * remembered in a ConfigMap, so that pruning survives a restart. Reading the folder
 * is handed in. Start reading at runManifests().
 */
import { configMaps } from '../api/core/configmap.ts'
import { parseYamlDocuments } from '../api/codec/yaml.ts'
import type { Kind } from '../api/kind.ts'
import { parseApiVersion, type AnyObject, type Key } from '../api/meta.ts'
import type { Client } from '../client/client.ts'
import { backoffMs } from '../lib/backoff.ts'
import { Bell } from '../lib/bell.ts'
import type { Ctx } from '../lib/ctx.ts'
import { errorPath } from '../lib/log.ts'

export interface ManifestFile {
  /** Path below the folder. */
  readonly name: string
  readonly text: string
}

export interface ManifestFiles {
  read(ctx: Ctx): Promise<readonly ManifestFile[]>
  /** Rings the bell at every change until ctx ends. */
  watch(ctx: Ctx, bell: Bell): void
}

export interface ManifestsDeps {
  readonly client: Client
  readonly kinds: () => readonly Kind[]
  readonly files: ManifestFiles
}

const fieldManager = 'kubun-manifests'
/** On every object that comes from a file, with the file's name; who removes it keeps the object when the file goes. */
const ownAnnotation = 'kubun.io/manifest'
const memory: Key = { namespace: 'kube-system', name: 'kubun-manifests' }
/** Without a change the files are applied again after this long: somebody may have changed the objects. */
const reapplyMs = 300_000
/** An editor writes in several steps. */
const settleMs = 200
const retry = { firstMs: 1_000, maxMs: 60_000 } as const

/** One object of a file, with where it goes. */
export interface Wanted {
  readonly kind: Kind
  readonly key: Key
  readonly object: AnyObject
}

/** What is remembered of an applied object: enough to delete it. */
export interface Ref {
  readonly apiVersion: string
  readonly kind: string
  readonly namespace: string
  readonly name: string
}

/** Runs until ctx ends. */
export async function runManifests(ctx: Ctx, deps: ManifestsDeps): Promise<void> {
  const bell = new Bell()
  deps.files.watch(ctx, bell)
  let failures = 0
  while (!ctx.signal.aborted) {
    bell.clear()
    const ok = await trySync(ctx, deps)
    failures = ok ? 0 : failures + 1
    if (await bell.wait(ctx, ok ? reapplyMs : backoffMs(retry, failures - 1))) await ctx.clock.sleep(settleMs, ctx.signal)
  }
}

async function trySync(ctx: Ctx, deps: ManifestsDeps): Promise<boolean> {
  try {
    return await sync(ctx, deps)
  } catch (error) {
    ctx.signal.throwIfAborted()
    ctx.log.warn('manifests', { error: errorPath(error) })
    return false
  }
}

/** One pass: applies every file, then deletes what none names any more. False when something has to be tried again. */
export async function sync(ctx: Ctx, deps: ManifestsDeps): Promise<boolean> {
  const files = await deps.files.read(ctx)
  const remembered = await recall(ctx, deps.client)
  if (files.length === 0 && Object.keys(remembered).length === 0) return true
  const next: Record<string, readonly Ref[]> = {}
  let ok = true
  for (const file of files) {
    const read = readManifest(file, deps.kinds())
    if (typeof read === 'string') {
      ctx.log.warn('manifest is not applied', { file: file.name, why: read })
      next[file.name] = remembered[file.name] ?? [] // a broken file deletes nothing
      ok = false
      continue
    }
    next[file.name] = read.map(refOf)
    for (const wanted of read) ok = (await apply(ctx, deps.client, file.name, wanted)) && ok
  }
  await remember(ctx, deps.client, { ...remembered, ...next }) // before deleting: a crash in between forgets nothing
  for (const ref of gone(remembered, next)) ok = (await prune(ctx, deps, ref)) && ok
  if (ok) await remember(ctx, deps.client, next)
  return ok
}

/** The objects of a file in the order in which they can be made, or a sentence why it cannot be used. */
export function readManifest(file: ManifestFile, kinds: readonly Kind[]): readonly Wanted[] | string {
  const parsed = parseYamlDocuments(file.text)
  if (!parsed.ok) return parsed.error
  const objects = parsed.value.flatMap(itemsOf)
  const wanted: Wanted[] = []
  for (const object of objects) {
    const { group, version } = parseApiVersion(String(object.apiVersion ?? ''))
    const kind = kinds.find((k) => k.group === group && k.version === version && k.kind === object.kind)
    if (kind === undefined) return `no kind ${String(object.kind)} in ${String(object.apiVersion)}`
    const name = object.metadata?.name ?? ''
    if (name === '') return `${kind.kind} without metadata.name`
    const namespace = kind.namespaced ? (object.metadata.namespace ?? 'default') : ''
    wanted.push({ kind, key: { namespace, name }, object })
  }
  return wanted.toSorted((a, b) => rankOf(a.kind) - rankOf(b.kind))
}

function itemsOf(document: unknown): AnyObject[] {
  if (typeof document !== 'object' || document === null) return []
  const object = document as AnyObject
  return String(object.kind ?? '').endsWith('List') && Array.isArray(object['items']) ? (object['items'] as unknown[]).flatMap(itemsOf) : [object]
}

/** Namespaces first, then what others refer to. */
const order = ['Namespace', 'ServiceAccount', 'Secret', 'ConfigMap', 'ClusterRole', 'Role']

function rankOf(kind: Kind): number {
  const rank = order.indexOf(kind.kind)
  return rank < 0 ? order.length : rank
}

function refOf({ kind, key }: Wanted): Ref {
  return { apiVersion: kind.group === '' ? kind.version : `${kind.group}/${kind.version}`, kind: kind.kind, ...key }
}

/** What was applied and stands in no file now. */
export function gone(before: Readonly<Record<string, readonly Ref[]>>, now: Readonly<Record<string, readonly Ref[]>>): readonly Ref[] {
  const id = (ref: Ref): string => [parseApiVersion(ref.apiVersion).group, ref.kind, ref.namespace, ref.name].join('/')
  const kept = new Set(Object.values(now).flat().map(id))
  return Object.values(before).flat().filter((ref) => !kept.has(id(ref)))
}

async function apply(ctx: Ctx, client: Client, file: string, { kind, key, object }: Wanted): Promise<boolean> {
  const annotations = { ...object.metadata.annotations, [ownAnnotation]: file }
  const mine = { ...object, metadata: { ...object.metadata, annotations, ...(key.namespace === '' ? {} : { namespace: key.namespace }) } }
  try {
    await client.patch(ctx, kind, key, 'apply', mine, { fieldManager, force: true })
    return true
  } catch (error) {
    ctx.signal.throwIfAborted()
    ctx.log.warn('manifest is not applied', { file, kind: kind.kind, name: key.name, error: errorPath(error) })
    return false
  }
}

async function prune(ctx: Ctx, deps: ManifestsDeps, ref: Ref): Promise<boolean> {
  const { group, version } = parseApiVersion(ref.apiVersion)
  const kind = deps.kinds().find((k) => k.group === group && k.version === version && k.kind === ref.kind)
  if (kind === undefined) return true
  try {
    const live = await deps.client.get(ctx, kind, ref)
    if (live?.metadata.annotations?.[ownAnnotation] === undefined) return true // gone, or taken over by somebody who removed the mark
    await deps.client.delete(ctx, kind, ref, { propagationPolicy: 'Background', preconditions: { uid: live.metadata.uid } })
    ctx.log.info('manifest object is deleted', { kind: ref.kind, namespace: ref.namespace, name: ref.name })
    return true
  } catch (error) {
    ctx.signal.throwIfAborted()
    ctx.log.warn('manifest object is not deleted', { kind: ref.kind, name: ref.name, error: errorPath(error) })
    return false
  }
}

/** All in one value: file names may hold what keys of a ConfigMap may not. */
const memoryKey = 'applied'

async function recall(ctx: Ctx, client: Client): Promise<Record<string, readonly Ref[]>> {
  const stored = await client.get(ctx, configMaps, memory)
  return JSON.parse(stored?.data?.[memoryKey] ?? '{}') as Record<string, readonly Ref[]>
}

async function remember(ctx: Ctx, client: Client, refs: Readonly<Record<string, readonly Ref[]>>): Promise<void> {
  const data = { [memoryKey]: JSON.stringify(refs) }
  const stored = await client.get(ctx, configMaps, memory)
  if (stored?.data?.[memoryKey] === data[memoryKey]) return
  if (stored === undefined) await client.create(ctx, configMaps, { metadata: { ...memory }, data })
  else await client.update(ctx, configMaps, { ...stored, data })
}
