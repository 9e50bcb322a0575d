/** Lists that are sets have no item twice, and lists that are maps no key (apiextensions-apiserver/pkg/apiserver/schema/listtype). */
import { FieldError, Path } from '../../field.ts'
import { inOrder, isList, isMap, type JsonMap } from './json.ts'
import type { Structural } from './schema.ts'

export function validateLists(value: unknown, schema: Structural, at?: Path): FieldError[] {
  const errors: FieldError[] = []
  check(errors, value, schema, at)
  return errors
}

function check(errors: FieldError[], value: unknown, schema: Structural | undefined, at: Path | undefined): void {
  if (schema === undefined || !schema.has.unique) return
  if (isList(value)) return checkList(errors, value, schema, at ?? new Path(''))
  if (!isMap(value)) return
  for (const key in value) {
    const field = value[key]
    if (typeof field !== 'object' || field === null) continue
    const property = schema.properties.get(key)
    if (schema.additional !== undefined) check(errors, field, schema.additional, at === undefined ? new Path(key, undefined, true) : at.key(key))
    if (property !== undefined) check(errors, field, property, at === undefined ? new Path(key) : at.child(key))
  }
}

function checkList(errors: FieldError[], list: readonly unknown[], schema: Structural, at: Path): void {
  if (schema.listType === 'set') {
    for (const i of repeated(list)) errors.push(new FieldError('FieldValueDuplicate', at.index(i), inOrder(list[i]), ''))
  } else if (schema.listType === 'map') checkKeys(errors, list, schema, at)
  list.forEach((item, i) => check(errors, item, schema.items, at.index(i)))
}

function checkKeys(errors: FieldError[], list: readonly unknown[], schema: Structural, at: Path): void {
  const odd = list.findIndex((item) => item !== null && !isMap(item))
  if (odd >= 0) {
    errors.push(new FieldError('FieldValueInvalid', at.index(odd), inOrder(list[odd]), 'must be an object for an array of list-type map'))
    return
  }
  const keys = list.map((item) => keyOf(item as JsonMap | null, schema.listKeys))
  for (const i of repeated(keys)) errors.push(new FieldError('FieldValueDuplicate', at.index(i), inOrder(keys[i]), ''))
}

function keyOf(item: JsonMap | null, names: readonly string[]): JsonMap {
  const key: JsonMap = {}
  if (item !== null) for (const name of names) if (item[name] !== undefined) key[name] = item[name]
  return key
}

/** Where each value that is there more than once comes for the second time. */
function repeated(list: readonly unknown[]): number[] {
  if (list.length <= 1) return []
  const times = new Map<string, number>()
  const found: number[] = []
  list.forEach((item, i) => {
    const text = JSON.stringify(inOrder(item))
    const seen = times.get(text) ?? 0
    if (seen === 1) found.push(i)
    times.set(text, seen + 1)
  })
  return found
}
