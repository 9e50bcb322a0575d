/**
 * Structural schemas: one place says of each value what it is, and the logical parts (allOf, anyOf, oneOf, not) only
 * restrict what stands there (pkg/apiserver/schema/validation.go, convert.go). That what they restrict is declared at
 * all is completeness.ts.
 */
import { equalJson } from '../../lib/json.ts'
import type { Errors } from '../checks.ts'
import { forbiddenField, invalidValue, required, type FieldError, type Path } from '../field.ts'
import type { JSONSchemaProps } from '../schema/types.ts'
import { validateCompleteness } from './completeness.ts'
import { patternOf } from './structural/patterns.ts'

type Schema = Readonly<JSONSchemaProps>
type Level = 'root' | 'item' | 'field'

/** Why a schema cannot even be read as a structural one. */
export function structuralError(schema: Schema): string | undefined {
  return unsupported(schema) ?? nestedError(schema)
}

/** Fields that no schema of a custom kind may have, in upstream's order. */
const unsupportedFields = [['id', 'id'], ['$schema', 'schema'], ['$ref', '$ref'], ['patternProperties', 'patternProperties'], ['dependencies', 'dependencies'], ['additionalItems', 'additionalItems'], ['definitions', 'definitions']] as const

function unsupported(schema: Schema): string | undefined {
  for (const [field, name] of unsupportedFields) {
    const value = schema[field]
    if (value === undefined || value === '' || (field !== 'additionalItems' && typeof value === 'object' && isEmpty(value))) continue
    return `OpenAPIV3Schema '${name}' is not supported`
  }
  return undefined
}

/** The first error of the parts. */
function nestedError(schema: Schema): string | undefined {
  const { not, items, additionalProperties } = schema
  const logic = (not === undefined ? undefined : structuralError(not)) ?? firstError(schema.allOf) ?? firstError(schema.anyOf) ?? firstError(schema.oneOf)
  if (logic !== undefined) return logic
  if (schema['x-kubernetes-preserve-unknown-fields'] === false) return "internal error: 'x-kubernetes-preserve-unknown-fields' must be true or undefined"
  if (Array.isArray(items) && items.length > 0) return "OpenAPIV3Schema 'items' must be a schema, but is an array"
  let error = items === undefined || Array.isArray(items) ? undefined : structuralError(items)
  for (const name in schema.properties) error ??= structuralError(schema.properties[name] as Schema)
  return error ?? (typeof additionalProperties === 'object' ? structuralError(additionalProperties) : undefined)
}

function firstError(schemas: readonly Schema[] | undefined): string | undefined {
  for (const each of schemas ?? []) {
    const error = structuralError(each)
    if (error !== undefined) return error
  }
  return undefined
}

function isEmpty(map: object | undefined): boolean {
  for (const _ in map) return false
  return true
}

/** What makes it not structural, in the order of the sentences; structuralError has nothing to say. */
export function validateStructural(schema: Schema, at: Path): readonly FieldError[] {
  const errors: Errors = []
  validateInvariants(errors, schema, 'root', at)
  validateCompleteness(errors, schema, at)
  return errors.length < 2 ? errors : errors.map((error) => ({ error, text: error.message() })).sort((a, b) => (a.text < b.text ? -1 : 1)).map(({ error }) => error)
}

function validateInvariants(errors: Errors, schema: Schema, level: Level, at: Path): void {
  const { type = '', properties = {}, additionalProperties, items } = schema
  if (type === 'array' && items === undefined) errors.push(required(at.child('items'), 'must be specified'))
  if (items !== undefined && !Array.isArray(items)) validateInvariants(errors, items, 'item', at.child('items'))
  for (const name in properties) validateInvariants(errors, properties[name] as Schema, 'field', at.child('properties').key(name))
  if (additionalProperties !== undefined) {
    if (level === 'root') errors.push(forbiddenField(at.child('additionalProperties'), 'must not be used at the root'))
    if (typeof additionalProperties === 'object') validateInvariants(errors, additionalProperties, 'field', at.child('additionalProperties'))
  }
  validateExtensions(errors, schema, at)
  validateLogic(errors, schema, { anyOf: isIntOrString(schema.anyOf), firstAllOf: isIntOrString(schema.allOf?.[0]?.anyOf) }, at)
  validateType(errors, schema, level, at)
  validateMetadata(errors, schema, level, at)
  if (isEmbedded(schema) && !keepsUnknown(schema) && isEmpty(properties)) {
    errors.push(required(at.child('properties'), 'must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields'))
  }
}

const isEmbedded = (schema: Schema): boolean => schema['x-kubernetes-embedded-resource'] === true
const keepsUnknown = (schema: Schema): boolean => schema['x-kubernetes-preserve-unknown-fields'] === true
const takesBoth = (schema: Schema): boolean => schema['x-kubernetes-int-or-string'] === true

const typeSentences: Readonly<Record<Level, string>> = {
  root: 'must not be empty at the root', item: 'must not be empty for specified array items', field: 'must not be empty for specified object fields',
}

function validateType(errors: Errors, schema: Schema, level: Level, at: Path): void {
  const type = schema.type ?? ''
  const here = at.child('type')
  if (isEmbedded(schema) && type !== 'object') {
    const sentence = 'must be object if x-kubernetes-embedded-resource is true'
    errors.push(type === '' ? required(here, sentence) : invalidValue(here, type, sentence))
  } else if (type === '' && !takesBoth(schema) && !keepsUnknown(schema)) {
    errors.push(required(here, typeSentences[level]))
  }
  if (isEmbedded(schema) && schema.additionalProperties !== undefined) {
    errors.push(forbiddenField(at.child('additionalProperties'), 'must not be used if x-kubernetes-embedded-resource is set'))
  }
  if (level === 'root' && type !== '' && type !== 'object') errors.push(invalidValue(here, type, 'must be object at the root'))
}

