/** Samples of both servers, gathered row by row, and what they come to: medians, and their ratio. */
import { isClean, numberOf, type Row, type Subject } from './load.ts'

export interface Measure {
  /** What was done: `create ConfigMap, 16 clients`. */
  readonly what: string
  /** What was looked at: `rate`, `CPU`. */
  readonly of: string
  readonly unit: string
  /** What the ratio kubun : upstream is to be, where there is a goal. */
  readonly goal?: { readonly atLeast?: number; readonly atMost?: number; readonly absoluteMax?: number; readonly absoluteMin?: number }
}

interface Samples {
  readonly measure: Measure
  readonly kubun: number[]
  readonly upstream: number[]
}

export interface Line {
  readonly measure: Measure
  readonly kubun: number | undefined
  readonly upstream: number | undefined
  readonly ratio: number | undefined
  /** undefined: there is no goal, or nothing to hold against it. */
  readonly met: boolean | undefined
}

export class Tally {
  readonly #samples = new Map<string, Samples>()
  #disturbed = 0
  readonly #busy: boolean

  /** `busy`: disturbed rows count, too. */
  constructor(options: { readonly busy: boolean }) {
    this.#busy = options.busy
  }

  add(subject: Subject['name'], measure: Measure, value: number | undefined): void {
    if (value === undefined || !Number.isFinite(value)) return
    const id = `${measure.what}\n${measure.of}`
    let samples = this.#samples.get(id)
    if (samples === undefined) this.#samples.set(id, (samples = { measure, kubun: [], upstream: [] }))
    samples[subject].push(value)
  }

  /** Whether the row may be counted; how many were disturbed is told at the end. */
  admits(row: Row): boolean {
    if ((numberOf(row, 'errors') ?? 0) > 0) throw new Error(`kbench: ${String(row['first_error'] ?? 'errors')} (${JSON.stringify(row)})`)
    if (isClean(row)) return true
    this.#disturbed++
    return this.#busy
  }

  /** Samples that one of the servers has of this so far. */
  count(subject: Subject['name'], what: string): number {
    let least = Number.POSITIVE_INFINITY
    for (const { measure, [subject]: values } of this.#samples.values()) if (measure.what === what) least = Math.min(least, values.length)
    return Number.isFinite(least) ? least : 0
  }

  /** Rows during which others used the machine. */
  get disturbed(): number {
    return this.#disturbed
  }

  lines(): readonly Line[] {
    return [...this.#samples.values()].map(({ measure, kubun, upstream }) => {
      const line = { measure, kubun: median(kubun), upstream: median(upstream) }
      const ratio = line.kubun === undefined || line.upstream === undefined || line.upstream === 0 ? undefined : line.kubun / line.upstream
      return { ...line, ratio, met: isMet(measure.goal, line.kubun, ratio) }
    })
  }
}

function isMet(goal: Measure['goal'], kubun: number | undefined, ratio: number | undefined): boolean | undefined {
  if (goal?.absoluteMax !== undefined) return kubun === undefined ? undefined : kubun <= goal.absoluteMax
  if (goal?.absoluteMin !== undefined) return kubun === undefined ? undefined : kubun >= goal.absoluteMin
  if (goal === undefined || ratio === undefined) return undefined
  return goal.atLeast === undefined ? ratio <= (goal.atMost ?? Number.POSITIVE_INFINITY) : ratio >= goal.atLeast
}

function median(values: readonly number[]): number | undefined {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  if (sorted.length % 2 === 1) return sorted[middle]
  return sorted.length === 0 ? undefined : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2
}
