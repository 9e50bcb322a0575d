/**
 * Whether an object is already as pruning, nulls and defaults would make it: then what is stored is what is shown, and
 * nothing has to be copied. Says no when in doubt.
 */
import { isList, isMap } from './json.ts'
import type { Structural } from './schema.ts'

const metaFields = new Set(['apiVersion', 'kind', 'metadata'])

/** Of a whole object; metadata is as it was written. */
export function isSettled(object: Readonly<Record<string, unknown>>, schema: Structural): boolean {
  return settledMap(object, schema, true)
}

function settled(value: unknown, schema: Structural | undefined): boolean {
  if (typeof value !== 'object') return true
  // metadata inside is looked at by those who change it
  if (schema === undefined || schema.embedded) return false
  if (value === null) return schema.nullable
  return isList(value) ? value.every((item) => settled(item, schema.items)) : settledMap(value as Record<string, unknown>, schema, false)
}

function settledMap(value: Readonly<Record<string, unknown>>, schema: Structural, root: boolean): boolean {
  for (const key in value) {
    if (root && metaFields.has(key)) continue
    const inner = schema.properties.get(key) ?? (schema.open ? schema.additional : undefined)
    if (inner !== undefined) {
      if (!settled(value[key], inner)) return false
    } else if (schema.open ? isMap(value[key]) || isList(value[key]) : !schema.preserves) return false
  }
  if (!schema.has.defaults) return true
  for (const [key, property] of schema.properties) if (property.default !== undefined && value[key] === undefined) return false
  return true
}
