/** Objects in the versions that webhooks and policies ask for, and back from what they made of them. */
import { apiVersionOf, type AnyObject } from '../../api/meta.ts'
import type { Kind } from '../../api/kind.ts'
import { applyDefaults } from '../../api/schema/defaults.ts'
import { definitionOf } from '../../api/schema/schema.ts'
import { decodeValue } from '../../api/schema/validate.ts'
import { cloneJson } from '../../lib/json.ts'
import type { GroupVersionKind } from '../plugin.ts'

/** The object in another version of the same stored objects; a copy unless there is nothing to convert. */
export async function convertObject(object: Readonly<AnyObject>, from: Kind, to: Kind, signal: AbortSignal): Promise<Readonly<AnyObject>> {
  if (from === to) return object
  const apiVersion = apiVersionOf(to)
  if (to.remote !== undefined) {
    const [converted] = await to.remote([object], apiVersion, signal)
    if (converted === undefined) throw new Error(`conversion to ${apiVersion} gave nothing`)
    return converted
  }
  const mine = cloneJson(object) as AnyObject
  const stored = from.conversion === undefined ? mine : from.conversion.toStored(mine)
  const made: AnyObject = to.conversion === undefined ? stored : (to.conversion.fromStored(stored) as AnyObject)
  return { ...made, apiVersion, kind: to.kind }
}

/** What patched JSON is as an object of the kind: unknown fields dropped, defaults not yet filled. Throws Error in Go's words. */
export function decodePatched(value: unknown, kind: Kind, as: GroupVersionKind): AnyObject {
  const said = value as { readonly kind?: unknown; readonly apiVersion?: unknown }
  if (said.kind !== as.kind || said.apiVersion !== apiVersionOf(as)) {
    throw new Error(`unable to convert: a ${apiVersionOf(as)} ${as.kind} cannot become a ${String(said.apiVersion)} ${String(said.kind)}`)
  }
  if (kind.custom !== undefined && as.kind === kind.kind) {
    const decoded = kind.custom.decode(value, { fieldValidation: 'Ignore' })
    if (!decoded.ok) throw decoded.error
    return decoded.object
  }
  const of = definitionOf(as.group, as.version, as.kind)
  if (of === undefined) return value as AnyObject // options of connections are not published
  const { object, error } = decodeValue(of, value)
  if (error !== undefined) throw new Error(error)
  return object as AnyObject
}

/** As decodePatched(), in the words that policies get; `strict`: nothing may be dropped. */
export function decodeMutated(value: unknown, kind: Kind, as: GroupVersionKind, strict: boolean): { readonly object: AnyObject } | { readonly error: string } {
  const said = value as { readonly kind?: unknown; readonly apiVersion?: unknown }
  if (said.kind !== as.kind || said.apiVersion !== apiVersionOf(as)) {
    return { error: `unable to convert: a ${apiVersionOf(as)} ${as.kind} cannot become a ${String(said.apiVersion)} ${String(said.kind)}` }
  }
  if (kind.custom !== undefined && as.kind === kind.kind) {
    const decoded = kind.custom.decode(value, { fieldValidation: 'Ignore' })
    return decoded.ok ? { object: decoded.object } : { error: decoded.error.message }
  }
  const of = definitionOf(as.group, as.version, as.kind)
  if (of === undefined) return { object: value as AnyObject }
  const { object, error, unknown } = decodeValue(of, value)
  if (error !== undefined) return { error }
  if (strict && unknown.length > 0) return { error: `strict decoding error: ${unknown.join(', ')}` }
  return { object: object as AnyObject }
}

export function defaultObject(object: AnyObject, kind: Kind, as: GroupVersionKind, now: number): void {
  if (as.kind !== kind.kind) applyDefaults(as, object, { now })
  else if (kind.applyDefaults === undefined) applyDefaults(kind, object, { now })
  else kind.applyDefaults(object)
}

/** Makes `object` what `made` is, in place: others hold it. */
export function replaceWith(object: AnyObject, made: Readonly<AnyObject>): void {
  for (const field of Object.keys(object)) if (!Object.hasOwn(made, field)) delete object[field]
  Object.assign(object, made)
}
