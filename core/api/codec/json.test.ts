import { describe, expect, it } from 'vitest'
import { duplicateFields, parseJson } from './json.ts'

function duplicates(text: string): readonly string[] {
  return duplicateFields(text, JSON.parse(text))
}

describe('duplicateFields()', () => {
  it.each([
    ['{"a":1,"b":{"a":2},"c":[{"a":1},{"a":2}]}', []],
    ['{"a":1,"a":2}', ['a']],
    ['{"s":{"c":[{"n":1},{"n":1,"x":[],"n":2}]}}', ['s.c[1].n']],
    ['{"a\\"":1 , "a\\"" : ":","b":"{\\"x\\":1,\\"x\\":2}"}', ['a"']],
    ['{"\\\\":1,"b":"a\\\\","c":[[{"q":1,"q":1}]]}', ['c[0][0].q']],
  ])('finds in %s %j', (text, want) => {
    expect(duplicates(text)).toEqual(want)
  })

  it('finds many of them as quickly as few', () => {
    const text = `{${Array.from({ length: 50_000 }, (_, i) => `"${i}":0,"${i}":0,"${i}":0`).join(',')}}`
    const started = performance.now()
    expect(duplicateFields(text, JSON.parse(text)).length).toBe(50_000)
    expect(performance.now() - started).toBeLessThan(5_000)
  })
})

describe('parseJson()', () => {
  it('goes as deep as Go does, and counts no brackets in strings', () => {
    const deep = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels)
    expect(parseJson(deep(10_000)).ok).toBe(true)
    expect(parseJson(deep(10_001))).toEqual({ ok: false, error: "invalid character '[' exceeded max depth" })
    expect(parseJson('{"a":'.repeat(1_000_000))).toEqual({ ok: false, error: "invalid character '{' exceeded max depth" })
    expect(parseJson(JSON.stringify(deep(20_000)))).toMatchObject({ ok: true })
  })

  it.each([
    ['', 'unexpected end of JSON input'],
    ['{', 'unexpected end of JSON input'],
    ['{a}', "invalid character 'a' looking for beginning of object key string"],
    ['{"a":1,}', "invalid character '}' looking for beginning of object key string"],
    ['{"a" 1}', "invalid character '1' after object key"],
    ['{"a":1 "b"}', `invalid character '"' after object key:value pair`],
    ['[1 2]', "invalid character '2' after array element"],
    ['tru', 'unexpected end of JSON input'],
    ['trux', "invalid character 'x' in literal true (expecting 'e')"],
    ['{} x', "invalid character 'x' after top-level value"],
    ['<html>', "invalid character '<' looking for beginning of value"],
    ['"a\nb"', "invalid character '\\n' in string literal"],
    ['01', "invalid character '1' after top-level value"],
    ['1.x', "invalid character 'x' after decimal point in numeric literal"],
  ])('says of %j: %s', (text, error) => {
    expect(parseJson(text)).toEqual({ ok: false, error })
  })
})
