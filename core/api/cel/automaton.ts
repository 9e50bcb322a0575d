/**
 * Whether a program of a pattern matches anywhere in a text, by an automaton whose states are made when they are first
 * reached (as RE2 and Go's own kin do): where a state is known, a character takes one step, however long the pattern. What
 * a state is: the places in the program that are reached, and what the character before was. Programs are made in regexp.ts.
 */
import type { Assertion } from './pattern.ts'

export type Instruction =
  | { readonly op: 'set'; readonly has: (code: number) => boolean }
  | { readonly op: 'assert'; readonly what: Assertion }
  /** Two ways on, the first preferred. */
  | { readonly op: 'split'; first: number; second: number }
  | { readonly op: 'jump'; to: number }
  | { readonly op: 'match' }

/** What stands beside a place, as far as assertions ask for it. */
type Side = 'edge' | 'newline' | 'word' | 'other'

class State {
  readonly before: Side
  readonly places: readonly number[]
  /** By ASCII character; the last is the end of the text. */
  readonly next: (State | undefined)[] = []
  /** By any other. */
  readonly others = new Map<number, State>()

  constructor(before: Side, places: readonly number[]) {
    this.before = before
    this.places = places
  }
}

const ended = 128
const matched = new State('edge', [])
/** What is kept: past it, all is forgotten. */
const statesMax = 1_000
const placesMax = 100_000
const othersMax = 256
/** A text that needs ever new states is better read without. */
const forgottenMax = 2

export class Automaton {
  readonly #program: readonly Instruction[]
  readonly #states = new Map<string, State>()
  readonly #entered: Uint32Array
  #generation = 0
  #places = 0
  #forgotten = 0

  constructor(program: readonly Instruction[]) {
    this.#program = program
    this.#entered = new Uint32Array(program.length)
  }

  /** Undefined: it cannot be told this way. */
  test(text: string): boolean | undefined {
    this.#forgotten = 0
    let state = this.#state('edge', [])
    for (let at = 0; at < text.length;) {
      const code = text.codePointAt(at) as number
      state = code < ended ? (state.next[code] ??= this.#step(state, code)) : this.#other(state, code)
      if (state === matched) return true
      if (this.#forgotten > forgottenMax) return undefined
      at += code > 0xffff ? 2 : 1
    }
    return (state.next[ended] ??= this.#step(state, -1)) === matched
  }

  #other(state: State, code: number): State {
    const known = state.others.get(code)
    if (known !== undefined) return known
    const next = this.#step(state, code)
    if (state.others.size < othersMax) state.others.set(code, next)
    return next
  }

  /** A match may begin at every character. */
  #step({ before, places }: State, code: number): State {
    const after = sideOf(code)
    const reached: number[] = []
    const todo = [0, ...places]
    this.#generation++
    while (todo.length > 0) {
      const place = todo.pop() as number
      if (this.#entered[place] === this.#generation) continue
      this.#entered[place] = this.#generation
      const instruction = this.#program[place] as Instruction
      if (instruction.op === 'match') return matched
      if (instruction.op === 'jump') todo.push(instruction.to)
      else if (instruction.op === 'split') todo.push(instruction.second, instruction.first)
      else if (instruction.op === 'assert') {
        if (holds(instruction.what, before, after)) todo.push(place + 1)
      } else if (code >= 0 && instruction.has(code)) reached.push(place + 1)
    }
    return this.#state(after, reached.sort((a, b) => a - b))
  }

  #state(before: Side, places: readonly number[]): State {
    const id = `${before} ${places.join(' ')}`
    const known = this.#states.get(id)
    if (known !== undefined) return known
    if (this.#states.size >= statesMax || this.#places > placesMax) {
      // What is forgotten here may still be pointed to by what goes on: that ends with it.
      for (const { next, others } of this.#states.values()) {
        next.length = 0
        others.clear()
      }
      this.#states.clear()
      this.#places = 0
      this.#forgotten++
    }
    const made = new State(before, places)
    this.#states.set(id, made)
    this.#places += places.length
    return made
  }
}

function sideOf(code: number): Side {
  if (code < 0) return 'edge'
  if (code === 10) return 'newline'
  const isWord = (code >= 48 && code <= 57) || (code >= 65 && code <= 90) || code === 95 || (code >= 97 && code <= 122)
  return isWord ? 'word' : 'other'
}

function holds(what: Assertion, before: Side, after: Side): boolean {
  switch (what) {
    case 'text start': return before === 'edge'
    case 'text end': return after === 'edge'
    case 'line start': return before === 'edge' || before === 'newline'
    case 'line end': return after === 'edge' || after === 'newline'
    case 'word edge': return (before === 'word') !== (after === 'word')
    case 'no word edge': return (before === 'word') === (after === 'word')
  }
}
