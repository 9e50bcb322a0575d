/**
 * What an evaluation has cost so far, by the rules of cel-go/interpreter/runtimecost.go: values are kept on a stack by
 * the number of the expression they came from, and a call is paid for when all its arguments are found there. This runs
 * at every step of every evaluation: the stack is flat, and nothing is searched or made.
 */
import { Failure, type Result } from './failure.ts'
import { CelError, CostExceeded, type Value } from './value.ts'

/** Steps of one evaluation, free ones too; ends what costs nothing and yet goes on. */
const stepsMax = 20_000_000
const firstRoom = 64

export class Tracker {
  cost = 0
  readonly #max: number
  #top = 0
  #ids = new Int32Array(firstRoom)
  /** Where the same id lies deeper in the stack: loops leave some there. Places count from 1; 0 is nowhere. */
  #deeper = new Int32Array(firstRoom)
  readonly #values: Result[] = []
  /** Where an id lies on top. */
  #places = new Int32Array(firstRoom)
  #steps = 0

  constructor(max: number) {
    this.#max = max
  }

  push(id: number, value: Result): void {
    const at = this.#top++
    if (at === this.#ids.length) this.#grow()
    if (id >= this.#places.length) this.#places = longer(this.#places, id + 1)
    this.#ids[at] = id
    this.#deeper[at] = this.#places[id] as number
    this.#places[id] = at + 1
    this.#values[at] = value
    this.#count()
  }

  /** Takes it off the stack, and all that lies above it. */
  drop(id: number): void {
    const place = this.#placeOf(id)
    if (place !== 0) this.#cut(place - 1)
  }

  /** drop(), and push() of the same. */
  replace(id: number, value: Result): void {
    const top = this.#top
    if (top > 0 && this.#ids[top - 1] === id) {
      this.#values[top - 1] = value
      return this.#count()
    }
    this.drop(id)
    this.push(id, value)
  }

  /**
   * Takes these arguments off the stack, and puts them into `into`. False where one is not there: the call was
   * never made, or its argument was computed out of sight.
   */
  take(ids: readonly number[], into?: Value[]): boolean {
    for (let i = ids.length - 1; i >= 0; i--) {
      const place = this.#placeOf(ids[i] as number)
      if (place === 0) return false
      if (into !== undefined) into[i] = orNothing(this.#values[place - 1] as Result)
      this.#cut(place - 1)
    }
    return true
  }

  #count(): void {
    if (this.cost > this.#max) throw new CostExceeded()
    if (++this.#steps > stepsMax) throw new CelError('operation interrupted')
  }

  #placeOf(id: number): number {
    return id < this.#places.length ? (this.#places[id] as number) : 0
  }

  #cut(at: number): void {
    for (let i = this.#top - 1; i >= at; i--) this.#places[this.#ids[i] as number] = this.#deeper[i] as number
    this.#top = at
  }

  #grow(): void {
    this.#ids = longer(this.#ids, this.#ids.length + 1)
    this.#deeper = longer(this.#deeper, this.#deeper.length + 1)
  }
}

function longer(array: Int32Array<ArrayBuffer>, least: number): Int32Array<ArrayBuffer> {
  const more = new Int32Array(Math.max(least, array.length * 2))
  more.set(array)
  return more
}

/** What a cost function sees in place of an error: something of size 1. */
function orNothing(result: Result): Value {
  return result instanceof Failure ? false : result
}
