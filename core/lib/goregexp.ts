/**
 * Regular expressions in Go's syntax (RE2), as those of JavaScript: patterns in schemas and expressions are written for
 * Go, and what is wrong with one is said in Go's words (regexp/syntax). What RE2 has not (looking around, references
 * back) is refused, as Go refuses it. Matching is JavaScript's own, and so is the time it takes.
 */

export type GoRegExp = { readonly ok: true; readonly source: string; /** JavaScript's. */ readonly flags: string } | { readonly ok: false; /** `error parsing regexp: ...` */ readonly error: string }

class SyntaxProblem extends Error {}

function wrong(code: string, piece: string): SyntaxProblem {
  return new SyntaxProblem(`error parsing regexp: ${code}: \`${piece}\``)
}

export function goRegExp(pattern: string): GoRegExp {
  try {
    const { source, ignoreCase } = new Translation(pattern).whole()
    return { ok: true, source, flags: ignoreCase ? 'iu' : 'u' }
  } catch (error) {
    if (error instanceof SyntaxProblem) return { ok: false, error: error.message }
    throw error
  }
}

interface Flags {
  /** i */
  readonly ignoreCase: boolean
  /** m */
  readonly lines: boolean
  /** s */
  readonly dotAll: boolean
  /** U */
  readonly lazy: boolean
}

const noFlags: Flags = { ignoreCase: false, lines: false, dotAll: false, lazy: false }
const flagNames: Readonly<Record<string, keyof Flags>> = { i: 'ignoreCase', m: 'lines', s: 'dotAll', U: 'lazy' }

/** Copies of a repeated piece that one pattern may ask for. */
const repeatMax = 1_000
const special = /[\^$\\.*+?()[\]{}|/-]/

class Translation {
  readonly #text: string
  #at = 0
  #foldsCase = false

  constructor(text: string) {
    this.#text = text
  }

  whole(): { readonly source: string; readonly ignoreCase: boolean } {
    const start = /^\(\?i\)/.test(this.#text)
    if (start) this.#at = 4
    this.#foldsCase = start
    const source = this.#alternatives({ ...noFlags, ignoreCase: start })
    if (this.#at < this.#text.length) throw wrong('unexpected )', this.#text)
    return { source, ignoreCase: start }
  }

  /** Up to the closing parenthesis, or the end. */
  #alternatives(flags: Flags): string {
    let out = ''
    let now = flags
    /** The last piece, which a repetition would be of; undefined: there is none. */
    let piece: string | undefined
    let repeated = ''
    const flush = (): void => {
      out += piece ?? ''
      piece = undefined
      repeated = ''
    }
    while (this.#at < this.#text.length && this.#text[this.#at] !== ')') {
      const from = this.#at
      const repetition = this.#repetition()
      if (repetition !== undefined) {
        const operator = this.#text.slice(from, this.#at)
        if (piece === undefined) throw repeated === '' ? wrong('missing argument to repetition operator', operator) : wrong('invalid nested repetition operator', repeated + operator)
        if (repeated !== '') throw wrong('invalid nested repetition operator', repeated + operator)
        piece = `(?:${piece})${now.lazy ? (repetition.endsWith('?') && repetition.length > 1 ? repetition.slice(0, -1) : `${repetition}?`) : repetition}`
        repeated = operator
        continue
      }
      flush()
      const made = this.#piece(now)
      if (typeof made === 'string') piece = made
      else now = made
      if (this.#text[from] === '|') {
        out += piece ?? ''
        piece = undefined
      }
    }
    flush()
    return out
  }

  /** `*`, `+?`, `{2,3}`: as JavaScript writes them, or undefined where none is next. */
  #repetition(): string | undefined {
    const rest = this.#text.slice(this.#at)
    const found = /^(?:[*+?]|\{(\d+)(?:(,)(\d*))?\})\??/.exec(rest)
    if (found === null) return undefined
    const [operator, low, comma, high = ''] = found
    const bare = operator.endsWith('?') && operator.length > 1 ? operator.slice(0, -1) : operator
    if (low !== undefined && (Number(low) > repeatMax || Number(high) > repeatMax || (comma !== undefined && high !== '' && Number(high) < Number(low)))) {
      throw wrong('invalid repeat count', bare)
    }
    this.#at += operator.length
    return operator
  }

