/**
 * Who owns what: metadata.managedFields read into managers by identity and written back in upstream's order, and the
 * part that updates and applies share, in which a change takes fields from those who owned them. After apimachinery's
 * util/managedfields/internal/{managedfields,stripmeta}.go and structured-merge-diff's merge/update.go.
 */
import { pathText, type Element } from './element.ts'
import { difference, intersection, isEmptySet, leaf, pathsOf, readFieldSet, union, type FieldSet } from './fieldset.ts'
import type { ManagedFieldsEntry } from '../schema/types.ts'
import type { Comparison } from './typed.ts'
import { isEmptyMap, isMap } from './value.ts'

export interface Manager {
  readonly name: string
  readonly operation: 'Apply' | 'Update'
  readonly apiVersion: string
  readonly subresource: string
  readonly set: FieldSet
  readonly time: string | undefined
}

/** By identity(). */
export type Managers = Map<string, Manager>

/** Upstream's identifier, which is JSON: its text also decides the order of managers in some places. An applier keeps its identity through versions. */
export function identity(manager: Pick<Manager, 'name' | 'operation' | 'apiVersion' | 'subresource'>): string {
  return JSON.stringify({
    ...(manager.name === '' ? {} : { manager: manager.name }),
    operation: manager.operation,
    ...(manager.operation === 'Apply' || manager.apiVersion === '' ? {} : { apiVersion: manager.apiVersion }),
    ...(manager.subresource === '' ? {} : { subresource: manager.subresource }),
  })
}

/** Throws, with upstream's words, what is wrong with the first bad entry. */
export function readManagers(entries: unknown): Managers {
  const managers: Managers = new Map()
  if (!Array.isArray(entries)) return managers
  for (const [i, entry] of (entries as readonly ManagedFieldsEntry[]).entries()) {
    const { operation, apiVersion, fieldsType } = entry
    if (operation !== 'Apply' && operation !== 'Update') throw new Error('operation must be `Apply` or `Update`')
    if (apiVersion === undefined || apiVersion === '') throw new Error('apiVersion must not be empty')
    if (fieldsType === undefined || fieldsType === '') throw new Error(`missing fieldsType in managed fields entry ${i}`)
    if (fieldsType !== 'FieldsV1') throw new Error(`invalid fieldsType ${JSON.stringify(fieldsType)} in managed fields entry ${i}`)
    const manager: Manager = {
      name: entry.manager ?? '',
      operation,
      apiVersion,
      subresource: entry.subresource ?? '',
      set: readFieldSet(entry.fieldsV1),
      time: entry.time ?? undefined,
    }
    managers.set(identity(manager), manager)
  }
  return managers
}

/** Undefined for none. */
export function writeManagers(managers: Managers): ManagedFieldsEntry[] | undefined {
  if (managers.size === 0) return undefined
  const all = [...managers.values()]
  if (all.length > 1) all.sort(byAge)
  return all.map((manager) => ({
    ...(manager.name === '' ? {} : { manager: manager.name }),
    operation: manager.operation,
    apiVersion: manager.apiVersion,
    ...(manager.time === undefined ? {} : { time: manager.time }),
    fieldsType: 'FieldsV1',
    fieldsV1: manager.set as Record<string, unknown>,
    ...(manager.subresource === '' ? {} : { subresource: manager.subresource }),
  }))
}

/** Appliers first, then the oldest. */
function byAge(a: Manager, b: Manager): number {
  return order(a.operation, b.operation) || seconds(a.time) - seconds(b.time) || order(a.name, b.name)
    || order(a.apiVersion, b.apiVersion) || order(a.subresource, b.subresource)
}

const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** Whole seconds since the epoch; 0 for no time. */
export function seconds(time: string | undefined): number {
  return time === undefined ? 0 : Math.floor(Date.parse(time) / 1_000)
}

/** `managedFields: []` and `[{}]` ask for a fresh start. */
export function asksForReset(entries: unknown): boolean {
  return Array.isArray(entries) && (entries.length === 0 || (entries.length === 1 && isMap(entries[0]) && isEmptyMap(entries[0])))
}

/** Fields that nobody owns. */
const unowned: FieldSet = {
  'f:apiVersion': leaf,
  'f:kind': leaf,
  'f:metadata': {
    '.': leaf, 'f:clusterName': leaf, 'f:creationTimestamp': leaf, 'f:generation': leaf, 'f:managedFields': leaf, 'f:name': leaf,
    'f:namespace': leaf, 'f:resourceVersion': leaf, 'f:selfLink': leaf, 'f:uid': leaf,
  },
}

export function withoutUnowned(set: FieldSet): FieldSet {
  return difference(set, unowned)
}

export interface Conflict {
  readonly manager: Manager
  readonly path: readonly Element[]
}

/** What the change takes from others: undefined means that there are none it conflicts with. */
export function conflictsWith(managers: Managers, self: string, change: Comparison): readonly Conflict[] {
  const touched = union(change.modified, change.added)
  if (isEmptySet(touched)) return []
  const conflicts: Conflict[] = []
  for (const id of [...managers.keys()].sort()) {
    const manager = managers.get(id)
    if (id === self || manager === undefined) continue
    conflicts.push(...pathsOf(intersection(manager.set, touched)).map((path) => ({ manager, path })))
  }
  return conflicts
}

/** Others lose what was changed, added or removed; those who own nothing any more are gone, as are those of versions no longer served. */
export function takeFromOthers(managers: Managers, self: string, change: Comparison, served: ((apiVersion: string) => boolean) | undefined): void {
  for (const [id, manager] of managers) {
    if (id === self) continue
    if (served !== undefined && !served(manager.apiVersion)) {
      managers.delete(id)
      continue
    }
    const set = difference(difference(difference(manager.set, change.modified), change.added), change.removed)
    if (isEmptySet(set)) managers.delete(id)
    else if (set !== manager.set) managers.set(id, { ...manager, set })
  }
}

export function conflictText({ path }: Conflict): string {
  return pathText(path)
}
