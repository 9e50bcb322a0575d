/**
 * A JSON value as lines of YAML for people to read, each word with what it is, so that it can be coloured. Written out
 * as text it parses to the same value. (The server's own codec carries a parser that a browser need not load.)
 */
export type WordKind = 'key' | 'text' | 'number' | 'literal' | 'mark'

export interface Word {
  readonly kind: WordKind
  readonly text: string
}

export type Line = readonly Word[]

const step = '  '

export function yamlLines(value: unknown): readonly Line[] {
  const lines: Word[][] = []
  if (isBranch(value)) branch(value, '', lines, undefined)
  else {
    const only: Word[] = []
    lines.push(only)
    only.push(...scalar(value, '', lines))
  }
  return lines
}

export function yamlText(value: unknown): string {
  return `${yamlLines(value).map((line) => line.map((word) => word.text).join('')).join('\n')}\n`
}

/** Keys in the order in which kubectl shows them. */
export function sortedKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortedKeys)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([key, inner]) => [key, sortedKeys(inner)]))
}

type Branch = readonly unknown[] | Readonly<Record<string, unknown>>

/** Empty ones are written in one word. */
function isBranch(value: unknown): value is Branch {
  return typeof value === 'object' && value !== null && Object.keys(value).length > 0
}

/** `open` is a line that is begun already (behind a list's dash): the first entry goes on in it. */
function branch(value: Branch, indent: string, lines: Word[][], open: Word[] | undefined): void {
  let line = open
  const begin = (): Word[] => {
    const started = line ?? [mark(indent)]
    if (line === undefined) lines.push(started)
    line = undefined
    return started
  }
  if (Array.isArray(value)) {
    for (const item of value as readonly unknown[]) {
      const started = begin()
      started.push(mark('- '))
      if (isBranch(item)) branch(item, indent + step, lines, started)
      else started.push(...scalar(item, indent, lines))
    }
    return
  }
  for (const [key, item] of Object.entries(value)) {
    if (item === undefined) continue
    const started = begin()
    started.push({ kind: 'key', text: keyText(key) }, mark(':'))
    // kubectl writes a list at the level of its key.
    if (isBranch(item)) branch(item, Array.isArray(item) ? indent : indent + step, lines, undefined)
    else started.push(mark(' '), ...scalar(item, indent, lines))
  }
}

function mark(text: string): Word {
  return { kind: 'mark', text }
}

/** The words of a value that has no parts; a text of several lines adds them below. The caller's line must be in `lines` already. */
function scalar(value: unknown, indent: string, lines: Word[][]): Word[] {
  if (typeof value === 'string') return text(value, indent, lines)
  if (typeof value === 'number') return [{ kind: 'number', text: String(value) }]
  if (value === null || value === undefined || typeof value === 'boolean') return [{ kind: 'literal', text: String(value ?? null) }]
  return [mark(Array.isArray(value) ? '[]' : '{}')]
}

function text(value: string, indent: string, lines: Word[][]): Word[] {
  if (!isBlock(value)) return [{ kind: 'text', text: isPlain(value) ? value : quoted(value) }]
  const rows = value.split('\n')
  const keep = value.endsWith('\n') ? (value.endsWith('\n\n') ? '+' : '') : '-'
  if (value.endsWith('\n')) rows.pop()
  for (const row of rows) lines.push(row === '' ? [] : [mark(indent + step), { kind: 'text', text: row }])
  return [mark(`|${keep}`)]
}

/** Several lines of readable text; anything odd is quoted instead. */
function isBlock(value: string): boolean {
  return value.includes('\n') && !/^\s/.test(value) && !/[^\n\t\x20-\x7e\u00a0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd]/.test(value) && !/[ \t]\n|[ \t]$/.test(value)
}

const reserved = /^(?:y|n|yes|no|on|off|true|false|null|nan|~|<<|=|[-+]?\.inf|\.nan)$/i
/** Numbers in any base, sixties and days: what some reader takes for something else. */
const numeric = /^[-+]?(?:0x[\da-f_]+|0b[01_]+|0o[0-7_]+|[\d_,:]+|[\d_:]*\.?[\d_]*(?:e[-+]?\d*)?)$|^\d{4}-\d\d?-\d\d?(?:$|[t ])/i

function isPlain(value: string): boolean {
  return /^[A-Za-z0-9_./$(~^+][\x21-\x7e ]*$/.test(value) && !/: |:$| #| $/.test(value) && !reserved.test(value) && !numeric.test(value)
}

function keyText(key: string): string {
  return isPlain(key) ? key : quoted(key)
}

function quoted(value: string): string {
  return JSON.stringify(value).replaceAll(/[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
