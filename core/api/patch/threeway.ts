/**
 * What `kubectl apply` sends for an object that is there: a patch made of what was applied last, what is to be applied
 * now and what stands there (k8s.io/cli-runtime's and apimachinery's three-way merge). Fields that were applied and are
 * no more go; what others set stays. For built-in kinds a strategic merge patch, for others a merge patch.
 */
import type { Definition, Field, Type } from '../schema/schema.ts'
import { equal, isEmptyMap, isMap, own, put, type JsonMap } from './value.ts'

export interface ThreeWay {
  /** Nothing where that is not known: then nothing is taken away. */
  readonly last: Readonly<JsonMap> | undefined
  readonly next: Readonly<JsonMap>
  readonly live: Readonly<JsonMap>
}

/** An empty map: nothing is to be changed. `definition` is undefined for custom kinds. */
export function threeWayPatch(ways: ThreeWay, definition: Definition | undefined): JsonMap {
  return mapPatch(ways, definition === undefined ? undefined : { shape: 'object', definition, wrapped: false })
}

function mapPatch({ last, next, live }: ThreeWay, type: Type | undefined): JsonMap {
  const patch: JsonMap = {}
  for (const key of Object.keys(last ?? {})) {
    if (!Object.hasOwn(next, key) && Object.hasOwn(live, key)) put(patch, key, null)
  }
  for (const [key, value] of Object.entries(next)) {
    const have = own(live, key)
    if (value === null) {
      if (have !== undefined) put(patch, key, null)
    } else valuePatch(patch, key, { last: own((last ?? {}) as JsonMap, key), next: value, live: have, field: fieldOf(type, key) })
  }
  return patch
}

interface FieldWays {
  readonly last: unknown
  readonly next: unknown
  readonly live: unknown
  readonly field: Pick<Field, 'type' | 'patchStrategy' | 'patchMergeKey'> | undefined
}

function fieldOf(type: Type | undefined, key: string): FieldWays['field'] {
  if (type?.shape === 'map') return type.of === undefined ? undefined : { type: type.of }
  return type?.definition?.fields.get(key)
}

function valuePatch(patch: JsonMap, key: string, ways: FieldWays): void {
  const { last, next, live, field } = ways
  const strategies = field?.patchStrategy ?? []
  if (isMap(next) && isMap(live) && !strategies.includes('replace')) {
    const below = mapPatch({ last: isMap(last) ? last : undefined, next, live }, field?.type)
    if (isEmptyMap(below)) return
    put(patch, key, strategies.includes('retainKeys') ? { ...below, $retainKeys: Object.keys(next).toSorted() } : below)
  } else if (Array.isArray(next) && Array.isArray(live) && strategies.includes('merge')) listPatch(patch, key, { ...ways, last: Array.isArray(last) ? last : [], next, live })
  else if (!equal(next, live)) put(patch, key, next)
}

interface ListWays extends FieldWays {
  readonly last: readonly unknown[]
  readonly next: readonly unknown[]
  readonly live: readonly unknown[]
}

function listPatch(patch: JsonMap, key: string, ways: ListWays): void {
  const { last, next, live, field } = ways
  const mergeKey = field?.patchMergeKey ?? ''
  if (mergeKey === '') {
    const going = last.filter((item) => !next.includes(item) && live.includes(item))
    const coming = next.filter((item) => !live.includes(item))
    if (going.length > 0) put(patch, `$deleteFromPrimitiveList/${key}`, going)
    if (coming.length > 0) put(patch, key, coming)
    if (going.length + coming.length > 0) put(patch, `$setElementOrder/${key}`, [...next])
    return
  }
  const items = itemPatches(ways, mergeKey)
  const order = next.map((item) => ({ [mergeKey]: (item as JsonMap)[mergeKey] }))
  if (items.length > 0) put(patch, key, items)
  if (items.length > 0 || !inOrder(order, live, mergeKey)) put(patch, `$setElementOrder/${key}`, order)
}

function itemPatches({ last, next, live, field }: ListWays, mergeKey: string): readonly JsonMap[] {
  const [before, now] = [byKey(last, mergeKey), byKey(live, mergeKey)]
  const named = byKey(next, mergeKey)
  const items: JsonMap[] = []
  for (const [id, item] of named) {
    const have = now.get(id)
    if (have === undefined) {
      items.push(item)
      continue
    }
    const below = mapPatch({ last: before.get(id), next: item, live: have }, field?.type.of)
    if (isEmptyMap(below)) continue
    items.push({ ...below, [mergeKey]: id, ...((field?.patchStrategy ?? []).includes('retainKeys') ? { $retainKeys: Object.keys(item).toSorted() } : {}) })
  }
  for (const id of before.keys()) if (!named.has(id) && now.has(id)) items.push({ $patch: 'delete', [mergeKey]: id })
  return items
}

function byKey(list: readonly unknown[], mergeKey: string): ReadonlyMap<unknown, JsonMap> {
  return new Map(list.filter(isMap).map((item) => [own(item, mergeKey), item]))
}

/** Whether the live items that are named stand in this order. */
function inOrder(order: readonly JsonMap[], live: readonly unknown[], mergeKey: string): boolean {
  const wanted = order.map((item) => item[mergeKey])
  const have = live.filter(isMap).map((item) => item[mergeKey]).filter((id) => wanted.includes(id))
  return equal(wanted, have)
}
