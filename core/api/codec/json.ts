/**
 * What JSON.parse does not say: which fields a text has twice, and what Go's decoder says of a text that is no JSON.
 */

/** Paths of fields that occur more than once, as Go's strict decoder names them. `value` is what the text parses to, and `added` fields. */
export function duplicateFields(text: string, value: unknown, added = 0): readonly string[] {
  if (countKeysIn(text) === countKeys(value) - added) return []
  return findDuplicates(text)
}

/** A string followed by a colon is a key. Runs over each request's body, so it jumps from quote to quote. */
function countKeysIn(text: string): number {
  let keys = 0
  for (let start = text.indexOf('"'); start >= 0; start = text.indexOf('"', start)) {
    start = stringEnd(text, start)
    while (isSpace(text.charCodeAt(start))) start++
    if (text.charCodeAt(start) === colon) keys++
  }
  return keys
}

const colon = 0x3a
const backslash = 0x5c

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09
}

/** The place after the closing quote of the string that opens at `start`. */
function stringEnd(text: string, start: number): number {
  let end = text.indexOf('"', start + 1)
  while (end >= 0) {
    let slashes = 0
    while (text.charCodeAt(end - 1 - slashes) === backslash) slashes++
    if (slashes % 2 === 0) return end + 1
    end = text.indexOf('"', end + 1)
  }
  return text.length
}

function countKeys(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  let keys = 0
  if (Array.isArray(value)) {
    for (const item of value as unknown[]) if (typeof item === 'object') keys += countKeys(item)
    return keys
  }
  const object = value as Record<string, unknown>
  for (const key in object) {
    keys++
    const inner = object[key]
    if (typeof inner === 'object') keys += countKeys(inner)
  }
  return keys
}

interface Frame {
  /** Undefined in an array. */
  readonly keys: Set<string> | undefined
  readonly path: string
  key: string
  index: number
}

/** The text is known to be valid JSON here. */
function findDuplicates(text: string): string[] {
  const found = new Set<string>()
  const frames: Frame[] = []
  let at = 0
  while (at < text.length) {
    const char = text[at]
    const frame = frames.at(-1)
    if (char === '"') {
      const end = stringEnd(text, at)
      let next = end
      while (isSpace(text.charCodeAt(next))) next++
      if (frame?.keys !== undefined && text.charCodeAt(next) === colon) {
        const key = JSON.parse(text.slice(at, end)) as string
        const path = frame.path === '' ? key : `${frame.path}.${key}`
        if (frame.keys.has(key)) found.add(path)
        frame.keys.add(key)
        frame.key = key
      }
      at = end
      continue
    }
    if (char === '{' || char === '[') frames.push({ keys: char === '{' ? new Set() : undefined, path: pathOf(frame), key: '', index: 0 })
    else if (char === '}' || char === ']') frames.pop()
    else if (char === ',' && frame !== undefined) frame.index++
    at++
  }
  return [...found]
}

function pathOf(frame: Frame | undefined): string {
  if (frame === undefined) return ''
  if (frame.keys === undefined) return `${frame.path}[${frame.index}]`
  return frame.path === '' ? frame.key : `${frame.path}.${frame.key}`
}

export type ParsedJson = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly error: string }

/** How deep Go's decoders go, JSON's and YAML's. Without an end a small text takes all of our stack. */
export const depthMax = 10_000

/** JSON.parse, with Go's sentence when the text is no JSON. */
export function parseJson(text: string): ParsedJson {
  // each level takes two characters at least
  const deep = text.length > 2 * depthMax ? tooDeep(text) : undefined
  if (deep !== undefined) return { ok: false, error: deep }
  try {
    return { ok: true, value: JSON.parse(text) as unknown }
  } catch {
    return { ok: false, error: syntaxError(text) }
  }
}

function tooDeep(text: string): string | undefined {
  let depth = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === 0x22) at = stringEnd(text, at) - 1
    else if (code === 0x5b || code === 0x7b) {
      if (++depth > depthMax) return `invalid character '${text[at]}' exceeded max depth`
    } else if (code === 0x5d || code === 0x7d) depth--
  }
  return undefined
}

/** Finds the first character that Go's scanner stops at, and says it in its words. */
function syntaxError(text: string): string {
  const scanner = new Scanner(text)
  return scanner.value() ?? scanner.end() ?? 'unexpected end of JSON input'
}

