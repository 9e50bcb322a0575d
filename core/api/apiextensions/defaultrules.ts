/**
 * Defaults in a schema have to be values of it: nothing unknown in them, and all that the schema asks of a value holds
 * for them (pkg/apiserver/schema/defaulting/validation.go). Defaults inside metadata are looked at as part of an object.
 */
import { cloneJson, equalJson } from '../../lib/json.ts'
import type { Errors } from '../checks.ts'
import { FieldError, invalidValue, type Path } from '../field.ts'
import type { JSONSchemaProps } from '../schema/types.ts'
import { shownJson } from './internalform.ts'
import { coerceMeta, validateEmbedded } from './structural/objectmeta.ts'
import { prune } from './structural/prune.ts'
import { requestCostMax, ruleTree } from './structural/ruletree.ts'
import { asRoot, structuralOf, type Structural } from './structural/schema.ts'
import { validateValue } from './structural/validate.ts'
import { schemaHas } from './walk.ts'

type Schema = Readonly<JSONSchemaProps>

const hasDefaults = (schema: Schema): boolean => schemaHas(schema, (each) => each.default !== undefined)

export interface DefaultOptions {
  /** Unknown fields in them are wrong. */
  readonly pruned: boolean
}

/** `schema` is structural. */
export function validateDefaults(errors: Errors, schema: Schema, at: Path, options: DefaultOptions): void {
  if (!hasDefaults(schema)) return
  const root = asRoot(structuralOf(schema))
  const means: Means = { ...options, budget: requestCostMax }
  visit(root, at, { around: root, inMeta: false, put: wholeObject }, (one, here, place) => {
    if (means.budget < 0) return
    if (place.inMeta) validateInMeta(errors, one, here, place, means)
    else validateOne(errors, one, here, means)
  })
}

/** Whether a default has fields that its schema does not know. */
export function hasUnprunedDefault(schema: Schema): boolean {
  if (!hasDefaults(schema)) return false
  let found = false
  const root = structuralOf(schema)
  visit(root, undefined, { around: root, inMeta: false, put: wholeObject }, (one) => {
    found ||= !isPruned(one)
  })
  return found
}

interface Place {
  /** The innermost whole object around it. */
  readonly around: Structural
  /** In kind, apiVersion or metadata of that. */
  readonly inMeta: boolean
  /** Makes such an object of a value in this place. */
  readonly put: (value: unknown) => unknown
}

const wholeObject = (value: unknown): unknown => ({ kind: 'Validation', apiVersion: 'validation/v1', ...(value as object) })

const metaFields = new Set(['metadata', 'apiVersion', 'kind'])

type Visit = (schema: Structural, at: Path, place: Place) => void

/** Every schema with a default; there is none in additionalProperties that anybody would fill in. */
function visit(schema: Structural, at: Path | undefined, place: Place, each: Visit): void {
  const here: Place = schema.embedded ? { around: schema, inMeta: false, put: wholeObject } : place
  if (schema.source.default !== undefined) each(schema, at as Path, here)
  const { put } = here
  if (schema.items !== undefined) visit(schema.items, at?.child('items'), { ...here, put: (value) => put([value]) }, each)
  for (const [name, property] of schema.properties) {
    const inMeta = here.inMeta || (schema.embedded && metaFields.has(name))
    visit(property, at?.child('properties').key(name), { ...here, inMeta, put: (value) => put({ [name]: value }) }, each)
  }
}

interface Means extends DefaultOptions {
  /** What the rules of all defaults together may still cost; below 0, no more are asked. */
  budget: number
}

function isPruned(schema: Structural): boolean {
  const value = cloneJson(schema.source.default)
  prune(value, schema)
  return equalJson(value, schema.source.default)
}

function validateOne(errors: Errors, schema: Structural, at: Path, means: Means): void {
  const here = at.child('default')
  const value = schema.source.default
  if (means.pruned && !isPruned(schema)) errors.push(invalidValue(here, shownJson(value), 'must not have unknown fields'))
  const { error } = coerceMeta(cloneJson(value), schema, { dropInvalid: false })
  const wrong = error === undefined ? validateEmbedded(value, schema).map((each) => within(here, each)) : [within(here, error)]
  errors.push(...(wrong.length > 0 ? wrong : valueErrors(schema, here, means)))
}

function validateInMeta(errors: Errors, schema: Structural, at: Path, { around, put }: Place, means: Means): void {
  const here = at.child('default')
  const value = schema.source.default
  const object = put(cloneJson(value))
  const { error } = coerceMeta(object, asRoot(around), { dropInvalid: false })
  const wrong = error === undefined ? validateEmbedded(object, asRoot(around)) : [error]
  if (wrong.length === 0) {
    errors.push(...valueErrors(schema, here, means))
    return
  }
  const text = wrong.map((each) => each.message())
  errors.push(invalidValue(here, shownJson(value), `must result in valid metadata: ${text.length === 1 ? text[0] : `[${[...new Set(text)].join(', ')}]`}`))
}

/** By the schema, and then by its rules: as something that stays as it is, and as something new. */
function valueErrors(schema: Structural, at: Path, means: Means): readonly FieldError[] {
  const value = schema.source.default
  const wrong = validateValue(value, schema.source, at.text)
  const rules = wrong.length > 0 ? undefined : ruleTree(schema, schema.embedded)
  if (rules === undefined) return wrong
  const kept = rules.ask({ at, value, old: value, budget: means.budget })
  const made = kept.errors.length > 0 ? kept : rules.ask({ at, value, budget: means.budget })
  means.budget = Math.min(kept.budget, made.budget)
  return made.errors
}

function within(at: Path, { type, field, value, detail }: FieldError): FieldError {
  return new FieldError(type, field.startsWith('[') ? `${at.text}${field}` : `${at.text}.${field}`, value, detail)
}
