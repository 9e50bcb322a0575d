/**
 * Text -> tree (cel-spec/doc/langdef.md "Syntax"; cel-go/parser). Syntax errors are said in ANTLR's words, as far as
 * its repairs go: one token too many or one missing is reported and read over, anything else ends the reading.
 * Semantics of names and types are check.ts.
 */
import type { Expr } from './ast.ts'
import { lex, type Token, type TokenKind } from './lex.ts'
import { LiteralError, parseBytes, parseDouble, parseInt64, parseString, parseUint64 } from './literal.ts'
import { type Build, macro } from './macro.ts'
import type { Source } from './source.ts'
import type { Value } from './value.ts'

/** Longer expressions are not read. */
export const expressionCharactersMax = 100_000
/** How deep one rule of the grammar may stand in itself. */
const depthMax = 250
/** Errors that are read over, and tokens skipped for one. */
const repairsMax = 30
const skippedMax = 256

/** Errors are in `source`; the tree is good only when there are none. */
export function parse(source: Source, opts: { readonly optionals: boolean }): Expr | undefined {
  const size = [...source.text].length
  if (size > expressionCharactersMax) {
    source.report(undefined, `expression code point size exceeds limit: size: ${size}, limit ${expressionCharactersMax}`)
    return undefined
  }
  try {
    return new Parser(source, lex(source), opts.optionals).start()
  } catch (error) {
    if (error instanceof TooDeep) source.report(undefined, error.message)
    else if (!(error instanceof Unreadable || error instanceof GivenUp)) throw error
    return undefined
  }
}

/** Read over by the rule around it. */
class Unreadable extends Error {}
class GivenUp extends Error {}
class TooDeep extends Error {}

type Rule = 'expr' | 'or' | 'and' | 'relation' | 'calc' | 'unary' | 'member'

const reserved: ReadonlySet<string> = new Set([
  'as', 'break', 'const', 'continue', 'else', 'false', 'for', 'function', 'if', 'import', 'in', 'let', 'loop', 'package',
  'namespace', 'null', 'return', 'true', 'var', 'void', 'while',
])

const relations: ReadonlySet<TokenKind> = new Set(['<', '<=', '>=', '>', '==', '!=', 'in'])
const products: ReadonlySet<TokenKind> = new Set(['*', '/', '%'])
const sums: ReadonlySet<TokenKind> = new Set(['+', '-'])
const startsExpr: readonly TokenKind[] = ['[', '{', '(', '.', '-', '!', 'true', 'false', 'null', 'double', 'int', 'uint', 'string', 'bytes', 'ident']
const operators: readonly TokenKind[] = [...relations, ...products, ...sums, '&&', '||']
const continues: ReadonlySet<TokenKind> = new Set([...relations, ...products, ...sums, '&&', '||', '.', '['])

class Parser {
  readonly #source: Source
  readonly #tokens: readonly Token[]
  readonly #optionals: boolean
  readonly #depths = new Map<Rule, number>()
  /** How high the tree was that a node was read from; macros do not count. */
  readonly #heights = new WeakMap<Expr, number>()
  /** Per open bracket or ternary, from outside in: what may follow an operand there. */
  readonly #follow: (readonly TokenKind[])[] = [['eof']]
  #at = 0
  #nextId = 1
  /** After a missing token nothing is reported until one fits. */
  #recovering = false
  #repairs = 0
  #lastRepair = -1

  constructor(source: Source, tokens: readonly Token[], optionals: boolean) {
    this.#source = source
    this.#tokens = tokens
    this.#optionals = optionals
  }

  start(): Expr {
    const expr = this.#expr()
    this.#expect('eof')
    if (this.#height(expr) > depthMax) throw new TooDeep('max recursion depth exceeded')
    return expr
  }

  #expr(): Expr {
    this.#enter('expr')
    const expr = this.#repaired([], () => this.#ternary())
    this.#leave('expr')
    return expr
  }

