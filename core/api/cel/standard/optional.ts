/** Optional values: `optional.of(x)`, `a.?b.orValue(c)` and what goes with them (cel-go/cel/library.go OptionalTypes). */
import { Elements } from '../access.ts'
import type { FunctionDeclaration, Library } from '../library.ts'
import { print } from '../print.ts'
import { bool, dyn, int, list, map, optional, param, string } from '../type.ts'
import { CelError, Duration, ListValue, MapValue, ObjectValue, OptionalValue, Timestamp, Uint, type Value } from '../value.ts'

const k = param('K')
const v = param('V')
const maybe = optional(v)

export const optionalLibrary: Library = {
  name: 'cel.lib.optional',
  functions: [
    one('optional.of', { id: 'optional_of', params: [v], result: maybe, apply: ([value]) => new OptionalValue(value) }),
    one('optional.ofNonZeroValue', {
      id: 'optional_ofNonZeroValue', params: [v], result: maybe, apply: ([value]) => new OptionalValue(isZero(value as Value) ? undefined : value),
    }),
    one('optional.none', { id: 'optional_none', params: [], result: maybe, apply: () => new OptionalValue(undefined) }),
    one('value', { id: 'optional_value', member: true, params: [maybe], result: v, apply: ([value]) => valueOf(value as OptionalValue) }),
    one('hasValue', {
      id: 'optional_hasValue', member: true, params: [maybe], result: bool, apply: ([value]) => (value as OptionalValue).value !== undefined,
    }),
    one('or', { id: 'optional_or_optional', member: true, params: [maybe, maybe], result: maybe, apply: neverCalled }),
    one('orValue', { id: 'optional_orValue_value', member: true, params: [maybe, v], result: v, apply: neverCalled }),
    one('_?._', { id: 'select_optional_field', params: [dyn, string], result: maybe, apply: neverCalled }),
    {
      name: '_[?_]',
      overloads: [
        { id: 'list_optindex_optional_int', params: [list(v), int], result: maybe, apply: neverCalled },
        { id: 'optional_list_optindex_optional_int', params: [optional(list(v)), int], result: maybe, apply: neverCalled },
        { id: 'map_optindex_optional_value', params: [map(k, v), k], result: maybe, apply: neverCalled },
        { id: 'optional_map_optindex_optional_value', params: [optional(map(k, v)), k], result: maybe, apply: neverCalled },
      ],
    },
    {
      name: '_[_]',
      overloads: [
        { id: 'optional_list_index_int', params: [optional(list(v)), int], result: maybe, apply: neverCalled },
        { id: 'optional_map_index_value', params: [optional(map(k, v)), k], result: maybe, apply: neverCalled },
      ],
    },
    one('last', { id: 'list_last', member: true, params: [list(v)], result: maybe, apply: ([values]) => at(values as ListValue, (values as ListValue).size - 1) }),
    one('first', { id: 'list_first', member: true, params: [list(v)], result: maybe, apply: ([values]) => at(values as ListValue, 0) }),
    one('optional.unwrap', { id: 'optional_unwrap', params: [list(maybe)], result: list(v), apply: ([values]) => unwrapped(values as ListValue) }),
    one('unwrapOpt', { id: 'optional_unwrapOpt', member: true, params: [list(maybe)], result: list(v), apply: ([values]) => unwrapped(values as ListValue) }),
  ],
}

function one(name: string, overload: FunctionDeclaration['overloads'][number]): FunctionDeclaration {
  return { name, overloads: [overload] }
}

function neverCalled(): never {
  throw new Error('computed by the plan')
}

function valueOf(value: OptionalValue): Value {
  if (value.value === undefined) throw new CelError('optional.none() dereference')
  return value.value
}

function at(values: ListValue, index: number): OptionalValue {
  return new OptionalValue(index >= 0 && index < values.size ? values.at(index) : undefined)
}

function unwrapped(values: ListValue): ListValue {
  const present: Value[] = []
  for (let i = 0; i < values.size; i++) {
    const value = values.at(i)
    if (!(value instanceof OptionalValue)) throw new CelError(`value ${print(value)} is not optional`)
    if (value.value !== undefined) present.push(value.value)
  }
  return new Elements(present)
}

function isZero(value: Value): boolean {
  if (value === null || value === false || value === 0n || value === 0 || value === '') return true
  if (value instanceof Uint) return value.value === 0n
  if (value instanceof Duration) return value.nanos === 0n
  if (value instanceof Timestamp) return value.nanos === -62_135_596_800_000_000_000n
  if (value instanceof Uint8Array) return value.length === 0
  return (value instanceof ListValue || value instanceof MapValue || value instanceof ObjectValue) && value.size === 0
}
