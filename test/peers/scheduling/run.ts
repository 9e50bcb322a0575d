/**
 * npm run test:peers -- scheduling [--seed N] [--count M] [--update]: clusters that follow from seed N, to upstream's
 * scheduler and to ours. --update keeps upstream's answers as golden data (test/golden/scheduling), which
 * scheduling.test.ts and compare.ts hold against ours without Go; their seed and count are fixed.
 */
import { drawCases } from './cluster.ts'
import { goldenCount, goldenSeed, updateConfigurations, writeGolden } from './golden.ts'
import { compare, parts } from './parts.ts'
import { count, shown } from './tell.ts'
import { askConfigurations, askUpstream } from './upstream.ts'

export function runScheduling({ seed, count: cases, update }: { readonly seed: number; readonly count: number; readonly update: boolean }): boolean {
  const drawn = [...(update ? drawCases(goldenSeed, goldenCount) : drawCases(seed, cases))]
  const answers = askUpstream(drawn)
  if (update) {
    writeGolden(drawn, answers)
    updateConfigurations(askConfigurations)
  }
  const comparisons = drawn.flatMap((each, i) => compare(each, answers[i]?.pods ?? [], () => true))
  console.log(count(comparisons, parts))
  const differences = comparisons.flatMap(({ difference }) => (difference === undefined ? [] : [difference]))
  for (const part of parts) {
    const first = differences.find((each) => each.part === part)
    if (first !== undefined) console.log(shown(first))
  }
  return differences.length === 0
}
