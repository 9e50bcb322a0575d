/**
 * Does an applied configuration fit its type? Sentences are structured-merge-diff's (typed/validate.go), which reach the
 * user as part of "failed to create typed patch object". Rules of the API beyond shape are not here.
 */
import { goQuote } from '../field.ts'
import { elementText } from './element.ts'
import type { ListType, MapType, MergeType } from './mergetype.ts'
import { formOf, itemElement } from './typed.ts'
import { goSyntax, goType, goValue, isMap } from './value.ts'

interface Complaint {
  readonly path: string
  readonly message: string
}

/** The sentence for everything that is wrong; undefined when nothing is. */
export function validateTyped(type: MergeType, value: unknown, duplicates: 'allowed' | 'refused'): string | undefined {
  const complaints = check(type, value, '', duplicates === 'allowed')
  const sentences = complaints.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`))
  return sentences.length <= 1 ? sentences[0] : ['errors:', ...sentences.map((sentence) => `  ${sentence}`)].join('\n')
}

function check(type: MergeType, value: unknown, path: string, duplicates: boolean): readonly Complaint[] {
  const form = formOf(type, value)
  if (value === null || value === undefined) return []
  if (form === 'map' && type.map !== undefined) {
    return isMap(value) ? checkMap(type.map, value, path, duplicates) : [{ path, message: `expected map, got &{${goValue(value)}}` }]
  }
  if (form === 'list' && type.list !== undefined) {
    return Array.isArray(value) ? checkList(type.list, value, path, duplicates) : [{ path, message: `expected list, got &{${goValue(value)}}` }]
  }
  const message = checkScalar(type, value)
  return message === undefined ? [] : [{ path, message }]
}

function checkScalar(type: MergeType, value: unknown): string | undefined {
  switch (type.scalar) {
    case 'numeric': return typeof value === 'number' ? undefined : `expected numeric (int or float), got ${goType(value)}`
    case 'string': return typeof value === 'string' ? undefined : `expected string, got &value.valueUnstructured{Value:${goSyntax(value)}}`
    case 'boolean': return typeof value === 'boolean' ? undefined : `expected boolean, got &{${goValue(value)}}`
    default: return typeof value === 'object' ? `expected any scalar, got &{${goValue(value)}}` : undefined
  }
}

function checkMap(map: MapType, value: Readonly<Record<string, unknown>>, path: string, duplicates: boolean): readonly Complaint[] {
  const complaints: Complaint[] = []
  for (const key of Object.keys(value)) {
    const type = map.fields.get(key)?.type ?? map.rest
    if (type === undefined) return [...complaints, { path: `${path}.${key}`, message: 'field not declared in schema' }]
    complaints.push(...check(type, value[key], `${path}.${key}`, duplicates))
  }
  return complaints
}

function checkList(list: ListType, value: readonly unknown[], path: string, duplicates: boolean): readonly Complaint[] {
  const complaints: Complaint[] = []
  const seen = new Set<string>()
  for (const [i, item] of value.entries()) {
    if (list.atomic) {
      complaints.push(...check(list.items, item, `${path}[${i}]`, duplicates))
      continue
    }
    const element = itemElement(list, item)
    if (element === undefined) return [...complaints, { path, message: `element ${i}: ${whyNoElement(list, item)}` }]
    if (seen.has(element) && !duplicates) complaints.push({ path, message: `duplicate entries for key ${elementText(element)}` })
    seen.add(element)
    complaints.push(...check(list.items, item, path + elementText(element), duplicates))
  }
  return complaints
}

function whyNoElement(list: ListType, item: unknown): string {
  if (list.keys.length === 0) {
    if (isMap(item)) return "associative list without keys has an element that's a map type"
    return Array.isArray(item) ? 'not supported: associative list with lists as elements' : "associative list without keys has an element that's an explicit null"
  }
  if (item === null) return 'associative list with keys may not have a null element'
  if (!isMap(item)) return 'associative list with keys may not have non-map elements'
  return `associative list with keys has an element that omits all key fields [${list.keys.map(goQuote).join(' ')}] (and doesn't have default values for any key fields)`
}
