/**
 * update: read, change, prepare, admit, check, compare and set; again when another write was
 * quicker (k8s.io/apiserver/pkg/registry/generic/registry/store.go, Update).
 */
import { ApiError, conflict, invalid, isApiError, modifiedCause } from '../api/errors.ts'
import { goQuote, invalidValue, path } from '../api/field.ts'
import type { Kind } from '../api/kind.ts'
import type { AnyObject, Key } from '../api/meta.ts'
import type { Ctx } from '../lib/ctx.ts'
import { cloneJson } from '../lib/json.ts'
import { absent, resourceOf, standing, storeKey, stored, written, type Base } from './base.ts'
import { createNamed } from './create.ts'
import { looseItem, storedItems, viewOf } from './item.ts'
import { sameButForTimes, trackOwnership } from './ownership.ts'
import { place, prepareUpdate, setDefaults } from './prepare.ts'
import type { Item, UpdateOptions } from './registry.ts'
import { shownItem, storedRemotely } from './remote.ts'

export type ChangeObject = (current: AnyObject | undefined) => AnyObject | Promise<AnyObject>

export interface Updated {
  readonly item: Item
  readonly created: boolean
}

export async function update(base: Base, ctx: Ctx, kind: Kind, key: Key, change: ChangeObject, options: UpdateOptions): Promise<Updated> {
  for (;;) {
    ctx.signal.throwIfAborted()
    const current = standing(base, kind, key)
    const done = current === undefined ? await createAbsent(base, ctx, kind, key, change, options) : await replace(base, ctx, kind, key, current, change, options)
    if (done !== undefined) return done
  }
}

/** undefined: somebody else was quicker. */
async function createAbsent(base: Base, ctx: Ctx, kind: Kind, key: Key, change: ChangeObject, options: UpdateOptions): Promise<Updated | undefined> {
  if (options.createIfAbsent === undefined) throw absent(kind, key.name)
  const object = await change(undefined)
  object.metadata ??= {}
  object.metadata.name ??= key.name
  const asked = object.metadata.uid ?? ''
  if (asked !== '') throw conflict(resourceOf(kind), key.name, `Precondition failed: UID in precondition: ${asked}, UID in object meta: `)
  try {
    const create = { ...options, admission: options.createIfAbsent.admission }
    return { item: await createNamed(base, ctx, kind, key.namespace, object, create), created: true }
  } catch (error) {
    if (isApiError(error, 'AlreadyExists') && standing(base, kind, key) !== undefined) return undefined
    throw error
  }
}

async function replace(
  base: Base, ctx: Ctx, kind: Kind, key: Key, current: Item, change: ChangeObject, options: UpdateOptions,
): Promise<Updated | undefined> {
  const shown = kind.remote === undefined ? viewOf(kind, current) : await shownItem(base, ctx, kind, current)
  const prev = shown.object
  const next = await change(cloneJson(prev) as AnyObject)
  checkVersion(kind, key, next, prev)
  place(kind, key.namespace, next)
  setDefaults(kind, next, options.env.now)
  trackOwnership(kind, next, prev, options)
  await options.admission.mutate(next, prev)
  place(kind, key.namespace, next) // who admits may not move it
  setDefaults(kind, next, options.env.now)
  prepareUpdate(kind, next, prev, options)
  if ((next.metadata.resourceVersion ?? '') === '' && prev.metadata.resourceVersion !== undefined) next.metadata.resourceVersion = prev.metadata.resourceVersion
  await options.admission.validate(next, prev)
  if (isFinished(next, prev)) return await finish(base, ctx, kind, key, current, next, options)
  if (sameButForTimes(next, prev)) return { item: shown, created: false }
  if (options.dryRun) return { item: looseItem(withVersion(next, current), current.revision), created: false }
  const at = storeKey(kind, key)
  const bytes = kind.remote === undefined ? stored(kind, next) : await storedRemotely(base, kind, next)
  const outcome = await base.store.put(ctx, at, bytes, current.revision)
  if (!outcome.ok) return undefined
  const item = written(base, kind, at, bytes, outcome.revision, storedItems.item)
  return { item: kind.remote === undefined ? viewOf(kind, item) : await shownItem(base, ctx, kind, item), created: false }
}

/** Which object, and which version of it, the writer means. Throws Conflict when it is not this one. */
function checkVersion(kind: Kind, key: Key, next: AnyObject, prev: Readonly<AnyObject>): void {
  next.metadata ??= {}
  const { uid = '', resourceVersion = '' } = next.metadata
  if (uid !== '' && uid !== prev.metadata.uid) {
    // upstream's storage names its own key here
    const place = `/registry/${kind.custom === undefined ? '' : `${kind.group}/`}${kind.plural}/${kind.namespaced ? `${key.namespace}/` : ''}${key.name}`
    const why = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${prev.metadata.uid ?? ''}`
    const cause = `StorageError: invalid object, Code: 4, Key: ${place}, ResourceVersion: 0, AdditionalErrorMsg: ${why}`
    throw conflict(resourceOf(kind), key.name, cause)
  }
  if (resourceVersion === '' || resourceVersion === '0') {
    if (!kind.unconditionalUpdate) {
      const error = invalidValue(path('metadata', 'resourceVersion'), 0, 'must be specified for an update')
      throw invalid({ group: kind.group, kind: kind.plural }, key.name, [error])
    }
    return
  }
  if (!/^\d+$/.test(resourceVersion)) throw new ApiError({ code: 500, reason: '', message: `strconv.ParseUint: parsing ${goQuote(resourceVersion)}: invalid syntax` })
  if (resourceVersion !== prev.metadata.resourceVersion) throw conflict(resourceOf(kind), key.name, modifiedCause)
}

/** Whether this update takes away the last thing that kept an object which is being deleted. */
function isFinished(next: Readonly<AnyObject>, prev: Readonly<AnyObject>): boolean {
  if ((next.metadata.finalizers ?? []).length > 0 || prev.metadata.deletionTimestamp === undefined) return false
  if ((prev.metadata.deletionGracePeriodSeconds ?? 0) !== 0) return false
  // A namespace has finalizers of its own kind besides.
  return next.apiVersion !== 'v1' || next.kind !== 'Namespace' || ((next['spec'] as { finalizers?: string[] } | undefined)?.finalizers ?? []).length === 0
}

async function finish(
  base: Base, ctx: Ctx, kind: Kind, key: Key, current: Item, next: AnyObject, options: UpdateOptions,
): Promise<Updated | undefined> {
  if (!options.dryRun) {
    const outcome = await base.store.delete(ctx, storeKey(kind, key), current.revision)
    if (!outcome.ok) return undefined
  }
  return { item: looseItem(withVersion(next, current), current.revision), created: false }
}

/** A copy: the object itself may be what another try starts from. */
function withVersion(next: AnyObject, current: Item): AnyObject {
  return { ...next, metadata: { ...next.metadata, resourceVersion: String(current.revision) } }
}
