/** `in`, size(), and what transformMap() puts its entries into a map with. */
import { Entries, find, GrowingMap, keysOf } from '../access.ts'
import { equal } from '../equality.ts'
import { Failure } from '../failure.ts'
import { sizeOf } from '../kinds.ts'
import type { FunctionDeclaration } from '../library.ts'
import { print } from '../print.ts'
import { bool, bytes, int, list, map, param, string } from '../type.ts'
import { CelError, ListValue, MapValue, ObjectValue, type Value } from '../value.ts'
import { searched } from './costs.ts'
import { member, separate, shared, signature } from './declare.ts'

const a = param('A')
const b = param('B')
const k = param('K')
const v = param('V')

export const collections: readonly FunctionDeclaration[] = [
  shared('@in', [
    { ...signature('in_list', [a, list(a)], bool), ...searched },
    signature('in_map', [a, map(a, b)], bool),
  ], ([needle, haystack]) => contains(haystack as Value, needle as Value)),
  shared('size', [
    signature('size_bytes', [bytes], int), member('bytes_size', [bytes], int),
    signature('size_list', [list(a)], int), member('list_size', [list(a)], int),
    signature('size_map', [map(a, b)], int), member('map_size', [map(a, b)], int),
    signature('size_string', [string], int), member('string_size', [string], int),
  ], ([value]) => count(value as Value)),
  separate('cel.@mapInsert', [
    {
      id: '@mapInsert_map_key_value', params: [map(k, v), k, v], result: map(k, v),
      apply: ([into, key, value]) => inserted(into as Value, key as Value, value as Value),
    },
    { id: '@mapInsert_map_map', params: [map(k, v), map(k, v)], result: map(k, v), apply: ([into, from]) => merged(into as Value, from as Value) },
  ]),
]

function contains(haystack: Value, needle: Value): boolean {
  if (haystack instanceof ListValue) {
    for (let i = 0; i < haystack.size; i++) if (equal(needle, haystack.at(i))) return true
    return false
  }
  if (!(haystack instanceof MapValue || haystack instanceof ObjectValue)) throw new CelError('no such overload')
  if (haystack instanceof MapValue && haystack.contains !== undefined) return haystack.contains(needle)
  const found = find(haystack, needle)
  if (found instanceof Failure) throw new CelError(found.message)
  return found !== undefined
}

function count(value: Value): bigint {
  const sized = typeof value === 'string' || value instanceof Uint8Array || value instanceof ListValue || value instanceof MapValue || value instanceof ObjectValue
  if (!sized) throw new CelError('no such overload: size')
  return BigInt(sizeOf(value))
}

function inserted(into: Value, key: Value, value: Value): Value {
  const target = copied(into)
  if (target.get(key) !== undefined) throw new CelError(`insert failed: key ${print(key)} already exists`)
  target.set(key, value)
  return target
}

function merged(into: Value, from: Value): Value {
  let result = into
  if (!(from instanceof MapValue || from instanceof ObjectValue)) throw new CelError('no such overload')
  for (const key of keysOf(from) ?? []) {
    const value = find(from, key)
    if (value instanceof Failure) throw new CelError(value.message)
    result = inserted(result, key, value ?? null)
  }
  return result
}

/** The loop's own map grows in place. */
function copied(map: Value): Entries {
  if (map instanceof GrowingMap) return map
  const copy = new Entries()
  for (const key of keysOf(map) ?? []) {
    const value = find(map, key)
    if (value !== undefined && !(value instanceof Failure)) copy.set(key, value)
  }
  return copy
}
