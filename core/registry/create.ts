/** create: the way of a new object into the store (k8s.io/apiserver/pkg/registry/generic/registry/store.go, Create). */
import { ApiError, alreadyExists, generateNameConflict, isApiError } from '../api/errors.ts'
import type { Kind } from '../api/kind.ts'
import { isBeingDeleted, type AnyObject } from '../api/meta.ts'
import type { Ctx } from '../lib/ctx.ts'
import { cloneJson } from '../lib/json.ts'
import { resourceOf, shelf, standing, storeKey, stored, written, type Base } from './base.ts'
import { looseItem, storedItems, viewOf } from './item.ts'
import { trackOwnership } from './ownership.ts'
import { fillIdentity, needsName, place, prepareCreate, setDefaults, wipe } from './prepare.ts'
import type { Item, WriteOptions } from './registry.ts'
import { shownItem, storedRemotely } from './remote.ts'
import { clearStatus } from './reset.ts'

/** Names tried for one generateName; with eight, a million names of one beginning collide once in a thousand creates. */
const generatedNamesMax = 8

export async function create(base: Base, ctx: Ctx, kind: Kind, namespace: string, object: AnyObject, options: WriteOptions): Promise<Item> {
  object.metadata ??= {}
  await admit(kind, namespace, object, options)
  if (!needsName(object)) return await attempt(base, ctx, kind, object, options)
  for (let tried = 1; ; tried++) {
    try {
      return await attempt(base, ctx, kind, cloneJson(object), options)
    } catch (error) {
      if (!isApiError(error, 'AlreadyExists') || tried === generatedNamesMax) throw error
    }
  }
}

/** An absent object that an update creates: it has a name. What a PUT says of versions does not count then, as upstream has it. */
export async function createNamed(base: Base, ctx: Ctx, kind: Kind, namespace: string, object: AnyObject, options: WriteOptions): Promise<Item> {
  delete object.metadata.resourceVersion
  await admit(kind, namespace, object, options)
  return await attempt(base, ctx, kind, object, options)
}

async function admit(kind: Kind, namespace: string, object: AnyObject, options: WriteOptions): Promise<void> {
  place(kind, namespace, object)
  wipe(object)
  clearStatus(kind, object)
  setDefaults(kind, object, options.env.now)
  trackOwnership(kind, object, undefined, options)
  await options.admission.mutate(object, undefined)
  place(kind, namespace, object) // who admits may not move it
  setDefaults(kind, object, options.env.now)
}

/** From admitted object to stored item, under one name. */
async function attempt(base: Base, ctx: Ctx, kind: Kind, object: AnyObject, options: WriteOptions): Promise<Item> {
  fillIdentity(kind, object, base.random, options.env.now)
  prepareCreate(kind, object, options)
  await options.admission.validate(object, undefined)
  return await insert(base, ctx, kind, object, options)
}

async function insert(base: Base, ctx: Ctx, kind: Kind, object: AnyObject, options: WriteOptions): Promise<Item> {
  const name = object.metadata.name ?? ''
  const at = { namespace: object.metadata.namespace ?? '', name }
  const key = storeKey(kind, at)
  const { resourceVersion = '' } = object.metadata
  delete object.metadata.resourceVersion
  if (options.dryRun) {
    if (standing(base, kind, at) !== undefined) throw exists(base, kind, object, key)
    return looseItem(object, 0)
  }
  // The last of all refusals, and none of a dry run: it is the storage's own.
  if (resourceVersion !== '') throw new ApiError({ code: 500, reason: '', message: 'resourceVersion should not be set on objects to be created' })
  const bytes = kind.remote === undefined ? stored(kind, object) : await storedRemotely(base, kind, object)
  const outcome = await base.store.put(ctx, key, bytes, 'absent')
  if (!outcome.ok) throw exists(base, kind, object, key)
  const item = written(base, kind, key, bytes, outcome.revision, storedItems.item)
  return kind.remote === undefined ? viewOf(kind, item) : await shownItem(base, ctx, kind, item)
}

function exists(base: Base, kind: Kind, object: Readonly<AnyObject>, key: string): ApiError {
  const name = object.metadata.name ?? ''
  const generated = (object.metadata.generateName ?? '') !== ''
  const error = generated ? generateNameConflict(resourceOf(kind), name, 1) : alreadyExists(resourceOf(kind), name)
  const there = shelf(base, kind).get(key)
  if (there === undefined || !isBeingDeleted(there.object)) return error
  return ApiError.from({ ...error.status(), message: `object is being deleted: ${error.message}` })
}
