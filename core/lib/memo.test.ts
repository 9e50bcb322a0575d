import { expect, it } from 'vitest'
import { memo } from './memo.ts'

it('makes what is asked for once, also nothing, forgets all when there is too much, and keeps no failure', () => {
  const made: string[] = []
  const length = memo<number | undefined>(2, (text) => {
    made.push(text)
    if (text === 'bad') throw new Error('bad')
    return text === '' ? undefined : text.length
  })
  expect([length('a'), length('a'), length(''), length('')]).toEqual([1, 1, undefined, undefined])
  expect(made).toEqual(['a', ''])
  expect(() => length('bad')).toThrow('bad')
  expect(() => length('bad')).toThrow('bad')
  expect([length('abc'), length('a')]).toEqual([3, 1])
  expect(made).toEqual(['a', '', 'bad', 'bad', 'abc', 'a'])
})
