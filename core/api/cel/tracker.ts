/**
 * What an evaluation has cost so far, by the rules of cel-go/interpreter/runtimecost.go: values are kept on a stack by
 * the number of the expression they came from, and a call is paid for when all its arguments are found there.
 */
import { Failure, type Result } from './failure.ts'
import { CelError, CostExceeded, type Value } from './value.ts'

/** Steps of one evaluation, free ones too; ends what costs nothing and yet goes on. */
const stepsMax = 20_000_000

export class Tracker {
  cost = 0
  readonly #max: number
  readonly #ids: number[] = []
  readonly #values: Result[] = []
  /** How often each id is on the stack: loops leave many there, and most that are looked for are not. */
  readonly #times: number[] = []
  #steps = 0

  constructor(max: number) {
    this.#max = max
  }

  push(id: number, value: Result): void {
    this.#ids.push(id)
    this.#values.push(value)
    this.#times[id] = (this.#times[id] ?? 0) + 1
    if (this.cost > this.#max) throw new CostExceeded()
    if (++this.#steps > stepsMax) throw new CelError('operation interrupted')
  }

  /** Takes each off the stack, and all that lies above it. */
  drop(id: number): void {
    const at = this.#find(id)
    if (at !== -1) this.#cut(at)
  }

  /** Undefined where one is not there: the call was never made, or its argument was computed out of sight. */
  dropArgs(ids: readonly number[]): readonly Result[] | undefined {
    const args: Result[] = []
    for (let i = ids.length - 1; i >= 0; i--) {
      const at = this.#find(ids[i] as number)
      if (at === -1) return undefined
      args[i] = this.#values[at] as Result
      this.#cut(at)
    }
    return args
  }

  #find(id: number): number {
    return (this.#times[id] ?? 0) === 0 ? -1 : this.#ids.lastIndexOf(id)
  }

  #cut(at: number): void {
    for (let i = at; i < this.#ids.length; i++) (this.#times[this.#ids[i] as number] as number)--
    this.#ids.length = at
    this.#values.length = at
  }
}

/** What a cost function sees in place of an error: something of size 1. */
export function orNothing(result: Result): Value {
  return result instanceof Failure ? false : result
}
