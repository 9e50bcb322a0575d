/**
 * Regular expressions whose patterns come from users: Go's syntax and choice of match, in time that grows with pattern
 * times text at most (Thompson's construction, Pike's machine; swtch.com/~rsc/regexp). JavaScript's own RegExp may take
 * exponential time. Whether there is a match at all automaton.ts tells, mostly in a step a character.
 */
import { Automaton, type Instruction } from './automaton.ts'
import { type Assertion, inSet, type Node, parsePattern, RegexpError } from './pattern.ts'

export { RegexpError }

/** Steps of one compiled pattern. */
const instructionsMax = 100_000

export class Regexp {
  readonly #program: Instruction[] = []
  readonly #automaton: Automaton

  /** Throws RegexpError. */
  constructor(pattern: string) {
    this.#compile(parsePattern(pattern), pattern)
    this.#program.push({ op: 'match' })
    this.#automaton = new Automaton(this.#program)
  }

  test(text: string): boolean {
    return this.#automaton.test(text) ?? this.#run(text, 0, true) !== undefined
  }

  /** The leftmost match at or after `from`, in UTF-16 units. */
  find(text: string, from = 0): { readonly start: number; readonly end: number } | undefined {
    return this.#run(text, from, false)
  }

  /** Matches that do not overlap, from left to right; no empty match right after another. As Go's FindAllString. */
  findAll(text: string, countMax = Infinity): readonly string[] {
    const found: string[] = []
    let at = 0
    let lastEnd = -1
    while (at <= text.length && found.length < countMax) {
      const match = this.find(text, at)
      if (match === undefined) break
      if (match.end > match.start || match.start !== lastEnd) found.push(text.slice(match.start, match.end))
      lastEnd = match.end
      at = match.end > at ? match.end : at + ((text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1)
    }
    return found
  }

  #compile(node: Node, pattern: string): void {
    if (this.#program.length > instructionsMax) throw new RegexpError('expression too large', pattern)
    switch (node.kind) {
      case 'set':
        this.#program.push({ op: 'set', has: quick(inSet(node.set)) })
        break
      case 'assert':
        this.#program.push({ op: 'assert', what: node.what })
        break
      case 'sequence':
        for (const part of node.parts) this.#compile(part, pattern)
        break
      case 'choice':
        this.#compileChoice(node.parts, pattern)
        break
      case 'repeat':
        for (let i = 0; i < node.min; i++) this.#compile(node.body, pattern)
        if (node.max === Infinity) this.#compileLoop(node, pattern)
        else this.#compileOptional(node, pattern)
        break
    }
  }

  #compileChoice(parts: readonly Node[], pattern: string): void {
    const jumps: { op: 'jump'; to: number }[] = []
    parts.forEach((part, i) => {
      if (i === parts.length - 1) return this.#compile(part, pattern)
      const split = { op: 'split' as const, first: this.#program.length + 1, second: 0 }
      this.#program.push(split)
      this.#compile(part, pattern)
      const jump = { op: 'jump' as const, to: 0 }
      this.#program.push(jump)
      jumps.push(jump)
      split.second = this.#program.length
    })
    for (const jump of jumps) jump.to = this.#program.length
  }

  #compileLoop(node: Extract<Node, { kind: 'repeat' }>, pattern: string): void {
    const start = this.#program.length
    const split = { op: 'split' as const, first: 0, second: 0 }
    this.#program.push(split)
    this.#compile(node.body, pattern)
    this.#program.push({ op: 'jump', to: start })
    aim(split, node.greedy, start + 1, this.#program.length)
  }

  #compileOptional(node: Extract<Node, { kind: 'repeat' }>, pattern: string): void {
    const splits: { split: { first: number; second: number }; at: number }[] = []
    for (let i = node.min; i < node.max; i++) {
      const split = { op: 'split' as const, first: 0, second: 0 }
      splits.push({ split, at: this.#program.length })
      this.#program.push(split)
      this.#compile(node.body, pattern)
    }
    for (const { split, at } of splits) aim(split, node.greedy, at + 1, this.#program.length)
  }

  #run(text: string, from: number, anyMatch: boolean): { start: number; end: number } | undefined {
    let current = new Threads(this.#program.length)
    let next = new Threads(this.#program.length)
    let best: { start: number; end: number } | undefined
    for (let at = from; ;) {
      const code = at < text.length ? text.codePointAt(at) as number : -1
      if (best === undefined) this.#add(current, 0, at, text, at)
      if (current.count === 0 && (best !== undefined || code === -1)) return best
      next.clear()
      const after = at + (code > 0xffff ? 2 : 1)
      for (let i = 0; i < current.count; i++) {
        const { pc, start } = current.thread(i)
        const instruction = this.#program[pc] as Instruction
        if (instruction.op === 'match') {
          best = { start, end: at }
          if (anyMatch) return best
          break
        }
        if (instruction.op === 'set' && code !== -1 && instruction.has(code)) this.#add(next, pc + 1, start, text, after)
      }
      if (code === -1) return best
      ;[current, next] = [next, current]
      at = after
    }
  }

  /** Follows whatever takes no character. An own stack: patterns may be long. */
  #add(threads: Threads, first: number, start: number, text: string, at: number): void {
    const todo = [first]
    while (todo.length > 0) {
      const pc = todo.pop() as number
      if (!threads.enter(pc)) continue
      const instruction = this.#program[pc] as Instruction
      if (instruction.op === 'jump') todo.push(instruction.to)
      else if (instruction.op === 'split') todo.push(instruction.second, instruction.first)
      else if (instruction.op !== 'assert') threads.push(pc, start)
      else if (holds(instruction.what, text, at)) todo.push(pc + 1)
    }
  }
}

function aim(split: { first: number; second: number }, greedy: boolean, into: number, past: number): void {
  split.first = greedy ? into : past
  split.second = greedy ? past : into
}

/** Threads of one position, in order of preference; each place in the program once. */
class Threads {
  readonly #entered: Uint32Array
  readonly #pcs: number[] = []
  readonly #starts: number[] = []
  #generation = 1
  count = 0

  constructor(size: number) {
    this.#entered = new Uint32Array(size)
  }

  clear(): void {
    this.count = 0
    this.#generation++
  }

  enter(pc: number): boolean {
    if (this.#entered[pc] === this.#generation) return false
    this.#entered[pc] = this.#generation
    return true
  }

  push(pc: number, start: number): void {
    this.#pcs[this.count] = pc
    this.#starts[this.count++] = start
  }

  thread(i: number): { pc: number; start: number } {
    return { pc: this.#pcs[i] as number, start: this.#starts[i] as number }
  }
}

/** Answers for ASCII are kept. */
function quick(has: (code: number) => boolean): (code: number) => boolean {
  const known = new Uint8Array(128)
  return (code) => {
    if (code >= 128) return has(code)
    if (known[code] === 0) known[code] = has(code) ? 1 : 2
    return known[code] === 1
  }
}

function holds(what: Assertion, text: string, at: number): boolean {
  switch (what) {
    case 'text start': return at === 0
    case 'text end': return at === text.length
    case 'line start': return at === 0 || text[at - 1] === '\n'
    case 'line end': return at === text.length || text[at] === '\n'
    case 'word edge': return isWord(text[at - 1]) !== isWord(text[at])
    case 'no word edge': return isWord(text[at - 1]) === isWord(text[at])
  }
}

function isWord(character: string | undefined): boolean {
  return character !== undefined && /[0-9A-Za-z_]/.test(character)
}
