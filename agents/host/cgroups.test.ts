/** CPU shares and weights: what is written comes back near enough to be told from what is asked for next. */
import { describe, expect, it } from 'vitest'
import { sharesOfWeight, weightOf } from './cgroups.ts'

describe('weights', () => {
  it.each([[2, 1], [102, 4], [1024, 39], [262_144, 10_000]])('%d shares weigh %d', (shares, weight) => {
    expect(weightOf(shares)).toBe(weight)
    expect(weightOf(sharesOfWeight(weight))).toBe(weight)
  })
})
