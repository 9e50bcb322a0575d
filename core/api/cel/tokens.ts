/**
 * The words of an expression one after another, and what is done where one does not fit: ANTLR's repairs and sentences,
 * which users of cel-go see (antlr4 DefaultErrorStrategy, cel-go/parser). The grammar is parse.ts.
 */
import { lex, type Token, type TokenKind, type Words } from './lex.ts'
import type { Source } from './source.ts'

/** Errors that are read over, and tokens skipped for one. */
const repairsMax = 30
const skippedMax = 256

/** Read over by the rule around it. */
export class Unreadable extends Error {}
/** Too many errors. */
export class GivenUp extends Error {}
/** No more is read of it. */
export class TooDeep extends Error {}

export const relations: ReadonlySet<TokenKind> = new Set(['<', '<=', '>=', '>', '==', '!=', 'in'])
export const products: ReadonlySet<TokenKind> = new Set(['*', '/', '%'])
export const sums: ReadonlySet<TokenKind> = new Set(['+', '-'])
export const startsExpr: readonly TokenKind[] = ['[', '{', '(', '.', '-', '!', 'true', 'false', 'null', 'double', 'int', 'uint', 'string', 'bytes', 'ident']
export const operators: readonly TokenKind[] = [...relations, ...products, ...sums, '&&', '||']
const continues: ReadonlySet<TokenKind> = new Set([...relations, ...products, ...sums, '&&', '||', '.', '['])

export class Tokens {
  readonly #source: Source
  readonly #tokens: readonly Token[]
  readonly #skipped: Words['skipped']
  /** Per open bracket or ternary, from outside in: what may follow an operand there. */
  readonly #follow: (readonly TokenKind[])[] = [['eof']]
  #at = 0
  /** After a missing token nothing is reported until one fits. */
  #recovering = false
  #repairs = 0
  #lastRepair = -1

  constructor(source: Source) {
    this.#source = source
    const { tokens, skipped } = lex(source)
    this.#tokens = tokens
    this.#skipped = skipped
  }

  within<T>(follow: readonly TokenKind[], read: () => T): T {
    this.#follow.push(follow)
    const result = read()
    this.#follow.pop()
    return result
  }

  peek(ahead = 0): Token {
    return this.#tokens[this.#at + ahead] ?? this.#tokens.at(-1) as Token
  }

  next(): Token {
    const token = this.peek()
    if (token.kind !== 'eof') this.#at++
    this.#recovering = false
    return token
  }

  accept(kind: TokenKind): Token | undefined {
    return this.peek().kind === kind ? this.next() : undefined
  }

  /** The next token is `kind`, or one is read over, or one is imagined. */
  expect(kind: TokenKind): Token {
    const token = this.peek()
    if (token.kind === kind) return this.next()
    this.#countRepair()
    if (this.#tokens[this.#at + 1]?.kind === kind && token.kind !== 'eof') {
      this.#syntaxError(token, `extraneous input ${shown(token)} expecting ${name(kind)}`)
      this.#at++
      return this.next()
    }
    if (this.#mayFollow(kind, token.kind)) {
      this.#syntaxError(token, `missing ${name(kind)} at ${shown(token)}`)
      this.#recovering = true
      return token
    }
    return this.stop(token, `mismatched input ${shown(token)} expecting ${name(kind)}`)
  }

  #mayFollow(kind: TokenKind, next: TokenKind): boolean {
    if (kind === ':') return startsExpr.includes(next)
    if (kind === 'eof') return false
    // Behind a condition there may be nothing more of it; then it is what follows around it.
    const around = this.#follow.findLast((follow) => follow[0] !== '?')
    return continues.has(next) || (next === '?' && this.#follow.at(-1)?.[0] === '?') || (around?.includes(next) ?? false)
  }

  /** Before a choice: one token that fits nowhere is read over if the next one fits. */
  sync(fits: readonly TokenKind[]): void {
    const token = this.peek()
    if (fits.includes(token.kind)) return
    if (this.#recovering) throw new Unreadable('while reading over an error')
    const after = this.#tokens[this.#at + 1]
    if (token.kind !== 'eof' && after !== undefined && fits.includes(after.kind)) {
      this.#syntaxError(token, `extraneous input ${shown(token)} expecting ${names(fits)}`)
      this.#at++
      return
    }
    this.stop(token, `mismatched input ${shown(token)} expecting ${names(fits)}`)
  }

  /** What stands `ahead` tokens on fits nothing; reading stays where it is. */
  noViable(ahead: number): never {
    const [from, token] = [this.peek(), this.peek(ahead)]
    if (/^(true|false|null)$/.test(token.text) && from.kind === '.' && token.offset === from.offset + 1) {
      return this.stop(token, `mismatched input '${token.text}' expecting IDENTIFIER`)
    }
    const end = token.kind === 'eof' ? this.#source.text.length : token.offset + token.text.length
    return this.stop(token, `no viable alternative at input '${escaped(this.#readText(from.offset, end))}'`)
  }

  /** What cannot be read is skipped up to where the rule, or one around it, can go on. */
  repaired<T>(follow: readonly TokenKind[], read: () => T, instead: () => T): T {
    const open = this.#follow.length
    try {
      return read()
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error
      this.#follow.length = open
      this.#skipTo(new Set([...follow, ...this.#follow.flat()]))
      return instead()
    }
  }

  #skipTo(wanted: ReadonlySet<TokenKind>): void {
    this.#countRepair()
    if (this.#lastRepair === this.#at && this.peek().kind !== 'eof') this.#at++
    this.#lastRepair = this.#at
    this.#recovering = true
    for (let skipped = 0; !wanted.has(this.peek().kind) && this.peek().kind !== 'eof'; skipped++) {
      if (skipped >= skippedMax) throw new TooDeep(`error recovery token lookahead limit exceeded: ${skippedMax}`)
      this.#at++
    }
  }

  #countRepair(): void {
    if (this.#repairs++ < repairsMax) return
    this.#source.report(this.peek().offset, `Syntax error: error recovery attempt limit exceeded: ${repairsMax}`)
    throw new GivenUp()
  }

  /** Without what was no word. */
  #readText(start: number, end: number): string {
    let text = ''
    let at = start
    for (const [from, to] of this.#skipped) {
      if (from < start || from >= end) continue
      text += this.#source.text.slice(at, from)
      at = to
    }
    return text + this.#source.text.slice(at, end)
  }

  stop(token: Token, message: string): never {
    this.#syntaxError(token, message)
    throw new Unreadable(message)
  }

  #syntaxError(token: Token, message: string): void {
    if (!this.#recovering) this.#source.report(token.offset, `Syntax error: ${message}`)
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

export function names(kinds: readonly TokenKind[]): string {
  const sorted = order.filter((kind) => kinds.includes(kind)).map(name)
  return sorted.length === 1 ? sorted[0] as string : `{${sorted.join(', ')}}`
}

export function shown(token: Token): string {
  return `'${escaped(token.text)}'`
}

function escaped(text: string): string {
  return text.replaceAll('\n', String.raw`\n`).replaceAll('\r', String.raw`\r`).replaceAll('\t', String.raw`\t`)
}
