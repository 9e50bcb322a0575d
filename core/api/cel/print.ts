/** Values as cel-go's messages show them (Go's %v of a ref.Val). */
import { formatDuration, formatTimestamp } from './moment.ts'
import { formatDouble } from './number.ts'
import { typeName } from './typing.ts'
import { Duration, ListValue, MapValue, ObjectValue, OpaqueValue, OptionalValue, Timestamp, TypeValue, Uint, type Value } from './value.ts'

export function print(value: Value): string {
  if (value === null) return 'null'
  switch (typeof value) {
    case 'string': return value
    case 'number': return formatDouble(value)
    case 'bigint':
    case 'boolean': return String(value)
    default: return printObject(value)
  }
}

function printObject(value: Exclude<Value, null | string | number | bigint | boolean>): string {
  if (value instanceof Uint) return String(value.value)
  if (value instanceof Uint8Array) return `[${value.join(' ')}]`
  if (value instanceof Timestamp) return formatTimestamp(value)
  if (value instanceof Duration) return formatDuration(value)
  if (value instanceof ListValue) return `[${Array.from({ length: value.size }, (_, i) => print(value.at(i))).join(', ')}]`
  if (value instanceof MapValue) return `{${[...value.keys()].map((key) => `${print(key)}: ${print(value.get(key) ?? null)}`).join(', ')}}`
  if (value instanceof ObjectValue) return `{${[...value.fields()].map((field) => `${field}: ${print(value.get(field) ?? null)}`).join(', ')}}`
  if (value instanceof OptionalValue) return value.value === undefined ? 'optional.none()' : `optional(${print(value.value)})`
  if (value instanceof TypeValue) return typeName(value.of)
  if (value instanceof OpaqueValue) return typeName(value.type)
  return ''
}
