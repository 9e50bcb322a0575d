/**
 * Text -> tree (cel-spec/doc/langdef.md "Syntax"; cel-go/parser). Syntax errors are said in ANTLR's words, as far as
 * its repairs go: one token too many or one missing is reported and read over, anything else ends the reading.
 * Semantics of names and types are check.ts.
 */
import type { Expr } from './ast.ts'
import { characters } from './kinds.ts'
import type { Token, TokenKind } from './lex.ts'
import { LiteralError, parseBytes, parseDouble, parseInt64, parseString, parseUint64 } from './literal.ts'
import { buildAt } from './build.ts'
import { macro, type Syntax } from './macro.ts'
import type { Source } from './source.ts'
import { GivenUp, names, operators, products, relations, shown, startsExpr, sums, TooDeep, Tokens, Unreadable } from './tokens.ts'
import type { Value } from './value.ts'

/** Longer expressions are not read. */
export const expressionCharactersMax = 100_000
/** How deep one rule of the grammar may stand in itself. */
const depthMax = 250

/** Errors are in `source`; the tree is good only when there are none. */
export function parse(source: Source, syntax: Syntax): Expr | undefined {
  const size = characters(source.text)
  if (size > expressionCharactersMax) {
    source.report(undefined, `expression code point size exceeds limit: size: ${size}, limit ${expressionCharactersMax}`)
    return undefined
  }
  try {
    return new Parser(source, new Tokens(source), syntax).start()
  } catch (error) {
    if (error instanceof TooDeep) source.report(undefined, error.message)
    else if (!(error instanceof Unreadable || error instanceof GivenUp)) throw error
    return undefined
  }
}

type Rule = 'expr' | 'or' | 'and' | 'relation' | 'calc' | 'unary' | 'member'

const reserved: ReadonlySet<string> = new Set([
  'as', 'break', 'const', 'continue', 'else', 'false', 'for', 'function', 'if', 'import', 'in', 'let', 'loop', 'package',
  'namespace', 'null', 'return', 'true', 'var', 'void', 'while',
])

class Parser {
  readonly #source: Source
  readonly #tokens: Tokens
  readonly #syntax: Syntax
  readonly #depths = new Map<Rule, number>()
  /** How high the tree was that a node was read from; macros do not count. */
  readonly #heights = new WeakMap<Expr, number>()
  #nextId = 1

  constructor(source: Source, tokens: Tokens, syntax: Syntax) {
    this.#source = source
    this.#tokens = tokens
    this.#syntax = syntax
  }

