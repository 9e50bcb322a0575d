/** Lists and maps that say how they merge: sets, maps by keys, atomic ones (x-kubernetes-list-type, -list-map-keys, -map-type). */
import type { Errors } from '../checks.ts'
import { forbiddenField, invalidValue, notSupported, required, type FieldError, type Path } from '../field.ts'
import type { JSONSchemaProps } from '../schema/types.ts'
import { shownItems } from './internalform.ts'

type Schema = Readonly<JSONSchemaProps>

const listTypeField = 'x-kubernetes-list-type'
const mapTypeField = 'x-kubernetes-map-type'
const keysField = 'x-kubernetes-list-map-keys'

export function validateTopology(errors: Errors, schema: Schema, at: Path, lenient: { readonly setsOfAnything: boolean }): void {
  validateMapType(errors, schema, at)
  const listType = schema[listTypeField]
  if (listType !== undefined && schema.type !== 'array') {
    needsType(errors, schema, 'must be array if x-kubernetes-list-type is specified', at)
  } else if (!lenient.setsOfAnything && isSetOfAnything(schema)) {
    // upstream shows the list type of the items in both cases
    const items = itemsOf(schema)
    const field = items?.type === 'array' ? listTypeField : mapTypeField
    errors.push(invalidValue(at.child('items').child(field), items?.[listTypeField] ?? null, 'must be atomic as item of a list with x-kubernetes-list-type=set'))
  }
  if (listType !== undefined && !['atomic', 'set', 'map'].includes(listType)) errors.push(notSupported(at.child(listTypeField), listType, ['atomic', 'set', 'map']))
  validateMapKeys(errors, schema, at)
}

function validateMapType(errors: Errors, schema: Schema, at: Path): void {
  const mapType = schema[mapTypeField]
  if (mapType === undefined) return
  if (schema.type !== 'object') needsType(errors, schema, 'must be object if x-kubernetes-map-type is specified', at)
  if (mapType !== 'atomic' && mapType !== 'granular') errors.push(notSupported(at.child(mapTypeField), mapType, ['atomic', 'granular']))
}

function needsType(errors: Errors, { type = '' }: Schema, sentence: string, at: Path): void {
  errors.push(type === '' ? required(at.child('type'), sentence) : invalidValue(at.child('type'), type, sentence))
}

function itemsOf({ items }: Schema): Schema | undefined {
  return items === undefined || Array.isArray(items) ? undefined : items
}

/** A set's items are compared as wholes, so they have to be wholes. */
export function isSetOfAnything(schema: Schema): boolean {
  const items = itemsOf(schema)
  if (schema[listTypeField] !== 'set' || items === undefined) return false
  if (items.type === 'array') return (items[listTypeField] ?? 'atomic') !== 'atomic'
  return items.type === 'object' && items[mapTypeField] !== 'atomic'
}

function validateMapKeys(errors: Errors, schema: Schema, at: Path): void {
  const listType = schema[listTypeField]
  const keys = schema[keysField] ?? []
  const typeAt = at.child(listTypeField)
  const onlyMaps = 'must be map if x-kubernetes-list-map-keys is non-empty'
  if (keys.length > 0 && listType !== 'map') errors.push(listType === undefined ? required(typeAt, onlyMaps) : invalidValue(typeAt, listType, onlyMaps))
  if (listType !== 'map') return
  if (keys.length === 0) errors.push(required(at.child(keysField), 'must not be empty if x-kubernetes-list-type is map'))
  if (schema.items === undefined) errors.push(required(at.child('items'), 'must have a schema if x-kubernetes-list-type is map'))
  const items = itemsOf(schema)
  if (schema.items !== undefined && items === undefined) errors.push(invalidValue(at.child('items'), shownItems(schema.items), 'must only have a single schema if x-kubernetes-list-type is map'))
  if (items === undefined) return
  if (items.type === 'object') validateEachKey(errors, keys, items, at)
  else errors.push(invalidValue(at.child('items').child('type'), items.type ?? '', "must be object if parent array's x-kubernetes-list-type is map"))
}

function validateEachKey(errors: Errors, keys: readonly string[], items: Schema, at: Path): void {
  keys.forEach((key, i) => {
    const property = items.properties?.[key]
    if (property === undefined) {
      errors.push(invalidValue(at.child(keysField), keys, 'entries must all be names of item properties'))
    } else if (property.type === 'array' || property.type === 'object') {
      errors.push(invalidValue(at.child('items').child('properties').key(key).child('type'), items.type, "must be a scalar type if parent array's x-kubernetes-list-type is map"))
    }
    if (keys.indexOf(key) < i) errors.push(invalidValue(at.child(keysField), keys, 'must not contain duplicate entries'))
  })
}

/** Items that are told apart by keys, or by what they are, cannot be null, nor can their keys be missing. */
export function validateListKeys(schema: Schema, at: Path): readonly FieldError[] {
  const items = itemsOf(schema)
  const listType = schema[listTypeField]
  if (items === undefined || (listType !== 'set' && listType !== 'map')) return []
  const errors: Errors = []
  const here = at.child('items')
  if (items.nullable === true) errors.push(forbiddenField(here.child('nullable'), `cannot be nullable when x-kubernetes-list-type is ${listType}`))
  if (listType === 'set') return errors
  for (const key of schema[keysField] ?? []) {
    const property = items.properties?.[key]
    if (property === undefined) continue
    const keyAt = here.child('properties').key(key)
    if (!(items.required ?? []).includes(key) && property.default === undefined) {
      errors.push(required(keyAt.child('default'), 'this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property'))
    }
    if (property.nullable === true) errors.push(forbiddenField(keyAt.child('nullable'), 'this property is in x-kubernetes-list-map-keys, so it cannot be nullable'))
  }
  return errors
}
