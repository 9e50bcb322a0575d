import { describe, expect, it } from 'vitest'
import { CelError } from '../value.ts'
import { addAmounts, approximate, compareAmounts, integerOf, readAmount, small, subtractAmounts, type Amount } from './amount.ts'

function amount(text: string): Amount {
  const read = readAmount(text)
  if (!read.ok) throw new Error(read.error)
  return read.amount
}

describe('what is small stays exact', () => {
  it.each([['50k', 50_000n], ['1Ti', 2n ** 40n], ['1Pi', undefined], ['0.5', undefined], ['1000m', undefined], ['1.5Gi', undefined], ['16Ei', undefined], ['-', 0n], ['Mi', 0n]])('%s', (text, want) => {
    expect(integerOf(amount(text))).toBe(want)
  })

  it('until it needs more than 64 bits', () => {
    const sum = addAmounts(small(2n ** 63n - 1n), small(1n))
    expect(sum).toEqual({ unscaled: 2n ** 63n, exponent: 0, large: true })
    expect(integerOf(subtractAmounts(sum, small(1n)))).toBeUndefined()
  })
})

it('less than a billionth is a billionth', () => {
  expect(compareAmounts(amount('0.0000000001'), amount('1n'))).toBe(0)
  expect(compareAmounts(amount('-0.0000000001'), amount('-1n'))).toBe(0)
})

it('amounts of any size compare at once', () => {
  expect(compareAmounts(amount('1e2000000000'), amount('1e1999999999'))).toBe(1)
  expect(compareAmounts(amount('-1e2000000000'), amount('1'))).toBe(-1)
  expect(approximate(amount('1e2000000000'))).toBe(Number.POSITIVE_INFINITY)
})

it('amounts too far apart are not added', () => {
  expect(() => addAmounts(amount('1e2000000000'), amount('1'))).toThrow(CelError)
})
