/** Patterns as Go reads them, and what it says of those that it does not. */
import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../lib/random.ts'
import { Regexp, RegexpError } from './regexp.ts'

function matches(pattern: string, text: string): boolean | string {
  try {
    return new Regexp(pattern).test(text)
  } catch (error) {
    return error instanceof RegexpError ? error.message : String(error)
  }
}

describe('Go\'s regular expressions', () => {
  it.each([
    [String.raw`^[a-z0-9]([\-a-z0-9]*[a-z0-9])?$`, 'a-b', true],
    [String.raw`^[a-z0-9]([\-a-z0-9]*[a-z0-9])?$`, 'a-', false],
    [String.raw`^[\w.-]+\_x$`, 'a.b-c_x', true],
    [String.raw`^\d{2,3}$`, '1234', false],
    [String.raw`(?i)^abc$`, 'aBC', true],
    [String.raw`^a(?i)b[c-d]$`, 'aBD', true],
    [String.raw`^a(?i)b$`, 'AB', false],
    [String.raw`^(?P<x>a)(?:b|c)$`, 'ac', true],
    [String.raw`^a.c$`, 'a\nc', false],
    [String.raw`(?s)^a.c$`, 'a\nc', true],
    [String.raw`(?m)^b$`, 'a\nb\nc', true],
    [String.raw`^b$`, 'a\nb\nc', false],
    [String.raw`^[[:alpha:]]+[^[:space:]]\z`, 'abc1', true],
    [String.raw`^\pL\p{Greek}\P{Lu}$`, 'aαb', true],
    [String.raw`^\Qa.b\E$`, 'a.b', true],
    [String.raw`^a{,2}$`, 'a{,2}', true],
    [String.raw`^\x41\x{1F600}\012$`, 'A\u{1F600}\n', true],
    [String.raw`^[]a]+$`, ']a', true],
    [String.raw`^[^]a]+$`, 'b', true],
    [String.raw`^[a-]+$`, '-a', true],
    [String.raw`^[\S]+$`, 'a b', false],
    ['^(a|)$', '', true],
    ['[a-b-c]', '-', true],
    ['a|*', '', 'error parsing regexp: missing argument to repetition operator: `*`'],
    ['[', '', 'error parsing regexp: missing closing ]: `[`'],
    ['a[b', '', 'error parsing regexp: missing closing ]: `[b`'],
    ['(a', '', 'error parsing regexp: missing closing ): `(a`'],
    ['a)', '', 'error parsing regexp: unexpected ): `a)`'],
    ['*', '', 'error parsing regexp: missing argument to repetition operator: `*`'],
    ['a**', '', 'error parsing regexp: invalid nested repetition operator: `**`'],
    ['a{1001}', '', 'error parsing regexp: invalid repeat count: `{1001}`'],
    ['a{2,1}', '', 'error parsing regexp: invalid repeat count: `{2,1}`'],
    ['(?!a)', '', 'error parsing regexp: invalid or unsupported Perl syntax: `(?!`'],
    ['(?<=a)', '', 'error parsing regexp: invalid named capture: `(?<=a)`'],
    [String.raw`(a)\1`, '', 'error parsing regexp: invalid escape sequence: `\\1`'],
    [String.raw`\y`, '', 'error parsing regexp: invalid escape sequence: `\\y`'],
    ['[z-a]', '', 'error parsing regexp: invalid character class range: `z-a`'],
    ['a\\', '', 'error parsing regexp: trailing backslash at end of expression: ``'],
  ] as const)('%s on %j: %s', (pattern, text, want) => {
    expect(matches(pattern, text)).toBe(want)
  })
})

describe('Regexp', () => {
  it.each([
    ['(?i)[^K]', '\u212a', false], [String.raw`\Qa.b\E`, 'axb', false], ['^.$', '😀', true], [String.raw`\bfoo\b`, 'a foo b', true], ['(?U)a+b', 'aab', true],
    ['(?i:A)b', 'aB', false], ['(?', '', 'error parsing regexp: invalid or unsupported Perl syntax: `(?`'],
    [String.raw`\p{Latn}`, '', 'error parsing regexp: invalid character class range: `\\p{Latn}`'],
  ] as const)('%s on %j: %s', (pattern, text, want) => {
    expect(matches(pattern, text)).toBe(want)
  })

  it('find() is leftmost, and prefers what the pattern prefers', () => {
    expect(new Regexp('a+?|b').find('xbaa')).toEqual({ start: 1, end: 2 })
    expect(new Regexp('a|ab').find('ab')).toEqual({ start: 0, end: 1 })
    expect(new Regexp('ab|a').find('ab')).toEqual({ start: 0, end: 2 })
    expect(new Regexp('a*').find('aab', 1)).toEqual({ start: 1, end: 2 })
  })

  it('findAll() does not overlap', () => {
    expect(new Regexp('[0-9]+').findAll('a1b22c333')).toEqual(['1', '22', '333'])
    expect(new Regexp('a*').findAll('baac')).toEqual(['', 'aa', ''])
    expect(new Regexp('.').findAll('a😀b', 2)).toEqual(['a', '😀'])
  })

  it('takes linear time where backtracking would not end', () => {
    expect(new Regexp('^(a*)*b$').test('a'.repeat(2_000))).toBe(false)
    expect(new Regexp('^(a|a|aa)+$').test(`${'a'.repeat(2_000)}b`)).toBe(false)
  })

  it('takes a step a character, however long the pattern', () => {
    const started = performance.now()
    const pattern = new Regexp(`${'(.?){1000}'.repeat(30)}\\x00`)
    expect(pattern.test('x'.repeat(200_000))).toBe(false)
    expect(pattern.test('é'.repeat(200_000))).toBe(false)
    expect(new Regexp('(a|b)*a(a|b){12}c').test(`${'abbabaaabb'.repeat(3_000)}`)).toBe(false)
    expect(performance.now() - started).toBeLessThan(8_000) // it took half an hour
  })

  it('tests as JavaScript does, where both mean the same', () => {
    const random = seededRandom(7)
    const pick = <T>(from: readonly T[]): T => from[random.int(from.length)] as T
    const atoms = ['a', 'b', '.', String.raw`\b`, String.raw`\B`, '^', '$', '[ab]', '[^a]', '(a|b)', '(?:ab)?', 'a*', 'b+', String.raw`\w`, '(?m:^)', '(?m:$)', 'é', '😀']
    for (let i = 0; i < 5_000; i++) {
      const pattern = Array.from({ length: 1 + random.int(5) }, () => pick(atoms)).join('')
      const text = Array.from({ length: random.int(6) }, () => pick(['a', 'b', ' ', 'é', '\n', '_', '😀'])).join('')
      const script = new RegExp(pattern.replaceAll('(?m:^)', String.raw`(?<![^\n])`).replaceAll('(?m:$)', String.raw`(?![^\n])`), 'u')
      expect([pattern, text, new Regexp(pattern).test(text)]).toEqual([pattern, text, script.test(text)])
    }
  })
})
