import { describe, expect, it } from 'vitest'
import { formatCheck } from './checkformats.ts'
import { parseAnyDuration } from './times.ts'

const email = formatCheck('email')
const duration = formatCheck('duration')

describe('formats of texts that users write', () => {
  it.each([
    'a@b', 'a.b@c.d', '"a b"@h', 'N <a@b>', 'N. M "x y" <a@b>', 'N  M <a@b> (c) (d(e))', '<a@b>', 'a@[1.2.3.4]', 'a@[IPv6:::1]', 'a @ b', '"a\\"b" <a@b>',
  ])('email takes %s', (text) => expect(email?.(text)).toBe(true))

  it.each(['', '""@h', 'a@[IPv6:]', 'a@[x]', 'a <b', 'N <<a@b>', 'N> <a@b>', 'a@b)', '(c)a@b', '"a <a@b>', 'N <a@b> x', 'a..b@c', 'a@b,c@d'])('email refuses %s', (text) => expect(email?.(text)).toBe(false))

  it('durations are Go\'s, and numbers of units', () => {
    expect(['1h30m', '.5s', '1.s', '3 days', '1 h 2 min'].map((text) => parseAnyDuration(text))).toEqual([5_400n, 1n, 1n, 259_200n, 3_720n].map((seconds, i) => (i === 1 ? 500_000_000n : seconds * 1_000_000_000n)))
    expect(parseAnyDuration(`${'0'.repeat(40)}5 d`)).toBe(432_000_000_000_000n)
    expect(['1..s', '5 x', '99999999999999999999 d', ''].map((text) => duration?.(text))).toEqual([false, false, false, false])
  })

  const long = 200_000
  const hostile: readonly (readonly [format: string, text: string])[] = [
    ['email', `${'a'.repeat(long)}(<a@b>`], ['email', `${'a'.repeat(long)},<a@b>`], ['email', `a${' '.repeat(long)}b<x@y`], ['email', `"${'\\"'.repeat(long)}<a@b>`],
    ['email', `a${'()'.repeat(long)}`], ['email', `a@[${':'.repeat(long)}x]`], ['email', '<'.repeat(long)],
    ['duration', `${'1'.repeat(long)}!`], ['duration', `${'1'.repeat(long)}${' '.repeat(long)}!`], ['duration', `1.${'1'.repeat(long)}!`], ['duration', `${'9'.repeat(long)}h`],
  ]
  it.each(hostile)('%s is refused soon, however long the text', (format, text) => {
    const started = performance.now()
    expect(formatCheck(format)?.(text)).toBe(false)
    expect(performance.now() - started).toBeLessThan(5_000) // it took hours
  })
})
