/** Go's strconv.Quote: a string in double quotes, with escapes for what does not print. */

const short: Readonly<Record<string, string>> = {
  '\u0007': '\\a', '\b': '\\b', '\f': '\\f', '\n': '\\n', '\r': '\\r', '\t': '\\t', '\v': '\\v', '\\': '\\\\', '"': '\\"',
}

/** Letters, marks, numbers, punctuation, symbols and the ASCII space print. */
const prints = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u

export function quote(text: string): string {
  let out = '"'
  for (const c of text) out += short[c] ?? (prints.test(c) ? c : escaped(c.codePointAt(0) ?? 0))
  return `${out}"`
}

function escaped(code: number): string {
  const hex = (digits: number): string => code.toString(16).padStart(digits, '0')
  if (code < 0x80) return `\\x${hex(2)}`
  return code < 0x1_0000 ? `\\u${hex(4)}` : `\\U${hex(8)}`
}

/** A string as CEL writes it: only what CEL has an escape for is escaped. */
export function quoteLiteral(text: string): string {
  let out = '"'
  for (const c of text.toWellFormed()) out += short[c] ?? c
  return `${out}"`
}
