/**
 * Values walked with their types: which fields an object sets, what differs between two, merging one into the other,
 * taking fields out. The hot paths of every write; they trust that the values fit their types (validate.ts checks what
 * users apply). Semantics: structured-merge-diff typed/{tofieldset,compare,merge,remove}.go.
 */
import { keyElement, valueElement, type Element } from './element.ts'
import { emptySet, hasBelow, inOrder, isMember, leaf, union, type Draft, type FieldSet } from './fieldset.ts'
import { untyped, type ListType, type MapField, type MapType, type MergeType } from './mergetype.ts'
import { equal, isEmptyMap, isMap, put, type JsonMap } from './value.ts'

export interface Comparison {
  readonly added: FieldSet
  readonly modified: FieldSet
  readonly removed: FieldSet
}

/** Which of a place's forms applies to a value; for null, and for what fits none, the first it has. */
export function formOf(type: MergeType, value: unknown): 'map' | 'scalar' | 'list' {
  if (value !== null && value !== undefined) {
    if (Array.isArray(value)) {
      if (type.list !== undefined) return 'list'
    } else if (typeof value === 'object') {
      if (type.map !== undefined) return 'map'
    } else if (type.scalar !== undefined) return 'scalar'
  }
  return type.map !== undefined ? 'map' : type.scalar !== undefined ? 'scalar' : 'list'
}

export function typeOfKey(map: MapType, key: string): MergeType {
  return map.fields.get(key)?.type ?? map.rest ?? untyped
}

/** The element of a list's item; undefined where the item cannot have one. */
export function itemElement(list: ListType, item: unknown): Element | undefined {
  if (list.keys.length === 0) return typeof item === 'object' || item === undefined ? undefined : valueElement(item)
  if (!isMap(item)) return undefined
  const names: string[] = []
  const values: unknown[] = []
  for (const name of list.keys) {
    const value = item[name] ?? (Object.hasOwn(item, name) ? item[name] : list.items.map?.fields.get(name)?.default)
    if (value === undefined) continue
    names.push(name)
    values.push(value)
  }
  return names.length === 0 ? undefined : keyElement(names, values)
}

/** A list's items by element, in the list's order; what occurs more than once has all its values. */
function itemsOf(list: ListType, value: readonly unknown[]): Map<Element, unknown[]> {
  const items = new Map<Element, unknown[]>()
  for (const item of value) {
    const element = itemElement(list, item)
    if (element === undefined) continue
    const before = items.get(element)
    if (before === undefined) items.set(element, [item])
    else before.push(item)
  }
  return items
}

/** Calls back for each key that is set, in order. */
function eachKey(map: MapType, value: JsonMap, visit: (element: Element, type: MergeType, value: unknown, declared: boolean) => void): void {
  if (map.rest === undefined) {
    for (const field of fieldsIn(map, value, false)) if (value[field.name] !== undefined) visit(field.element, field.type, value[field.name], true)
    return
  }
  for (const name of Object.keys(value).sort()) {
    const child = value[name]
    if (child !== undefined) visit(`f:${name}`, typeOfKey(map, name), child, map.fields.has(name))
  }
}

/**
 * The declared fields that a value has, sorted by insertion: there are few, and often they are in order.
 * `nulls`: also those that the codec left out though Go has them as null.
 */
function fieldsIn(map: MapType, value: JsonMap, nulls: boolean): readonly MapField[] {
  const found: MapField[] = nulls && map.always.length > 0 ? [...map.always] : []
  for (const name in value) {
    const field = map.fields.get(name)
    if (field === undefined || (nulls && field.always)) continue
    let i = found.length
    found.push(field)
    if (i === 0 || (found[i - 1] as MapField).rank < field.rank) continue
    for (; i > 0 && (found[i - 1] as MapField).rank > field.rank; i--) found[i] = found[i - 1] as MapField
    found[i] = field
  }
  return found
}

