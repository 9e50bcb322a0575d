/**
 * Metadata of objects and of objects inside them: read as ObjectMeta whatever the schema says, fields that it has not
 * are dropped, and what stays is checked (apiextensions-apiserver/pkg/apiserver/schema/objectmeta).
 */
import type { Errors } from '../../checks.ts'
import { FieldError, invalidValue, Path, required } from '../../field.ts'
import type { KubeObject } from '../../meta.ts'
import { validateMeta } from '../../metavalidation.ts'
import { dns1035Label, pathSegment } from '../../names.ts'
import { definition } from '../../schema/schema.ts'
import { decodeValue } from '../../schema/validate.ts'
import { inOrder, isList, isMap, type JsonMap } from './json.ts'
import type { Structural } from './schema.ts'

export type MetaDecoded =
  | { readonly ok: true; readonly metadata: KubeObject['metadata']; /** Paths, from metadata on. */ readonly unknown: readonly string[] }
  | { readonly ok: false; readonly error: string }

/** `value` becomes the callee's. */
export function decodeMeta(value: unknown): MetaDecoded {
  if (value === null) return { ok: true, metadata: {}, unknown: [] }
  if (!isMap(value)) {
    const type = isList(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value
    return { ok: false, error: `json: cannot unmarshal ${type} into Go value of type v1.ObjectMeta` }
  }
  const { object, error, unknown } = decodeValue(definition('ObjectMeta'), value)
  if (error !== undefined) return { ok: false, error }
  const paths = unknown.map((text) => JSON.parse(text.slice(text.indexOf('"'))) as string)
  return { ok: true, metadata: object as KubeObject['metadata'], unknown: paths }
}

export interface Coerced {
  /** The first thing that cannot be read. */
  readonly error: FieldError | undefined
  readonly unknown: readonly string[]
}

const untouched: Coerced = { error: undefined, unknown: [] }

/**
 * Reads the metadata of objects inside `value`, in place. `dropInvalid`: what cannot be read goes, as in what was stored
 * before anybody looked; else it is an error.
 */
export function coerceMeta(value: unknown, schema: Structural, options: { readonly dropInvalid: boolean }): Coerced {
  if (!schema.has.embedded && !schema.embedded) return untouched
  const unknown: string[] = []
  const error = coerce(value, schema, undefined, { ...options, unknown })
  return { error, unknown: unknown.sort() }
}

interface Coercing {
  readonly dropInvalid: boolean
  readonly unknown: string[]
}

const child = (at: Path | undefined, name: string): Path => (at === undefined ? new Path(name) : at.child(name))
const keyed = (at: Path | undefined, name: string): Path => (at === undefined ? new Path(name, undefined, true) : at.key(name))

function coerce(value: unknown, schema: Structural | undefined, at: Path | undefined, how: Coercing): FieldError | undefined {
  if (schema === undefined || (!schema.has.embedded && !schema.embedded)) return undefined
  if (isList(value)) {
    for (const [i, item] of value.entries()) {
      const error = coerce(item, schema.items, (at ?? new Path('')).index(i), how)
      if (error !== undefined) return error
    }
    return undefined
  }
  if (!isMap(value)) return undefined
  const own = schema.embedded ? coerceObject(value, at, how) : undefined
  if (own !== undefined) return own
  for (const key of Object.keys(value)) {
    const property = schema.properties.get(key)
    const error = property === undefined ? coerce(value[key], schema.additional, keyed(at, key), how) : coerce(value[key], property, child(at, key), how)
    if (error !== undefined) return error
  }
  return undefined
}

function coerceObject(object: JsonMap, at: Path | undefined, how: Coercing): FieldError | undefined {
  for (const name of ['apiVersion', 'kind']) {
    if (object[name] === undefined || typeof object[name] === 'string') continue
    if (!how.dropInvalid) return invalidValue(child(at, name), inOrder(object[name]), 'must be a string')
    delete object[name]
  }
  if (object['metadata'] === undefined) return undefined
  const sent = object['metadata']
  const decoded = decodeMeta(how.dropInvalid ? readable(sent) : structuredClone(sent))
  if (!decoded.ok) return how.dropInvalid ? undefined : invalidValue(child(at, 'metadata'), inOrder(sent), decoded.error)
  how.unknown.push(...decoded.unknown.map((name) => `${child(at, 'metadata').text}.${name}`))
  object['metadata'] = decoded.metadata
  return undefined
}

/** Of metadata that cannot be read as a whole, the fields that can. */
export function readable(metadata: unknown): unknown {
  if (!isMap(metadata) || decodeMeta(structuredClone(metadata)).ok) return structuredClone(metadata)
  return Object.fromEntries(Object.entries(metadata).filter(([name, field]) => decodeMeta(structuredClone({ [name]: field })).ok))
}

/** What is wrong with objects inside `value`: they say what they are, and their metadata is in order. */
export function validateEmbedded(value: unknown, schema: Structural, at?: Path): readonly FieldError[] {
  const errors: Errors = []
  validate(errors, value, schema, at)
  return errors
}

function validate(errors: Errors, value: unknown, schema: Structural | undefined, at: Path | undefined): void {
  if (schema === undefined || (!schema.has.embedded && !schema.embedded)) return
  if (isList(value)) return value.forEach((item, i) => validate(errors, item, schema.items, (at ?? new Path('')).index(i)))
  if (!isMap(value)) return
  if (schema.embedded) validateObject(errors, value, at)
  for (const key in value) {
    const property = schema.properties.get(key)
    if (property === undefined) validate(errors, value[key], schema.additional, keyed(at, key))
    else validate(errors, value[key], property, child(at, key))
  }
}

function validateObject(errors: Errors, object: Readonly<JsonMap>, at: Path | undefined): void {
  const { apiVersion, kind, metadata } = object
  if (apiVersion === undefined) errors.push(required(child(at, 'apiVersion')))
  else validateApiVersion(errors, apiVersion, child(at, 'apiVersion'))
  if (kind === undefined) errors.push(required(child(at, 'kind')))
  else validateKind(errors, kind, child(at, 'kind'))
  if (metadata === undefined) return
  const decoded = decodeMeta(structuredClone(metadata))
  const place = child(at, 'metadata')
  if (!decoded.ok) {
    errors.push(invalidValue(place, inOrder(metadata), decoded.error))
    return
  }
  const { metadata: meta } = decoded
  const named = (meta.name ?? '') === '' ? { ...meta, name: 'unnamed' } : meta
  errors.push(...validateMeta(named, { namespaced: (meta.namespace ?? '') !== '', validateName: pathSegment }, place))
}

function validateApiVersion(errors: Errors, apiVersion: unknown, at: Path): void {
  if (typeof apiVersion !== 'string') errors.push(invalidValue(at, inOrder(apiVersion), 'must be a string'))
  else if (apiVersion === '') errors.push(invalidValue(at, apiVersion, 'must not be empty'))
  else if (apiVersion.split('/').length > 2) errors.push(invalidValue(at, apiVersion, `unexpected GroupVersion string: ${apiVersion}`))
}

function validateKind(errors: Errors, kind: unknown, at: Path): void {
  if (typeof kind !== 'string') errors.push(invalidValue(at, inOrder(kind), 'must be a string'))
  else if (kind === '') errors.push(invalidValue(at, kind, 'must not be empty'))
  else {
    const wrong = dns1035Label(kind.toLowerCase())
    if (wrong.length > 0) errors.push(invalidValue(at, kind, `may have mixed case, but should otherwise match: ${wrong.join(',')}`))
  }
}
