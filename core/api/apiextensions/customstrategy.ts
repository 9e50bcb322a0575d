/**
 * How writes of a custom kind behave: everything that the schema says is checked, and nothing is forgiven but what was
 * as wrong before the update (registry/customresource/{strategy,status_strategy,validator}.go). Status and generation
 * are the registry's business.
 */
import { FieldError, goQuote, invalidValue, path } from '../field.ts'
import type { StatusRules, Strategy } from '../kind.ts'
import type { AnyObject } from '../meta.ts'
import { qualifiedName } from '../names.ts'
import type { CustomResourceSubresourceScale } from '../schema/types.ts'
import type { CompiledVersion } from './compiledversion.ts'
import { inOrder, isMap } from './structural/json.ts'
import { Correlation } from './structural/correlation.ts'
import { validateLists } from './structural/listtype.ts'
import { validateEmbedded } from './structural/objectmeta.ts'
import { checkChange, checkValue } from './structural/validate.ts'

type Object = Readonly<AnyObject>

export function customStrategy(version: CompiledVersion): Strategy<AnyObject> {
  return {
    validateCreate(object) {
      const errors = [...checkValue(version.check, object), ...validateScale(object, version.scale, true), ...validateEmbedded(object, version.schema)]
      errors.push(...validateLists(object, version.schema))
      return withRules(errors, version, object, undefined)
    },
    validateUpdate(next, prev) {
      const correlation = new Correlation(next, prev, version.schema)
      const errors = [...checkChange(version.check, next, correlation), ...validateScale(next, version.scale, true), ...validateEmbedded(next, version.schema)]
      errors.push(...newListErrors(next, prev, version))
      return withRules(errors, version, next, correlation)
    },
    warnings: (next, prev) => [...(forgiven.get(next) ?? []), ...finalizerWarnings(next, prev)],
  }
}

export function customStatus(version: CompiledVersion): StatusRules<AnyObject> {
  return {
    validateUpdate(next, prev) {
      const correlation = new Correlation(next, prev, version.schema)
      const errors: FieldError[] = []
      const check = version.statusCheck
      if (check !== undefined && next['status'] !== undefined) errors.push(...checkChange(check, next['status'], correlation.key('status'), 'status'))
      errors.push(...validateScale(next, version.scale, false), ...newListErrors(next, prev, version))
      return withRules(errors, version, next, correlation)
    },
    warnings: (next) => forgiven.get(next) ?? [],
  }
}

/** Lists that repeat themselves are refused where they did not before. */
function newListErrors(next: Object, prev: Object, version: CompiledVersion): readonly FieldError[] {
  const errors = validateLists(next, version.schema)
  return errors.length === 0 || validateLists(prev, version.schema).length > 0 ? [] : errors
}

/** After these errors rules are not asked: what they would look at is not what its type says. */
const blocking = new Set(['FieldValueNotSupported', 'FieldValueRequired', 'FieldValueTooLong', 'FieldValueTooMany', 'FieldValueTypeInvalid'])
const uncheckedSentence = 'some validation rules were not checked because the object was invalid; correct the existing errors to complete validation'

function withRules(errors: readonly FieldError[], version: CompiledVersion, object: Object, correlation: Correlation | undefined): readonly FieldError[] {
  if (!version.schema.has.rules) return errors
  if (errors.some((error) => blocking.has(error.type))) return [...errors, new FieldError('FieldValueInvalid', '<nil>', null, uncheckedSentence)]
  const told = version.askRules(object, correlation)
  if (told.forgiven.length > 0) forgiven.set(object, told.forgiven.map((error) => error.message()))
  return [...errors, ...told.errors]
}

/** What a rule said of what has not changed: the client is told, and the write goes on. */
const forgiven = new WeakMap<Object, readonly string[]>()

const int32Max = 2 ** 31 - 1

function validateScale(object: Object, scale: Readonly<CustomResourceSubresourceScale> | undefined, spec: boolean): readonly FieldError[] {
  if (scale === undefined) return []
  const errors: FieldError[] = []
  if (spec) validateReplicas(errors, object, scale.specReplicasPath)
  validateReplicas(errors, object, scale.statusReplicasPath)
  const { labelSelectorPath } = scale
  if (labelSelectorPath !== undefined) {
    const { error } = nested(object, labelSelectorPath, 'string')
    if (error !== undefined) errors.push(invalidValue(path(labelSelectorPath), '', error))
  }
  return errors
}

function validateReplicas(errors: FieldError[], object: Object, at: string): void {
  const { value = 0, error } = nested(object, at, 'int64')
  const replicas = value as number
  if (error !== undefined) errors.push(invalidValue(path(at), 0, error))
  else if (replicas < 0) errors.push(invalidValue(path(at), replicas, 'should be a non-negative integer'))
  else if (replicas > int32Max) errors.push(invalidValue(path(at), replicas, `should be less than or equal to ${int32Max}`))
}

interface Nested {
  readonly value?: unknown
  readonly error?: string
}

/** A field by its path, as apimachinery's unstructured accessors find it. */
function nested(object: Object, at: string, want: 'int64' | 'string'): Nested {
  const names = (at.startsWith('.') ? at.slice(1) : at).split('.')
  let value: unknown = object
  for (const [i, name] of names.entries()) {
    if (!isMap(value)) {
      const shown = value === null ? '<nil> is of the type <nil>' : `${goText(value)} is of the type ${goType(value)}`
      return { error: `.${names.slice(0, i + 1).join('.')} accessor error: ${shown}, expected map[string]interface{}` }
    }
    value = value[name]
    if (value === undefined) return {}
  }
  if (goType(value) === want) return { value }
  return { error: `.${names.join('.')} accessor error: ${value === null ? '<nil>' : goText(value)} is of the type ${goType(value)}, expected ${want}` }
}

function goType(value: unknown): string {
  if (value === null) return '<nil>'
  if (typeof value === 'number') return Number.isInteger(value) ? 'int64' : 'float64'
  if (typeof value === 'boolean') return 'bool'
  return typeof value === 'string' ? 'string' : isMap(value) ? 'map[string]interface {}' : '[]interface {}'
}

/** %v */
function goText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(goText).join(' ')}]`
  if (isMap(value)) return `map[${Object.entries(inOrder(value) as object).map(([key, inner]) => `${key}:${goText(inner)}`).join(' ')}]`
  return value === null ? '<nil>' : String(value)
}

const standardFinalizers = new Set(['orphan', 'foregroundDeletion', 'kubernetes'])

function finalizerWarnings(next: Object, prev: Object | undefined): readonly string[] {
  const before = prev?.metadata.finalizers ?? []
  const added = [...new Set(next.metadata.finalizers ?? [])].filter((finalizer) => !before.includes(finalizer)).sort()
  return added.flatMap(finalizerWarning)
}

function finalizerWarning(finalizer: string): readonly string[] {
  const said = (what: string): string => `metadata.finalizers: ${goQuote(finalizer)}: ${what}`
  const wrong = qualifiedName(finalizer).map(said)
  if (finalizer.includes('/') || standardFinalizers.has(finalizer)) return wrong
  const path = finalizer.includes('.') ? ' including a path (/)' : ''
  return [...wrong, said(`prefer a domain-qualified finalizer name${path} to avoid accidental conflicts with other finalizer writers`)]
}

