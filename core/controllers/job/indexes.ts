/**
 * Completion indexes as a Job's status keeps them: ordered intervals, `1,3-5,7`. Pure. Whether what a client wrote is
 * well-formed is the API's business (core/api/batch/jobpolicies.ts); here what cannot be read is passed over.
 */
import type { Interval } from '../../api/batch/jobpolicies.ts'

export type Indexes = readonly Interval[]

export const noIndexes: Indexes = []

/** Those below `completions`. */
export function parseIndexes(text: string | undefined, completions: number): Indexes {
  const found: Interval[] = []
  for (const part of (text ?? '') === '' ? [] : (text ?? '').split(',')) {
    const [first = '', last = first] = part.split('-')
    if (!isIndex(first) || !isIndex(last)) continue
    if (Number(first) >= completions) break
    append(found, [Number(first), Math.min(Number(last), completions - 1)])
  }
  return found
}

const isIndex = (text: string): boolean => /^\+?\d+$/.test(text)

/** Two neighbours are written as two, three and more as a range. */
export function formatIndexes(indexes: Indexes): string {
  return indexes.map(([from, to]) => (from === to ? `${from}` : `${from}${to === from + 1 ? ',' : '-'}${to}`)).join(',')
}

export function withIndexes(indexes: Indexes, more: Iterable<number>): Indexes {
  return mergeIndexes(indexes, [...new Set(more)].toSorted((a, b) => a - b).map((index) => [index, index] as const))
}

export function mergeIndexes(some: Indexes, others: Indexes): Indexes {
  const merged: Interval[] = []
  let [i, j] = [0, 0]
  for (;;) {
    const [a, b] = [some[i], others[j]]
    if (a === undefined && b === undefined) return merged
    const takesOther = a === undefined || (b !== undefined && b[0] <= a[0])
    append(merged, (takesOther ? b : a) as Interval)
    if (takesOther) j++
    else i++
  }
}

/** Grows the last interval where the next one touches it. */
function append(intervals: Interval[], next: Interval): void {
  const last = intervals.at(-1)
  if (last === undefined || next[0] > last[1] + 1) intervals.push(next)
  else if (last[1] < next[1]) intervals[intervals.length - 1] = [last[0], next[1]]
}

export function countIndexes(indexes: Indexes): number {
  return indexes.reduce((sum, [from, to]) => sum + to - from + 1, 0)
}

export function hasIndex(indexes: Indexes, index: number): boolean {
  let [low, high] = [0, indexes.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((indexes[middle]?.[1] ?? 0) >= index) high = middle
    else low = middle + 1
  }
  const found = indexes[low]
  return found !== undefined && found[0] <= index
}

/** How many are in both. */
export function countShared(some: Indexes, others: Indexes): number {
  let [i, j, shared] = [0, 0, 0]
  for (;;) {
    const [a, b] = [some[i], others[j]]
    if (a === undefined || b === undefined) return shared
    shared += Math.max(0, Math.min(a[1], b[1]) - Math.max(a[0], b[0]) + 1)
    if (a[1] <= b[1]) i++
    if (b[1] <= a[1]) j++
  }
}

/** The first `count` indexes below `completions` that are in none of these. */
export function firstMissing(taken: Indexes, count: number, completions: number): readonly number[] {
  const missing: number[] = []
  let candidate = 0
  for (const [from, to] of [...taken, [completions, completions] as const]) {
    for (; candidate < Math.min(from, completions) && missing.length < count; candidate++) missing.push(candidate)
    candidate = Math.max(candidate, to + 1)
  }
  return missing
}
