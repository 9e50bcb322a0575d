/**
 * Reads patterns as Go's regexp package does (RE2 syntax, github.com/google/re2/wiki/Syntax) into a tree; what cannot be
 * matched in linear time, such as lookarounds and back-references, is refused there too. Matching is regexp.ts.
 */
import { characters } from './kinds.ts'

export type Node =
  | { readonly kind: 'set'; readonly set: CharacterSet }
  | { readonly kind: 'assert'; readonly what: Assertion }
  | { readonly kind: 'sequence' | 'choice'; readonly parts: readonly Node[] }
  | { readonly kind: 'repeat'; readonly body: Node; readonly min: number; readonly max: number; readonly greedy: boolean }

export type Assertion = 'text start' | 'text end' | 'line start' | 'line end' | 'word edge' | 'no word edge'

/** Code points, in ranges and in classes that Unicode defines. */
export interface CharacterSet {
  readonly ranges: readonly (readonly [number, number])[]
  readonly classes: readonly ((code: number) => boolean)[]
  readonly negated: boolean
  readonly ignoreCase: boolean
}

/** Its message is what Go says. */
export class RegexpError extends Error {
  constructor(what: string, where: string) {
    super(`error parsing regexp: ${what}: \`${where}\``)
  }
}

const repeatMax = 1_000
const depthMax = 1_000
const unicodeMax = 0x10ffff

export function parsePattern(pattern: string): Node {
  return new PatternParser(pattern).parse()
}

interface Flags {
  readonly ignoreCase: boolean
  readonly dotAll: boolean
  readonly multiline: boolean
  readonly lazy: boolean
}

const newline: readonly [number, number] = [10, 10]
const perl: Readonly<Record<string, readonly (readonly [number, number])[]>> = {
  d: [[48, 57]], s: [[9, 10], [12, 13], [32, 32]], w: [[48, 57], [65, 90], [95, 95], [97, 122]],
}
const posix: Readonly<Record<string, readonly (readonly [number, number])[]>> = {
  alnum: [[48, 57], [65, 90], [97, 122]], alpha: [[65, 90], [97, 122]], ascii: [[0, 127]], blank: [[9, 9], [32, 32]], cntrl: [[0, 31], [127, 127]],
  digit: [[48, 57]], graph: [[33, 126]], lower: [[97, 122]], print: [[32, 126]], punct: [[33, 47], [58, 64], [91, 96], [123, 126]],
  space: [[9, 13], [32, 32]], upper: [[65, 90]], word: [[48, 57], [65, 90], [95, 95], [97, 122]], xdigit: [[48, 57], [65, 70], [97, 102]],
}
const letters: Readonly<Record<string, number>> = { a: 7, f: 12, t: 9, n: 10, r: 13, v: 11 }

class PatternParser {
  readonly #text: string
  #at = 0
  #depth = 0
  #flags: Flags = { ignoreCase: false, dotAll: false, multiline: false, lazy: false }

  constructor(text: string) {
    this.#text = text
  }

