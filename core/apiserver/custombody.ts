/**
 * Bodies of custom kinds: upstream reads them without a type, so kind and apiVersion must be there, another version is
 * refused before another kind is, and what the schema does not know is its decoder's to say (kind.custom.decode).
 * After apiextensions-apiserver/pkg/apiserver/customresource_handler.go and apimachinery's unstructured decoder.
 */
import { badRequest, invalid, type ApiError } from '../api/errors.ts'
import { invalidValue, path } from '../api/field.ts'
import type { CustomRules } from '../api/kind.ts'
import { apiVersionOf, parseApiVersion, type AnyObject } from '../api/meta.ts'
import { unrecognized, type DecodeOptions } from '../api/schema/validate.ts'
import type { Target } from './deps.ts'
import { fromUtf8 } from './exchange.ts'

export interface CustomBody {
  readonly target: Target
  readonly custom: CustomRules
  readonly options: DecodeOptions
  readonly warn: (text: string) => void
}

/** `body` is what came over a socket; empty for objects of this process, which need not say what they are. */
export function decodeCustom(object: AnyObject, body: Uint8Array, init: CustomBody): AnyObject {
  const { target, custom, options } = init
  const want = apiVersionOf(target)
  if (body.length === 0) {
    if ((object.kind ?? '') === '') object.kind = target.kind
    if ((object.apiVersion ?? '') === '') object.apiVersion = want
  }
  if ((object.kind ?? '') === '') throw unrecognized(target.kind, `Object 'Kind' is missing in '${fromUtf8(body)}'`, body)
  if (object.apiVersion !== want) {
    throw badRequest(`the API version in the data (${object.apiVersion ?? ''}) does not match the expected API version (${want})`)
  }
  if (object.kind !== target.kind) throw otherKind(object, target)
  const decoded = custom.decode(object, options)
  if (!decoded.ok) throw decoded.error
  if (options.fieldValidation === 'Warn') for (const warning of decoded.warnings) init.warn(warning)
  decoded.object.metadata ??= {}
  return decoded.object
}

/** A patch may not make another kind or version of an object: validation says so, not the decoder. */
export function checkPatchedType(object: AnyObject, target: Target): void {
  const want = apiVersionOf(target)
  if (object.kind !== target.kind) throw otherKind(object, target)
  if (object.apiVersion === want) return
  const { group } = parseApiVersion(object.apiVersion ?? '')
  throw invalid({ group, kind: target.kind }, object.metadata.name ?? '', [invalidValue(path('apiVersion'), object.apiVersion, `must be ${want}`)])
}

function otherKind(object: AnyObject, target: Target): ApiError {
  const kind = object.kind ?? ''
  const { group } = parseApiVersion(object.apiVersion ?? '')
  const name = (object.metadata as AnyObject['metadata'] | undefined)?.name ?? ''
  return invalid({ group, kind }, name, [invalidValue(path('kind'), kind, `must be ${target.kind}`)])
}
