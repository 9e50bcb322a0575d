/** Our scheduler says of a thousand clusters what upstream's said when the golden data was written: pure functions, without Go. */
import { beforeAll, describe, expect, it } from 'vitest'
import { drawCase } from './cluster.ts'
import { digestOf, goldenSeed, readGolden } from './golden.ts'
import { compare, parts, type Comparison } from './parts.ts'
import { shown } from './tell.ts'

/** Seconds on a busy machine. */
const limitMs = 120_000

function compared(): readonly Comparison[] {
  return readGolden().flatMap(({ number, digest, pods }) => {
    const drawn = drawCase(goldenSeed, number)
    if (digestOf(drawn) !== digest) throw new Error(`case ${number} is drawn otherwise than upstream was asked: npm run test:peers -- scheduling --update`)
    return compare(drawn, pods, () => true)
  })
}

describe("the scheduler says what upstream's does", () => {
  let comparisons: readonly Comparison[] = []
  beforeAll(() => {
    comparisons = compared()
  }, limitMs)

  for (const part of parts) {
    it(part, () => {
      const own = comparisons.filter((each) => each.part === part)
      const differences = own.flatMap(({ difference }) => (difference === undefined ? [] : [shown(difference)]))
      expect(own.length).toBeGreaterThan(0)
      expect(differences).toEqual([])
    })
  }
})
