/**
 * Defaults of a schema, and nulls: where null is not allowed it is absence, and gives way to the default if there is
 * one. After apiextensions-apiserver/pkg/apiserver/schema/defaulting.
 */
import { cloneJson } from '../../../lib/json.ts'
import { isList, isMap } from './json.ts'
import type { Structural } from './schema.ts'

/** Takes nulls out of maps that are neither allowed nor stand for a default. In lists they stay, for validation to see. */
export function dropNulls(value: unknown, schema: Structural | undefined): void {
  if (schema === undefined) return
  if (isList(value)) {
    for (const item of value) if (item !== null && typeof item === 'object') dropNulls(item, schema.items)
    return
  }
  if (!isMap(value)) return
  for (const key in value) {
    const inner = schema.properties.get(key) ?? schema.additional
    const field = value[key]
    if (field === null && inner !== undefined && !inner.nullable && inner.default === undefined) delete value[key]
    else if (typeof field === 'object') dropNulls(field, inner)
  }
}

/** Fills in defaults, in place. The default of the schema itself is for whoever holds the value. */
export function fillDefaults(value: unknown, schema: Structural | undefined): void {
  if (schema === undefined || !schema.has.defaults) return
  if (isList(value)) {
    const { items } = schema
    if (items === undefined) return
    for (let i = 0; i < value.length; i++) {
      if (value[i] === null && !items.nullable) value[i] = cloneJson(items.default ?? null)
      fillDefaults(value[i], items)
    }
    return
  }
  if (!isMap(value)) return
  for (const [key, property] of schema.properties) {
    if (property.default === undefined) continue
    const field = value[key]
    if (field === undefined || (field === null && !property.nullable)) value[key] = cloneJson(property.default)
  }
  for (const key in value) {
    const inner = schema.properties.get(key) ?? schema.additional
    if (inner === undefined) continue
    if (value[key] === null && !schema.properties.has(key) && !inner.nullable) value[key] = cloneJson(inner.default ?? null)
    fillDefaults(value[key], inner)
  }
}
