/**
 * The allocator of devices against upstream's own answers (k8s.io/dynamic-resource-allocation/structured v0.36 with the features that
 * are on by default in v1.36): which devices, shares, configuration and nodes each puzzle of puzzles.ts comes to, or what is wrong with it.
 */
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import type * as k from '../../../core/api/schema/types.ts'
import { seededRandom } from '../../../core/lib/random.ts'
import { type Allocation, Allocator } from '../../../core/scheduler/dynamicresources/allocator.ts'
import { amountOf } from '../../../core/scheduler/dynamicresources/devices.ts'
import { type Puzzle, puzzle } from './puzzles.ts'

interface Answer {
  readonly error?: string
  readonly results?: readonly k.AllocationResult[]
}

const answers = gunzipSync(readFileSync(new URL('answers.jsonl.gz', import.meta.url))).toString().trim().split('\n').map((line) => JSON.parse(line) as Answer)
const batch = 100

describe('allocator', () => {
  it.each(Array.from({ length: answers.length / batch }, (_, i) => i * batch))('puzzles from %i on', (first) => {
    for (let i = first; i < first + batch; i++) expect(solve(puzzle(i)), `puzzle ${i}`).toEqual(answers[i])
  })
})

function solve({ node, slices, classes, claims, whole, shared }: Puzzle): Answer {
  const byName = new Map(classes.map((one) => [one.metadata.name, one]))
  const taken = new Map(Object.entries(shared).map(([id, of]) => [id, new Map(Object.entries(of).map(([name, quantity]) => [name, amountOf(quantity)]))]))
  const allocator = new Allocator({ inUse: { whole: new Set(whole), shared: taken }, classOf: (name) => byName.get(name), slices, random: seededRandom(1) })
  return shown(allocator.allocate(node, claims))
}

/** Shares have names by chance; what is empty is left out. */
function shown(allocation: Allocation): Answer {
  if (allocation.ok) return { results: allocation.results.map((result) => JSON.parse(JSON.stringify(result, withoutChance)) as k.AllocationResult) }
  const error = 'broken' in allocation ? allocation.broken : allocation.reason
  return error === undefined ? {} : { error }
}

function withoutChance(key: string, value: unknown): unknown {
  if (key === 'shareID') return ''
  return Array.isArray(value) && value.length === 0 ? undefined : value
}
