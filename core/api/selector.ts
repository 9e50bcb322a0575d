/**
 * Label and field selectors: parsing with upstream's sentences, matching, and
 * metav1.LabelSelector (k8s.io/apimachinery/pkg/labels, pkg/fields). Parsed once, matched often.
 */
import { badRequest } from './errors.ts'
import { invalidValue, Path } from './field.ts'
import { labelValue, qualifiedName } from './names.ts'
import type { LabelSelector } from './schema/types.ts'

export type Operator = '=' | '==' | '!=' | 'in' | 'notin' | 'exists' | '!' | 'gt' | 'lt'

export interface Requirement {
  readonly key: string
  readonly operator: Operator
  readonly values: readonly string[]
}

export type Labels = Readonly<Record<string, string>> | undefined

/** A conjunction of requirements; without any it selects everything. */
export class Selector {
  readonly requirements: readonly Requirement[]
  readonly #nothing: boolean

  constructor(requirements: readonly Requirement[], nothing = false) {
    this.requirements = [...requirements].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    this.#nothing = nothing
  }

  get empty(): boolean {
    return !this.#nothing && this.requirements.length === 0
  }

  matches(labels: Labels): boolean {
    if (this.#nothing) return false
    for (const requirement of this.requirements) if (!holds(requirement, labels)) return false
    return true
  }

  /** As text that parseLabelSelector() reads back. */
  toString(): string {
    return this.requirements.map(show).join(',')
  }
}

export const everything = new Selector([])
export const nothing = new Selector([], true)

function holds(r: Requirement, labels: Labels): boolean {
  if (r.operator === '=') return isLabelled(labels, r) // nearly all there are
  const value = labels === undefined || labels === null || !Object.hasOwn(labels, r.key) ? undefined : labels[r.key]
  switch (r.operator) {
    case '==':
    case 'in':
      return value !== undefined && r.values.includes(value)
    case '!=':
    case 'notin':
      return value === undefined || !r.values.includes(value)
    case 'exists':
      return value !== undefined
    case '!':
      return value === undefined
    case 'gt':
    case 'lt': {
      if (value === undefined || !wholeNumber.test(value)) return false
      const [have, want] = [BigInt(value), BigInt(r.values[0] ?? '0')]
      return r.operator === 'gt' ? have > want : have < want
    }
  }
}

/** What an object inherits is no text. */
function isLabelled(labels: Labels, { key, values: [wanted] }: Requirement): boolean {
  return wanted !== undefined && labels?.[key] === wanted
}

function show(r: Requirement): string {
  switch (r.operator) {
    case 'exists':
      return r.key
    case '!':
      return `!${r.key}`
    case 'in':
    case 'notin':
      return `${r.key} ${r.operator} (${[...r.values].sort().join(',')})`
    case 'gt':
    case 'lt':
      return `${r.key}${r.operator === 'gt' ? '>' : '<'}${r.values[0]}`
    default:
      return `${r.key}${r.operator}${r.values[0]}`
  }
}

const wholeNumber = /^-?\d+$/

/** Reads `app=web,tier in (a,b),!old`. Throws ApiError 400 with upstream's sentence. */
export function parseLabelSelector(text: string | undefined): Selector {
  if (text === undefined || text === '') return everything
  return new Selector(new Parser(text).parse())
}

export function labelsSelector(labels: Labels): Selector {
  return new Selector(Object.entries(labels ?? {}).map(([key, value]): Requirement => ({ key, operator: '=', values: [value] })))
}

/** undefined selects nothing, {} everything; throws ApiError 400 for an operator there is not. */
export function selectorOf(selector: Readonly<LabelSelector> | undefined): Selector {
  if (selector === undefined || selector === null) return nothing
  const requirements: Requirement[] = Object.entries(selector.matchLabels ?? {}).map(([key, value]) => ({ key, operator: '=', values: [value] }))
  for (const { key, operator, values } of selector.matchExpressions ?? []) {
    const known = operators[operator]
    if (known === undefined) throw badRequest(`${JSON.stringify(operator)} is not a valid label selector operator`)
    requirements.push({ key, operator: known, values: values ?? [] })
  }
  return new Selector(requirements)
}

const operators: Readonly<Record<string, Operator>> = { In: 'in', NotIn: 'notin', Exists: 'exists', DoesNotExist: '!' }

interface Token {
  readonly kind: 'word' | 'symbol' | 'end' | 'bad'
  readonly text: string
}

const symbols = ['==', '!=', '=', '!', '(', ')', ',', '>', '<'] as const
const isSpace = (c: string): boolean => c === ' ' || c === '\t' || c === '\r' || c === '\n'
const isSymbol = (c: string): boolean => '=!(),><'.includes(c)

/** Runs of special characters are cut greedily, as upstream's lexer does. */
function tokens(text: string): Token[] {
  const found: Token[] = []
  let i = 0
  while (i < text.length) {
    const c = text[i] as string
    if (isSpace(c)) {
      i++
    } else if (isSymbol(c)) {
      const symbol = symbols.find((s) => text.startsWith(s, i)) as string
      found.push({ kind: 'symbol', text: symbol })
      i += symbol.length
    } else {
      let end = i
      while (end < text.length && !isSpace(text[end] as string) && !isSymbol(text[end] as string)) end++
      found.push({ kind: 'word', text: text.slice(i, end) })
      i = end
    }
  }
  found.push({ kind: 'end', text: '' })
  return found
}

class Parser {
  readonly #tokens: readonly Token[]
  #at = 0

  constructor(text: string) {
    this.#tokens = tokens(text)
  }

