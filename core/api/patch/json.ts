/**
 * JSON patch (RFC 6902) with the liberties of upstream's library (json-patch.v4: negative indices, `add` of a missing
 * value as null, `replace` of a missing field as add) and the answers of upstream's handler (apiserver
 * handlers/patch.go): a patch that cannot be read is 400, one that does not apply 422, one that is too long 413.
 */
import { ApiError, badRequest, requestEntityTooLarge } from '../errors.ts'
import { jsonKind } from './merge.ts'
import { clone, equal, isMap, own, put, type JsonMap } from './value.ts'

/** Operations one patch may hold. */
export const operationsMax = 10_000

export interface Operation {
  readonly op: string
  readonly path: string | undefined
  readonly from: string | undefined
  /** Undefined: the operation has none. */
  readonly value: unknown
}

/** Why an operation does not apply; upstream keeps the sentence to itself and answers with `rejected`. */
class Failed extends Error {}

/** Reads decoded JSON as a list of operations; throws 400 and 413. */
export function parseJsonPatch(patch: unknown): readonly Operation[] {
  if (patch === null) return []
  if (!Array.isArray(patch)) throw unreadable(`cannot unmarshal ${jsonKind(patch)} into Go value of type []handlers.jsonPatchOp`)
  if (patch.length > operationsMax) {
    throw requestEntityTooLarge(`The allowed maximum operations in a JSON patch is ${operationsMax}, got ${patch.length}`)
  }
  return patch.map(parseOperation)
}

function parseOperation(raw: unknown): Operation {
  if (raw !== null && !isMap(raw)) throw unreadable(`cannot unmarshal ${jsonKind(raw)} into Go value of type handlers.jsonPatchOp`)
  const text = (name: string): string | undefined => {
    const value = raw === null ? undefined : own(raw, name)
    if (value === undefined || value === null) return undefined
    if (typeof value !== 'string') throw unreadable(`cannot unmarshal ${jsonKind(value)} into Go struct field jsonPatchOp.${name} of type string`)
    return value
  }
  return { op: text('op') ?? 'unknown', path: text('path'), from: text('from'), value: raw === null ? undefined : own(raw, 'value') }
}

const unreadable = (why: string): ApiError => badRequest(`error decoding patch: json: ${why}`)

/** The patched copy of an object; throws 422 where an operation does not apply. */
export function applyJsonPatch(object: Readonly<JsonMap>, operations: readonly Operation[]): unknown {
  let document: unknown = clone(object)
  try {
    for (const operation of operations) document = step(document, operation)
  } catch (error) {
    if (error instanceof Failed) throw rejected()
    throw error
  }
  return document
}

/** What upstream's NewGenericServerResponse makes of a 422: no word of the reason. */
export function rejected(): ApiError {
  return new ApiError({ code: 422, reason: 'Invalid', message: 'the server rejected our request due to an error in our request', details: {} })
}

function step(document: unknown, operation: Operation): unknown {
  const { op, path } = operation
  if (!['add', 'remove', 'replace', 'move', 'copy', 'test'].includes(op)) throw new Failed(`Unexpected kind: ${op}`)
  if (path === undefined) throw new Failed(`${op} operation failed to decode path`)
  if (op === 'replace' && path === '') return wholeDocument(operation.value)
  if (op === 'test') return test(document, path, operation.value)
  if (op === 'move' || op === 'copy') return carry(document, op, path, operation.from)
  const place = find(document, path)
  if (op === 'add') add(place, operation.value ?? null)
  else if (op === 'remove') remove(place)
  else replace(place, operation.value ?? null)
  return document
}

function wholeDocument(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) throw new Failed('replace operation value must be object or array')
  return clone(value)
}

function test(document: unknown, path: string, want: unknown): unknown {
  const have = path === '' ? document : get(find(document, path))
  const same = have === undefined || have === null ? want === undefined || want === null : want !== undefined && equal(have, want)
  if (!same) throw new Failed(`testing value ${path} failed`)
  return document
}

function carry(document: unknown, op: 'move' | 'copy', path: string, from: string | undefined): unknown {
  if (from === undefined) throw new Failed(`${op} operation failed to decode from`)
  const source = find(document, from)
  const value = get(source)
  if (op === 'move') remove(source)
  add(find(document, path), op === 'copy' ? clone(value ?? null) : value ?? null)
  return document
}

interface Place {
  readonly holder: JsonMap | unknown[]
  readonly key: string
}

/** The container that the last part of a pointer is in. */
function find(document: unknown, pointer: string): Place {
  const parts = pointer.split('/').slice(1).map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
  const key = parts.pop()
  if (key === undefined) throw new Failed(`doc is missing path: ${pointer}`)
  let holder = document
  for (const part of parts) {
    holder = isContainer(holder) ? get({ holder, key: part }) : undefined
  }
  if (!isContainer(holder)) throw new Failed(`doc is missing path: ${pointer}`)
  return { holder, key }
}

const isContainer = (value: unknown): value is JsonMap | unknown[] => typeof value === 'object' && value !== null

/** An index as Go's strconv.Atoi reads it, negative ones from the end; `length` itself only where something is added. */
function indexOf(key: string, length: number): number {
  const index = /^[-+]?\d+$/.test(key) ? Number(key) : NaN
  if (Number.isNaN(index)) throw new Failed(`value was not a proper array index: '${key}'`)
  if (index >= length || index < -length) throw new Failed(`Unable to access invalid index: ${index}`)
  return index < 0 ? index + length : index
}

function get({ holder, key }: Place): unknown {
  return Array.isArray(holder) ? holder[indexOf(key, holder.length)] : own(holder, key)
}

function add({ holder, key }: Place, value: unknown): void {
  if (!Array.isArray(holder)) put(holder, key, value)
  else if (key === '-') holder.push(value)
  else holder.splice(indexOf(key, holder.length + 1), 0, value)
}

function remove({ holder, key }: Place): void {
  if (Array.isArray(holder)) holder.splice(indexOf(key, holder.length), 1)
  else if (Object.hasOwn(holder, key)) delete holder[key]
  else throw new Failed(`Unable to remove nonexistent key: ${key}`)
}

function replace({ holder, key }: Place, value: unknown): void {
  if (Array.isArray(holder)) holder[indexOf(key, holder.length)] = value
  else put(holder, key, value)
}
