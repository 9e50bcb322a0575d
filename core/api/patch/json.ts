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

/** Bytes of JSON that the copies of one patch may add: each may copy what all before it have made. */
const copiedBytesMax = 3 * 1_024 * 1_024

export interface Operation {
  readonly op: string
  readonly path: string | undefined
  readonly from: string | undefined
  /** Undefined: the operation has none. */
  readonly value: unknown
}

/** Why an operation does not apply; to clients upstream keeps the sentence to itself and answers with `rejected`. */
export class PatchFailed extends Error {}

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
  try {
    return patched(object, operations)
  } catch (error) {
    if (error instanceof PatchFailed) throw rejected()
    throw error
  }
}

/** The patched copy of an object; throws PatchFailed. */
export function patched(object: Readonly<JsonMap>, operations: readonly Operation[]): unknown {
  let document: unknown = clone(object)
  const copied = { bytes: 0 }
  for (const operation of operations) document = step(document, operation, copied)
  return document
}

/** What upstream's NewGenericServerResponse makes of a 422: no word of the reason. */
export function rejected(): ApiError {
  return new ApiError({ code: 422, reason: 'Invalid', message: 'the server rejected our request due to an error in our request', details: {} })
}

interface Copied {
  bytes: number
}

function step(document: unknown, operation: Operation, copied: Copied): unknown {
  const { op, path } = operation
  if (!['add', 'remove', 'replace', 'move', 'copy', 'test'].includes(op)) throw new PatchFailed(`Unexpected kind: ${op}`)
  if (path === undefined) throw new PatchFailed(`${op} operation failed to decode path: operation missing path field: missing value`)
  if (op === 'replace' && path === '') return wholeDocument(operation.value)
  if (op === 'test') return test(document, path, operation.value)
  if (op === 'move' || op === 'copy') return carry(document, op, path, { from: operation.from, copied })
  const place = find(document, path)
  if (place === undefined) throw new PatchFailed(`${op} operation does not apply: doc is missing path: ${op === 'replace' ? path : JSON.stringify(path)}: missing value`)
  const at = `error in ${op === 'add' ? 'add' : 'remove'} for path: '${path}'` // upstream says remove of replace, too
  if (op === 'add') named(at, () => add(place, operation.value ?? null))
  else if (op === 'remove') named(at, () => remove(place))
  else named(at, () => replace(place, operation.value ?? null))
  return document
}

/** What fails inside is told with where that was. */
function named<T>(at: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw error instanceof PatchFailed ? new PatchFailed(`${at}: ${error.message}`) : error
  }
}

function wholeDocument(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) throw new PatchFailed('replace operation value must be object or array')
  return clone(value)
}

function test(document: unknown, path: string, want: unknown): unknown {
  const place = path === '' ? undefined : find(document, path)
  if (path !== '' && place === undefined) throw new PatchFailed(`test operation does not apply: is missing path: ${path}: missing value`)
  const have = place === undefined ? document : named(`error in test for path: '${path}'`, () => get(place))
  const same = have === undefined || have === null ? want === undefined || want === null : want !== undefined && equal(have, want)
  if (!same) throw new PatchFailed(`testing value ${path} failed: test failed`)
  return document
}

function carry(document: unknown, op: 'move' | 'copy', path: string, { from, copied }: { readonly from: string | undefined; readonly copied: Copied }): unknown {
  if (from === undefined) throw new PatchFailed(`${op} operation failed to decode from: operation, missing from field: missing value`)
  const source = find(document, from)
  if (source === undefined) throw new PatchFailed(`${op} operation does not apply: doc is missing from path: ${from}: missing value`)
  const value = named(`error in ${op} for ${op === 'move' ? 'path' : 'from'}: '${from}'`, () => get(source))
  if (op === 'move') named(`error in move for path: '${from}'`, () => remove(source))
  const target = find(document, path)
  if (target === undefined) throw new PatchFailed(`${op} operation does not apply: doc is missing destination path: ${path}: missing value`)
  if (op === 'copy') {
    copied.bytes += Buffer.byteLength(JSON.stringify(value ?? null))
    if (copied.bytes > copiedBytesMax) throw new PatchFailed(`Unable to complete the copy, the accumulated size increase of copy is ${copied.bytes}, exceeding the limit ${copiedBytesMax}`)
  }
  const put = (): void => add(target, op === 'copy' ? clone(value ?? null) : value ?? null)
  named(op === 'move' ? `error in move for path: '${path}'` : 'error while adding value during copy', put)
  return document
}

interface Place {
  readonly holder: JsonMap | unknown[]
  readonly key: string
}

/** The container that the last part of a pointer is in; undefined: there is none. */
function find(document: unknown, pointer: string): Place | undefined {
  const parts = pointer.split('/').slice(1).map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
  const key = parts.pop()
  if (key === undefined) return undefined
  let holder = document
  for (const part of parts) {
    holder = isContainer(holder) ? get({ holder, key: part }) : undefined
  }
  return isContainer(holder) ? { holder, key } : undefined
}

const isContainer = (value: unknown): value is JsonMap | unknown[] => typeof value === 'object' && value !== null

/** An index as Go's strconv.Atoi reads it, negative ones from the end; `length` itself only where something is added. */
function indexOf(key: string, length: number): number {
  const index = /^[-+]?\d+$/.test(key) ? Number(key) : NaN
  if (Number.isNaN(index)) throw new PatchFailed(`value was not a proper array index: '${key}': strconv.Atoi: parsing ${JSON.stringify(key)}: invalid syntax`)
  if (index >= length || index < -length) throw new PatchFailed(`Unable to access invalid index: ${index}: invalid index referenced`)
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
  else throw new PatchFailed(`Unable to remove nonexistent key: ${key}: missing value`)
}

function replace({ holder, key }: Place, value: unknown): void {
  if (Array.isArray(holder)) holder[indexOf(key, holder.length)] = value
  else put(holder, key, value)
}
