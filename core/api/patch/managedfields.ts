/**
 * Ownership through creates, updates and patches that are no applies: who changed a field owns it. Runs on every write:
 * an update compares the two objects once and touches only the sets that the difference touches; a create is one walk.
 * Start reading at updateManagedFields(). Server-side apply is apply.ts.
 */
import type { KindRef } from '../kind.ts'
import { apiVersionOf, type AnyObject } from '../meta.ts'
import { formatTime } from '../time.ts'
import { emptySet, isEmptySet, union } from './fieldset.ts'
import { asksForReset, identity, readManagers, seconds, takeFromOthers, withoutUnowned, writeManagers, type Manager, type Managers } from './managers.ts'
import { objectTypeOf, type ObjectType } from './mergetype.ts'
import { withoutReset } from './reset.ts'
import { compare, reconcile, type Comparison } from './typed.ts'

/** Managers of updates that an object remembers; older ones are merged into one called ancient-changes. */
export const updateManagersMax = 10

export interface OwnershipUpdate {
  /** The object as it is stored; undefined for a create. */
  readonly prev: Readonly<AnyObject> | undefined
  /** The object to be stored, as the codec leaves it (defaults, and Go's empty structs, are there). Its managedFields are set in place. */
  readonly next: AnyObject
  readonly manager: string
  readonly kind: KindRef
  /** For kinds that are not built in: structuralType(). */
  readonly type?: ObjectType
  readonly subresource?: string
  /** Milliseconds since the epoch. */
  readonly now: number
}

export function updateManagedFields(update: OwnershipUpdate): void {
  const { prev, next, kind, subresource = '' } = update
  const managers = startingPoint(prev, next, subresource)
  delete next.metadata.managedFields
  // An object that does without managed fields stays without: its ownership is not known.
  if (managers.size === 0 && prev?.metadata.uid !== undefined && prev.metadata.uid !== '') return
  const type = update.type ?? objectTypeOf(kind)
  if (type.changeable) reconcileAll(managers, type)
  const change = ownChange(type, kind, subresource, prev ?? type.zero, next)
  trackUpdate(managers, change, type, {
    name: update.manager === '' ? 'unknown' : update.manager,
    operation: 'Update',
    apiVersion: apiVersionOf(kind),
    subresource,
    set: emptySet,
    time: formatTime(update.now),
  })
  const entries = writeManagers(managers)
  if (entries !== undefined) next.metadata.managedFields = entries
}

/** The managers that the write starts from: the sent ones where they may be sent and can be read, else the stored ones. */
function startingPoint(prev: Readonly<AnyObject> | undefined, next: AnyObject, subresource: string): Managers {
  const sent = next.metadata.managedFields
  if (subresource === '' && sent !== undefined && sent !== null && sent !== prev?.metadata.managedFields) {
    if (asksForReset(sent)) return new Map()
    const read = readable(sent)
    if (read.size > 0) return read
  }
  return readable(prev?.metadata.managedFields)
}

function readable(entries: unknown): Managers {
  try {
    return readManagers(entries)
  } catch {
    return new Map()
  }
}

export function reconcileAll(managers: Managers, type: ObjectType): void {
  for (const [id, manager] of managers) {
    const set = reconcile(type.type, manager.set)
    if (set !== manager.set) managers.set(id, { ...manager, set })
  }
}

/** What changed, without what this endpoint cannot change. */
export function ownChange(type: ObjectType, kind: KindRef, subresource: string, prev: unknown, next: unknown): Comparison {
  const change = compare(type.type, prev, next)
  const filter = filterOf(type, kind, subresource)
  return { added: filter(change.added), modified: filter(change.modified), removed: filter(change.removed) }
}

export function filterOf(type: ObjectType, kind: KindRef, subresource: string): (set: Comparison['added']) => Comparison['added'] {
  const hasStatus = type.changeable ? 'status' in kind && kind.status !== undefined : type.type.map?.fields.has('status') === true
  return (set) => withoutReset(set, kind, subresource, hasStatus, type.changeable)
}

/** `self` comes with an empty set; it gets what changed, and what it owned before. */
export function trackUpdate(managers: Managers, change: Comparison, type: ObjectType, self: Manager): void {
  takeFromOthers(managers, '', change, type.served)
  const set = withoutUnowned(union(change.modified, change.added))
  if (!isEmptySet(set)) {
    const id = identity(self)
    const before = managers.get(id)?.set
    managers.set(id, { ...self, set: before === undefined ? set : union(set, before) })
  }
  capUpdates(managers)
}

/** Merges the oldest updates of each version until there are few enough (capmanagers.go). */
function capUpdates(managers: Managers): void {
  const updates = [...managers].filter(([, manager]) => manager.operation === 'Update')
  let left = updates.length
  if (left <= updateManagersMax) return
  updates.sort(([idA, a], [idB, b]) => seconds(a.time) - seconds(b.time) || (idA < idB ? -1 : 1))
  const firstOf = new Map<string, string>()
  for (const [id, manager] of updates) {
    if (left <= updateManagersMax) return
    const first = firstOf.get(manager.apiVersion)
    if (first === undefined) {
      firstOf.set(manager.apiVersion, id)
      continue
    }
    const ancient: Manager = { ...manager, name: 'ancient-changes', subresource: '' }
    const bucket = identity(ancient)
    const before = managers.get(bucket)?.set ?? managers.get(first)?.set ?? emptySet
    if (!managers.has(bucket)) managers.delete(first)
    managers.set(bucket, { ...ancient, set: union(manager.set, before) })
    if (id !== bucket) managers.delete(id)
    left--
  }
}
