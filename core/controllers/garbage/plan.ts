/**
 * What becomes of an object because of its owners and its own deletion (upstream's garbagecollector.go). Pure: which
 * owners live, go or are gone is found out by the caller.
 */
import { isBeingDeleted, type KubeObject } from '../../api/meta.ts'
import type { OwnerReference } from '../../api/schema/types.ts'

export const foregroundFinalizer = 'foregroundDeletion'
export const orphanFinalizer = 'orphan'

/** `waits`: it is being deleted in the foreground and waits for its dependents; `unknown`: nothing may be concluded. */
export type OwnerState = 'lives' | 'waits' | 'gone' | 'unknown'

export type Fate =
  | { readonly do: 'nothing' }
  /** Owners that live keep it; references to the others go. */
  | { readonly do: 'keep'; readonly ownerReferences: readonly OwnerReference[] }
  | { readonly do: 'delete'; readonly propagation: 'Background' | 'Foreground' | 'Orphan'; readonly unblock: boolean }

export function hasFinalizer(object: Readonly<KubeObject>, name: string): boolean {
  return object.metadata.finalizers?.includes(name) ?? false
}

/** Its own deletion waits for what the collector does with its dependents. */
export function waitsForCollector(object: Readonly<KubeObject>): 'foreground' | 'orphan' | undefined {
  if (!isBeingDeleted(object)) return undefined
  if (hasFinalizer(object, orphanFinalizer)) return 'orphan'
  return hasFinalizer(object, foregroundFinalizer) ? 'foreground' : undefined
}

export interface DependentView {
  /** Dependents of the object itself: some there are, and some that themselves wait and block it (a circle). */
  readonly some: boolean
  readonly circular: boolean
}

export function planFate(object: Readonly<KubeObject>, stateOf: (owner: OwnerReference) => OwnerState, dependents: DependentView): Fate {
  const owners = object.metadata.ownerReferences ?? []
  if (owners.length === 0 || isBeingDeleted(object)) return { do: 'nothing' }
  const states = owners.map((owner) => ({ owner, state: stateOf(owner) }))
  const solid = states.filter(({ state }) => state === 'lives' || state === 'unknown').map(({ owner }) => owner)
  if (solid.length === owners.length) return { do: 'nothing' }
  if (solid.length > 0) return { do: 'keep', ownerReferences: solid }
  if (states.some(({ state }) => state === 'waits') && dependents.some) return { do: 'delete', propagation: 'Foreground', unblock: dependents.circular }
  const propagation = hasFinalizer(object, orphanFinalizer) ? 'Orphan' : hasFinalizer(object, foregroundFinalizer) ? 'Foreground' : 'Background'
  return { do: 'delete', propagation, unblock: false }
}

/** A dependent that an owner's foreground deletion waits for. */
export function blocks(dependent: Readonly<KubeObject>, ownerUid: string): boolean {
  return dependent.metadata.ownerReferences?.some((owner) => owner.uid === ownerUid && owner.blockOwnerDeletion === true) ?? false
}
