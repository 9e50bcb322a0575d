import { expect, it } from 'vitest'
import { memo, memoOf } from './memo.ts'

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

it('makes what is asked of an object once, and of another that looks like it again', () => {
  const made: object[] = []
  const names = memoOf((of: { readonly name: string }) => {
    made.push(of)
    if (of.name === 'bad') throw new Error('bad')
    return of.name === '' ? undefined : of.name
  })
  const [a, twin, empty, bad] = [{ name: 'a' }, { name: 'a' }, { name: '' }, { name: 'bad' }]
  expect([names(a), names(a), names(twin), names(empty), names(empty)]).toEqual(['a', 'a', 'a', undefined, undefined])
  expect(() => names(bad)).toThrow('bad')
  expect(() => names(bad)).toThrow('bad')
  expect(made).toEqual([a, twin, empty, bad, bad])
})
