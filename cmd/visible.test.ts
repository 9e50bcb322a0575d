import { describe, expect, it } from 'vitest'
import { visible } from './visible.ts'

describe('visible()', () => {
  it.each([
    ['a title of the window', '\u001b]0;mine\u0007', String.raw`\u001b]0;mine\u0007`],
    ['a line that is written over', 'is broken\ris fine', String.raw`is broken\u000dis fine`],
    ['an escape of one character', '\u009b2J', String.raw`\u009b2J`],
    ['layout', 'a:\n\tb', 'a:\n\tb'],
    ['other languages', 'Größe 数', 'Größe 数'],
  ])('shows %s', (_what, text, shown) => {
    expect(visible(text)).toBe(shown)
  })

  it('leaves JSON what it was', () => {
    const value = { message: '\u001b[31m\u009b\u007f\n' }
    expect(JSON.parse(visible(JSON.stringify(value)))).toEqual(value)
  })
})
