/**
 * In which order a merged list comes out: items that the patch (or its $setElementOrder) names in the patch's order, the
 * others in the server's, and both woven together. After strategicpatch's normalizeElementOrder.
 */
import { goValue, isMap, own } from './value.ts'

export type Kind = 'map' | 'scalar' | 'list'

/** What the items of both lists are; they must all be the same. */
export function elementKind(...lists: readonly (readonly unknown[])[]): Kind {
  let first: string | undefined
  for (const item of lists.flat()) {
    const type = itemType(item)
    if (first === 'list') break
    if (first !== undefined && first !== type) throw new Error(`list element types are not identical: [${lists.map(goValue).join(' ')}]`)
    first = type
  }
  if (first === undefined) throw new Error('no elements in any of the given slices')
  return first === 'map' || first === 'list' ? first : 'scalar'
}

function itemType(item: unknown): string {
  if (Array.isArray(item)) return 'list'
  if (isMap(item)) return 'map'
  return typeof item === 'number' ? (Number.isInteger(item) ? 'int64' : 'float64') : typeof item
}

/** `merged` in order: `order` rules the items it names, `server` the others. */
export function mergedOrder(merged: readonly unknown[], order: readonly unknown[], server: readonly unknown[], mergeKey: string, kind: Kind): unknown[] {
  const inOrder = indexOfKeys(order, mergeKey, kind, true)
  const onServer = indexOfKeys(server, mergeKey, kind, true)
  const key = (item: unknown): unknown => keyIn(item, mergeKey, kind, true)
  const named = orderedAs(merged.filter((item) => inOrder.has(key(item))), inOrder, key)
  const others = orderedAs(merged.filter((item) => !inOrder.has(key(item))), onServer, key)
  return woven(others, named, onServer, key)
}

type Position = ReadonlyMap<unknown, number>

function indexOfKeys(list: readonly unknown[], mergeKey: string, kind: Kind, strict: boolean): Position {
  const index = new Map<unknown, number>()
  for (const [i, item] of list.entries()) {
    if (kind === 'map' && !isMap(item)) throw new Error(`value for key ${i} is not a map`)
    const key = keyIn(item, mergeKey, kind, strict)
    if (!index.has(key)) index.set(key, i)
  }
  return index
}

function keyIn(item: unknown, mergeKey: string, kind: Kind, strict: boolean): unknown {
  if (kind !== 'map') return item
  if (!isMap(item)) return undefined
  const key = own(item, mergeKey)
  if (key === undefined && strict) throw new Error(`map: ${goValue(item)} does not contain declared merge key: ${mergeKey}`)
  return key
}

/** Stable; an item without a place goes before its neighbours, which is what upstream's comparison amounts to. */
function orderedAs(items: unknown[], position: Position, key: (item: unknown) => unknown): unknown[] {
  const placeOf = (item: unknown): number => position.get(key(item)) ?? -1
  if (items.every((item) => placeOf(item) >= 0)) return items.toSorted((a, b) => placeOf(a) - placeOf(b))
  const before = (a: unknown, b: unknown): boolean => {
    const i = position.get(key(a))
    const j = position.get(key(b))
    return i === undefined || j === undefined || i < j
  }
  for (let i = 1; i < items.length; i++) {
    for (let j = i; j > 0 && before(items[j], items[j - 1]); j--) [items[j - 1], items[j]] = [items[j], items[j - 1]]
  }
  return items
}

/** The server's own items stand before a named one only if they did so on the server. */
function woven(others: readonly unknown[], named: readonly unknown[], position: Position, key: (item: unknown) => unknown): unknown[] {
  const all: unknown[] = []
  let i = 0
  let j = 0
  while (i < others.length && j < named.length) {
    const left = position.get(key(others[i]))
    const right = position.get(key(named[j]))
    all.push(left !== undefined && right !== undefined && left < right ? others[i++] : named[j++])
  }
  return [...all, ...others.slice(i), ...named.slice(j)]
}
