/**
 * Claims: an owner with a selector adopts objects that match and have no manager, and lets go of its own that no longer
 * match (upstream's controller_ref_manager.go). What to do is decided here; a live look precedes the first adoption,
 * because the lister may not know yet that the owner goes.
 */
import type { KindRef } from '../api/kind.ts'
import { controllerOf, controllerRef, isBeingDeleted, keyOf, type KubeObject } from '../api/meta.ts'
import { isApiError } from '../api/errors.ts'
import type { Selector } from '../api/selector.ts'
import type { Client } from '../client/client.ts'
import type { Informer } from '../client/informer.ts'
import { byController, controllerIndex, type Lister } from '../client/lister.ts'
import type { Ctx } from '../lib/ctx.ts'
import { itself, ownerKey } from './run.ts'

export interface Claims<T> {
  readonly claimed: readonly Readonly<T>[]
  readonly adopt: readonly Readonly<T>[]
  readonly release: readonly Readonly<T>[]
}

/** `fits`: what an object must be besides being selected. */
export function planClaims<T extends KubeObject>(
  owner: Readonly<KubeObject>, selector: Selector, candidates: readonly Readonly<T>[], fits: (object: Readonly<T>) => boolean = () => true,
): Claims<T> {
  const claimed: Readonly<T>[] = []
  const adopt: Readonly<T>[] = []
  const release: Readonly<T>[] = []
  const goes = isBeingDeleted(owner)
  for (const candidate of candidates) {
    const meta = (candidate as T).metadata
    const manager = controllerOf(candidate as T)
    const matches = selector.matches(meta.labels) && fits(candidate)
    if (manager !== undefined) {
      if (manager.uid !== owner.metadata.uid) continue
      if (matches) claimed.push(candidate)
      else if (!goes) release.push(candidate)
    } else if (matches && !goes && !isBeingDeleted(candidate as T)) adopt.push(candidate)
  }
  return { claimed, adopt, release }
}

const orphanIndex = 'orphan'

/** Lets candidates() find what has no manager without going through the namespace. */
export function indexForClaims<T extends KubeObject>(informer: Informer<T>): void {
  informer.addIndex(controllerIndex, byController)
  informer.addIndex(orphanIndex, (o) => (controllerOf(o as T) === undefined ? [(o as T).metadata.namespace ?? ''] : []))
}

export function candidates<T extends KubeObject>(informer: Informer<T>, owner: Readonly<KubeObject>): readonly Readonly<T>[] {
  return [...informer.lister.by(controllerIndex, owner.metadata.uid ?? ''), ...informer.lister.by(orphanIndex, owner.metadata.namespace ?? '')]
}

/** Keys of the owners that an object concerns: its manager, or where it has none, all who select it. */
export function claimants<O extends KubeObject>(
  kind: KindRef<O>, owners: Lister<O>, selectorFor: (owner: Readonly<O>) => Selector,
): (object: Readonly<KubeObject>) => readonly string[] {
  const ofManager = ownerKey(kind)
  return (object) => {
    const { namespace = '', labels = {} } = object.metadata
    if (controllerOf(object) !== undefined) return ofManager(object)
    if (Object.keys(labels).length === 0) return []
    return owners.list(namespace).filter((owner) => selectorFor(owner).matches(labels)).flatMap((owner) => itself(owner as O))
  }
}

export interface ClaimKinds<O extends KubeObject, T extends KubeObject> {
  readonly owner: KindRef<O>
  readonly owned: KindRef<T>
  /** Put on what is adopted, and taken from what is let go. */
  readonly finalizer?: string
}

/** Adopts and releases; gives what the owner manages now. */
export async function claim<T extends KubeObject, O extends KubeObject>(
  ctx: Ctx, client: Client, kinds: ClaimKinds<O, T>, owner: Readonly<O>, claims: Claims<T>,
): Promise<readonly Readonly<T>[]> {
  const claimed = [...claims.claimed]
  const finalizers = kinds.finalizer === undefined ? undefined : [kinds.finalizer]
  const { uid } = (owner as O).metadata
  if (claims.adopt.length > 0) {
    const live = await client.get(ctx, kinds.owner, keyOf(owner as O))
    if (live === undefined || (live as O).metadata.uid !== uid) throw new Error(`original ${kinds.owner.kind} is gone`)
    if (isBeingDeleted(live as O)) throw new Error(`${kinds.owner.kind} has just been deleted`)
  }
  for (const object of claims.adopt) {
    const patch = { metadata: { ownerReferences: [controllerRef(owner as O, kinds.owner)], uid: (object as T).metadata.uid, ...(finalizers === undefined ? {} : { finalizers }) } }
    const mine = await whenStillThere(client.patch(ctx, kinds.owned, keyOf(object as T), 'strategic', patch))
    if (mine !== undefined) claimed.push(mine)
  }
  for (const object of claims.release) {
    const released = finalizers === undefined ? {} : { '$deleteFromPrimitiveList/finalizers': finalizers }
    const patch = { metadata: { ownerReferences: [{ $patch: 'delete', uid }], uid: (object as T).metadata.uid, ...released } }
    await whenStillThere(client.patch(ctx, kinds.owned, keyOf(object as T), 'strategic', patch))
  }
  return claimed
}

/** Gone, or another object of the same name by now: nothing to claim. */
async function whenStillThere<T>(write: Promise<T>): Promise<T | undefined> {
  try {
    return await write
  } catch (error) {
    if (isApiError(error, 'NotFound') || isApiError(error, 'Invalid')) return undefined
    throw error
  }
}
