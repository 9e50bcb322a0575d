/**
 * Strategic merge patch: maps merge field by field, lists by the merge key of their field, and directives say more:
 * $patch replaces or deletes, $retainKeys clears what is not named, $deleteFromPrimitiveList/x and $setElementOrder/x
 * speak about the list x. Facts, directives and sentences from apimachinery's util/strategicpatch; the order of merged
 * lists is in listorder.ts. Works on copies.
 */
import { ApiError, badRequest } from '../errors.ts'
import type { Definition, Type } from '../schema/schema.ts'
import { goStructName } from '../schema/schema.ts'
import { goQuote } from '../field.ts'
import { elementKind, mergedOrder, type Kind } from './listorder.ts'
import { rejected } from './json.ts'
import { clone, goType, goValue, isMap, own, put, type JsonMap } from './value.ts'

const directive = '$patch'
const retainKeys = '$retainKeys'
const deleteFrom = '$deleteFromPrimitiveList'
const elementOrder = '$setElementOrder'

/** What upstream answers with 400. */
class BadPatch extends Error {}
/** What upstream answers with 422. */
class Rejected extends Error {}

const badPrimitiveList = 'invalid patch format of primitive list'
const badRetainKeys = 'invalid patch format of retainKeys'
const badElementOrder = 'invalid patch format of setElementOrder list'

export interface StrategicMerge {
  /** A copy of the object, patched. */
  readonly merged: JsonMap
  /** What is left of the patch when its directives are used up: upstream shows it where the result does not fit. */
  readonly rest: JsonMap
}

/** Patches a copy of an object of a built-in kind. Custom resources have no merge keys and are refused. Throws ApiError. */
export function mergeStrategically(object: Readonly<JsonMap>, patch: unknown, of: Definition | undefined): StrategicMerge {
  if (of === undefined) throw badRequest('strategic merge patch format is not supported')
  if (patch !== null && !isMap(patch)) {
    const kind = Array.isArray(patch) ? 'array' : typeof patch === 'boolean' ? 'bool' : typeof patch
    throw badRequest(`json: cannot unmarshal ${kind} into Go value of type map[string]interface {}`)
  }
  try {
    const rest = clone(patch ?? {})
    return { merged: mergeMap(clone(object), rest, { shape: 'object', definition: of, wrapped: false }), rest }
  } catch (error) {
    if (error instanceof BadPatch) throw badRequest(error.message)
    if (error instanceof Rejected) throw rejected()
    if (error instanceof RangeError || error instanceof TypeError || error instanceof ApiError) throw error
    throw new ApiError({ code: 500, reason: '', message: (error as Error).message })
  }
}

/** Both are copies, which this may use up. */
function mergeMap(original: JsonMap, patch: JsonMap, type: Type): JsonMap {
  const asked = own(patch, directive)
  if (asked !== undefined) {
    if (asked === 'replace') {
      delete patch[directive]
      return patch
    }
    if (asked === 'delete') return {}
    throw new Error(`unknown patch type: ${goVerbS(asked)} in map: ${goValue(patch)}`)
  }
  retain(original, patch)
  for (const key of Object.keys(patch)) if (key.startsWith(elementOrder)) setOrder(original, patch, key, type)
  for (const key of Object.keys(patch)) mergeField(original, key, patch[key], type)
  return original
}

function mergeField(original: JsonMap, patchKey: string, value: unknown, type: Type): void {
  const deletes = patchKey.startsWith(deleteFrom)
  const key = deletes ? afterSlash(patchKey, deleteFrom, badPrimitiveList) : patchKey
  if (value === null) {
    delete original[key]
    return
  }
  const current = own(original, key)
  const alike = current !== undefined && current !== null && Array.isArray(current) === Array.isArray(value) && isMap(current) === isMap(value)
  if (!alike || (!isMap(value) && !Array.isArray(value))) {
    if (deletes) return
    const kept = withoutDirectives(current === undefined || !alike ? withoutNulls(value) : value)
    if (kept === undefined) delete original[key]
    else put(original, key, kept)
    return
  }
  const field = lookUp(type, key)
  if (isMap(value)) put(original, key, field.strategy === 'replace' ? value : mergeMap(current as JsonMap, value, field.type))
  else put(original, key, mergeList(current as unknown[], value as unknown[], listField(field, type), deletes))
}

