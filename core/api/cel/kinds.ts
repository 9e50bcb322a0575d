/**
 * What a value is: its type, whether it is good for a parameter, how large it counts in costs
 * (cel-go: ref.Val.Type(), IsAssignableRuntimeType(), traits.Sizer).
 */
import { bool, bytes, type CelType, double, duration, dyn, int, list, map, nullType, optional, string, timestamp, uint } from './type.ts'
import { typeName, typeType } from './typing.ts'
import { Duration, ListValue, MapValue, ObjectValue, OpaqueValue, OptionalValue, Timestamp, TypeValue, Uint, type Value } from './value.ts'

/** As much as shows at run time: of lists, only that they are. */
export function valueType(value: Value): CelType {
  switch (typeof value) {
    case 'boolean': return bool
    case 'bigint': return int
    case 'number': return double
    case 'string': return string
    default: return value === null ? nullType : objectType(value)
  }
}

function objectType(value: Exclude<Value, null | boolean | bigint | number | string>): CelType {
  if (value instanceof Uint) return uint
  if (value instanceof Uint8Array) return bytes
  if (value instanceof Timestamp) return timestamp
  if (value instanceof Duration) return duration
  if (value instanceof ListValue) return list(dyn)
  if (value instanceof MapValue) return map(dyn, dyn)
  if (value instanceof OptionalValue) return optional(dyn)
  if (value instanceof TypeValue) return typeType
  return value.type.kind === 'dyn' ? map(dyn, dyn) : value.type
}

export function valueTypeName(value: Value): string {
  return typeName(valueType(value))
}

/** Element types are looked at in the first element only. */
export function isOfType(value: Value, type: CelType): boolean {
  switch (type.kind) { // what most are, without names
    case 'dyn':
    case 'param': return true
    case 'string': return typeof value === 'string'
    case 'int': return typeof value === 'bigint'
    case 'bool': return typeof value === 'boolean'
    case 'double': return typeof value === 'number'
    default: return isOfObjectType(value, type)
  }
}

function isOfObjectType(value: Value, type: CelType): boolean {
  if (type.kind === 'type') return value instanceof TypeValue
  if (type.kind === 'list') return value instanceof ListValue && (value.size === 0 || isOfType(value.at(0), type.element))
  if (type.kind === 'map') return isMap(value, type.key, type.value)
  return typeName(type) === valueTypeName(value)
}

function isMap(value: Value, key: CelType, entry: CelType): boolean {
  if (value instanceof ObjectValue) return true
  if (!(value instanceof MapValue)) return false
  for (const first of value.keys()) return isOfType(first, key) && isOfType(value.get(first) ?? null, entry)
  return true
}

/** Characters, bytes, elements or entries; 1 for what has no size. */
export function sizeOf(value: Value): number {
  if (typeof value === 'string') return characters(value)
  if (value instanceof Uint8Array) return value.length
  if (value instanceof ListValue || value instanceof MapValue || value instanceof ObjectValue || value instanceof OpaqueValue) return value.size
  if (value instanceof OptionalValue && value.value !== undefined) return sizeOf(value.value)
  return 1
}

/** Code points: a pair of surrogates is one. */
export function characters(text: string): number {
  let count = text.length
  for (let i = 0; i < text.length - 1; i++) {
    const high = text.charCodeAt(i)
    if (high < 0xd800 || high > 0xdbff) continue
    const low = text.charCodeAt(i + 1)
    if (low < 0xdc00 || low > 0xdfff) continue
    count--
    i++
  }
  return count
}