const isFilledMap = (value: unknown): value is JsonMap => isMap(value) && !isEmptyMap(value)
const isFilledList = (value: unknown): value is unknown[] => Array.isArray(value) && value.length > 0

/** Every field that an object sets: what an applier comes to own. */
export function fieldSetOf(type: MergeType, value: unknown): FieldSet {
  const set = ownedBranch(type, value, false)
  return set === undefined || isMember(set) ? emptySet : set
}

/** `member`: the parent already says that this place is in the set. */
function ownedBranch(type: MergeType, value: unknown, member: boolean): FieldSet | undefined {
  const form = formOf(type, value)
  if (form === 'scalar') return leaf
  const draft: Draft = member ? { '.': leaf } : {}
  let below = false
  const add = (element: Element, branch: FieldSet | undefined): void => {
    if (branch === undefined) return
    draft[element] = branch
    below = true
  }
  if (form === 'map' && type.map !== undefined) {
    if (type.map.atomic) return leaf
    if (isMap(value)) {
      eachKey(type.map, value, (element, child, item, declared) => {
        add(element, ownedBranch(child, item, !declared || item === null || (isMap(item) && isEmptyMap(item))))
      })
    }
  } else if (type.list !== undefined) {
    if (type.list.atomic) return leaf
    if (Array.isArray(value)) {
      const items = type.list.items
      for (const [element, values] of itemsOf(type.list, value)) add(element, values.length > 1 ? leaf : ownedBranch(items, values[0], true))
    }
  }
  return below ? inOrder(draft) : member ? leaf : undefined
}

/** What changed from `prev` to `next`. */
export function compare(type: MergeType, prev: unknown, next: unknown): Comparison {
  const change = changeOf(type, prev, next)
  return { added: change?.added ?? emptySet, modified: change?.modified ?? emptySet, removed: change?.removed ?? emptySet }
}

/** The branches of one place, where there is something in them. */
interface Change {
  added?: FieldSet
  modified?: FieldSet
  removed?: FieldSet
}

/** Everything below a place that is there on one side only: the place itself, and each field below it. */
export function wholeBranch(type: MergeType, value: unknown): FieldSet {
  if (typeof value !== 'object' || value === null) return leaf
  if (Array.isArray(value)) return type.list === undefined || type.list.atomic || value.length === 0 ? leaf : wholeList(type.list, value)
  return type.map === undefined || type.map.atomic || isEmptyMap(value) ? leaf : wholeMap(type.map, value as JsonMap)
}

function wholeMap(map: MapType, value: JsonMap): FieldSet {
  const draft: Draft = { '.': leaf }
  if (map.rest !== undefined) {
    for (const name of Object.keys(value).sort()) if (value[name] !== undefined) draft[`f:${name}`] = wholeBranch(typeOfKey(map, name), value[name])
    return draft
  }
  for (const field of fieldsIn(map, value, true)) {
    const child = value[field.name]
    if (typeof child === 'object' && child !== null) draft[field.element] = wholeBranch(field.type, child)
    else if (child !== undefined || field.always) draft[field.element] = leaf
  }
  return draft
}

function wholeList(list: ListType, value: readonly unknown[]): FieldSet {
  const draft: Draft = { '.': leaf }
  if (value.length === 1) {
    const element = itemElement(list, value[0])
    if (element !== undefined) draft[element] = wholeBranch(list.items, value[0])
    return draft
  }
  for (const [element, values] of itemsOf(list, value)) draft[element] = values.length > 1 ? leaf : wholeBranch(list.items, values[0])
  return inOrder(draft)
}

/** Both sides are there. A value that changed its form is compared in the old one and in the new. */
function changeOf(type: MergeType, prev: unknown, next: unknown): Change | undefined {
  const was = formOf(type, prev)
  const is = formOf(type, next)
  const change = changeAs(type, is, prev, next)
  return was === is ? change : both(changeAs(type, was, prev, next), change)
}