  parse(): Requirement[] {
    const requirements: Requirement[] = []
    for (;;) {
      const token = this.#peek()
      if (token.kind === 'end') return requirements
      if (token.kind !== 'word' && token.text !== '!') throw badRequest(`found '${token.text}', expected: !, identifier, or 'end of string'`)
      requirements.push(this.#requirement())
      const after = this.#next()
      if (after.kind === 'end') return requirements
      if (after.text !== ',' || after.kind !== 'symbol') throw badRequest(`found '${after.text}', expected: ',' or 'end of string'`)
      const following = this.#peek()
      if (following.kind !== 'word' && following.text !== '!') throw badRequest(`found '${following.text}', expected: identifier after ','`)
    }
  }

  #requirement(): Requirement {
    let token = this.#next()
    const negated = token.text === '!' && token.kind === 'symbol'
    if (negated) token = this.#next()
    if (token.kind !== 'word') throw unparsed(`found '${token.text}', expected: identifier`)
    const key = token.text
    const wrong = qualifiedName(key)
    if (wrong.length > 0) throw unparsed(invalidValue(new Path('<nil>'), key, wrong.join('; ')).message())
    if (negated) return { key, operator: '!', values: [] }
    const next = this.#peek()
    if (next.kind === 'end' || (next.kind === 'symbol' && next.text === ',')) return { key, operator: 'exists', values: [] }
    const operator = this.#operator()
    const values = operator === 'in' || operator === 'notin' ? this.#values() : this.#value()
    return checked({ key, operator, values })
  }

  #operator(): Operator {
    const { text, kind } = this.#next()
    if (kind === 'symbol' && text === '>') return 'gt'
    if (kind === 'symbol' && text === '<') return 'lt'
    if (text === '=' || text === '==' || text === '!=') return text
    if (kind === 'word' && (text === 'in' || text === 'notin')) return text
    throw unparsed(`found '${text}', expected: in, notin, =, ==, !=, gt, lt`)
  }

  #value(): string[] {
    const token = this.#peek()
    if (token.kind === 'end' || token.text === ',') return ['']
    if (token.kind === 'word') return [this.#next().text]
    throw unparsed(`found '${token.text}', expected: identifier`)
  }

  /** `(a,b)`, in which empty places stand for the empty value. */
  #values(): string[] {
    const open = this.#next()
    if (open.text !== '(') throw unparsed(`found '${open.text}' expected: '('`)
    const values = new Set<string>()
    let expectValue = true
    for (let first = true; ; first = false) {
      const token = this.#next()
      if (token.kind === 'word' && expectValue) {
        values.add(token.text)
        expectValue = false
      } else if (token.text === ',' || token.text === ')') {
        if (expectValue) values.add('')
        expectValue = true
        if (token.text === ')') return [...values].sort()
      } else {
        throw unparsed(expectValue ? `found '${token.text}', expected: ','${first ? ", ')'" : ','} or identifier` : `found '${token.text}', expected: ',' or ')'`)
      }
    }
  }

  #peek(): Token {
    return this.#tokens[this.#at] ?? { kind: 'end', text: '' }
  }

  #next(): Token {
    const token = this.#peek()
    this.#at++
    return token
  }
}

function checked(r: Requirement): Requirement {
  const sentences: string[] = []
  const values = new Path('values')
  if ((r.operator === 'gt' || r.operator === 'lt') && !wholeNumber.test(r.values[0] ?? '')) {
    sentences.push(invalidValue(values.index(0), r.values[0], "for 'Gt', 'Lt' operators, the value must be an integer").message())
  }
  r.values.forEach((value, i) => {
    const wrong = labelValue(value)
    if (wrong.length > 0) sentences.push(invalidValue(values.index(i).key(r.key), value, wrong.join('; ')).message())
  })
  if (sentences.length > 0) throw unparsed(sentences.length === 1 ? (sentences[0] as string) : `[${sentences.join(', ')}]`)
  return r
}

const unparsed = (cause: string): Error => badRequest(`unable to parse requirement: ${cause}`)

export interface FieldRequirement {
  readonly field: string
  readonly equal: boolean
  readonly value: string
}

/** Reads `metadata.name=a,status.phase!=Running`. Throws ApiError 400 with upstream's sentence. */
export function parseFieldSelector(text: string | undefined): readonly FieldRequirement[] {
  if (text === undefined || text === '') return []
  const found: FieldRequirement[] = []
  for (const term of splitTerms(text).sort()) {
    if (term === '') continue
    const at = term.search(/!=|=/)
    if (at < 0) throw badRequest(`invalid selector: '${text}'; can't understand '${term}'`)
    const operator = term.startsWith('!=', at) ? '!=' : term.startsWith('==', at) ? '==' : '='
    const [field, value] = [term.slice(0, at), unescape(term.slice(at + operator.length))]
    // A term of nothing selects everything, whatever its operator.
    if (field !== '' || value !== '') found.push({ field, equal: operator !== '!=', value })
  }
  return found
}

function splitTerms(text: string): string[] {
  return text.match(/(?:\\.|[^,\\]|\\$)+/gs) ?? []
}

/** `\\`, `\,` and `\=` stand for the character; alone neither `,` nor `=` may stand in a value. */
function unescape(text: string): string {
  let value = ''
  for (let i = 0; i < text.length; i++) {
    const c = text[i] as string
    if (c === '\\') {
      const escaped = text[++i]
      if (escaped === undefined || !'\\,='.includes(escaped)) {
        throw badRequest(`invalid field selector: invalid escape sequence: ${escaped === undefined ? '\\' : `\\${escaped}`}`)
      }
      value += escaped
    } else if (c === ',' || c === '=') {
      throw badRequest(`invalid field selector: unescaped character in value: ${c.charCodeAt(0)}`) // a number: Go's %v of a rune
    } else {
      value += c
    }
  }
  return value
}