  parse(): Node {
    const node = this.#choice()
    if (this.#at < this.#text.length) throw new RegexpError('unexpected )', this.#text)
    return node
  }

  #choice(): Node {
    const parts = [this.#sequence()]
    while (this.#take('|')) parts.push(this.#sequence())
    return parts.length === 1 ? parts[0] as Node : { kind: 'choice', parts }
  }

  #sequence(): Node {
    const parts: Node[] = []
    while (this.#at < this.#text.length && !this.#sees('|') && !this.#sees(')')) {
      if (this.#take(String.raw`\Q`)) parts.push(...this.#quoted())
      else parts.push(...this.#repeated())
    }
    return { kind: 'sequence', parts }
  }

  #quoted(): readonly Node[] {
    const end = this.#text.indexOf(String.raw`\E`, this.#at)
    const quoted = this.#text.slice(this.#at, end === -1 ? undefined : end)
    this.#at = end === -1 ? this.#text.length : end + 2
    return Array.from(quoted, (character) => this.#literal(character.codePointAt(0) ?? 0))
  }

  #repeated(): readonly Node[] {
    const start = this.#at
    if (/[*+?]/.test(this.#text.charAt(start))) {
      const operator = /[*+?]\??/y
      operator.lastIndex = start
      throw new RegexpError('missing argument to repetition operator', operator.exec(this.#text)?.[0].slice(0, 1) ?? '')
    }
    const atom = this.#atom()
    if (atom === undefined) return []
    let node: Node = atom
    let before: number | undefined
    for (;;) {
      const from = this.#at
      const count = this.#count()
      if (count === undefined) return [node]
      const lazy = this.#take('?')
      if (before !== undefined) throw new RegexpError('invalid nested repetition operator', this.#text.slice(before, this.#at))
      before = from
      node = { kind: 'repeat', body: node, ...count, greedy: lazy === this.#flags.lazy }
      if (count.max > repeatMax && count.max !== Infinity) throw new RegexpError('invalid repeat count', this.#text.slice(from, this.#at))
      if (!repeatsAtMost(node, repeatMax)) throw new RegexpError('invalid repeat count', this.#text.slice(from, this.#at))
    }
  }

  #count(): { min: number; max: number } | undefined {
    if (this.#take('*')) return { min: 0, max: Infinity }
    if (this.#take('+')) return { min: 1, max: Infinity }
    if (this.#take('?')) return { min: 0, max: 1 }
    const braces = /\{(\d+)(?:(,)(\d*))?\}/y
    braces.lastIndex = this.#at
    const found = braces.exec(this.#text)
    if (found === null) return undefined
    const min = Number(found[1])
    const max = found[2] === undefined ? min : found[3] === '' ? Infinity : Number(found[3])
    if (min > repeatMax || (max !== Infinity && max > repeatMax) || max < min) throw new RegexpError('invalid repeat count', found[0])
    this.#at = braces.lastIndex
    return { min, max }
  }

  /** Undefined: flags, which match nothing themselves. */
  #atom(): Node | undefined {
    const character = this.#next()
    switch (character) {
      case '(': return this.#group()
      case '[': return this.#class()
      case '.': return set({ ranges: this.#flags.dotAll ? [] : [newline], negated: true })
      case '^': return { kind: 'assert', what: this.#flags.multiline ? 'line start' : 'text start' }
      case '$': return { kind: 'assert', what: this.#flags.multiline ? 'line end' : 'text end' }
      case '\\': return this.#escape()
      default: return this.#literal(character.codePointAt(0) ?? 0)
    }
  }

  #group(): Node | undefined {
    const start = this.#at - 1
    const outer = this.#flags
    if (this.#take('?') && !this.#name(start) && !this.#groupFlags(start)) return undefined
    if (++this.#depth > depthMax) throw new RegexpError('expression nests too deeply', this.#text)
    const body = this.#choice()
    if (!this.#take(')')) throw new RegexpError('missing closing )', this.#text)
    this.#depth--
    this.#flags = outer
    return body
  }

  #name(start: number): boolean {
    if (!this.#sees('P<') && !this.#sees('<')) return false
    const end = this.#text.indexOf('>', this.#at)
    if (end === -1) throw new RegexpError('invalid named capture', this.#text.slice(start))
    const name = this.#text.slice(this.#text.indexOf('<', this.#at) + 1, end)
    if (!/^[A-Za-z0-9_]+$/.test(name)) throw new RegexpError('invalid named capture', this.#text.slice(start, end + 1))
    this.#at = end + 1
    return true
  }

  /** False: they hold for the rest of the group they stand in, and there is no group of their own. */
  #groupFlags(start: number): boolean {
    let flags = this.#flags
    let on = true
    let some = false
    while (this.#at < this.#text.length) {
      const flag = this.#next()
      if (flag === ':' || flag === ')') {
        if (!on && !some) break
        this.#flags = flags
        return flag === ':'
      }
      if (flag === '-' && on) {
        on = false
        some = false
      } else {
        const key = ({ i: 'ignoreCase', s: 'dotAll', m: 'multiline', U: 'lazy' } as const)[flag]
        if (key === undefined) break
        flags = { ...flags, [key]: on }
        some = true
      }
    }
    throw new RegexpError('invalid or unsupported Perl syntax', this.#text.slice(start, this.#at))
  }

  #class(): Node {
    const start = this.#at - 1
    const negated = this.#take('^')
    const ranges: (readonly [number, number])[] = []
    const classes: ((code: number) => boolean)[] = []
    let first = true
    while (first || !this.#sees(']')) {
      if (this.#at >= this.#text.length) throw new RegexpError('missing closing ]', this.#text.slice(start))
      first = false
      const group = this.#classGroup()
      if (group !== undefined) classes.push(inSet(group))
      else ranges.push(this.#classRange(start))
    }
    this.#at++
    return set({ ranges, classes, negated, ignoreCase: this.#flags.ignoreCase })
  }

  /** `[:alpha:]`, `\d`, `\pL`. */
  #classGroup(): CharacterSet | undefined {
    const named = /\[:(\^?)([^\]]*?):\]/y
    named.lastIndex = this.#at
    const found = named.exec(this.#text)
    if (found !== null) {
      const ranges = posix[found[2] ?? '']
      if (ranges === undefined) throw new RegexpError('invalid character class range', found[0])
      this.#at = named.lastIndex
      return fullSet({ ranges, negated: found[1] === '^', ignoreCase: this.#flags.ignoreCase })
    }
    return this.#sees('\\') ? this.#escapedSet() : undefined
  }

  #classRange(start: number): readonly [number, number] {
    const from = this.#at
    const low = this.#classCharacter(start)
    if (!this.#sees('-') || this.#text.startsWith('-]', this.#at) || this.#at + 1 >= this.#text.length) return [low, low]
    this.#at++
    const high = this.#classCharacter(start)
    if (high < low) throw new RegexpError('invalid character class range', this.#text.slice(from, this.#at))
    return [low, high]
  }

  #classCharacter(start: number): number {
    if (this.#at >= this.#text.length) throw new RegexpError('missing closing ]', this.#text.slice(start))
    const character = this.#next()
    return character === '\\' ? this.#escapedCharacter() : character.codePointAt(0) ?? 0
  }

  #escape(): Node {
    const assertion = ({ A: 'text start', z: 'text end', b: 'word edge', B: 'no word edge' } as const)[this.#text.charAt(this.#at)]
    if (assertion !== undefined) {
      this.#at++
      return { kind: 'assert', what: assertion }
    }
    this.#at--
    const escaped = this.#escapedSet()
    if (escaped !== undefined) return { kind: 'set', set: escaped }
    this.#at++
    return this.#literal(this.#escapedCharacter())
  }

  /** At a backslash; undefined, and nothing read: it is a single character. */
  #escapedSet(): CharacterSet | undefined {
    const letter = this.#text.charAt(this.#at + 1)
    const ranges = perl[letter.toLowerCase()]
    const negated = letter !== letter.toLowerCase()
    if (ranges !== undefined) {
      this.#at += 2
      return fullSet({ ranges, negated, ignoreCase: this.#flags.ignoreCase })
    }
    if (letter !== 'p' && letter !== 'P') return undefined
    const found = /^\\[pP](?:\{(\^?)([^}]*)\}|([^{]))/u.exec(this.#text.slice(this.#at))
    if (found === null) throw new RegexpError('invalid character class range', this.#text.slice(this.#at))
    const contains = unicodeClass(found[2] ?? found[3] ?? '', found[0])
    this.#at += found[0].length
    return fullSet({ classes: [contains], negated: (letter === 'P') !== (found[1] === '^'), ignoreCase: this.#flags.ignoreCase })
  }

  /** After the backslash. */
  #escapedCharacter(): number {
    const start = this.#at - 1
    if (this.#at >= this.#text.length) throw new RegexpError('trailing backslash at end of expression', '')
    const rest = this.#text.slice(this.#at)
    const octal = /^(?:0[0-7]{0,2}|[1-7][0-7]{1,2})/.exec(rest)
    if (octal !== null) return this.#skip(octal[0], Number.parseInt(octal[0], 8))
    const hex = /^x(?:\{([0-9a-fA-F]+)\}|([0-9a-fA-F]{2}))/.exec(rest)
    if (hex !== null) {
      const code = Number.parseInt(hex[1] ?? hex[2] ?? '', 16)
      if (code <= unicodeMax) return this.#skip(hex[0], code)
    }
    const character = this.#next()
    const code = letters[character] ?? (/^[!-/:-@[-`{-~]$/.test(character) ? character.charCodeAt(0) : undefined)
    if (code === undefined) throw new RegexpError('invalid escape sequence', this.#text.slice(start, this.#at))
    return code
  }

  #skip(text: string, code: number): number {
    this.#at += text.length
    return code
  }

  #literal(code: number): Node {
    return set({ ranges: [[code, code]], ignoreCase: this.#flags.ignoreCase })
  }

  #sees(text: string): boolean {
    return this.#text.startsWith(text, this.#at)
  }

  #take(text: string): boolean {
    if (!this.#sees(text)) return false
    this.#at += text.length
    return true
  }

  #next(): string {
    const character = String.fromCodePoint(this.#text.codePointAt(this.#at) ?? 0)
    this.#at += character.length
    return character
  }
}

function fullSet(parts: Partial<CharacterSet>): CharacterSet {
  return { ranges: [], classes: [], negated: false, ignoreCase: false, ...parts }
}

function set(parts: Partial<CharacterSet>): Node {
  return { kind: 'set', set: fullSet(parts) }
}

export function inSet(set: CharacterSet): (code: number) => boolean {
  const has = (code: number) => set.ranges.some(([low, high]) => code >= low && code <= high) || set.classes.some((contains) => contains(code))
  if (!set.ignoreCase) return set.negated ? (code) => !has(code) : has
  const hasFolded = (code: number) => folds(code).some(has)
  return set.negated ? (code) => !hasFolded(code) : hasFolded
}

/** The character in all its cases. */
function folds(code: number): readonly number[] {
  const cases = [code]
  for (const change of [lower, upper, lower]) cases.push(...cases.map(change))
  // Two letters of ASCII have a third form.
  if (cases.includes(0x6b)) cases.push(0x212a)
  if (cases.includes(0x73)) cases.push(0x17f)
  return cases
}

function lower(code: number): number {
  return single(String.fromCodePoint(code).toLowerCase(), code)
}

function upper(code: number): number {
  return single(String.fromCodePoint(code).toUpperCase(), code)
}

/** Cases of more than one character are none here. */
function single(text: string, otherwise: number): number {
  return characters(text) === 1 ? text.codePointAt(0) ?? otherwise : otherwise
}

/** Scripts whose names are as short as their abbreviations, which Go does not know. */
const shortScripts: ReadonlySet<string> = new Set(['Ahom', 'Cham', 'Han', 'Lao', 'Lisu', 'Miao', 'Modi', 'Mro', 'Newa', 'Nko', 'Thai', 'Toto', 'Vai', 'Yi'])

/** \pL, \p{Greek}: general categories and scripts. */
function unicodeClass(name: string, written: string): (code: number) => boolean {
  if (name === 'Any') return () => true
  const property = /^[A-Z][a-z]?$/.test(name) ? `gc=${name}` : `sc=${name}`
  if (!/^[A-Za-z_]+$/.test(name) || (property.startsWith('sc=') && name.length < 5 && !shortScripts.has(name))) throw new RegexpError('invalid character class range', written)
  try {
    const expression = new RegExp(String.raw`^\p{${property}}$`, 'u')
    return (code) => expression.test(String.fromCodePoint(code))
  } catch {
    throw new RegexpError('invalid character class range', written)
  }
}

/** Repeats within repeats multiply. */
function repeatsAtMost(node: Node, left: number): boolean {
  if (node.kind === 'set' || node.kind === 'assert') return true
  if (node.kind !== 'repeat') return node.parts.every((part) => repeatsAtMost(part, left))
  const times = node.max === Infinity ? node.min : node.max
  if (times > left) return false
  return repeatsAtMost(node.body, times > 1 ? Math.floor(left / times) : left)
}
