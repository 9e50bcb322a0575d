/**
 * One step of a field path, in the form it has in FieldsV1: `f:name` a field, `k:{"name":"x"}` a list item by its keys,
 * `v:"x"` an item of a set by its value, `i:0` by its index. Spelling, order and how conflicts print them are upstream's
 * (structured-merge-diff fieldpath/element.go, serialize-pe.go).
 */
import { memo } from '../../lib/memo.ts'
import { goQuote } from '../field.ts'
import { compareValues, goValue, isMap } from './value.ts'

export type Element = string

interface Parsed {
  readonly canonical: Element
  /** Sorted names and values of a key in one flat list, the value of a set item, or an index. */
  readonly value: unknown
}

export function keyElement(names: readonly string[], values: readonly unknown[]): Element {
  let text = 'k:{'
  for (let i = 0; i < names.length; i++) {
    if (i > 0) text += ','
    text += `"${names[i]}":${jsonText(values[i])}`
  }
  return `${text}}`
}

export function valueElement(value: unknown): Element {
  return `v:${jsonText(value)}`
}

/** JSON as Go's encoder writes it, which escapes HTML. */
function jsonText(value: unknown): string {
  if (typeof value === 'number') return String(value)
  if (typeof value === 'string' && /^[\w./ :-]*$/.test(value)) return `"${value}"`
  const text = JSON.stringify(value)
  return /[<>&\u2028\u2029]/.test(text) ? text.replace(/[<>&\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`) : text
}

/** The canonical spelling; undefined for a kind of step that this version does not know. Throws for what cannot be read. */
export function canonicalElement(text: string): Element | undefined {
  return text.startsWith('f:') ? text : parse(text)?.canonical
}

/** Clusters have few different keys; what was parsed once is looked up. */
const parse = memo(16_384, read)

function read(text: string): Parsed | undefined {
  if (text.length < 2) throw new Error('key must be 2 characters long:')
  if (text[1] !== ':') throw new Error(`missing colon: ${text}`)
  const rest = text.slice(2)
  if (text[0] === 'i') {
    if (!/^[-+]?\d+$/.test(rest)) throw new Error(`strconv.Atoi: parsing ${goQuote(rest)}: invalid syntax`)
    return { canonical: `i:${Number(rest)}`, value: Number(rest) }
  }
  if (text[0] === 'v') {
    const value: unknown = JSON.parse(rest)
    return { canonical: valueElement(value), value }
  }
  if (text[0] !== 'k') return undefined
  const key: unknown = JSON.parse(rest)
  if (!isMap(key)) throw new Error(`not an object: ${rest}`)
  const names = Object.keys(key).sort()
  return { canonical: keyElement(names, names.map((name) => key[name])), value: names.flatMap((name) => [name, key[name]]) }
}

/** Fields, then keys, values, indices. */
export function compareElements(a: Element, b: Element): number {
  const kindA = a.charCodeAt(0)
  const kindB = b.charCodeAt(0)
  if (kindA !== kindB) return 'fkvi'.indexOf(a.charAt(0)) - 'fkvi'.indexOf(b.charAt(0))
  if (kindA === 0x66) return a < b ? -1 : a === b ? 0 : 1
  return a === b ? 0 : compareValues(parse(a)?.value, parse(b)?.value)
}

/** `.spec.containers[name="web"].image` */
export function pathText(path: readonly Element[]): string {
  return path.map(elementText).join('')
}

export function elementText(element: Element): string {
  if (element.startsWith('f:')) return `.${element.slice(2)}`
  const value = parse(element)?.value
  if (element.startsWith('i:')) return `[${goValue(value)}]`
  if (element.startsWith('v:')) return `[=${shown(value)}]`
  const flat = value as readonly unknown[]
  const pairs: string[] = []
  for (let i = 0; i < flat.length; i += 2) pairs.push(`${String(flat[i])}=${shown(flat[i + 1])}`)
  return `[${pairs.join(',')}]`
}

const shown = (value: unknown): string => (value === null ? 'null' : typeof value === 'string' ? goQuote(value) : goValue(value))
