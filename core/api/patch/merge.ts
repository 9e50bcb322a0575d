/**
 * JSON merge patch (RFC 7386) as upstream applies it (json-patch.v4 merge.go): null removes, maps merge, all else
 * replaces. The object is not changed; the result shares with it what the patch did not touch.
 */
import { badRequest } from '../errors.ts'
import { goType, isMap, own, put, type JsonMap } from './value.ts'

/** `patch` is decoded JSON; anything but an object is refused as upstream's decoder refuses it. */
export function applyMergePatch(object: Readonly<JsonMap>, patch: unknown): JsonMap {
  if (patch === null) throw badRequest('Invalid JSON Patch')
  if (!isMap(patch)) throw badRequest(`error decoding patch: json: cannot unmarshal ${jsonKind(patch)} into Go value of type map[string]interface {}`)
  return mergeMaps(object, patch)
}

function mergeMaps(object: Readonly<JsonMap>, patch: JsonMap): JsonMap {
  const merged: JsonMap = { ...object }
  for (const key of Object.keys(patch)) {
    const value = own(patch, key)
    const current = own(merged, key)
    if (value === null) delete merged[key]
    else if (isMap(current) && isMap(value)) put(merged, key, mergeMaps(current, value))
    else put(merged, key, withoutNulls(value))
  }
  return merged
}

/** A patch's null means "not there", also below a field that is new; in lists only the maps lose theirs. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls)
  if (!isMap(value)) return value
  const kept: JsonMap = {}
  for (const [key, item] of Object.entries(value)) if (item !== null) put(kept, key, withoutNulls(item))
  return kept
}

/** What encoding/json calls a value in its complaints. */
export function jsonKind(value: unknown): string {
  if (Array.isArray(value)) return 'array'
  if (isMap(value)) return 'object'
  if (value === null) return 'null'
  return typeof value === 'boolean' ? 'bool' : typeof value === 'string' ? 'string' : typeof value === 'number' ? 'number' : goType(value)
}