function changeAs(type: MergeType, form: 'map' | 'scalar' | 'list', prev: unknown, next: unknown): Change | undefined {
  if (form === 'map' && type.map !== undefined && !type.map.atomic) {
    if (isFilledMap(prev) || isFilledMap(next)) return changedMap(type.map, isMap(prev) ? prev : {}, isMap(next) ? next : {})
  } else if (form === 'list' && type.list !== undefined && !type.list.atomic) {
    if (isFilledList(prev) || isFilledList(next)) return changedList(type.list, Array.isArray(prev) ? prev : [], Array.isArray(next) ? next : [])
  }
  return sameValue(type, prev, next) ? undefined : { modified: leaf }
}

/** Equality, in which a null that Go always writes is the same as the nothing that the codec makes of it. */
export function sameValue(type: MergeType, a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (type.list !== undefined && Array.isArray(a) && Array.isArray(b)) {
    const items = type.list.items
    return a.length === b.length && a.every((item, i) => sameValue(items, item, b[i]))
  }
  if (type.map === undefined || !isMap(a) || !isMap(b)) return equal(a, b)
  for (const key in a) if (!sameKey(type.map, key, a, b)) return false
  for (const key in b) if (a[key] === undefined && !sameKey(type.map, key, a, b)) return false
  return true
}

function sameKey(map: MapType, key: string, a: JsonMap, b: JsonMap): boolean {
  const always = map.fields.get(key)?.always === true
  const left = Object.hasOwn(a, key) ? a[key] : undefined
  const right = Object.hasOwn(b, key) ? b[key] : undefined
  return sameValue(typeOfKey(map, key), left ?? (always ? null : left), right ?? (always ? null : right))
}

function both(a: Change | undefined, b: Change | undefined): Change | undefined {
  if (a === undefined || b === undefined) return a ?? b
  const merged: Change = {}
  for (const part of ['added', 'modified', 'removed'] as const) {
    // A wrapper element keeps `union` from taking a lone member for an empty set.
    const all = union(a[part] === undefined ? emptySet : { 'f:': a[part] }, b[part] === undefined ? emptySet : { 'f:': b[part] })['f:']
    if (all !== undefined) merged[part] = all
  }
  return merged
}

/** Collects the changes below one place. */
class Changes {
  private added: Draft | undefined
  private modified: Draft | undefined
  private removed: Draft | undefined

  visit(element: Element, type: MergeType, prev: unknown, next: unknown): void {
    if (prev === next) return
    if (prev === undefined) (this.added ??= {})[element] = wholeBranch(type, next)
    else if (next === undefined) (this.removed ??= {})[element] = wholeBranch(type, prev)
    else this.put(element, changeOf(type, prev, next))
  }

  put(element: Element, change: Change | undefined): void {
    if (change === undefined) return
    if (change.added !== undefined) (this.added ??= {})[element] = change.added
    if (change.modified !== undefined) (this.modified ??= {})[element] = change.modified
    if (change.removed !== undefined) (this.removed ??= {})[element] = change.removed
  }

  done(): Change | undefined {
    if (this.added === undefined && this.modified === undefined && this.removed === undefined) return undefined
    const change: Change = {}
    if (this.added !== undefined) change.added = inOrder(this.added)
    if (this.modified !== undefined) change.modified = inOrder(this.modified)
    if (this.removed !== undefined) change.removed = inOrder(this.removed)
    return change
  }
}

function changedMap(map: MapType, prev: JsonMap, next: JsonMap): Change | undefined {
  const changes = new Changes()
  if (map.rest === undefined) {
    for (const name in next) if (prev[name] !== next[name]) changedField(changes, map, name, prev, next)
    for (const name in prev) if (next[name] === undefined) changedField(changes, map, name, prev, next)
    return changes.done()
  }
  for (const name of Object.keys(next)) changes.visit(`f:${name}`, typeOfKey(map, name), Object.hasOwn(prev, name) ? prev[name] : undefined, next[name])
  for (const name of Object.keys(prev)) if (!Object.hasOwn(next, name)) changes.visit(`f:${name}`, typeOfKey(map, name), prev[name], undefined)
  return changes.done()
}