  start(): Expr {
    const expr = this.#expr()
    this.#tokens.expect('eof')
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
    const condition = this.#tokens.within(['?'], () => this.#or())
    const op = this.#tokens.accept('?')
    if (op === undefined) return condition
    const yes = this.#tokens.within([':'], () => this.#or())
    this.#tokens.expect(':')
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
    for (let op = this.#tokens.accept(kind); op !== undefined; op = this.#tokens.accept(kind)) {
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
    while (level === 0 && relations.has(this.#tokens.peek().kind)) {
      const op = this.#tokens.next()
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
      const { kind } = this.#tokens.peek()
      const binds = products.has(kind) ? 2 : sums.has(kind) ? 1 : 0
      if (binds <= level) break
      const op = this.#tokens.next()
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
    this.#tokens.sync(startsExpr)
    const op = this.#tokens.peek()
    if (op.kind !== '!' && (op.kind !== '-' || this.#negativeNumber())) return this.#member()
    if (op.kind === '-' && !startsExpr.includes(this.#tokens.peek(1).kind)) this.#tokens.noViable(1)
    let count = 0
    while (this.#tokens.accept(op.kind) !== undefined) count++
    if (!startsExpr.includes(this.#tokens.peek().kind)) this.#tokens.stop(this.#tokens.peek(), `extraneous input ${shown(this.#tokens.peek())} expecting ${names(startsExpr)}`)
    const operand = this.#member()
    const expr = count % 2 === 0 ? operand : this.#call(op.offset, op.kind === '!' ? '!_' : '-_', [operand])
    this.#heights.set(expr, this.#height(operand))
    return expr
  }

  #negativeNumber(): boolean {
    const after = this.#tokens.peek(1).kind
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
      const op = this.#tokens.peek()
      if (op.kind !== '.' && op.kind !== '[') return expr
      expr = op.kind === '.' ? this.#select(expr) : this.#index(expr)
    }
  }

  #select(operand: Expr): Expr {
    if (!['?', 'ident', 'escaped'].includes(this.#tokens.peek(1).kind)) this.#tokens.noViable(1)
    const dot = this.#tokens.next()
    const optional = this.#tokens.accept('?')
    if (optional !== undefined) this.#tokens.sync(['ident', 'escaped'])
    const name = this.#tokens.next()
    if (optional === undefined && name.kind === 'ident' && this.#tokens.peek().kind === '(') return this.#memberCall(operand, name)
    const field = this.#fieldName(name)
    if (optional === undefined) {
      return this.#raise({ kind: 'select', id: this.#id(), offset: dot.offset, operand, field, test: false }, operand)
    }
    if (!this.#syntax.optionals) return this.#fail(dot.offset, "unsupported syntax '.?'")
    const literal: Expr = { kind: 'literal', id: this.#id(), offset: name.offset, value: field }
    return this.#raise(this.#call(dot.offset, '_?._', [operand, literal]), operand)
  }

  #memberCall(target: Expr, name: Token): Expr {
    const open = this.#tokens.next()
    const args = this.#args()
    return this.#raise(this.#expandOrCall(open.offset, name.text, target, args), target, ...args)
  }

  #index(operand: Expr): Expr {
    const open = this.#tokens.next()
    this.#tokens.sync([...startsExpr, '?'])
    const optional = this.#tokens.accept('?')
    const index = this.#tokens.within([']'], () => this.#expr())
    this.#tokens.expect(']')
    if (optional !== undefined && !this.#syntax.optionals) return this.#fail(open.offset, "unsupported syntax '[?'")
    return this.#raise(this.#call(open.offset, optional === undefined ? '_[_]' : '_[?_]', [operand, index]), operand, index)
  }

  #primary(): Expr {
    this.#tokens.sync(startsExpr)
    const token = this.#tokens.peek()
    switch (token.kind) {
      case '(': {
        this.#tokens.next()
        const expr = this.#tokens.within([')'], () => this.#expr())
        this.#tokens.expect(')')
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
    if (this.#tokens.peek().kind === '.' && this.#tokens.peek(1).kind !== 'ident') this.#tokens.noViable(1)
    const dot = this.#tokens.accept('.')
    const first = this.#tokens.peek()
    const struct = this.#structName()
    if (struct !== undefined) return this.#struct(dot === undefined ? struct : `.${struct}`)
    this.#tokens.next()
    const offset = dot?.offset ?? first.offset
    const open = this.#tokens.accept('(')
    const args = open === undefined ? [] : this.#argsAfterOpen()
    if (reserved.has(first.text)) return this.#fail(offset, `reserved identifier: ${first.text}`)
    const name = dot === undefined ? first.text : `.${first.text}`
    if (open === undefined) return { kind: 'ident', id: this.#id(), offset: first.offset, name }
    return this.#raise(this.#expandOrCall(open.offset, name, undefined, args), ...args)
  }

  /** Reads `a.b.C` where a brace follows it; nothing where it does not. */
  #structName(): string | undefined {
    let count = 1
    while (this.#tokens.peek(count).kind === '.' && this.#tokens.peek(count + 1).kind === 'ident') count += 2
    if (this.#tokens.peek(count).kind !== '{') return undefined
    return Array.from({ length: count }, () => this.#tokens.next().text).join('')
  }

  #struct(name: string): Expr {
    const open = this.#tokens.next()
    const fields: { id: number; offset: number; name: string; value: Expr; optional: boolean }[] = []
    this.#tokens.sync(['}', ',', '?', 'ident', 'escaped'])
    while (this.#tokens.peek().kind !== '}' && this.#tokens.peek().kind !== ',') {
      const optional = this.#tokens.accept('?')
      this.#tokens.sync(['ident', 'escaped'])
      const field = this.#tokens.next()
      const colon = this.#tokens.expect(':')
      const value = this.#tokens.within([',', '}'], () => this.#expr())
      if (optional !== undefined && !this.#syntax.optionals) this.#fail(optional.offset, "unsupported syntax '?'")
      fields.push({ id: this.#id(), offset: colon.offset, name: this.#fieldName(field), value, optional: optional !== undefined })
      if (!this.#moreAfterComma('}')) break
    }
    this.#close('}')
    const expr: Expr = { kind: 'struct', id: this.#id(), offset: open.offset, name, fields }
    return this.#raise(expr, ...fields.map((field) => field.value))
  }

  #map(): Expr {
    const open = this.#tokens.next()
    const entries: { id: number; offset: number; key: Expr; value: Expr; optional: boolean }[] = []
    this.#tokens.sync([...startsExpr, '}', ',', '?'])
    while (this.#tokens.peek().kind !== '}' && this.#tokens.peek().kind !== ',') {
      const optional = this.#tokens.accept('?')
      const key = this.#tokens.within([':'], () => this.#expr())
      const colon = this.#tokens.expect(':')
      const value = this.#tokens.within([',', '}'], () => this.#expr())
      if (optional !== undefined && !this.#syntax.optionals) this.#fail(optional.offset, "unsupported syntax '?'")
      entries.push({ id: this.#id(), offset: colon.offset, key, value, optional: optional !== undefined })
      if (!this.#moreAfterComma('}')) break
    }
    this.#close('}')
    const expr: Expr = { kind: 'map', id: this.#id(), offset: open.offset, entries }
    return this.#raise(expr, ...entries.flatMap((entry) => [entry.key, entry.value]))
  }

  #list(): Expr {
    const open = this.#tokens.next()
    const elements: Expr[] = []
    const optional = new Set<number>()
    this.#tokens.sync([...startsExpr, ']', ',', '?'])
    while (this.#tokens.peek().kind !== ']' && this.#tokens.peek().kind !== ',') {
      const mark = this.#tokens.accept('?')
      if (mark !== undefined && !this.#syntax.optionals) this.#fail(mark.offset, "unsupported syntax '?'")
      if (mark !== undefined) optional.add(elements.length)
      elements.push(this.#tokens.within([',', ']'], () => this.#expr()))
      if (!this.#moreAfterComma(']')) break
    }
    this.#close(']')
    return this.#raise({ kind: 'list', id: this.#id(), offset: open.offset, elements, optional }, ...elements)
  }

  /** Takes the comma where an element follows it. */
  #moreAfterComma(close: TokenKind): boolean {
    if (this.#tokens.peek().kind !== ',') return false
    const after = this.#tokens.peek(1).kind
    if (after === close || !(startsExpr.includes(after) || after === '?' || after === 'escaped')) return false
    this.#tokens.next()
    return true
  }

  #close(kind: '}' | ']'): void {
    this.#tokens.sync([kind, ','])
    this.#tokens.accept(',')
    this.#tokens.expect(kind)
  }

  #args(): readonly Expr[] {
    return this.#argsAfterOpen()
  }

  #argsAfterOpen(): readonly Expr[] {
    const args: Expr[] = []
    this.#tokens.sync([...startsExpr, ')'])
    if (this.#tokens.peek().kind !== ')') {
      do args.push(this.#tokens.within([',', ')'], () => this.#expr()))
      while (this.#tokens.accept(',') !== undefined)
    }
    this.#tokens.expect(')')
    return args
  }

  #literal(): Expr {
    const sign = this.#tokens.accept('-')
    const token = this.#tokens.next()
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
    const expand = macro(name, target, args.length, this.#syntax)
    if (expand === undefined) return { kind: 'call', id: this.#id(), offset, name, target, args }
    return expand(buildAt(offset, () => this.#id(), (at, message) => this.#fail(at.offset, message)), target ?? args[0] as Expr, args)
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

  #repaired(follow: readonly TokenKind[], read: () => Expr): Expr {
    return this.#tokens.repaired(follow, read, () => ({ kind: 'literal', id: this.#id(), offset: this.#tokens.peek().offset, value: null }))
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
