import { describe, expect, it } from 'vitest'
import { parseYaml, parseYamlDocuments, renderYaml } from './yaml.ts'

describe('parseYaml()', () => {
  it.each([
    ['a: 0644', { a: 420 }], ['a: yes\nb: off', { a: true, b: false }], ['a: 2020-01-01', { a: '2020-01-01' }], ['a: 1:30', { a: '1:30' }],
    ['1: x\ntrue: z', { 1: 'x', true: 'z' }], ['a: &x {q: 1}\nb:\n  <<: *x\n  r: 2', { a: { q: 1 }, b: { q: 1, r: 2 } }],
    ['a: 0o17\nb: 0x1F\nc: 12_000', { a: 15, b: 31, c: 12_000 }], ['a: !!binary aGVsbG8=', { a: 'hello' }], ['a: ~\nb:', { a: null, b: null }],
    ['{"a": "1"}', { a: '1' }], ['a: |\n  x\n  y\n', { a: 'x\ny\n' }], ['a: "0644"', { a: '0644' }], ['', null],
  ])('reads %j as Go does', (text, value) => {
    expect(parseYaml(text)).toEqual({ ok: true, value, duplicates: [] })
  })

  it('names fields that are there twice, and takes the last', () => {
    expect(parseYaml('a: 1\nb:\n- c: 1\n  c: 2\n')).toEqual({ ok: true, value: { a: 1, b: [{ c: 2 }] }, duplicates: ['line 4: key "c" already set in map'] })
  })

  it('refuses what is no YAML, and bombs', () => {
    expect(parseYaml('a: [1\nb: 2')).toMatchObject({ ok: false, error: expect.stringMatching(/^yaml: line 2: /) as unknown })
    const bomb = Array.from({ length: 12 }, (_, i) => `a${i}: &a${i} [${Array(9).fill(i === 0 ? 'x' : `*a${i - 1}`).join(',')}]`).join('\n')
    expect(parseYaml(bomb)).toMatchObject({ ok: false })
  })
})

describe('parseYamlDocuments()', () => {
  it('gives every document that is not empty', () => {
    expect(parseYamlDocuments('kind: A\n---\n---\n# nothing\n---\nkind: B\n')).toEqual({ ok: true, value: [{ kind: 'A' }, { kind: 'B' }], duplicates: [] })
  })
})

describe('renderYaml()', () => {
  it('sorts keys, does not indent lists, and is read back the same', () => {
    const value = { kind: 'Pod', b: [{ a: 1 }], apiVersion: 'v1', s: 'true', t: '1:30', o: '0644', m: 'x\ny\n', e: {}, n: null, long: 'word '.repeat(50).trim() }
    const text = renderYaml(value)
    expect(text.startsWith('apiVersion: v1\nb:\n- a: 1\ne: {}\nkind: Pod\n')).toBe(true)
    expect(parseYaml(text)).toEqual({ ok: true, value, duplicates: [] })
  })
})
