import { describe, expect, it } from 'vitest'
import { equal } from './equality.ts'
import { fromJson, toJson } from './json.ts'
import { bytes, type CelType, double, duration, dyn, int, list, type ListType, map, type ObjectType, string, timestamp } from './type.ts'
import { CelError, Duration, ListValue, ObjectValue, Timestamp } from './value.ts'

function object(fields: Readonly<Record<string, CelType>>): ObjectType {
  return {
    kind: 'object', name: 'Thing', fieldNames: () => Object.keys(fields),
    field: (name) => (fields[name] === undefined ? undefined : { type: fields[name], jsonName: name.replaceAll('__dash__', '-') }),
  }
}

describe('fromJson()', () => {
  it('makes of scalars what the type says', () => {
    expect(fromJson(1, int)).toBe(1n)
    expect(fromJson(1, double)).toBe(1)
    expect(fromJson(1, dyn)).toBe(1n)
    expect(fromJson(1.5, dyn)).toBe(1.5)
    expect(fromJson('aGk=', bytes)).toEqual(new Uint8Array([104, 105]))
    expect(fromJson('1970-01-01T00:00:01.5Z', timestamp)).toEqual(new Timestamp(1_500_000_000n))
    expect(fromJson('2h', duration)).toEqual(new Duration(7_200_000_000_000n))
    expect(fromJson('3d', duration)).toEqual(new Duration(259_200_000_000_000n))
  })

  it('refuses what the type does not say', () => {
    expect(() => fromJson('x', int)).toThrow(new CelError('invalid data, expected int, got string'))
    expect(() => fromJson({}, list(int))).toThrow(CelError)
    expect(() => fromJson('yesterday', timestamp)).toThrow(CelError)
  })

  it('looks into objects by escaped names, and takes null for absent', () => {
    const value = fromJson({ 'a-b': 'x', gone: null, more: 1 }, object({ a__dash__b: string, gone: string }))
    if (!(value instanceof ObjectValue)) throw new Error('no object')
    expect(value.get('a__dash__b')).toBe('x')
    expect(value.get('gone')).toBeUndefined()
    expect(value.get('more')).toBeUndefined()
    expect([...value.fields()]).toEqual(['a__dash__b'])
  })

  it('does not look at what is not asked for', () => {
    const value = fromJson(['x'], list(int)) as ListValue
    expect(value.size).toBe(1)
    expect(() => value.at(0)).toThrow(CelError)
  })

  it('sets are equal in any order, and + adds what is new', () => {
    const type: ListType = { ...list(string), merge: 'set' }
    const a = fromJson(['x', 'y'], type) as ListValue
    expect(equal(a, fromJson(['y', 'x'], type))).toBe(true)
    expect(toJson(a.plus?.(fromJson(['y', 'z'], type) as ListValue) ?? null)).toEqual(['x', 'y', 'z'])
  })

  it('lists by key are equal in any order, and + replaces by key', () => {
    const type: ListType = { ...list(object({ k: string, v: int })), merge: ['k'] }
    const a = fromJson([{ k: 'a', v: 1 }, { k: 'b', v: 2 }], type) as ListValue
    expect(equal(a, fromJson([{ k: 'b', v: 2 }, { k: 'a', v: 1 }], type))).toBe(true)
    expect(equal(a, fromJson([{ k: 'b', v: 3 }, { k: 'a', v: 1 }], type))).toBe(false)
    expect(toJson(a.plus?.(fromJson([{ k: 'a', v: 9 }], type) as ListValue) ?? null)).toEqual([{ k: 'a', v: 9 }, { k: 'b', v: 2 }])
  })
})

describe('toJson()', () => {
  it('gives back what came in', () => {
    const json = { a: [1, 2.5, 'x', null, true], b: { c: {} } }
    expect(toJson(fromJson(json, dyn))).toBe(json)
    expect(toJson(fromJson({ a: 1 }, map(string, int)))).toEqual({ a: 1 })
  })

  it('keeps ints that a number does not hold', () => {
    expect(toJson(9_007_199_254_740_993n)).toBe(9_007_199_254_740_993n)
    expect(toJson(7n)).toBe(7)
  })
})
