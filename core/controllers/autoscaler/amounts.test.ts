import { expect, it } from 'vitest'
import { amountMax, amountOf, quantityOf, replicasFrom } from './amounts.ts'

it.each([
  ['cpu', 0n, '0'], ['cpu', 1n, '1m'], ['cpu', 999n, '999m'], ['cpu', 1000n, '1'], ['cpu', 1500n, '1500m'], ['cpu', 10000n, '10'], ['cpu', 1000000n, '1k'], ['cpu', 10000000n, '10k'],
  ['cpu', 1023999n, '1023999m'], ['cpu', 1024000n, '1024'], ['cpu', 5000000000n, '5M'], ['cpu', -1500n, '-1500m'], ['cpu', amountMax, '9223372036854775807m'],
  ['memory', 0n, '0'], ['memory', 999n, '999m'], ['memory', 1000000n, '1k'], ['memory', 10000000n, '10000'], ['memory', 1234567n, '1234567m'], ['memory', 1024000n, '1Ki'],
  ['memory', 1024001n, '1024001m'], ['memory', 1048576000n, '1Mi'], ['memory', 104857600000n, '100Mi'], ['memory', 5000000000n, '5000000'], ['memory', amountMax, '9223372036854775807m'],
])('%s: %d thousandths are shown as %s, as upstream does', (resource, milli, text) => {
  expect(quantityOf(milli, resource)).toBe(text)
})

it('what does not fit is the most there is', () => {
  expect(amountOf('100E')).toBe(amountMax)
  expect(['9e999', '-100E', '-9e999'].map(amountOf)).toEqual([amountMax, -amountMax, -amountMax])
  expect(amountOf('250m')).toBe(250n)
  expect(replicasFrom(1e12)).toBe(2 ** 31 - 1)
  expect(replicasFrom(1.01)).toBe(2)
})
