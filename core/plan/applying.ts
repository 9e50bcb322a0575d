/**
 * Does in a fork what `kubectl apply -f` does: creates what is not there, and patches what is by what was applied last
 * (client-side apply, kubectl's default). Refusals are answers. Definitions are waited for, so that objects of their
 * kinds can follow in the same files.
 */
import { ApiError, conflict, modifiedCause } from '../api/errors.ts'
import type { Kind } from '../api/kind.ts'
import { apiVersionOf, parseApiVersion, type AnyObject, type Key } from '../api/meta.ts'
import { isMap, type JsonMap } from '../api/patch/value.ts'
import { appliedText, lastAppliedAnnotation } from '../api/patch/lastapplied.ts'
import { threeWayPatch } from '../api/patch/threeway.ts'
import { definitionOf } from '../api/schema/schema.ts'
import { decodeObject } from '../api/schema/validate.ts'
import type { Client } from '../client/client.ts'
import type { Plane } from '../fork/plane.ts'
import { hearing } from '../fork/warnings.ts'
import { cloneJson, equalJson } from '../lib/json.ts'
import type { Document } from './documents.ts'
import { fieldChanges } from './fields.ts'
import type { FileOutcome } from './plan.ts'
import { actText, applyAgent, type Act } from './rights.ts'

/** Between two requests of kubectl. */
const betweenMs = 100
const establishedMsMax = 10_000

export interface Applying {
  readonly plane: Plane
  readonly client: Client
  /** Of objects that name none. */
  readonly namespace: string
  /** By `actText`. */
  readonly forbidden: ReadonlySet<string>
  readonly deletes: boolean
  /** The version that an object has in the cluster, which is not the fork's. Undefined: it is not there. */
  readonly versionOf: (kind: Kind, key: Key) => string | undefined
  /** Kinds that there were before the files. */
  readonly kinds: readonly Kind[]
}

export async function applyDocument(applying: Applying, document: Document): Promise<FileOutcome> {
  const { plane, deletes } = applying
  const { object, source } = document
  const kind = kindFor(plane.kinds(), object)
  const at = { source, kind: object.kind ?? '', name: object.metadata.name ?? '', namespace: kind?.namespaced === false ? '' : (object.metadata.namespace ?? applying.namespace), changes: [], notes: [] } as const
  if (kind === undefined) return { ...at, verb: 'refuse', message: `no matches for kind ${JSON.stringify(object.kind)} in version ${JSON.stringify(object.apiVersion)}: the cluster has no such kind, or another server serves it` }
  try {
    const done = deletes ? await remove(applying, kind, at) : await write(applying, kind, at, object)
    if (kind.kind === 'CustomResourceDefinition' && !deletes) await established(plane, object)
    await plane.clock.advance(betweenMs)
    const fresh = kind.custom !== undefined && !applying.kinds.some(({ group, plural }) => group === kind.group && plural === kind.plural)
    const notes = fresh ? ['its kind comes with the same files: kubectl apply refuses it until the definition is established, so apply twice'] : []
    return { ...at, ...done, notes: [...(done.notes ?? []), ...notes] }
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    return { ...at, verb: 'refuse', message: error.message }
  }
}

export function kindFor(kinds: readonly Kind[], { apiVersion = '', kind }: Readonly<AnyObject>): Kind | undefined {
  const { group, version } = parseApiVersion(apiVersion)
  return kinds.find((one) => one.kind === kind && one.group === group && one.version === version && one.verbs.includes('create') && one.stored)
}

/** What applying takes: `exists` is whether the object is there. */
export function actsFor(kind: Kind, { namespace, name }: Key, { exists, deletes }: { readonly exists: boolean; readonly deletes: boolean }): readonly Act[] {
  const act = (verb: Act['verb']): Act => ({ verb, kind, namespace, name })
  return deletes ? [act('delete')] : [act('get'), act(exists ? 'patch' : 'create')]
}

type Done = Pick<FileOutcome, 'verb'> & Partial<Pick<FileOutcome, 'changes' | 'message' | 'notes'>>

function refusedByRights({ forbidden }: Applying, acts: readonly Act[]): Done | undefined {
  const denied = acts.map(actText).find((text) => forbidden.has(text))
  return denied === undefined ? undefined : { verb: 'refuse', message: `you may not ${denied}` }
}

