/**
 * JSONPath as client-go has it, inside one pair of braces: fields, `['a key']`, indexes and slices, wildcards, unions,
 * `..`, and filters `[?(@.type=="Ready")]`. What it finds in a value; undefined where upstream fails.
 */
import { isList, isMap } from './structural/json.ts'

export type JsonPath = (value: unknown) => readonly unknown[] | undefined

/** One step: from what was found so far to what is found then. Throws PathError. */
type Step = (found: readonly unknown[]) => readonly unknown[]

class PathError extends Error {}

/** undefined: the text is no path. */
export function jsonPath(text: string): JsonPath | undefined {
  let steps: readonly Step[]
  try {
    steps = new Parser(text).steps()
  } catch (error) {
    if (error instanceof PathError) return undefined
    throw error
  }
  return (value) => {
    try {
      return walk(steps, [value])
    } catch (error) {
      if (error instanceof PathError) return undefined
      throw error
    }
  }
}

function walk(steps: readonly Step[], found: readonly unknown[]): readonly unknown[] {
  return steps.reduce((so, step) => step(so), found)
}

const terminators = new Set([' ', '\t', '\r', '\n', '.', ',', '[', ']', '$', '@', '{', '}', ''])

class Parser {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  steps(): readonly Step[] {
    const steps: Step[] = []
    while (this.#at < this.#text.length) {
      const step = this.#next()
      if (step !== undefined) steps.push(step)
    }
    return steps
  }