interface PatchField {
  readonly type: Type
  /** '' for none. */
  readonly strategy: string
  readonly mergeKey: string
}

/** How a field merges. Upstream asks Go's structs, and complains in their terms. */
function lookUp(type: Type, key: string): PatchField {
  const scalarKind = type.shape === 'map' ? 'map' : type.shape === 'list' ? 'slice' : undefined
  if (scalarKind !== undefined) throw new Error(`merging an object in json but data type is not struct, instead is: ${scalarKind}`)
  const field = type.definition?.fields.get(key)
  if (field === undefined) {
    const name = type.definition === undefined ? goShapeName(type) : goStructName(type.definition)
    throw new Error(`unable to find api field in struct ${name} for the json field ${goQuote(key)}`)
  }
  const strategy = (field.patchStrategy ?? []).find((one) => one !== 'retainKeys') ?? ''
  return { type: field.type, strategy, mergeKey: field.patchMergeKey ?? '' }
}

const goShapeName = (type: Type): string => type.shape.charAt(0).toUpperCase() + type.shape.slice(1)

/** The same for a list: the type is its items'. */
function listField(field: PatchField, holder: Type): PatchField {
  if (field.type.shape === 'bytes') return { ...field, type: { shape: 'int32', wrapped: false } }
  if (field.type.shape !== 'list' || field.type.of === undefined) {
    throw new Error(`expected slice or array type, but got: ${holder.shape === 'object' ? 'struct' : holder.shape}`)
  }
  if (field.type.of.shape === 'list') throw new Error('unexpected slice of slice')
  return { ...field, type: field.type.of }
}

/** $retainKeys: only the named keys of the original stay; the patch itself may name no others. */
function retain(original: JsonMap, patch: JsonMap): void {
  const list = own(patch, retainKeys)
  if (list === undefined) return
  delete patch[retainKeys]
  if (!Array.isArray(list)) throw new BadPatch(badRetainKeys)
  const kept = new Set<unknown>(list)
  for (const [key, value] of Object.entries(patch)) {
    if (value === null || key.startsWith(deleteFrom) || key.startsWith(elementOrder)) continue
    if (!kept.has(key)) throw new BadPatch(badRetainKeys)
  }
  for (const key of Object.keys(original)) if (!kept.has(key)) delete original[key]
}

/** $setElementOrder/x: merges the list x, if the patch has it, and puts the items into this order. */
function setOrder(original: JsonMap, patch: JsonMap, directiveKey: string, type: Type): void {
  const wanted = patch[directiveKey]
  delete patch[directiveKey]
  const key = asListKey(wanted, directiveKey)
  const current = asList(own(original, key))
  const changes = asList(own(patch, key))
  const field = listField(lookUp(type, key), type)
  const order = wanted as unknown[]
  checkOrder(changes ?? [], order, field.mergeKey)
  if (current === undefined && changes === undefined) return
  const merged = current === undefined ? (withoutDirectives(changes) as unknown[])
    : changes === undefined ? [...current] : mergeList(current, changes, field, false)
  const kind = elementKind(current ?? [], changes ?? [])
  put(original, key, mergedOrder(merged, order, current ?? [], field.mergeKey, kind))
  delete patch[key]
}

function asListKey(wanted: unknown, directiveKey: string): string {
  if (!Array.isArray(wanted)) throw new Error(`expected a []interface {}, but received a ${goType(wanted)}`)
  return afterSlash(directiveKey, elementOrder, badElementOrder)
}

function asList(value: unknown): unknown[] | undefined {
  if (value === undefined) return undefined
  if (!Array.isArray(value)) throw new Error(`expected a []interface {}, but received a ${goType(value)}`)
  return value
}

