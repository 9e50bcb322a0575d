/**
 * Takes an object of a custom kind as a client sent it: metadata is read as every object's, fields that the schema does
 * not know are dropped and named, nulls that mean nothing go (apiserver/customresource_handler.go, unstructuredSchemaCoercer).
 */
import { duplicateFields } from '../../codec/json.ts'
import { badRequest } from '../../errors.ts'
import type { AnyObject } from '../../meta.ts'
import type { Decoded, DecodeOptions } from '../../schema/validate.ts'
import { dropNulls } from './defaults.ts'
import type { JsonMap } from './json.ts'
import { coerceMeta, decodeMeta } from './objectmeta.ts'
import { prune } from './prune.ts'
import { asRoot, type Structural } from './schema.ts'

interface Target {
  readonly version: string
  readonly kind: string
}

/** `value` says of which kind and version it is already, and becomes the callee's. */
export function decodeCustom(target: Target, schema: Structural, value: JsonMap, options: DecodeOptions): Decoded<AnyObject> {
  const strict = options.fieldValidation !== 'Ignore'
  const duplicates = strict && options.text !== undefined ? duplicateFields(options.text, value, options.added) : []
  const fit = fitSchema(value, schema)
  const refuse = (message: string): Decoded<AnyObject> => ({
    ok: false,
    error: badRequest(`${target.kind} in version ${JSON.stringify(target.version)} cannot be handled as a ${target.kind}: ${message}`),
  })
  if (!fit.ok) return refuse(fit.error)
  if (!strict) return { ok: true, object: fit.object, warnings: [] }
  const again = duplicates.map((path) => `duplicate field "${path}"`)
  const problems = [...(options.problems ?? []), ...again, ...fit.unknown.map((path) => `unknown field "${path}"`)]
  if (problems.length > 0 && options.fieldValidation === 'Strict') return refuse(`strict decoding error: ${problems.join(', ')}`)
  return { ok: true, object: fit.object, warnings: problems }
}

export type Fit =
  | { readonly ok: true; readonly object: AnyObject; /** What was dropped. */ readonly unknown: readonly string[] }
  | { readonly ok: false; readonly error: string }

/** Brings a whole object into the schema's form, in place; its kind and apiVersion are strings. */
export function fitSchema(value: JsonMap, schema: Structural): Fit {
  const { kind, apiVersion } = value
  const sent = value['metadata']
  const meta = sent === undefined ? undefined : decodeMeta(sent)
  if (meta?.ok === false) return { ok: false, error: meta.error }
  const pruned = prune(value, asRoot(schema))
  dropNulls(value, schema)
  const coerced = coerceMeta(value, schema, { dropInvalid: false })
  if (coerced.error !== undefined) return { ok: false, error: coerced.error.message() }
  if (meta !== undefined) value['metadata'] = meta.metadata
  if (kind !== undefined) value['kind'] = kind
  if (apiVersion !== undefined) value['apiVersion'] = apiVersion
  const unknown = [...(meta?.unknown ?? []).map((path) => `metadata.${path}`), ...pruned, ...coerced.unknown]
  return { ok: true, object: value as unknown as AnyObject, unknown }
}
