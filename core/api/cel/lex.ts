/**
 * Words of an expression (cel-go/parser/gen/CEL.g4, lexer rules). What is no word is reported and skipped; what a
 * literal means is literal.ts.
 */
import type { Source } from './source.ts'

export type TokenKind =
  | 'int' | 'uint' | 'double' | 'string' | 'bytes' | 'ident' | 'escaped' | 'eof'
  | 'true' | 'false' | 'null' | 'in'
  | '==' | '!=' | '<' | '<=' | '>=' | '>' | '&&' | '||' | '[' | ']' | '{' | '}' | '(' | ')' | '.' | ',' | '-' | '!'
  | '?' | ':' | '+' | '*' | '/' | '%'

export interface Token {
  readonly kind: TokenKind
  readonly text: string
  readonly offset: number
}

export interface Words {
  readonly tokens: readonly Token[]
  /** Ranges of the text that are no words at all. */
  readonly skipped: readonly (readonly [number, number])[]
}

export function lex(source: Source): Words {
  const tokens: Token[] = []
  const skipped: (readonly [number, number])[] = []
  const { text } = source
  let offset = 0
  while (offset < text.length) {
    const found = match(text, offset)
    if (found === undefined) {
      const end = refuse(source, offset)
      skipped.push([offset, end])
      offset = end
    } else {
      if (found.kind !== 'blank') tokens.push({ kind: found.kind, text: text.slice(offset, found.end), offset })
      offset = found.end
    }
  }
  tokens.push({ kind: 'eof', text: '<EOF>', offset: text.length })
  return { tokens, skipped }
}

/** In order of preference: the longest match wins, the first of equals. */
const rules: readonly { readonly kind: TokenKind | 'blank'; readonly pattern: RegExp }[] = (() => {
  const escape = String.raw`\\(?:[abfnrtv"'\\?${'`'}]|[xX][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-3][0-7][0-7])`
  const string = [
    String.raw`"""(?:${escape}|[^\\])*?"""`,
    String.raw`'''(?:${escape}|[^\\])*?'''`,
    String.raw`[rR]"""[^]*?"""`,
    String.raw`[rR]'''[^]*?'''`,
    String.raw`"(?:${escape}|[^\\"\n\r])*"`,
    String.raw`'(?:${escape}|[^\\'\n\r])*'`,
    String.raw`[rR]"[^"\n\r]*"`,
    String.raw`[rR]'[^'\n\r]*'`,
  ]
  const rule = (kind: TokenKind | 'blank', pattern: string) => ({ kind, pattern: new RegExp(pattern, 'uy') })
  return [
    rule('blank', String.raw`[\t \r\n\f]+`),
    rule('blank', String.raw`\/\/[^\n]*`),
    rule('double', String.raw`\d+\.\d+(?:[eE][-+]?\d+)?|\d+[eE][-+]?\d+|\.\d+(?:[eE][-+]?\d+)?`),
    rule('uint', String.raw`0x[0-9a-fA-F]+[uU]|\d+[uU]`),
    rule('int', String.raw`0x[0-9a-fA-F]+|\d+`),
    ...string.map((pattern) => rule('string', pattern)),
    ...string.map((pattern) => rule('bytes', `[bB](?:${pattern})`)),
    rule('ident', '[A-Za-z_][A-Za-z0-9_]*'),
    rule('escaped', '`[A-Za-z0-9_.\\-/ ]+`'),
  ]
})()

const words: ReadonlySet<string> = new Set(['true', 'false', 'null', 'in'])
const symbols: readonly TokenKind[] = [
  '==', '!=', '<=', '>=', '&&', '||', '<', '>', '[', ']', '{', '}', '(', ')', '.', ',', '-', '!', '?', ':', '+', '*', '/', '%',
]

function match(text: string, offset: number): { kind: TokenKind | 'blank'; end: number } | undefined {
  let best: { kind: TokenKind | 'blank'; end: number } | undefined
  for (const { kind, pattern } of rules) {
    pattern.lastIndex = offset
    if (!pattern.test(text)) continue
    const end = pattern.lastIndex
    if (best === undefined || end > best.end) best = { kind, end }
  }
  if (best?.kind === 'ident') {
    const word = text.slice(offset, best.end)
    return words.has(word) ? { kind: word as TokenKind, end: best.end } : best
  }
  if (best !== undefined) return best
  const symbol = symbols.find((candidate) => text.startsWith(candidate, offset))
  return symbol === undefined ? undefined : { kind: symbol, end: offset + symbol.length }
}

/** Reports one piece that is no token, and answers where to go on. */
function refuse(source: Source, offset: number): number {
  const end = offset + lengthOfGarbage(source.text, offset)
  source.report(offset, `Syntax error: token recognition error at: '${source.text.slice(offset, end)}'`)
  return end
}

/** As far as the lexer read before nothing could match any more: the character, or a string's start up to what breaks it. */
function lengthOfGarbage(text: string, offset: number): number {
  const open = /[bB]?([rR]?)("""|'''|"|')/uy
  open.lastIndex = offset
  const quote = open.exec(text)
  if (quote !== null) {
    const [all, raw = '', mark = ''] = quote
    return all.length + garbageInString(text, offset + all.length, mark, raw !== '')
  }
  const escaped = /`[A-Za-z0-9_.\-/ ]*(?:[^A-Za-z0-9_.\-/ ]|$)/uy
  escaped.lastIndex = offset
  const tick = escaped.exec(text)
  if (tick !== null) return tick[0].length
  const single = text[offset]
  if ((single === '&' || single === '|' || single === '=') && offset + 1 < text.length) return 1 + characterAt(text, offset + 1).length
  return characterAt(text, offset).length
}

function garbageInString(text: string, start: number, mark: string, raw: boolean): number {
  const good = raw
    ? (mark.length === 3 ? /[^]*/uy : mark === '"' ? /[^"\n\r]*/uy : /[^'\n\r]*/uy)
    : mark.length === 3
      ? /(?:\\(?:[abfnrtv"'\\?`]|[xX][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-3][0-7][0-7])|[^\\])*/uy
      : /(?:\\(?:[abfnrtv"'\\?`]|[xX][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-3][0-7][0-7])|[^\\\n\r])*/uy
  good.lastIndex = start
  good.test(text)
  let end = good.lastIndex
  const partial = /\\(?:[xX][0-9a-fA-F]?|u[0-9a-fA-F]{0,3}|U[0-9a-fA-F]{0,7}|[0-3][0-7]?)?/uy
  partial.lastIndex = end
  if (!raw && partial.test(text)) end = partial.lastIndex
  return end - start + (end < text.length ? characterAt(text, end).length : 0)
}

function characterAt(text: string, offset: number): string {
  return String.fromCodePoint(text.codePointAt(offset) ?? 0)
}
