import { describe, expect, it } from 'vitest'
import { ApiError } from '../errors.ts'
import { applyJsonPatch, operationsMax, parseJsonPatch } from './json.ts'
import { applyMergePatch } from './merge.ts'

const object = { a: 1, list: [1, 2, 3], map: { 'x/y': 'z', 'm~n': null } }

const patched = (...operations: readonly object[]): unknown => {
  try {
    return applyJsonPatch(object, parseJsonPatch(operations))
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    return error.code
  }
}

describe('JSON patch', () => {
  it('copies no more than a body may have', () => {
    const grow = { op: 'copy', from: '/list', path: '/list/-' }
    expect(patched(...Array.from({ length: 10 }, () => grow))).not.toBe(422)
    expect(patched(...Array.from({ length: 40 }, () => grow))).toBe(422) // it would have doubled each time
  })

  it.each([
    ['adds a field', [{ op: 'add', path: '/b', value: 2 }], { ...object, b: 2 }],
    ['adds null where there is no value', [{ op: 'add', path: '/b' }], { ...object, b: null }],
    ['inserts into a list', [{ op: 'add', path: '/list/1', value: 9 }], { ...object, list: [1, 9, 2, 3] }],
    ['appends at - and at the length', [{ op: 'add', path: '/list/-', value: 9 }, { op: 'add', path: '/list/4', value: 8 }], { ...object, list: [1, 2, 3, 9, 8] }],
    ['counts negative indices from the end', [{ op: 'remove', path: '/list/-1' }, { op: 'add', path: '/list/-1', value: 9 }], { ...object, list: [1, 2, 9] }],
    ['replaces a field that is not there', [{ op: 'replace', path: '/b', value: 2 }], { ...object, b: 2 }],
    ['unescapes pointers', [{ op: 'replace', path: '/map/x~1y', value: 1 }, { op: 'remove', path: '/map/m~0n' }], { ...object, map: { 'x/y': 1 } }],
    ['moves', [{ op: 'move', from: '/a', path: '/map/a' }], { list: [1, 2, 3], map: { ...object.map, a: 1 } }],
    ['copies deeply', [{ op: 'copy', from: '/list', path: '/b' }, { op: 'add', path: '/b/0', value: 0 }], { ...object, b: [0, 1, 2, 3] }],
    ['passes a test', [{ op: 'test', path: '/list', value: [1, 2, 3] }, { op: 'test', path: '/none' }], object],
    ['takes __proto__ for a name', [{ op: 'add', path: '/__proto__', value: { evil: true } }, { op: 'remove', path: '/__proto__' }], object],
    ['fails a test', [{ op: 'test', path: '/a', value: 2 }], 422],
    ['refuses a missing parent', [{ op: 'add', path: '/b/c', value: 2 }], 422],
    ['refuses to remove what is not there', [{ op: 'remove', path: '/b' }], 422],
    ['refuses an index past the end', [{ op: 'replace', path: '/list/3', value: 2 }], 422],
    ['refuses a word for an index', [{ op: 'add', path: '/list/x', value: 2 }], 422],
    ['refuses unknown operations', [{ op: 'merge', path: '/a', value: 2 }], 422],
    ['refuses an operation without a path', [{ op: 'add', value: 2 }], 422],
    ['refuses an op that is no text', [{ op: 1, path: '/a' }], 400],
  ])('%s', (_, operations, want) => {
    const before = structuredClone(object)
    expect(patched(...operations)).toEqual(want)
    expect(object).toEqual(before)
  })

  it('answers a patch that does not apply with a sentence that says nothing more', () => {
    expect(() => applyJsonPatch(object, parseJsonPatch([{ op: 'remove', path: '/b' }]))).toThrow(
      expect.objectContaining({ code: 422, reason: 'Invalid', message: 'the server rejected our request due to an error in our request' }),
    )
  })

  it('refuses what is no list of operations, and lists that are too long', () => {
    expect(() => parseJsonPatch({})).toThrow('error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp')
    expect(() => parseJsonPatch(Array.from({ length: operationsMax + 1 }, () => ({ op: 'test', path: '' })))).toThrow(
      expect.objectContaining({ code: 413, message: expect.stringContaining('The allowed maximum operations in a JSON patch is 10000, got 10001') as string }),
    )
  })
})

describe('merge patch', () => {
  // RFC 7386, appendix A, as far as both sides are objects.
  it.each([
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
    [{}, { a: [{ b: null }, null] }, { a: [{}, null] }],
  ])('%j with %j is %j', (target, patch, want) => {
    expect(applyMergePatch(target, patch)).toEqual(want)
  })

  it('refuses what is no object', () => {
    expect(() => applyMergePatch({}, null)).toThrow('Invalid JSON Patch')
    expect(() => applyMergePatch({}, [])).toThrow('error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}')
  })
})