class Scanner {
  private readonly text: string
  private at = 0

  constructor(text: string) {
    this.text = text
  }

  /** Undefined when a whole value was read. */
  value(): string | undefined {
    const char = this.peek()
    if (char === undefined) return unexpectedEnd
    if (char === '{') return this.object()
    if (char === '[') return this.array()
    if (char === '"') return this.string()
    if (char === '-' || (char >= '0' && char <= '9')) return this.number()
    for (const word of ['true', 'false', 'null']) if (char === word[0]) return this.word(word)
    return this.invalid('looking for beginning of value')
  }

  end(): string | undefined {
    return this.peek() === undefined ? undefined : this.invalid('after top-level value')
  }

  private object(): string | undefined {
    this.at++
    if (this.peek() === '}') return this.take()
    for (;;) {
      const char = this.peek()
      if (char === undefined) return unexpectedEnd
      if (char !== '"') return this.invalid('looking for beginning of object key string')
      const key = this.string()
      if (key !== undefined) return key
      if (this.peek() === undefined) return unexpectedEnd
      if (this.peek() !== ':') return this.invalid('after object key')
      this.at++
      const value = this.value()
      if (value !== undefined) return value
      if (this.peek() === '}') return this.take()
      if (this.peek() === undefined) return unexpectedEnd
      if (this.peek() !== ',') return this.invalid('after object key:value pair')
      this.at++
    }
  }

  private array(): string | undefined {
    this.at++
    if (this.peek() === ']') return this.take()
    for (;;) {
      const value = this.value()
      if (value !== undefined) return value
      if (this.peek() === ']') return this.take()
      if (this.peek() === undefined) return unexpectedEnd
      if (this.peek() !== ',') return this.invalid('after array element')
      this.at++
    }
  }

  private string(): string | undefined {
    for (this.at++; this.at < this.text.length; this.at++) {
      const char = this.text[this.at] ?? ''
      if (char === '"') return this.take()
      if (char < ' ') return this.invalid('in string literal')
      if (char !== '\\') continue
      this.at++
      const escaped = this.text[this.at]
      if (escaped === undefined) return unexpectedEnd
      if (!'bfnrt\\/"u'.includes(escaped)) return this.invalid('in string escape code')
      if (escaped === 'u' && !/^[0-9a-fA-F]{4}/.test(this.text.slice(this.at + 1))) {
        const rest = this.text.slice(this.at + 1)
        this.at += 1 + (/^[0-9a-fA-F]*/.exec(rest)?.[0].length ?? 0)
        return this.at >= this.text.length ? unexpectedEnd : this.invalid('in \\u hexadecimal character escape')
      }
    }
    return unexpectedEnd
  }

  private number(): string | undefined {
    const match = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?/.exec(this.text.slice(this.at))
    if (match === null) {
      this.at++
      return this.at >= this.text.length ? unexpectedEnd : this.invalid('in numeric literal')
    }
    this.at += match[0].length
    const next = this.text[this.at]
    if (next === '.' || next === 'e' || next === 'E') {
      this.at++
      const where = next === '.' ? 'after decimal point in numeric literal' : 'in exponent of numeric literal'
      return this.at >= this.text.length ? unexpectedEnd : this.invalid(where)
    }
    return undefined
  }

  private word(word: string): string | undefined {
    for (let i = 1; i < word.length; i++) {
      this.at++
      if (this.at >= this.text.length) return unexpectedEnd
      if (this.text[this.at] !== word[i]) return this.invalid(`in literal ${word} (expecting '${word[i]}')`)
    }
    return this.take()
  }

  private take(): undefined {
    this.at++
  }

  private peek(): string | undefined {
    while (isSpace(this.text.charCodeAt(this.at))) this.at++
    return this.text[this.at]
  }

  private invalid(where: string): string {
    const char = this.text[this.at] ?? ''
    const code = char.charCodeAt(0)
    const shown = code >= 0x7f && code < 0xa0 ? `'\\u${code.toString(16).padStart(4, '0')}'` : char === "'" ? `'\\''` : char === '"' ? `'"'` : `'${JSON.stringify(char).slice(1, -1)}'`
    return `invalid character ${shown} ${where}`
  }
}

const unexpectedEnd = 'unexpected end of JSON input'
