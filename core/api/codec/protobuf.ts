/**
 * application/vnd.kubernetes.protobuf: objects in upstream's envelope (four magic bytes and a runtime.Unknown), straight
 * to and from Kubernetes JSON, for every built-in kind; and the frames of a watch.
 *
 * Decoded objects have no kind or apiVersion but the envelope's; they still go through validate.ts as JSON does.
 */
import { definitionOf } from '../schema/schema.ts'
import type { Definition } from '../schema/schema.ts'
import { apiVersionOf, parseApiVersion } from '../meta.ts'
import { readObject, writeObject } from './messages.ts'
import type { RawCodec, Values } from './messages.ts'
import { Reader, WireError, Writer, delimited } from './wire.ts'

export interface GroupVersionKind {
  readonly group: string
  readonly version: string
  readonly kind: string
}

/** What a reader wants to have. */
export interface Wanted extends GroupVersionKind {
  /** Versions with the same fields that may come, too. */
  readonly olderVersions?: readonly string[]
}

export type Decoded = { readonly ok: true; readonly object: Values } | { readonly ok: false; readonly error: string }

const magic = Uint8Array.of(0x6b, 0x38, 0x73, 0x00)
const magicText = '[107 56 115 0]'

const textDecoder = new TextDecoder()
const textEncoder = new TextEncoder()

interface Envelope {
  readonly apiVersion: string
  readonly kind: string
  readonly raw: Uint8Array
  readonly contentType: string
}

export function isProtobuf(bytes: Uint8Array): boolean {
  return magic.every((byte, i) => bytes[i] === byte)
}

/** `fallback` is the kind of an object whose envelope names none. */
export function decodeProtobuf(bytes: Uint8Array, fallback?: Wanted): Decoded {
  if (!isProtobuf(bytes)) return { ok: false, error: `provided data does not appear to be a protobuf message, expected prefix ${magicText}` }
  try {
    return decodeEnvelope(bytes, fallback)
  } catch (error) {
    if (error instanceof WireError || error instanceof SyntaxError) return { ok: false, error: error.message }
    throw error
  }
}

function decodeEnvelope(bytes: Uint8Array, fallback: Wanted | undefined): Decoded {
  if (bytes.length === magic.length) return { ok: false, error: 'empty body' }
  const envelope = readEnvelope(bytes.subarray(magic.length))
  const apiVersion = envelope.apiVersion !== '' ? envelope.apiVersion : fallback === undefined ? '' : apiVersionOf(fallback)
  const kind = envelope.kind !== '' ? envelope.kind : fallback?.kind ?? ''
  if (envelope.contentType === 'application/json') return { ok: true, object: JSON.parse(textDecoder.decode(envelope.raw)) as Values }
  const { group, version } = parseApiVersion(apiVersion)
  const of = definitionOf(group, olderAs(fallback, { group, version, kind }), kind)
  if (of === undefined) return { ok: false, error: `no kind "${kind}" is registered for version "${apiVersion}"` }
  return { ok: true, object: readObject(new Reader(envelope.raw), of, { kind, apiVersion }, rawCodec) }
}

/** The version whose fields an older one has, where there is one. */
function olderAs(wanted: Wanted | undefined, { group, version, kind }: GroupVersionKind): string {
  return wanted?.group === group && wanted.kind === kind && wanted.olderVersions?.includes(version) === true ? wanted.version : version
}

function readEnvelope(bytes: Uint8Array): Envelope {
  const reader = new Reader(bytes)
  let apiVersion = ''
  let kind = ''
  let raw: Uint8Array = new Uint8Array()
  let contentType = ''
  while (reader.at < reader.end) {
    const tag = reader.uint32()
    const number = tag >>> 3
    if ((tag & 7) !== delimited) reader.skip(tag & 7)
    else if (number === 1) {
      const outer = reader.enter()
      while (reader.at < reader.end) {
        const inner = reader.uint32()
        if (inner >>> 3 === 1) apiVersion = reader.string()
        else if (inner >>> 3 === 2) kind = reader.string()
        else reader.skip(inner & 7)
      }
      reader.leave(outer)
    } else if (number === 2) raw = reader.data()
    else if (number === 4) contentType = reader.string()
    else reader.skip(delimited)
  }
  return { apiVersion, kind, raw, contentType }
}

/** The object's bytes, envelope and all; undefined for kinds that have no protobuf form (custom ones, tables). */
export function encodeProtobuf(object: Readonly<Values>): Uint8Array | undefined {
  const apiVersion = String(object['apiVersion'] ?? '')
  const kind = String(object['kind'] ?? '')
  const { group, version } = parseApiVersion(apiVersion)
  const of = definitionOf(group, version, kind)
  if (of === undefined || !hasProtobuf(of)) return undefined
  const writer = new Writer()
  writeText(writer, 4, '')
  writeText(writer, 3, '')
  const beforeObject = writer.written
  writeObject(writer, of, object, rawCodec)
  writer.prefix(2, beforeObject)
  const beforeType = writer.written
  writeText(writer, 2, kind)
  writeText(writer, 1, apiVersion)
  writer.prefix(1, beforeType)
  writer.raw(magic)
  return writer.finish()
}

function hasProtobuf(of: Definition): boolean {
  for (const field of of.fields.values()) if (field.wire.length > 0) return true
  return false
}

function writeText(writer: Writer, number: number, text: string): void {
  const before = writer.written
  writer.text(text)
  writer.prefix(number, before)
}

/** One event of a watch: its length in four bytes, then a bare WatchEvent around the object's own envelope. */
export function watchFrame(type: string, objectBytes: Uint8Array): Uint8Array {
  const writer = new Writer(objectBytes.length + 64)
  writer.raw(objectBytes)
  writer.prefix(1, 0)
  writer.prefix(2, 0)
  writeText(writer, 1, type)
  const length = writer.written
  for (let shift = 0; shift < 32; shift += 8) writer.byte((length >>> shift) & 0xff)
  return writer.finish()
}

/** Objects inside objects: JSON as it is, or an envelope of their own. */
const rawCodec: RawCodec = {
  decode(bytes) {
    if (!isProtobuf(bytes)) return JSON.parse(textDecoder.decode(bytes)) as unknown
    const decoded = decodeEnvelope(bytes, undefined)
    if (!decoded.ok) throw new WireError(decoded.error)
    return decoded.object
  },
  encode: (value) => textEncoder.encode(JSON.stringify(value)),
}