  #piece(flags: Flags): string | Flags {
    const c = this.#next()
    switch (c) {
      case '|':
        return '|'
      case '(':
        return this.#group(flags)
      case '[':
        return this.#set(flags)
      case '.':
        return flags.dotAll ? '[\\s\\S]' : '[^\\n]'
      case '^':
        return flags.lines ? '(?:^|(?<=\\n))' : '^'
      case '$':
        return flags.lines ? '(?=\\n|$)' : '$'
      case '\\':
        return this.#escape(flags)
      default:
        return this.#literal(c, flags)
    }
  }

  /** A whole character. */
  #next(): string {
    const c = String.fromCodePoint(this.#text.codePointAt(this.#at) ?? 0)
    this.#at += c.length
    return c
  }

  #literal(c: string, flags: Flags): string {
    const text = special.test(c) ? `\\${c}` : c
    if (!flags.ignoreCase || this.#foldsCase) return text
    const [lower, upper] = [c.toLowerCase(), c.toUpperCase()]
    return lower === upper || [...lower].length > 1 || [...upper].length > 1 ? text : `[${lower}${upper}]`
  }

  #group(flags: Flags): string | Flags {
    const rest = this.#text.slice(this.#at)
    if (!rest.startsWith('?')) return `(${this.#inside(flags)})`
    const named = /^\?P?<([^>]*)>/.exec(rest)
    if (/^\?P?</.test(rest)) {
      if (named === null) throw wrong('invalid named capture', `(${rest}`)
      if (!/^\w+$/.test(named[1] ?? '')) throw wrong('invalid named capture', `(${named[0]}`)
      this.#at += named[0].length
      return `(${this.#inside(flags)})`
    }
    const asked = /^\?([imsU]*)(?:-([imsU]+))?([:)])/.exec(rest)
    if (asked === null || (asked[1] === '' && asked[2] === undefined && asked[3] === ')')) throw wrong('invalid or unsupported Perl syntax', `(${/^\?[imsU-]*.?/.exec(rest)?.[0] ?? ''}`)
    this.#at += asked[0].length
    const next = { ...flags }
    for (const c of asked[1] ?? '') Object.assign(next, { [flagNames[c] ?? '']: true })
    for (const c of asked[2] ?? '') Object.assign(next, { [flagNames[c] ?? '']: false })
    return asked[3] === ')' ? next : `(?:${this.#inside(next)})`
  }

  #inside(flags: Flags): string {
    const source = this.#alternatives(flags)
    if (this.#text[this.#at] !== ')') throw wrong('missing closing )', this.#text)
    this.#at++
    return source
  }

  #escape(flags: Flags): string {
    if (this.#at >= this.#text.length) throw wrong('trailing backslash at end of expression', '')
    const rest = this.#text.slice(this.#at)
    const c = rest[0] ?? ''
    const plain = { A: '^', z: '$', b: '\\b', B: '\\B' }[c]
    if (plain !== undefined) {
      this.#at++
      return plain
    }
    if (c === 'Q') {
      const end = rest.indexOf('\\E')
      this.#at += end < 0 ? rest.length : end + 2
      return [...rest.slice(1, end < 0 ? undefined : end)].map((each) => this.#literal(each, flags)).join('')
    }
    const set = this.#classEscape()
    return set === undefined ? this.#literal(this.#character(), flags) : `[${set}]`
  }

  /** `\d`, `\pL`: what stands between brackets for it; undefined where the escape is a single character. Stands behind the backslash. */
  #classEscape(): string | undefined {
    const rest = this.#text.slice(this.#at)
    const perl = perlClasses[rest[0] ?? '']
    if (perl !== undefined) {
      this.#at++
      return perl
    }
    const property = /^([pP])(?:\{(\^?)([^}]*)\}|([A-Za-z]))/.exec(rest)
    if (property === null) {
      if (/^[pP]/.test(rest)) throw wrong('invalid character class range', `\\${rest.slice(0, 2)}`)
      return undefined
    }
    const [all, letter, not = '', long, short] = property
    this.#at += all.length
    const name = long ?? short ?? ''
    const isNegative = (letter === 'P') !== (not === '^')
    const source = propertyOf(name)
    if (source === undefined) throw wrong('invalid character class range', `\\${all}`)
    return `\\${isNegative ? 'P' : 'p'}{${source}}`
  }

  /** A single character behind a backslash. */
  #character(): string {
    const rest = this.#text.slice(this.#at)
    const named = { a: '\x07', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' }[rest[0] ?? '']
    const coded = /^(?:x([0-9A-Fa-f]{2})|x\{([0-9A-Fa-f]+)\}|(0[0-7]{0,2}|[1-7][0-7]{1,2}))/.exec(rest)
    if (named !== undefined) {
      this.#at++
      return named
    }
    if (coded !== null) {
      const code = coded[3] === undefined ? Number.parseInt(coded[1] ?? coded[2] ?? '', 16) : Number.parseInt(coded[3], 8)
      if (code > 0x10_ffff) throw wrong('invalid escape sequence', `\\${coded[0]}`)
      this.#at += coded[0].length
      return String.fromCodePoint(code)
    }
    const c = this.#next()
    if (c > '\x7f' || /[0-9A-Za-z]/.test(c)) throw wrong('invalid escape sequence', `\\${c === 'x' ? (/^x\{?[0-9A-Fa-f]?/.exec(rest)?.[0] ?? c) : c}`)
    return c
  }

  #set(flags: Flags): string {
    const start = this.#at - 1
    let out = '['
    if (this.#text[this.#at] === '^') {
      out += '^'
      this.#at++
    }
    for (let isFirst = true; isFirst || this.#text[this.#at] !== ']'; isFirst = false) {
      if (this.#at >= this.#text.length) throw wrong('missing closing ]', this.#text.slice(start))
      out += this.#setItem(flags, start)
    }
    this.#at++
    return `${out}]`
  }

  #setItem(flags: Flags, start: number): string {
    const rest = this.#text.slice(this.#at)
    const named = /^\[:(\^?)(\w+):\]/.exec(rest)
    if (named !== null) {
      const source = posixClasses[named[2] ?? '']
      if (source === undefined) throw wrong('invalid character class range', named[0])
      this.#at += named[0].length
      return named[1] === '^' ? outside(source) : source
    }
    if (rest[0] === '\\') {
      this.#at++
      const set = this.#classEscape()
      if (set !== undefined) return set
      this.#at--
    }
    const from = this.#at
    const low = this.#setCharacter(start)
    let high = low
    if (this.#text[this.#at] === '-' && this.#at + 1 < this.#text.length && this.#text[this.#at + 1] !== ']') {
      this.#at++
      high = this.#setCharacter(start)
      if ((high.codePointAt(0) ?? 0) < (low.codePointAt(0) ?? 0)) throw wrong('invalid character class range', this.#text.slice(from, this.#at))
    }
    return rangeOf(low, high, flags.ignoreCase && !this.#foldsCase)
  }

  #setCharacter(start: number): string {
    if (this.#at >= this.#text.length) throw wrong('missing closing ]', this.#text.slice(start))
    const c = this.#next()
    if (c !== '\\') return c
    if (this.#at >= this.#text.length) throw wrong('trailing backslash at end of expression', '')
    return this.#character()
  }
}

function rangeOf(low: string, high: string, foldsCase: boolean): string {
  const show = (c: string): string => (special.test(c) ? `\\${c}` : c)
  const range = (from: string, to: string): string => (from === to ? show(from) : `${show(from)}-${show(to)}`)
  const out = range(low, high)
  if (!foldsCase) return out
  const inside = (from: string, to: string): readonly [string, string] | undefined => {
    const [a, b] = [low > from ? low : from, high < to ? high : to]
    return a <= b ? [a, b] : undefined
  }
  const lower = inside('a', 'z')
  const upper = inside('A', 'Z')
  return out + (lower === undefined ? '' : range(lower[0].toUpperCase(), lower[1].toUpperCase())) + (upper === undefined ? '' : range(upper[0].toLowerCase(), upper[1].toLowerCase()))
}

/** What stands between brackets. */
const perlClasses: Readonly<Record<string, string>> = {
  d: '0-9', D: '\\D', w: '0-9A-Za-z_', W: '\\W', s: '\\t\\n\\f\\r ', S: '\\x00-\\x08\\x0b\\x0e-\\x1f\\x21-\\u{10ffff}',
}

const posixClasses: Readonly<Record<string, string>> = {
  alnum: '0-9A-Za-z', alpha: 'A-Za-z', ascii: '\\x00-\\x7f', blank: '\\t ', cntrl: '\\x00-\\x1f\\x7f', digit: '0-9', graph: '!-~', lower: 'a-z',
  print: ' -~', punct: '!-\\/:-@\\[-`\\{-~', space: '\\t-\\r ', upper: 'A-Z', word: '0-9A-Za-z_', xdigit: '0-9A-Fa-f',
}

const negatedPosix: Readonly<Record<string, string>> = {
  'A-Za-z': '\\x00-@\\[-`\\{-\\u{10ffff}', '0-9': '\\D', '0-9A-Za-z_': '\\W', '\\x00-\\x7f': '\\u{80}-\\u{10ffff}', 'a-z': '\\x00-`\\{-\\u{10ffff}',
  'A-Z': '\\x00-@\\[-\\u{10ffff}', '0-9A-Za-z': '\\x00-\\/:-@\\[-`\\{-\\u{10ffff}', '\\t ': '\\x00-\\x08\\n-\\x1f!-\\u{10ffff}',
  '\\x00-\\x1f\\x7f': ' -~\\u{80}-\\u{10ffff}', '!-~': '\\x00- \\x7f-\\u{10ffff}', ' -~': '\\x00-\\x1f\\x7f-\\u{10ffff}',
  '!-\\/:-@\\[-`\\{-~': '\\x00- 0-9A-Za-z\\x7f-\\u{10ffff}', '\\t-\\r ': '\\x00-\\x08\\x0e-\\x1f!-\\u{10ffff}', '0-9A-Fa-f': '\\x00-\\/:-@G-`g-\\u{10ffff}',
}

const outside = (source: string): string => negatedPosix[source] ?? ''

/** A general category, or a script. */
function propertyOf(name: string): string | undefined {
  if (name === 'Any') return 'Any'
  return [name, `Script=${name}`].find((each) => {
    try {
      return (name.length <= 2 || each !== name) && new RegExp(`\\p{${each}}`, 'u') !== undefined
    } catch {
      return false
    }
  })
}