async function write(applying: Applying, kind: Kind, key: Key, object: Readonly<AnyObject>): Promise<Done> {
  const { plane, client } = applying
  const live = await plane.during(client.get<AnyObject>(plane.ctx, kind, key))
  const refused = refusedByRights(applying, actsFor(kind, key, { exists: live !== undefined, deletes: false }))
  if (refused !== undefined) return refused
  const wanted = placed(kind, key, object)
  checkFields(kind, wanted)
  const heard = new Set<string>()
  const ctx = hearing(plane.ctx, heard)
  const notes = (): readonly string[] => [...heard].map((warning) => `warning: ${warning}`)
  if (live === undefined) {
    await plane.during(client.create<AnyObject>(ctx, kind, noted(wanted, wanted), { fieldManager: applyAgent }))
    return { verb: 'create', notes: notes() }
  }
  const patch = patchFor(kind, wanted, asThere(live, applying.versionOf(kind, key)))
  if (isMap(patch['metadata']) && patch['metadata']['resourceVersion'] !== undefined) throw conflict({ group: kind.group, resource: kind.plural }, key.name, modifiedCause)
  if (Object.keys(patch).length === 0) return { verb: 'none' }
  const after = await plane.during(client.patch<AnyObject>(ctx, kind, key, kind.custom === undefined ? 'strategic' : 'merge', patch, { fieldManager: applyAgent }))
  const changes = fieldChanges(live, after)
  return { verb: changes.length === 0 ? 'none' : 'change', changes, notes: notes() }
}

/** Files may name the version that they were made from. */
function asThere(live: Readonly<AnyObject>, resourceVersion: string | undefined): Readonly<AnyObject> {
  return resourceVersion === undefined ? live : { ...live, metadata: { ...live.metadata, resourceVersion } }
}

/** As kubectl completes it. */
function placed(kind: Kind, key: Key, object: Readonly<AnyObject>): AnyObject {
  const mine = cloneJson(object) as AnyObject
  if (kind.namespaced) mine.metadata.namespace = key.namespace
  else delete mine.metadata.namespace
  if (isMap(mine.metadata.annotations)) delete mine.metadata.annotations[lastAppliedAnnotation]
  return mine
}

/** With what is applied noted on it. */
function noted(object: Readonly<AnyObject>, applied: Readonly<AnyObject>): AnyObject {
  return { ...object, metadata: { ...object.metadata, annotations: { ...object.metadata.annotations, [lastAppliedAnnotation]: appliedText(applied) } } }
}

function patchFor(kind: Kind, wanted: Readonly<AnyObject>, live: Readonly<AnyObject>): JsonMap {
  const text = live.metadata.annotations?.[lastAppliedAnnotation]
  const last = lastApplied(text)
  // The same, noted in other words, is no change.
  const same = last !== undefined && equalJson(bare(last), bare(JSON.parse(appliedText(wanted)) as JsonMap))
  const next = same ? { ...wanted, metadata: { ...wanted.metadata, annotations: { ...wanted.metadata.annotations, [lastAppliedAnnotation]: text } } } : noted(wanted, wanted)
  return threeWayPatch({ last, next, live }, kind.custom === undefined ? definitionOf(kind.group, kind.version, kind.kind) : undefined)
}

/** kubectl notes annotations even where there are none. */
function bare(applied: JsonMap): JsonMap {
  const { annotations = {}, ...metadata } = applied['metadata'] as { readonly annotations?: object }
  return { ...applied, metadata: Object.keys(annotations).length === 0 ? metadata : { ...metadata, annotations } }
}

function lastApplied(text: string | undefined): JsonMap | undefined {
  if (text === undefined || text === '') return undefined
  try {
    const value: unknown = JSON.parse(text)
    return isMap(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** kubectl asks the server to be strict about fields; a fork is asked without text, so the fields are looked at here. */
function checkFields(kind: Kind, object: Readonly<AnyObject>): void {
  const definition = definitionOf(kind.group, kind.version, kind.kind)
  const value = { ...(cloneJson(object) as AnyObject), apiVersion: apiVersionOf(kind), kind: kind.kind }
  const decoded = kind.custom !== undefined ? kind.custom.decode(value, { fieldValidation: 'Strict' }) : definition === undefined ? undefined : decodeObject(definition, value, { fieldValidation: 'Strict' })
  if (decoded?.ok === false) throw decoded.error
}

async function established(plane: Plane, definition: Readonly<AnyObject>): Promise<void> {
  const { group, names, versions } = definition['spec'] as { readonly group: string; readonly names: { readonly kind: string }; readonly versions: readonly { readonly name: string; readonly served: boolean }[] }
  const version = versions.find(({ served }) => served)?.name
  const isThere = (): boolean => plane.kinds().some((kind) => kind.group === group && kind.kind === names.kind && kind.version === version)
  for (let waited = 0; waited < establishedMsMax && !isThere(); waited += betweenMs) await plane.clock.advance(betweenMs)
}

async function remove(applying: Applying, kind: Kind, key: Key): Promise<Done> {
  const { plane, client } = applying
  const refused = refusedByRights(applying, actsFor(kind, key, { exists: true, deletes: true }))
  if (refused !== undefined) return refused
  const there = await plane.during(client.delete(plane.ctx, kind, key, { propagationPolicy: 'Background' }))
  return there ? { verb: 'delete' } : { verb: 'refuse', message: `${kind.plural} ${JSON.stringify(key.name)} not found` }
}
