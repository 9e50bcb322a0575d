/**
 * Server-side apply: a configuration is merged into the live object; its fields come to belong to its manager, fields
 * that the manager applied before and does not any more go away unless others own them, and fields that others own with
 * another value are conflicts. After structured-merge-diff merge/update.go and apimachinery's util/managedfields.
 *
 * The result still has to be decoded and defaulted like any request's body: it may hold nulls where upstream's has them
 * before its decoder drops them.
 */
import { ApiError, badRequest } from '../errors.ts'
import { goQuote } from '../field.ts'
import type { KindRef } from '../kind.ts'
import { apiVersionOf, parseApiVersion, type AnyObject } from '../meta.ts'
import { formatTime } from '../time.ts'
import { difference, emptySet, has, intersection, isEmptySet, union, type FieldSet } from './fieldset.ts'
import { keepLastApplied, lastAppliedAllows } from './lastapplied.ts'
import { conflictsWith, conflictText, identity, readManagers, takeFromOthers, withoutUnowned, writeManagers, type Conflict, type Manager, type Managers } from './managers.ts'
import { filterOf, ownChange, reconcileAll, trackUpdate } from './managedfields.ts'
import { objectTypeOf, type ObjectType } from './mergetype.ts'
import { fieldSetOf, mergeValues, removeFields, sameValue, withNamedFields } from './typed.ts'
import { validateTyped } from './validate.ts'
import { clone, isMap } from './value.ts'

export interface Apply {
  /** Undefined: the apply creates the object. */
  readonly live: Readonly<AnyObject> | undefined
  readonly applied: Readonly<AnyObject>
  readonly manager: string
  readonly force: boolean
  readonly kind: KindRef
  /** For kinds that are not built in: structuralType(). */
  readonly type?: ObjectType
  readonly subresource?: string
  /** Milliseconds since the epoch. */
  readonly now: number
}

/** `changed` is false when the object is as it was; its managedFields may differ all the same. */
export type Applied = { readonly object: AnyObject; readonly changed: boolean; readonly conflict?: undefined } | { readonly conflict: ApiError }

/** Conflicts are returned; what is wrong with the configuration itself is thrown. */
export function applyPatch(apply: Apply): Applied {
  const { kind, applied } = apply
  const gv = parseApiVersion(applied.apiVersion ?? '')
  if (gv.group !== kind.group || gv.version !== kind.version || applied.kind !== kind.kind) {
    throw badRequest(`invalid object type: ${gvkText(gv.group, gv.version, applied.kind ?? '')}`)
  }
  const type = apply.type ?? objectTypeOf(kind)
  const live = apply.live ?? (type.zero as AnyObject)
  const subresource = apply.subresource ?? ''
  const managers = startingPoint(apply, type, live, subresource)
  if (applied.metadata?.managedFields !== undefined && applied.metadata.managedFields !== null) throw badRequest('metadata.managedFields must be nil')
  const wrong = validateTyped(type.type, applied, 'refused')
  if (wrong !== undefined) throw unfit(`failed to create typed patch object (${named(apply)}): ${wrong}`)
  const result = merge(apply, type, live, managers, subresource)
  if ('conflicts' in result) return { conflict: conflictError(result.conflicts) }
  const object = clone(result.object)
  object.metadata ??= {}
  delete object.metadata.managedFields
  if (apply.manager === 'kubectl') keepLastApplied(object, applied)
  const entries = writeManagers(result.managers)
  if (entries !== undefined) object.metadata.managedFields = entries
  return { object, changed: result.changed }
}

/** An object that nobody owns yet belongs to before-first-apply. */
function startingPoint(apply: Apply, type: ObjectType, live: Readonly<AnyObject>, subresource: string): Managers {
  let managers: Managers
  try {
    managers = readManagers(live.metadata?.managedFields)
  } catch (error) {
    throw unfit(`failed to decode managed fields: ${(error as Error).message}`)
  }
  if (managers.size > 0) {
    if (type.changeable) reconcileAll(managers, type)
    return managers
  }
  if (apply.live === undefined) return managers
  trackUpdate(managers, ownChange(type, apply.kind, subresource, type.zero, live), type, {
    ...selfOf(apply, subresource, emptySet), name: 'before-first-apply', operation: 'Update',
  })
  return managers
}

const selfOf = (apply: Apply, subresource: string, set: FieldSet): Manager => ({
  name: apply.manager === '' ? 'unknown' : apply.manager,
  operation: 'Apply',
  apiVersion: apiVersionOf(apply.kind),
  subresource,
  set,
  time: formatTime(apply.now),
})