function afterSlash(key: string, prefix: string, complaint: string): string {
  const slash = key.indexOf('/')
  if (slash < 0 || key.slice(0, slash) !== prefix) throw new BadPatch(complaint)
  return key.slice(slash + 1)
}

/** The patch's items must be among the ordered ones, in the same order. */
function checkOrder(changes: readonly unknown[], order: readonly unknown[], mergeKey: string): void {
  if (order.length === 0 || changes.length === 0) return
  const kept = mergeKey === '' ? changes : changes.filter((item) => asMap(item)[directive] !== 'delete')
  let next = 0
  let at = 0
  while (next < kept.length && at < order.length) {
    const item = kept[next]
    if (isMap(item) && own(item, directive) !== undefined) next++
    else if (sameKey(item, order[at++], mergeKey)) next++
  }
  if (next < kept.length && at >= order.length) {
    throw new Error(`The order in patch list:\n${goValue(changes)}\n doesn't match ${elementOrder} list:\n${goValue(order)}\n`)
  }
}

function sameKey(a: unknown, b: unknown, mergeKey: string): boolean {
  if (mergeKey === '') return a === b
  const [left, right] = [asMap(a), asMap(b)]
  return keyOf(left, mergeKey) === keyOf(right, mergeKey)
}

function keyOf(map: JsonMap, mergeKey: string): unknown {
  const key = own(map, mergeKey)
  if (key === undefined) throw new Error(`map: ${goValue(map)} does not contain declared merge key: ${mergeKey}`)
  return key
}

function asMap(value: unknown): JsonMap {
  if (!isMap(value)) throw new Error(`expected a map[string]interface {}, but received a ${goType(value)}`)
  return value
}

function mergeList(original: unknown[], patch: unknown[], field: PatchField, deletes: boolean): unknown[] {
  if (field.strategy !== 'merge' && !deletes) return patch
  if (original.length === 0 && patch.length === 0) return original
  const kind = kindOfBoth(original, patch)
  if (kind === 'scalar') {
    if (deletes) return original.filter((item) => !patch.includes(item))
    const merged = deduplicated([...original, ...patch])
    if (field.mergeKey !== '') asMap(merged[0])
    return mergedOrder(merged, patch, original, field.mergeKey, kind)
  }
  if (field.mergeKey === '') throw new Error(`cannot merge lists without merge key for ${field.type.shape === 'object' ? 'struct' : field.type.shape}`)
  const { kept, changes, replaced } = applyItemDirectives(original, patch, field.mergeKey)
  const before = [...kept]
  const placeOf = changes.length === 0 ? new Map<unknown, number>() : placesByKey(kept, field.mergeKey)
  for (const change of changes) {
    const map = change as JsonMap
    const key = keyOf(map, field.mergeKey)
    const at = placeOf.get(key)
    if (at === undefined) {
      // In Go, what is appended after a deletion lands in the original's array, by which setOrder() then sorts.
      if (!replaced && kept.length < original.length) original[kept.length] = change
      placeOf.set(key, kept.length)
      kept.push(change)
    } else {
      kept[at] = mergeMap(kept[at] as JsonMap, map, field.type)
      if (at < before.length) before[at] = kept[at]
    }
  }
  return mergedOrder(kept, changes, before, field.mergeKey, kind)
}

function kindOfBoth(original: readonly unknown[], patch: readonly unknown[]): Kind {
  const kind = elementKind(original, patch)
  if (kind === 'list') throw new Rejected('lists of lists are not supported')
  return kind
}

interface ItemChanges {
  readonly kept: unknown[]
  readonly changes: readonly unknown[]
  readonly replaced: boolean
}

/** Items with $patch: delete takes the item with that key out, replace makes the patch's other items the whole list. */
function applyItemDirectives(original: unknown[], patch: readonly unknown[], mergeKey: string): ItemChanges {
  const changes: unknown[] = []
  const going: unknown[] = []
  let replaced = false
  for (const item of patch as readonly JsonMap[]) {
    const asked = own(item, directive)
    if (asked === undefined) changes.push(item)
    else if (asked === 'delete') going.push(keyOf(item, mergeKey))
    else if (asked === 'replace') replaced = true
    else if (asked === 'merge') throw new Error('merging lists cannot yet be specified in the patch')
    else throw new Error(`unknown patch type: ${goVerbS(asked)} in map: ${goValue(item)}`)
  }
  const left = going.length === 0 ? original.length : deleteKeys(original, mergeKey, going)
  return replaced ? { kept: changes, changes: [], replaced } : { kept: original.slice(0, left), changes, replaced }
}

