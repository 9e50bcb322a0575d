/**
 * Pruning: fields that a schema does not know are taken out of an object, and named where somebody wants to know. What
 * is in metadata, kind and apiVersion of the object and of objects inside it is not pruning's business: objectmeta.ts.
 *
 * After apiextensions-apiserver/pkg/apiserver/schema/pruning.
 */
import { isList, isMap, type JsonMap } from './json.ts'
import type { Structural } from './schema.ts'

const metaFields = new Set(['apiVersion', 'kind', 'metadata'])

/** Takes unknown fields out in place, and gives their paths in order. `schema` of a whole object: asRoot(). */
export function prune(value: unknown, schema: Structural): readonly string[] {
  const unknown: string[] = []
  pruneValue(value, schema, { at: '', unknown })
  return unknown.sort()
}

interface Here {
  readonly at: string
  readonly unknown: string[]
}

function below(here: Here, key: string): Here {
  return { at: here.at === '' ? key : `${here.at}.${key}`, unknown: here.unknown }
}

function pruneValue(value: unknown, schema: Structural | undefined, here: Here): void {
  if (schema?.preserves === true) return pruneBelow(value, schema, here)
  if (isList(value)) return value.forEach((item, i) => { if (isObject(item)) pruneValue(item, schema?.items, { at: `${here.at}[${i}]`, unknown: here.unknown }) })
  if (isMap(value)) pruneMap(value, schema, here)
}

const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null

function pruneMap(value: JsonMap, schema: Structural | undefined, here: Here): void {
  for (const key in value) {
    if (schema?.embedded === true && metaFields.has(key)) continue
    const property = schema?.properties.get(key)
    if (property !== undefined || schema?.open === true) {
      if (isObject(value[key])) pruneValue(value[key], property ?? schema?.additional, below(here, key))
      continue
    }
    if (schema === undefined || !metaFields.has(key) || here.at !== '') here.unknown.push(below(here, key).at)
    delete value[key]
  }
}

/** Where unknown fields are kept, those that are known are looked into all the same. */
function pruneBelow(value: unknown, schema: Structural, here: Here): void {
  if (isList(value)) {
    const { items } = schema
    if (items !== undefined) value.forEach((item, i) => pruneBelow(item, items, { at: `${here.at}[${i}]`, unknown: here.unknown }))
    return
  }
  if (!isMap(value)) return
  for (const key in value) {
    if (schema.embedded && metaFields.has(key)) continue
    const property = schema.properties.get(key)
    if (property !== undefined || schema.open) pruneValue(value[key], property ?? schema.additional, below(here, key))
  }
}
