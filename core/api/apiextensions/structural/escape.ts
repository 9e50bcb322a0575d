/** Names of fields in expressions: CEL's own words and what no identifier may have in it are written otherwise (k8s.io/apiserver/pkg/cel/escaping.go). */

const reserved = new Set([
  'true', 'false', 'null', 'in', 'as', 'break', 'const', 'continue', 'else', 'for', 'function', 'if', 'import', 'let', 'loop', 'package', 'namespace',
  'return', 'var', 'void', 'while',
])

const written: Readonly<Record<string, string>> = { __: '__underscores__', '.': '__dot__', '-': '__dash__', '/': '__slash__' }
const meant = new Map(Object.entries(written).map(([text, name]) => [name, text]))

/** undefined: the field cannot be named. */
export function escapeName(name: string): string | undefined {
  if (/^(?:$|\d)|[^a-zA-Z0-9\-./_]/.test(name)) return undefined
  if (reserved.has(name)) return `__${name}__`
  return name.replaceAll(/__|[-./]/g, (part) => written[part] ?? part)
}

/** undefined: no name is written so. */
export function unescapeName(name: string): string | undefined {
  let valid = true
  const plain = name.replaceAll(/__[^_]+__/g, (part) => {
    const word = part.slice(2, -2)
    const text = meant.get(part) ?? (reserved.has(word) && part.length === name.length ? word : undefined)
    if (text === undefined) valid = false
    return text ?? ''
  })
  return valid ? plain : undefined
}