function changedField(changes: Changes, map: MapType, name: string, prev: JsonMap, next: JsonMap): void {
  const field = map.fields.get(name)
  if (field === undefined) return
  if (field.always) changes.visit(field.element, field.type, prev[name] ?? null, next[name] ?? null)
  else changes.visit(field.element, field.type, prev[name], next[name])
}

function changedList(list: ListType, prev: readonly unknown[], next: readonly unknown[]): Change | undefined {
  // Most lists did not change; that is known sooner than each item's element.
  if (equal(prev, next)) return undefined
  const changes = new Changes()
  const before = itemsOf(list, prev)
  const after = itemsOf(list, next)
  for (const element of new Set([...before.keys(), ...after.keys()])) {
    changedItem(changes, list, element, before.get(element) ?? [], after.get(element) ?? [])
  }
  return changes.done()
}

/** Items that occur more than once are one leaf. */
function changedItem(changes: Changes, list: ListType, element: Element, prev: readonly unknown[], next: readonly unknown[]): void {
  if (prev.length <= 1 && next.length <= 1) changes.visit(element, list.items, prev[0], next[0])
  else if (prev.length > 1 && next.length > 1) changes.put(element, sameValue({ list: { ...list, atomic: true } }, prev, next) ? undefined : { modified: leaf })
  else if (prev.length > 1) {
    changes.put(element, { removed: leaf, ...(next.length === 0 ? {} : { added: wholeBranch(list.items, next[0]) }) })
  } else {
    changes.put(element, { added: leaf, ...(prev.length === 0 ? {} : { removed: wholeBranch(list.items, prev[0]) }) })
  }
}

/** `config` laid over `live`: nothing is removed, config's leaves win. Shares with both; changes neither. */
export function mergeValues(type: MergeType, live: unknown, config: unknown): unknown {
  if (config === undefined) return live
  if (live === undefined) return config
  const form = formOf(type, config)
  if (form === 'map' && type.map !== undefined && !type.map.atomic && (isFilledMap(live) || isFilledMap(config))) {
    return mergeMaps(type.map, isMap(live) ? live : {}, isMap(config) ? config : {})
  }
  if (form === 'list' && type.list !== undefined && !type.list.atomic && (isFilledList(live) || isFilledList(config))) {
    return mergeLists(type.list, Array.isArray(live) ? live : [], Array.isArray(config) ? config : [])
  }
  return config
}

function mergeMaps(map: MapType, live: JsonMap, config: JsonMap): JsonMap {
  const merged: JsonMap = { ...live }
  for (const key of Object.keys(config)) {
    put(merged, key, mergeValues(typeOfKey(map, key), Object.hasOwn(live, key) ? live[key] : undefined, config[key]))
  }
  return merged
}

/**
 * Items of both lists keep config's order; items of live alone stay before the next shared item. Live's duplicates stay
 * until config has the item, whose value then takes their place.
 */