  #next(): Step | undefined {
    const rest = this.#text.slice(this.#at)
    const first = rest.charAt(0)
    if (rest.startsWith('[?(')) return this.#filter()
    if (rest.startsWith('..')) {
      this.#at += /^\.\.[\p{L}\p{Nd}_]/u.test(rest) ? 1 : 2
      return descend
    }
    if (first === ' ' || first === '@' || first === '$') {
      this.#at++
      return undefined
    }
    if (first === '[') return this.#brackets()
    if (first === '.') return this.#field()
    if (first === '"' || first === "'") return constant(this.#quoted(first))
    if (/^[-+]?\d/.test(rest)) return constant(this.#number())
    if (/^(?:true|false)(?![\p{L}\p{Nd}_])/u.test(rest)) return constant(this.#word() === 'true')
    throw new PathError(`unrecognized ${rest}`)
  }

  #word(): string {
    const start = this.#at
    while (!terminators.has(this.#text.charAt(this.#at))) this.#at += this.#text.charAt(this.#at) === '\\' ? 2 : 1
    return this.#text.slice(start, this.#at)
  }

  #field(): Step {
    this.#at++
    const name = this.#word()
    return name === '*' ? wildcard : field(name.replaceAll('\\', ''))
  }

  #brackets(): Step {
    const end = this.#text.indexOf(']', this.#at)
    if (end < 0) throw new PathError('unterminated array')
    const inner = this.#text.slice(this.#at + 1, end)
    this.#at = end + 1
    const parts = inner.split(',')
    if (parts.length === 1) return bracket(inner)
    const union = parts.map((part) => bracket(part.trim()))
    return (found) => union.flatMap((step) => step(found))
  }

  #quoted(quote: string): string {
    let end = this.#at + 1
    while (end < this.#text.length && !(this.#text[end] === quote && this.#text[end - 1] !== '\\')) end++
    if (end >= this.#text.length) throw new PathError('unterminated quoted string')
    const inner = this.#text.slice(this.#at + 1, end)
    this.#at = end + 1
    return inner.replaceAll(/\\(.)/g, '$1')
  }

  #number(): number {
    const text = /^[-+]?[\d.]+/.exec(this.#text.slice(this.#at))?.[0] ?? ''
    this.#at += text.length
    if (Number.isNaN(Number(text))) throw new PathError(`cannot parse number ${text}`)
    return Number(text)
  }

  #filter(): Step {
    const start = this.#at + 3
    let quote = ''
    let end = start
    for (; ; end++) {
      const c = this.#text.charAt(end)
      if (c === '' || c === '\n') throw new PathError('unterminated filter')
      if (quote === '' ? c === '"' || c === "'" : c === quote && this.#text[end - 1] !== '\\') quote = quote === '' ? c : ''
      else if (c === ')' && quote === '') break
    }
    if (this.#text[end + 1] !== ']') throw new PathError('unclosed array expect ]')
    this.#at = end + 2
    const inner = this.#text.slice(start, end)
    const match = /^([^!<>=]+)([!<>=]+)(.+)$/s.exec(inner)
    if (match === null) return filter(new Parser(inner).steps(), 'exists', [])
    return filter(new Parser(match[1] ?? '').steps(), match[2] ?? '', new Parser(match[3] ?? '').steps())
  }
}

function constant(value: unknown): Step {
  return (found) => found.map(() => value)
}

function field(name: string): Step {
  return (found) => found.flatMap((value) => (isMap(value) && value[name] !== undefined ? [value[name]] : []))
}

function wildcard(found: readonly unknown[]): readonly unknown[] {
  return found.flatMap((value) => (isList(value) ? value : isMap(value) ? Object.values(value) : typeof value === 'string' ? [...Buffer.from(value)] : []))
}

/** What `..` may find: each further one finds everything below everything, and a column shows but a word. */
const foundMax = 10_000

/** Everything that has something in it, from the outside in. */
function descend(found: readonly unknown[]): readonly unknown[] {
  const all: unknown[] = []
  const visit = (value: unknown): void => {
    const inner = wildcard([value])
    if (inner.length === 0) return
    if (all.length >= foundMax) throw new PathError('finds too much')
    all.push(value)
    inner.forEach(visit)
  }
  found.forEach(visit)
  return all
}

function bracket(inner: string): Step {
  const key = /^'([^']*)'$/.exec(inner)
  if (key !== null) {
    const steps = new Parser(`.${key[1]}`).steps()
    return (found) => walk(steps, found)
  }
  const match = /^(-?\d*)(:-?\d*)?(:-?\d*)?$/.exec(inner === '*' ? ':' : inner)
  if (match === null) throw new PathError(`invalid array index ${inner}`)
  const number = (text: string | undefined): number | undefined => (text === undefined || text === '' || text === ':' ? undefined : Number(text.replace(':', '')))
  const [from, step] = [number(match[1]), number(match[3])]
  const single = match[2] === undefined || match[2] === ''
  return slice({ from, to: single ? (from ?? 0) + 1 : number(match[2]), single, step })
}

interface Slice {
  readonly from: number | undefined
  readonly to: number | undefined
  /** `to` is only the place after `from`. */
  readonly single: boolean
  readonly step: number | undefined
}

function slice({ from = 0, to, single, step = 1 }: Slice): Step {
  return (found) => found.flatMap((value) => {
    if (value === null) return []
    if (!isList(value)) throw new PathError('not a list')
    const { length } = value
    const start = from < 0 ? from + length : from
    const end = to === undefined ? length : to < 0 || (to === 0 && single) ? to + length : to
    if (start === end) return []
    if (start < 0 || start >= length || end < 0 || end > length || start > end || step <= 0) throw new PathError('out of bounds')
    return value.slice(start, end).filter((_, i) => i % step === 0)
  })
}

function filter(left: readonly Step[], operator: string, right: readonly Step[]): Step {
  return (found) => found.flatMap((value) => {
    if (!isList(value)) throw new PathError('not a list')
    return value.filter((item) => passes(left, operator, right, item))
  })
}

function passes(left: readonly Step[], operator: string, right: readonly Step[], item: unknown): boolean {
  const lefts = walk(left, [item])
  if (operator === 'exists') return lefts.length > 0
  if (lefts.length === 0) return false
  const rights = walk(right, [item])
  if (rights.length === 0) return false
  if (lefts.length > 1 || rights.length > 1) throw new PathError('can only compare one element at a time')
  return compare(lefts[0], operator, rights[0])
}

/** Values of one sort: text with text, numbers with numbers of the same kind. */
function compare(a: unknown, operator: string, b: unknown): boolean {
  const sort = sortOf(a)
  if (sort === undefined || sort !== sortOf(b)) throw new PathError('incompatible types for comparison')
  if (operator === '==') return a === b
  if (operator === '!=') return a !== b
  if (sort === 'boolean') throw new PathError('invalid type for comparison')
  const [left, right] = [a as string | number, b as string | number]
  switch (operator) {
    case '<':
      return left < right
    case '>':
      return left > right
    case '<=':
      return left <= right
    case '>=':
      return left >= right
    default:
      throw new PathError(`unrecognized filter operator ${operator}`)
  }
}

function sortOf(value: unknown): string | undefined {
  if (typeof value === 'number') return Number.isInteger(value) ? 'int' : 'float'
  return typeof value === 'string' || typeof value === 'boolean' ? typeof value : undefined
}