/** Key -> the first item that has it. */
function placesByKey(list: readonly unknown[], mergeKey: string): Map<unknown, number> {
  const places = new Map<unknown, number>()
  for (const [at, item] of list.entries()) {
    if (!isMap(item)) throw new Error(`value for key ${at} is not a map`)
    const key = own(item, mergeKey)
    if (!places.has(key)) places.set(key, at)
  }
  return places
}

/**
 * Takes the items with these keys out, key after key, and moves the others up; how many are left. Go does it in place, one by
 * one, so that behind what is left stands, for each item that went, the one that was last then; setOrder() sorts by it.
 */
function deleteKeys(list: unknown[], mergeKey: string, keys: readonly unknown[]): number {
  const places = new Map<unknown, number[]>()
  for (const [at, item] of list.entries()) {
    if (!isMap(item)) throw new Error(`value for key ${at} is not a map`)
    const key = own(item, mergeKey)
    const same = places.get(key)
    if (same === undefined) places.set(key, [at])
    else same.push(at)
  }
  const gone = new Set<number>()
  const lastThen: unknown[] = []
  let last = list.length - 1
  for (const key of keys) {
    for (const at of places.get(key) ?? []) {
      lastThen.push(list[last])
      gone.add(at)
      while (gone.has(last)) last--
    }
    places.delete(key)
  }
  const left = list.filter((_, at) => !gone.has(at))
  for (const [at, item] of [...left, ...lastThen.toReversed()].entries()) list[at] = item
  return left.length
}

/** Upstream fills a duplicate's place with the last item, and so must we: in time that grows with the list alone. */
function deduplicated(items: unknown[]): unknown[] {
  const places = new Map<unknown, Set<number>>()
  for (const [at, item] of items.entries()) places.set(item, (places.get(item) ?? new Set()).add(at))
  for (let i = 0; i < items.length - 1; i++) {
    const item = items[i]
    const mine = places.get(item)
    if (mine === undefined || mine.size < 2) continue
    for (const at of [...mine].toSorted((a, b) => a - b)) {
      while (at > i && at < items.length && items[at] === item) moveLast(items, at, places)
    }
    places.set(item, new Set([i]))
  }
  return items
}

function moveLast(items: unknown[], at: number, places: ReadonlyMap<unknown, Set<number>>): void {
  const from = items.length - 1
  const last = items.pop()
  places.get(last)?.delete(from)
  if (at === from) return
  items[at] = last
  places.get(last)?.add(at)
}

/** Undefined: the value itself is a directive. */
function withoutDirectives(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutDirectives).filter((item) => item !== undefined)
  if (!isMap(value)) return value
  if (own(value, directive) !== undefined) return undefined
  const kept: JsonMap = {}
  for (const [key, item] of Object.entries(value)) {
    const clean = withoutDirectives(item)
    if (clean !== undefined) put(kept, key, clean)
  }
  return kept
}

/** Maps in lists lose their nulls too; null items of lists stay. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls)
  if (!isMap(value)) return value
  const kept: JsonMap = {}
  for (const [key, item] of Object.entries(value)) if (item !== null) put(kept, key, withoutNulls(item))
  return kept
}

/** Go's %s of a directive, which should be a string. */
function goVerbS(value: unknown): string {
  if (typeof value === 'string') return value
  if (Array.isArray(value)) return `[${value.map(goVerbS).join(' ')}]`
  if (isMap(value)) return `map[${Object.keys(value).sort().map((key) => `${key}:${goVerbS(value[key])}`).join(' ')}]`
  return value === null ? '%!s(<nil>)' : `%!s(${goType(value)}=${goValue(value)})`
}
