import { expect, it } from 'vitest'
import { Findings, other } from './findings.ts'

it('says a thing once, among any number of others', () => {
  const all = new Findings()
  const started = performance.now()
  for (let i = 0; i < 200_000; i++) all.add(other(`items[${i >> 1}]`, 'is wrong'))
  const more = new Findings()
  more.merge(all)
  more.merge(all)
  expect([all.list.length, more.list.length]).toEqual([100_000, 100_000])
  expect(performance.now() - started).toBeLessThan(5_000)
})
