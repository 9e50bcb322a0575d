/** The smoke: a few seeds, and that a seed is a whole history. Many more: `bun test/sim/run.ts --seeds 1..1000`. */
import { describe, expect, it } from 'vitest'
import { simulate } from './simulate.ts'

const seeds = 8

describe('simulation of the control plane', () => {
  it('the same seed gives the same history, another seed another', async () => {
    const [first, again, other] = [await simulate(3), await simulate(3), await simulate(4)]
    expect(again).toEqual(first)
    expect(other.hash).not.toBe(first.hash)
  })

  it.each(Array.from({ length: seeds }, (_, i) => i + 1))('seed %i: every invariant holds', async (seed) => {
    expect((await simulate(seed)).broken).toBeUndefined()
  })
})
