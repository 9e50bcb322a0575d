import { describe, expect, it } from 'vitest'
import { parseDuration } from './duration.ts'

describe('parseDuration()', () => {
  it.each([['24h', 86_400_000], ['1h30m', 5_400_000], ['1.5s', 1_500], ['250ms', 250], ['0', 0], ['-2s', -2_000]])('%s', (text, ms) => expect(parseDuration(text)).toBe(ms))
  it.each(['', '5', '5x', 'h', '1h x', '1d'])('refuses %j', (text) => expect(() => parseDuration(text)).toThrow('is not a duration'))
})