function validateExtensions(errors: Errors, schema: Schema, at: Path): void {
  if (!takesBoth(schema)) return
  const sentence = 'must be false if x-kubernetes-int-or-string is true'
  if (keepsUnknown(schema)) errors.push(invalidValue(at.child('x-kubernetes-preserve-unknown-fields'), true, sentence))
  if (isEmbedded(schema)) errors.push(invalidValue(at.child('x-kubernetes-embedded-resource'), true, sentence))
}

/** Of kind, apiVersion and metadata of a whole object, a schema may say little: they are every object's. */
function validateMetadata(errors: Errors, schema: Schema, level: Level, at: Path): void {
  const whole = level === 'root' || isEmbedded(schema)
  const { kind, apiVersion, metadata } = schema.properties ?? {}
  const typeOf = (name: string): Path => at.child('properties').key(name).child('type')
  if (whole && kind !== undefined && kind.type !== 'string') errors.push(invalidValue(typeOf('kind'), kind.type ?? '', 'must be string'))
  if (whole && apiVersion !== undefined && apiVersion.type !== 'string') errors.push(invalidValue(typeOf('apiVersion'), apiVersion.type ?? '', 'must be string'))
  if (metadata === undefined) return
  if (whole && metadata.type !== 'object') errors.push(invalidValue(typeOf('metadata'), metadata.type ?? '', 'must be object'))
  if (level === 'root' && saysMoreThanNames(metadata)) {
    errors.push(forbiddenField(at.child('properties').key('metadata'), 'must not specify anything other than name and generateName, but metadata is implicitly specified'))
  }
}

function saysMoreThanNames({ type: _type, default: _default, properties = {}, ...rest }: Schema): boolean {
  return !equalJson(rest, {}) || Object.keys(properties).some((name) => name !== 'name' && name !== 'generateName')
}

/** The one place where types may stand under a junctor: `anyOf: [{type: integer}, {type: string}]`. */
const isIntOrString = (anyOf: readonly Schema[] | undefined): boolean => anyOf?.length === 2 && equalJson(anyOf, [{ type: 'integer' }, { type: 'string' }])

/** The forms of an int-or-string that are let through. */
interface Skipped {
  readonly anyOf: boolean
  readonly firstAllOf: boolean
}

const nothing: Skipped = { anyOf: false, firstAllOf: false }

function validateLogic(errors: Errors, schema: Schema, skip: Skipped, at: Path): void {
  const { anyOf, allOf, oneOf, not, pattern } = schema
  if (!skip.anyOf) anyOf?.forEach((each, i) => validateNested(errors, each, nothing, at.child('anyOf').index(i)))
  allOf?.forEach((each, i) => validateNested(errors, each, { anyOf: skip.firstAllOf && i === 0, firstAllOf: false }, at.child('allOf').index(i)))
  oneOf?.forEach((each, i) => validateNested(errors, each, nothing, at.child('oneOf').index(i)))
  if (not !== undefined) validateNested(errors, not, nothing, at.child('not'))
  const compiled = pattern === undefined || pattern === '' ? undefined : patternOf(pattern)
  if (typeof compiled === 'string') errors.push(invalidValue(at.child('pattern'), pattern, `must be a valid regular expression, but isn't: ${compiled}`))
}

/** What stands under a junctor restricts values, and says nothing of what they are. */
function validateNested(errors: Errors, schema: Schema, skip: Skipped, at: Path): void {
  validateLogic(errors, schema, skip, at)
  const { items, properties = {} } = schema
  if (items !== undefined && !Array.isArray(items)) validateNested(errors, items, nothing, at.child('items'))
  for (const name in properties) validateNested(errors, properties[name] as Schema, nothing, at.child('properties').key(name))
  for (const [field, sentence] of structureOnly) {
    if (isSaid(schema[field], field)) errors.push(forbiddenField(at.child(field), `${sentence} to be structural`))
  }
  if (properties['metadata'] !== undefined) errors.push(forbiddenField(at.child('properties').key('metadata'), 'must not be specified in a nested context'))
}

const structureOnly = [
  ['type', 'must be empty'],
  ['additionalProperties', 'must be undefined'],
  ['default', 'must be undefined'],
  ['title', 'must be empty'],
  ['description', 'must be empty'],
  ['nullable', 'must be false'],
  ['x-kubernetes-preserve-unknown-fields', 'must be false'],
  ['x-kubernetes-embedded-resource', 'must be false'],
  ['x-kubernetes-int-or-string', 'must be false'],
  ['x-kubernetes-list-map-keys', 'must be empty'],
  ['x-kubernetes-list-type', 'must be undefined'],
  ['x-kubernetes-map-type', 'must be undefined'],
  ['x-kubernetes-validations', 'must be empty'],
] as const satisfies readonly (readonly [field: keyof JSONSchemaProps, sentence: string])[]

/** `default: false` says something; `nullable: false` and `additionalProperties: false` do not. */
const isSaid = (value: unknown, field: string): boolean =>
  value !== undefined && (field === 'default' || (value !== false && !(Array.isArray(value) && value.length === 0)))
