/**
 * What may stand in the schema of a custom kind, place by place (ValidateCustomResourceDefinitionOpenAPISchema of
 * apis/apiextensions/validation). That it is structural as a whole is structuralrules.ts, its defaults are
 * defaultrules.ts, the expressions in it celrules.ts.
 */
import type { Errors } from '../checks.ts'
import { forbiddenField, invalidValue, notSupported, type Path } from '../field.ts'
import type { JSONSchemaProps } from '../schema/types.ts'
import { validateExpressions } from './celrules.ts'
import { validateListKeys, validateTopology } from './listrules.ts'
import { childScope, type RuleScope } from './rulescope.ts'
import { validateRuleTexts } from './ruletexts.ts'
import { below, uncorrelatedFrom, withoutDefaults, type Standing } from './standing.ts'

type Schema = Readonly<JSONSchemaProps>

/** Sorted, as upstream names them. */
export const schemaTypes: readonly string[] = ['array', 'boolean', 'integer', 'number', 'object', 'string']

export interface SchemaLeniency {
  readonly unknownTypes: boolean
  readonly setsOfAnything: boolean
  readonly looseListKeys: boolean
  /** Rules cost what they cost: they did before. */
  readonly anyRuleCost: boolean
}

/** Expressions are looked at only where everything below them is right, and come after the rest. */
export interface Found {
  readonly schema: Errors
  readonly expressions: Errors
}

export const newFound = (): Found => ({ schema: [], expressions: [] })

/** `scope` is undefined where expressions cannot be looked at: the schema is wrong, or stands under a junctor. */
export function validateSchema(found: Found, schema: Schema, at: Path, standing: Standing, lenient: SchemaLeniency, scope: RuleScope | undefined): void {
  const mine = newFound()
  validatePlace(mine.schema, schema, at, standing, lenient)
  if (schema.uniqueItems === true) {
    mine.schema.push(forbiddenField(at.child('uniqueItems'), 'uniqueItems cannot be set to true since the runtime complexity becomes quadratic'))
  }
  const visit = (inner: Schema, innerAt: Path, innerStanding: Standing, innerScope?: RuleScope): void =>
    validateSchema(mine, inner, innerAt, innerStanding, lenient, innerScope)
  validateMembers(mine.schema, visit, schema, at, standing, childScope(scope, schema))
  validateJunctors(visit, schema, at, below(standing))
  validateItems(visit, schema, at, below(standing), childScope(scope, schema))
  if (schema['x-kubernetes-preserve-unknown-fields'] === false) {
    mine.schema.push(invalidValue(at.child('x-kubernetes-preserve-unknown-fields'), false, 'must be true or undefined'))
  }
  validateTopology(mine.schema, schema, at, lenient)
  if (!lenient.looseListKeys) mine.schema.push(...validateListKeys(schema, at))
  validateRuleTexts(mine.schema, schema, at)
  if (mine.schema.length === 0 && scope !== undefined) validateExpressions(mine.expressions, schema, at, standing, lenient, scope)
  found.schema.push(...mine.schema)
  found.expressions.push(...mine.expressions)
}

function validatePlace(errors: Errors, schema: Schema, at: Path, standing: Standing, lenient: SchemaLeniency): void {
  const { type = '', items } = schema
  if (!lenient.unknownTypes && type !== '' && !schemaTypes.includes(type)) errors.push(notSupported(at.child('type'), type, schemaTypes))
  if (schema.default !== undefined && !standing.defaults) {
    errors.push(forbiddenField(at.child('default'), `must not be set${standing.noDefaultsReason === '' ? '' : ` ${standing.noDefaultsReason}`}`))
  }
  for (const field of unsupported) if (isThere(schema[field])) errors.push(forbiddenField(at.child(field), `${field} is not supported`))
  if (type === 'null') errors.push(forbiddenField(at.child('type'), 'type cannot be set to null, use nullable as an alternative'))
  if (Array.isArray(items) && items.length > 0) errors.push(forbiddenField(at.child('items'), 'items must be a schema object and not an array'))
  if (standing.insideMeta && schema['x-kubernetes-embedded-resource'] === true) {
    errors.push(forbiddenField(at.child('x-kubernetes-embedded-resource'), 'must not be used inside of resource meta'))
  }
}

const unsupported = ['id', 'additionalItems', 'patternProperties', 'definitions', 'dependencies', '$ref'] as const

const isThere = (value: unknown): boolean => value !== undefined && value !== '' && (typeof value !== 'object' || value === null || Object.keys(value).length > 0)

type Visit = (schema: Schema, at: Path, standing: Standing, scope?: RuleScope) => void

const metaFields = new Set(['metadata', 'kind', 'apiVersion'])

function validateMembers(errors: Errors, visit: Visit, schema: Schema, at: Path, standing: Standing, scope: RuleScope | undefined): void {
  const { additionalProperties, properties } = schema
  const inside = below(standing)
  if (additionalProperties !== undefined) {
    const here = at.child('additionalProperties')
    if (properties !== undefined && additionalProperties !== true) errors.push(forbiddenField(here, 'additionalProperties and properties are mutual exclusive'))
    const there = standing.insideMeta ? withoutDefaults(inside, 'inside additionalProperties applying to object metadata') : inside
    if (typeof additionalProperties === 'object') visit(additionalProperties, here, there, scope)
  }
  for (const [name, property] of Object.entries(properties ?? {})) {
    let there = inside
    if ((standing.root || schema['x-kubernetes-embedded-resource'] === true) && metaFields.has(name)) {
      there = { ...there, insideMeta: true }
      if (standing.root) there = withoutDefaults(there, `in top-level ${name}`)
    }
    visit(property, at.child('properties').key(name), there, scope)
  }
}

function validateJunctors(visit: Visit, schema: Schema, at: Path, standing: Standing): void {
  if (schema.not !== undefined) visit(schema.not, at.child('not'), standing)
  for (const junctor of ['allOf', 'oneOf', 'anyOf'] as const) schema[junctor]?.forEach((each, i) => visit(each, at.child(junctor).index(i), standing))
  for (const [name, each] of Object.entries(schema.definitions ?? {})) visit(each, at.child('definitions').key(name), standing)
  for (const [name, each] of Object.entries(schema.dependencies ?? {})) if (!Array.isArray(each)) visit(each, at.child('dependencies').key(name), standing)
}

function validateItems(visit: Visit, schema: Schema, at: Path, standing: Standing, scope: RuleScope | undefined): void {
  const { items } = schema
  if (items === undefined) return
  const there = schema['x-kubernetes-list-type'] === 'map' ? standing : uncorrelatedFrom(standing, at)
  if (Array.isArray(items)) items.forEach((each, i) => visit(each, at.child('items').index(i), there, scope))
  else visit(items, at.child('items'), there, scope)
}