function mergeLists(list: ListType, live: readonly unknown[], config: readonly unknown[]): unknown[] {
  const left = live.map((item) => itemElement(list, item) ?? '')
  const right = config.map((item) => itemElement(list, item) ?? '')
  const inLive = new Map<Element, unknown>()
  for (const [i, element] of left.entries()) inLive.set(element, inLive.has(element) ? null : live[i])
  const inConfig = new Map(right.map((element, i) => [element, config[i]]))
  const shared = right.filter((element) => inLive.has(element))
  const placed = new Set<Element>()
  const merged: unknown[] = []
  let l = 0
  let r = 0
  let s = 0
  const take = (element: Element): void => {
    placed.add(element)
    merged.push(mergeValues(list.items, inLive.get(element), inConfig.get(element)))
    r++
  }
  while (l < left.length || r < right.length) {
    const mine = left[l]
    const theirs = right[r]
    if (mine !== undefined && theirs !== undefined) {
      if (mine === theirs) {
        take(theirs)
        l++
        s++
        continue
      }
      if (inConfig.has(mine) && shared[s] !== undefined && shared[s] !== mine) {
        l++
        continue
      }
    }
    if (mine !== undefined) {
      if (!inConfig.has(mine)) {
        merged.push(live[l])
        l++
        continue
      }
      if (placed.has(mine)) l++
    }
    if (theirs !== undefined) {
      take(theirs)
      if (shared[s] === theirs) s++
    }
  }
  return merged
}

/** The value without the fields of a set. As upstream's, a map or list that loses everything becomes null. */
export function removeFields(type: MergeType, value: unknown, set: FieldSet): unknown {
  const form = formOf(type, value)
  if (form === 'scalar') return value
  if (form === 'map' && type.map !== undefined) return isFilledMap(value) && !type.map.atomic ? removeKeys(type.map, value, set) : null
  return isFilledList(value) && type.list !== undefined && !type.list.atomic ? removeItems(type.list, value, set) : null
}

function removeKeys(map: MapType, value: JsonMap, set: FieldSet): JsonMap | null {
  const kept: JsonMap = {}
  for (const key of Object.keys(value)) {
    const branch = set[`f:${key}`]
    if (branch !== undefined && isMember(branch)) continue
    put(kept, key, branch !== undefined && hasBelow(branch) ? removeFields(typeOfKey(map, key), value[key], branch) : value[key])
  }
  return isEmptyMap(kept) ? null : kept
}

function removeItems(list: ListType, value: readonly unknown[], set: FieldSet): unknown[] | null {
  const kept: unknown[] = []
  for (const item of value) {
    const branch = set[itemElement(list, item) ?? '']
    if (branch !== undefined && isMember(branch)) continue
    kept.push(branch !== undefined && hasBelow(branch) ? removeFields(list.items, item, branch) : item)
  }
  return kept.length === 0 ? null : kept
}

/** The set, with every declared field that has members below it as a member too. */
export function withNamedFields(type: MergeType | undefined, set: FieldSet): FieldSet {
  const draft: Draft = {}
  for (const element in set) {
    if (element === '.') continue
    const branch = set[element] ?? leaf
    const field = element.startsWith('f:') ? type?.map?.fields.get(element.slice(2)) : undefined
    const below = withNamedFields(element.startsWith('f:') ? field?.type ?? type?.map?.rest : element.startsWith('k:') ? type?.list?.items : undefined, branch)
    if (isEmptyMap(below)) draft[element] = leaf
    else draft[element] = field !== undefined || isMember(branch) ? { '.': leaf, ...below } : below
  }
  return draft
}

/** What a set written under an older schema means under this one: below what is atomic now there is only the whole. */
export function reconcile(type: MergeType, set: FieldSet): FieldSet {
  const draft: Draft = {}
  let same = true
  for (const element in set) {
    const branch = set[element] ?? leaf
    const child = element === '.' ? undefined : childType(type, element)
    const atomic = child !== undefined && (child.map?.atomic ?? child.list?.atomic ?? false) && child.scalar === undefined
    const next = child === undefined ? branch : atomic ? leaf : reconcile(child, branch)
    if (next !== branch && !(isEmptyMap(next) && isEmptyMap(branch))) same = false
    draft[element] = next
  }
  return same ? set : draft
}

function childType(type: MergeType, element: Element): MergeType | undefined {
  if (element.startsWith('f:')) return type.map === undefined ? undefined : type.map.fields.get(element.slice(2))?.type ?? type.map.rest
  return element.startsWith('k:') ? type.list?.items : undefined
}