interface Merged {
  readonly object: AnyObject
  readonly changed: boolean
  readonly managers: Managers
}

function merge(apply: Apply, type: ObjectType, live: Readonly<AnyObject>, before: Managers, subresource: string): Merged | { readonly conflicts: readonly Conflict[] } {
  const managers: Managers = new Map(before)
  const filter = filterOf(type, apply.kind, subresource)
  const self = selfOf(apply, subresource, filter(fieldSetOf(type.type, apply.applied)))
  const id = identity(self)
  const last = managers.get(id)
  managers.set(id, self)
  const merged = mergeValues(type.type, live, apply.applied)
  const object = last === undefined || isEmptySet(last.set) ? merged : prune(type, merged, managers, last.set)
  const change = ownChange(type, apply.kind, subresource, live, object)
  const conflicts = conflictsWith(managers, id, change)
  if (!apply.force && conflicts.length > 0) {
    const open = stillConflicting(apply, type, live, conflicts)
    if (open.length > 0) return { conflicts: open }
  }
  takeFromOthers(managers, id, change, type.served)
  const set = withoutUnowned(self.set)
  const changed = !sameValue(type.type, live, object)
  if (isEmptySet(set)) managers.delete(id)
  else managers.set(id, { ...self, set, time: changed ? self.time : last?.time })
  return { object: (object ?? {}) as AnyObject, changed, managers }
}

/** kubectl takes over from its client-side self what last-applied-configuration shows to be its own. */
function stillConflicting(apply: Apply, type: ObjectType, live: Readonly<AnyObject>, conflicts: readonly Conflict[]): readonly Conflict[] {
  const allowed = apply.manager === 'kubectl' ? lastAppliedAllows(type.type, live, apiVersionOf(apply.kind)) : undefined
  return allowed === undefined ? conflicts : conflicts.filter(({ path }) => !has(allowed, path))
}

/**
 * Takes out what the manager applied last time and does not now. Removing a field removes what is below it, so what
 * others own there is put back, and so is what is there without belonging to the manager.
 */
function prune(type: ObjectType, merged: unknown, managers: Managers, last: FieldSet): unknown {
  const named = (set: FieldSet): FieldSet => withNamedFields(type.type, set)
  const fieldsOf = (value: unknown): FieldSet => named(fieldSetOf(type.type, value))
  const all = fieldsOf(merged)
  const bare = removeFields(type.type, merged, named(last))
  const owned = named([...managers.values()].reduce((sum, manager) => union(sum, manager.set), emptySet))
  const withOwned = removeFields(type.type, merged, difference(all, union(fieldsOf(bare), owned)))
  return removeFields(type.type, merged, intersection(difference(all, fieldsOf(withOwned)), named(last)))
}

function conflictError(conflicts: readonly Conflict[]): ApiError {
  const causes = conflicts.map((conflict) => ({
    reason: 'FieldManagerConflict', message: `conflict with ${managerText(conflict.manager)}`, field: conflictText(conflict),
  }))
  return new ApiError({ code: 409, reason: 'Conflict', message: conflictMessage(conflicts), details: { causes } })
}

function conflictMessage(conflicts: readonly Conflict[]): string {
  const [only] = conflicts
  if (conflicts.length === 1 && only !== undefined) return `Apply failed with 1 conflict: conflict with ${managerText(only.manager)}: ${conflictText(only)}`
  const lines: string[] = []
  for (const manager of new Set(conflicts.map((conflict) => conflict.manager))) {
    lines.push(`conflicts with ${managerText(manager)}:`)
    lines.push(...conflicts.filter((conflict) => conflict.manager === manager).map((conflict) => `- ${conflictText(conflict)}`))
  }
  return `Apply failed with ${conflicts.length} conflicts: ${lines.join('\n')}`
}

function managerText({ name, operation, apiVersion, subresource }: Manager): string {
  const text = subresource === '' ? goQuote(name) : `${goQuote(name)} with subresource ${goQuote(subresource)}`
  return operation === 'Update' ? `${text} using ${apiVersion}` : text
}

/** Upstream lets these through as plain errors: 500 without a reason. */
function unfit(message: string): ApiError {
  return new ApiError({ code: 500, reason: '', message })
}

function named({ applied, kind }: Apply): string {
  const meta = isMap(applied.metadata) ? applied.metadata : {}
  return `${meta.namespace ?? ''}/${meta.name ?? ''}; ${gvkText(kind.group, kind.version, kind.kind)}`
}

const gvkText = (group: string, version: string, kind: string): string => `${group}/${version}, Kind=${kind}`
