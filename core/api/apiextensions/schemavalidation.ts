/** The schema of one version, or of all: structural, its defaults right, each place in it as it should be, its rules not too costly. */
import type { Errors } from '../checks.ts'
import { forbiddenField, invalidValue, type Path } from '../field.ts'
import type { CustomResourceValidation, JSONSchemaProps } from '../schema/types.ts'
import { costSentence, totalCostMax } from './costs.ts'
import { validateDefaults } from './defaultrules.ts'
import { shownSchema } from './internalform.ts'
import type { Leniency } from './leniency.ts'
import { rootScope } from './rulescope.ts'
import { newFound, validateSchema } from './schemarules.ts'
import { atRoot } from './standing.ts'
import { structuralError, validateStructural } from './structuralrules.ts'

type Schema = Readonly<JSONSchemaProps>

export interface SchemaOptions {
  readonly lenient: Leniency
  /** The version has a /status of its own. */
  readonly hasStatus: boolean
  /** It is what it was. */
  readonly isUnchanged: boolean
  /** It has to be structural. */
  readonly structural: boolean
}

export function validateVersionSchema(errors: Errors, validation: Readonly<CustomResourceValidation> | undefined, at: Path, options: SchemaOptions): void {
  const schema = validation?.openAPIV3Schema
  if (schema === undefined) return
  const here = at.child('openAPIV3Schema')
  const found: Errors = []
  if (options.hasStatus) validateForStatus(found, schema, at)
  if (schema.nullable === true) found.push(forbiddenField(at.child('openAPIV3Schema.nullable'), 'nullable cannot be true at the root'))
  const unreadable = options.structural ? structuralError(schema) : undefined
  const isSound = options.structural && unreadable === undefined && validateShape(found, schema, here, options.lenient)
  const scope = isSound ? rootScope(schema) : undefined
  const { unknownTypes, setsOfAnything, looseListKeys } = options.lenient
  const places = newFound()
  validateSchema(places, schema, here, atRoot, { unknownTypes, setsOfAnything, looseListKeys, anyRuleCost: options.isUnchanged }, scope)
  found.push(...places.schema, ...places.expressions)
  // What makes a schema unreadable mostly has its own sentence already.
  if (found.length === 0 && unreadable !== undefined) found.push(invalidValue(here, '', unreadable))
  const costs = scope?.costs
  if (costs !== undefined && costs.total > totalCostMax) {
    for (const { at: rule } of costs.mostExpensive) found.push(forbiddenField(rule, 'contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema'))
    found.push(forbiddenField(here, costSentence('x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema', costs.total, totalCostMax)))
  }
  errors.push(...found)
}

/** Whether it is structural and its defaults are right: only then do expressions have types. */
function validateShape(errors: Errors, schema: Schema, at: Path, lenient: Leniency): boolean {
  const wrong = validateStructural(schema, at)
  errors.push(...wrong)
  if (wrong.length > 0) return false
  const before = errors.length
  validateDefaults(errors, schema, at, { pruned: !lenient.unprunedDefaults })
  return errors.length === before
}

/** Where status is written apart, only what also holds for a part of the object may be said of the whole; upstream's names, in its order. */
const allowedWithStatus: readonly (readonly [field: keyof JSONSchemaProps, name: string])[] = [
  ['description', 'Description'], ['type', 'Type'], ['format', 'Format'], ['title', 'Title'], ['maximum', 'Maximum'], ['exclusiveMaximum', 'ExclusiveMaximum'],
  ['minimum', 'Minimum'], ['exclusiveMinimum', 'ExclusiveMinimum'], ['maxLength', 'MaxLength'], ['minLength', 'MinLength'], ['pattern', 'Pattern'],
  ['maxItems', 'MaxItems'], ['minItems', 'MinItems'], ['uniqueItems', 'UniqueItems'], ['multipleOf', 'MultipleOf'], ['required', 'Required'], ['items', 'Items'],
  ['properties', 'Properties'], ['externalDocs', 'ExternalDocs'], ['example', 'Example'], ['x-kubernetes-preserve-unknown-fields', 'XPreserveUnknownFields'],
  ['x-kubernetes-validations', 'XValidations'],
]
const allowedFields = new Set<string>(allowedWithStatus.map(([field]) => field))
const allowedNames = allowedWithStatus.map(([, name]) => name).join(' ')

/** Upstream looks at the fields in order, and says one thing. */
function validateForStatus(errors: Errors, schema: Schema, at: Path): void {
  const isSet = (field: string): boolean => schema[field as keyof Schema] !== undefined
  const early = earlyFields.some((field) => isSet(field))
  const { type = '' } = schema
  if (!early && type !== '' && type !== 'object') {
    errors.push(invalidValue(at.child('openAPIV3Schema.type'), type, 'only "object" is allowed as the type at the root of the schema if the status subresource is enabled'))
  } else if (Object.keys(schema).some((field) => isSet(field) && !allowedFields.has(field))) {
    const sentence = `only [${allowedNames}] fields are allowed at the root of the schema if the status subresource is enabled`
    errors.push(invalidValue(at.child('openAPIV3Schema'), shownSchema(schema), sentence))
  }
}

/** Those that upstream meets before the type. */
const earlyFields = ['id', '$schema', '$ref'] as const
