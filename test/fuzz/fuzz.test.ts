/** A few hundred changed inputs for every decoder; run.ts has as many as one likes. */
import { expect, it } from 'vitest'
import { round } from './round.ts'
import { allTargets } from './targets.ts'

const inputs = 150

it('no decoder crashes or dawdles', async () => {
  const wrong: unknown[] = []
  for (const target of await allTargets()) {
    const { faults } = await round(target, { inputs, seed: 7 })
    wrong.push(...faults.map(({ what, input }) => ({ target: target.name, what, input: Buffer.from(input).toString('base64') })))
  }
  expect(wrong).toEqual([])
}, 60_000)