  #ternary(): Expr {
    const condition = this.#within(['?'], () => this.#or())
    const op = this.#accept('?')
    if (op === undefined) return condition
    const yes = this.#within([':'], () => this.#or())
    this.#expect(':')
    const no = this.#expr()
    return this.#raise(this.#call(op.offset, '_?_:_', [condition, yes, no]), condition, yes, no)
  }

  #or(): Expr {
    return this.#chain('or', '||', '_||_', () => this.#chain('and', '&&', '_&&_', () => this.#relation(0)))
  }

  /** Long chains become balanced trees, so that they are not deep. */
  #chain(rule: Rule, kind: TokenKind, name: string, operand: () => Expr): Expr {
    this.#enter(rule)
    const terms = [operand()]
    const ops: Token[] = []
    for (let op = this.#accept(kind); op !== undefined; op = this.#accept(kind)) {
      ops.push(op)
      terms.push(operand())
    }
    this.#leave(rule)
    return ops.length === 0 ? terms[0] as Expr : this.#balance(name, terms, ops, 0, ops.length - 1)
  }

  #balance(name: string, terms: readonly Expr[], ops: readonly Token[], low: number, high: number): Expr {
    const middle = Math.floor((low + high + 1) / 2)
    const left = middle === low ? terms[middle] as Expr : this.#balance(name, terms, ops, low, middle - 1)
    const right = middle === high ? terms[middle + 1] as Expr : this.#balance(name, terms, ops, middle + 1, high)
    const call = this.#call(ops[middle]?.offset ?? 0, name, [left, right])
    this.#heights.set(call, Math.max(this.#height(left), this.#height(right)))
    return call
  }

  #relation(level: number): Expr {
    this.#enter('relation')
    let left = this.#calc(0)
    while (level === 0 && relations.has(this.#peek().kind)) {
      const op = this.#next()
      const right = this.#relation(1)
      left = this.#raise(this.#call(op.offset, op.kind === 'in' ? '@in' : `_${op.kind}_`, [left, right]), left, right)
    }
    this.#leave('relation')
    return left
  }

  /** `level` 0: sums and products; 1: products; 2: neither. */
  #calc(level: number): Expr {
    this.#enter('calc')
    let left = this.#unary()
    for (;;) {
      const { kind } = this.#peek()
      const binds = products.has(kind) ? 2 : sums.has(kind) ? 1 : 0
      if (binds <= level) break
      const op = this.#next()
      const right = this.#calc(binds)
      left = this.#raise(this.#call(op.offset, `_${op.kind}_`, [left, right]), left, right)
    }
    this.#leave('calc')
    return left
  }

  #unary(): Expr {
    this.#enter('unary')
    const expr = this.#repaired(operators, () => this.#signed())
    this.#leave('unary')
    return expr
  }

  #signed(): Expr {
    this.#sync(startsExpr)
    const op = this.#peek()
    if (op.kind !== '!' && (op.kind !== '-' || this.#negativeNumber())) return this.#member()
    let count = 0
    while (this.#accept(op.kind) !== undefined) count++
    if (!startsExpr.includes(this.#peek().kind)) this.#signWithoutOperand(op, count)
    const operand = this.#member()
    const expr = count % 2 === 0 ? operand : this.#call(op.offset, op.kind === '!' ? '!_' : '-_', [operand])
    this.#heights.set(expr, this.#height(operand))
    return expr
  }

  #signWithoutOperand(op: Token, count: number): never {
    if (op.kind === '-' && count === 1) return this.#noViable(op)
    return this.#stop(this.#peek(), `extraneous input ${shown(this.#peek())} expecting ${names(startsExpr)}`)
  }

  #negativeNumber(): boolean {
    const after = this.#tokens[this.#at + 1]?.kind
    return after === 'int' || after === 'double'
  }

  #member(): Expr {
    this.#enter('member')
    const expr = this.#repaired(operators, () => this.#selections(this.#repaired([...operators, '.', '['], () => this.#primary())))
    this.#leave('member')
    return expr
  }

  #selections(operand: Expr): Expr {
    let expr = operand
    for (;;) {
      const op = this.#peek()
      if (op.kind !== '.' && op.kind !== '[') return expr
      expr = op.kind === '.' ? this.#select(expr) : this.#index(expr)
    }
  }

  #select(operand: Expr): Expr {
    const dot = this.#next()
    const optional = this.#accept('?')
    const name = this.#peek()
    if (optional !== undefined) this.#sync(['ident', 'escaped'])
    else if (name.kind !== 'ident' && name.kind !== 'escaped') this.#noViable(dot)
    this.#next()
    if (optional === undefined && name.kind === 'ident' && this.#peek().kind === '(') return this.#memberCall(operand, name)
    const field = this.#fieldName(name)
    if (optional === undefined) {
      return this.#raise({ kind: 'select', id: this.#id(), offset: dot.offset, operand, field, test: false }, operand)
    }
    if (!this.#optionals) return this.#fail(dot.offset, "unsupported syntax '.?'")
    const literal: Expr = { kind: 'literal', id: this.#id(), offset: name.offset, value: field }
    return this.#raise(this.#call(dot.offset, '_?._', [operand, literal]), operand)
  }

  #memberCall(target: Expr, name: Token): Expr {
    const open = this.#next()
    const args = this.#args()
    return this.#raise(this.#expandOrCall(open.offset, name.text, target, args), target, ...args)
  }

  #index(operand: Expr): Expr {
    const open = this.#next()
    this.#sync([...startsExpr, '?'])
    const optional = this.#accept('?')
    const index = this.#within([']'], () => this.#expr())
    this.#expect(']')
    if (optional !== undefined && !this.#optionals) return this.#fail(open.offset, "unsupported syntax '[?'")
    return this.#raise(this.#call(open.offset, optional === undefined ? '_[_]' : '_[?_]', [operand, index]), operand, index)
  }

  #primary(): Expr {
    this.#sync(startsExpr)
    const token = this.#peek()
    switch (token.kind) {
      case '(': {
        this.#next()
        const expr = this.#within([')'], () => this.#expr())
        this.#expect(')')
        return expr
      }
      case '[': return this.#list()
      case '{': return this.#map()
      case '.':
      case 'ident': return this.#named()
      default: return this.#literal()
    }
  }

  #named(): Expr {
    const dot = this.#accept('.')
    const first = this.#peek()
    if (first.kind !== 'ident') this.#noViable(dot ?? first)
    const struct = this.#structName()
    if (struct !== undefined) return this.#struct(dot === undefined ? struct : `.${struct}`)
    this.#next()
    const offset = dot?.offset ?? first.offset
    const open = this.#accept('(')
    const args = open === undefined ? [] : this.#argsAfterOpen()
    if (reserved.has(first.text)) return this.#fail(offset, `reserved identifier: ${first.text}`)
    const name = dot === undefined ? first.text : `.${first.text}`
    if (open === undefined) return { kind: 'ident', id: this.#id(), offset: first.offset, name }
    return this.#raise(this.#expandOrCall(open.offset, name, undefined, args), ...args)
  }

  /** Reads `a.b.C` where a brace follows it; nothing where it does not. */
  #structName(): string | undefined {
    let end = this.#at + 1
    while (this.#tokens[end]?.kind === '.' && this.#tokens[end + 1]?.kind === 'ident') end += 2
    if (this.#tokens[end]?.kind !== '{') return undefined
    const name = this.#tokens.slice(this.#at, end).map((token) => token.text).join('')
    this.#at = end
    return name
  }

  #struct(name: string): Expr {
    const open = this.#next()
    const fields: { id: number; offset: number; name: string; value: Expr; optional: boolean }[] = []
    this.#sync(['}', ',', '?', 'ident', 'escaped'])
    while (this.#peek().kind !== '}' && this.#peek().kind !== ',') {
      const optional = this.#accept('?')
      this.#sync(['ident', 'escaped'])
      const field = this.#next()
      const colon = this.#expect(':')
      const value = this.#within([',', '}'], () => this.#expr())
      if (optional !== undefined && !this.#optionals) this.#fail(optional.offset, "unsupported syntax '?'")
      fields.push({ id: this.#id(), offset: colon.offset, name: this.#fieldName(field), value, optional: optional !== undefined })
      if (!this.#moreAfterComma('}')) break
    }
    this.#close('}')
    const expr: Expr = { kind: 'struct', id: this.#id(), offset: open.offset, name, fields }
    return this.#raise(expr, ...fields.map((field) => field.value))
  }

  #map(): Expr {
    const open = this.#next()
    const entries: { id: number; offset: number; key: Expr; value: Expr; optional: boolean }[] = []
    this.#sync([...startsExpr, '}', ',', '?'])
    while (this.#peek().kind !== '}' && this.#peek().kind !== ',') {
      const optional = this.#accept('?')
      const key = this.#within([':'], () => this.#expr())
      const colon = this.#expect(':')
      const value = this.#within([',', '}'], () => this.#expr())
      if (optional !== undefined && !this.#optionals) this.#fail(optional.offset, "unsupported syntax '?'")
      entries.push({ id: this.#id(), offset: colon.offset, key, value, optional: optional !== undefined })
      if (!this.#moreAfterComma('}')) break
    }
    this.#close('}')
    const expr: Expr = { kind: 'map', id: this.#id(), offset: open.offset, entries }
    return this.#raise(expr, ...entries.flatMap((entry) => [entry.key, entry.value]))
  }

  #list(): Expr {
    const open = this.#next()
    const elements: Expr[] = []
    const optional = new Set<number>()
    this.#sync([...startsExpr, ']', ',', '?'])
    while (this.#peek().kind !== ']' && this.#peek().kind !== ',') {
      const mark = this.#accept('?')
      if (mark !== undefined && !this.#optionals) this.#fail(mark.offset, "unsupported syntax '?'")
      if (mark !== undefined) optional.add(elements.length)
      elements.push(this.#within([',', ']'], () => this.#expr()))
      if (!this.#moreAfterComma(']')) break
    }
    this.#close(']')
    return this.#raise({ kind: 'list', id: this.#id(), offset: open.offset, elements, optional }, ...elements)
  }

  /** Takes the comma where an element follows it. */
  #moreAfterComma(close: TokenKind): boolean {
    if (this.#peek().kind !== ',') return false
    const after = this.#tokens[this.#at + 1]?.kind
    if (after === undefined || after === close || !(startsExpr.includes(after) || after === '?' || after === 'escaped')) return false
    this.#next()
    return true
  }

  #close(kind: '}' | ']'): void {
    this.#sync([kind, ','])
    this.#accept(',')
    this.#expect(kind)
  }

  #args(): readonly Expr[] {
    return this.#argsAfterOpen()
  }

  #argsAfterOpen(): readonly Expr[] {
    const args: Expr[] = []
    this.#sync([...startsExpr, ')'])
    if (this.#peek().kind !== ')') {
      do args.push(this.#within([',', ')'], () => this.#expr()))
      while (this.#accept(',') !== undefined)
    }
    this.#expect(')')
    return args
  }

  #literal(): Expr {
    const sign = this.#accept('-')
    const token = this.#next()
    const offset = sign?.offset ?? token.offset
    const value = this.#value(token, sign !== undefined, offset)
    return { kind: 'literal', id: this.#id(), offset, value: value ?? null }
  }

  #value(token: Token, negative: boolean, offset: number): Value | undefined {
    try {
      const value = literalValue(token, negative)
      if (value === undefined) this.#fail(offset, `invalid ${token.kind} literal`)
      return value
    } catch (error) {
      if (!(error instanceof LiteralError)) throw error
      this.#fail(offset, error.message)
      return undefined
    }
  }

  #fieldName(token: Token): string {
    if (token.kind === 'escaped') this.#fail(token.offset, "unsupported syntax: '`'")
    return token.text
  }

  #expandOrCall(offset: number, name: string, target: Expr | undefined, args: readonly Expr[]): Expr {
    const expand = macro(name, target !== undefined, args.length, this.#optionals)
    if (expand === undefined) return { kind: 'call', id: this.#id(), offset, name, target, args }
    return expand(this.#build(offset), target ?? args[0] as Expr, args)
  }

  #build(offset: number): Build {
    const node = () => ({ id: this.#id(), offset })
    const copy = (expr: Expr): Expr => {
      const own = { id: this.#id() }
      switch (expr.kind) {
        case 'literal':
        case 'ident': return { ...expr, ...own }
        case 'select': return { ...expr, ...own, operand: copy(expr.operand) }
        case 'call': return { ...expr, ...own, target: expr.target === undefined ? undefined : copy(expr.target), args: expr.args.map(copy) }
        case 'list': return { ...expr, ...own, elements: expr.elements.map(copy) }
        case 'map': return { ...expr, ...own, entries: expr.entries.map((entry) => ({ ...entry, id: this.#id(), key: copy(entry.key), value: copy(entry.value) })) }
        case 'struct': return { ...expr, ...own, fields: expr.fields.map((field) => ({ ...field, id: this.#id(), value: copy(field.value) })) }
        case 'fold': return {
          ...expr, ...own, range: copy(expr.range), init: copy(expr.init), condition: copy(expr.condition), step: copy(expr.step), result: copy(expr.result),
        }
      }
    }
    return {
      ident: (name) => ({ kind: 'ident', ...node(), name }),
      literal: (value) => ({ kind: 'literal', ...node(), value }),
      list: (...elements) => ({ kind: 'list', ...node(), elements, optional: new Set() }),
      map: () => ({ kind: 'map', ...node(), entries: [] }),
      call: (name, ...args) => ({ kind: 'call', ...node(), name, target: undefined, args }),
      member: (name, target, ...args) => ({ kind: 'call', ...node(), name, target, args }),
      test: (operand, field) => ({ kind: 'select', ...node(), operand, field, test: true }),
      fold: (parts) => ({ kind: 'fold', ...node(), ...parts }),
      copy,
      fail: (at, message) => this.#fail(at.offset, message),
    }
  }

  #call(offset: number, name: string, args: readonly Expr[]): Expr {
    return { kind: 'call', id: this.#id(), offset, name, target: undefined, args }
  }

  #id(): number {
    return this.#nextId++
  }

  #height(expr: Expr): number {
    return this.#heights.get(expr) ?? 0
  }

  #raise(expr: Expr, ...below: readonly Expr[]): Expr {
    this.#heights.set(expr, 1 + below.reduce((height, child) => Math.max(height, this.#height(child)), 0))
    return expr
  }

  #enter(rule: Rule): void {
    const depth = (this.#depths.get(rule) ?? 0) + 1
    if (depth > depthMax) throw new TooDeep(`expression recursion limit exceeded: ${depthMax}`)
    this.#depths.set(rule, depth)
  }

  #leave(rule: Rule): void {
    this.#depths.set(rule, (this.#depths.get(rule) ?? 0) - 1)
  }

  #within<T>(follow: readonly TokenKind[], read: () => T): T {
    this.#follow.push(follow)
    const result = read()
    this.#follow.pop()
    return result
  }

  #peek(): Token {
    return this.#tokens[this.#at] as Token
  }

  #next(): Token {
    const token = this.#peek()
    if (token.kind !== 'eof') this.#at++
    this.#recovering = false
    return token
  }

  #accept(kind: TokenKind): Token | undefined {
    return this.#peek().kind === kind ? this.#next() : undefined
  }

  /** The next token is `kind`, or one is read over, or one is imagined. */
  #expect(kind: TokenKind): Token {
    const token = this.#peek()
    if (token.kind === kind) return this.#next()
    this.#countRepair()
    if (this.#tokens[this.#at + 1]?.kind === kind && token.kind !== 'eof') {
      this.#syntaxError(token, `extraneous input ${shown(token)} expecting ${name(kind)}`)
      this.#at++
      return this.#next()
    }
    if (this.#mayFollow(kind, token.kind)) {
      this.#syntaxError(token, `missing ${name(kind)} at ${shown(token)}`)
      this.#recovering = true
      return token
    }
    return this.#stop(token, `mismatched input ${shown(token)} expecting ${name(kind)}`)
  }

  #mayFollow(kind: TokenKind, next: TokenKind): boolean {
    if (kind === ':') return startsExpr.includes(next)
    if (kind === 'eof') return false
    // Behind a condition there may be nothing more of it; then it is what follows around it.
    const around = this.#follow.findLast((follow) => follow[0] !== '?')
    return continues.has(next) || (next === '?' && this.#follow.at(-1)?.[0] === '?') || (around?.includes(next) ?? false)
  }

  /** Before a choice: one token that fits nowhere is read over if the next one fits. */
  #sync(fits: readonly TokenKind[]): void {
    const token = this.#peek()
    if (fits.includes(token.kind)) return
    if (this.#recovering) throw new Unreadable('while reading over an error')
    const after = this.#tokens[this.#at + 1]
    if (token.kind !== 'eof' && after !== undefined && fits.includes(after.kind)) {
      this.#syntaxError(token, `extraneous input ${shown(token)} expecting ${names(fits)}`)
      this.#at++
      return
    }
    this.#stop(token, `mismatched input ${shown(token)} expecting ${names(fits)}`)
  }

  /** Found out by looking ahead from `from`, which is where reading is still at. */
  #noViable(from: Token): never {
    const token = this.#peek()
    this.#at = this.#tokens.indexOf(from)
    if (/^(true|false|null)$/.test(token.text) && from.kind === '.' && token.offset === from.offset + 1) {
      return this.#stop(token, `mismatched input '${token.text}' expecting IDENTIFIER`)
    }
    const end = token.kind === 'eof' ? this.#source.text.length : token.offset + token.text.length
    return this.#stop(token, `no viable alternative at input '${escaped(this.#source.text.slice(from.offset, end))}'`)
  }

  /** What cannot be read is skipped up to where the rule, or one around it, can go on. */
  #repaired(follow: readonly TokenKind[], read: () => Expr): Expr {
    const open = this.#follow.length
    try {
      return read()
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error
      this.#follow.length = open
      this.#skipTo(new Set([...follow, ...this.#follow.flat()]))
      return { kind: 'literal', id: this.#id(), offset: this.#peek().offset, value: null }
    }
  }

  #skipTo(wanted: ReadonlySet<TokenKind>): void {
    this.#countRepair()
    if (this.#lastRepair === this.#at && this.#peek().kind !== 'eof') this.#at++
    this.#lastRepair = this.#at
    this.#recovering = true
    for (let skipped = 0; !wanted.has(this.#peek().kind) && this.#peek().kind !== 'eof'; skipped++) {
      if (skipped >= skippedMax) throw new TooDeep(`error recovery token lookahead limit exceeded: ${skippedMax}`)
      this.#at++
    }
  }

  #countRepair(): void {
    if (this.#repairs++ < repairsMax) return
    this.#source.report(this.#peek().offset, `Syntax error: error recovery attempt limit exceeded: ${repairsMax}`)
    throw new GivenUp()
  }

  #stop(token: Token, message: string): never {
    this.#syntaxError(token, message)
    throw new Unreadable(message)
  }

  #syntaxError(token: Token, message: string): void {
    if (!this.#recovering) this.#source.report(token.offset, `Syntax error: ${message}`)
  }

  /** Reports, and answers with something to go on with. */
  #fail(offset: number, message: string): Expr {
    this.#source.report(offset, message)
    return { kind: 'literal', id: this.#id(), offset, value: null }
  }
}

function literalValue(token: Token, negative: boolean): Value | undefined {
  switch (token.kind) {
    case 'int': return parseInt64(token.text, negative)
    case 'uint': return parseUint64(token.text)
    case 'double': return parseDouble(token.text, negative)
    case 'string': return parseString(token.text)
    case 'bytes': return parseBytes(token.text)
    case 'true': return true
    case 'false': return false
    default: return null
  }
}

/** In the order in which ANTLR numbers them. */
const order: readonly TokenKind[] = [
  'eof', '==', '!=', 'in', '<', '<=', '>=', '>', '&&', '||', '[', ']', '{', '}', '(', ')', '.', ',', '-', '!', '?', ':', '+', '*', '/', '%',
  'true', 'false', 'null', 'double', 'int', 'uint', 'string', 'bytes', 'ident', 'escaped',
]
const symbolic: Partial<Readonly<Record<TokenKind, string>>> = {
  eof: '<EOF>', double: 'NUM_FLOAT', int: 'NUM_INT', uint: 'NUM_UINT', string: 'STRING', bytes: 'BYTES', ident: 'IDENTIFIER', escaped: 'ESC_IDENTIFIER',
}

function name(kind: TokenKind): string {
  return symbolic[kind] ?? `'${kind}'`
}

function names(kinds: readonly TokenKind[]): string {
  const sorted = order.filter((kind) => kinds.includes(kind)).map(name)
  return sorted.length === 1 ? sorted[0] as string : `{${sorted.join(', ')}}`
}

function shown(token: Token): string {
  return `'${escaped(token.text)}'`
}

function escaped(text: string): string {
  return text.replaceAll('\n', String.raw`\n`).replaceAll('\r', String.raw`\r`).replaceAll('\t', String.raw`\t`)
}
