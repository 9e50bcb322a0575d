/**
 * Protobuf messages of the API's definitions, to and from Kubernetes JSON, driven by the schema's table.
 *
 * Embedded Go structs are messages of their own on the wire and fields of their owner in JSON. Bytes come out as Go's
 * marshaller writes them: ascending numbers, sorted maps, everything that is no pointer, however empty.
 */
import { definition as definitionNamed } from '../schema/schema.ts'
import type { Definition, Field, Type } from '../schema/schema.ts'
import { utcText } from '../schema/canonical.ts'
import { Reader, WireError, Writer, delimited, fixed64, varint } from './wire.ts'

export type Values = Record<string, unknown>

/** How raw bytes inside an object (RawExtension) become a value and come back. */
export interface RawCodec {
  readonly decode: (bytes: Uint8Array) => unknown
  readonly encode: (value: unknown) => Uint8Array
}

interface Slot {
  readonly number: number
  readonly field: Field | undefined
  /** The message of an embedded struct. */
  readonly embedded: Message | undefined
}

interface Message {
  /** By number; numbers are small. */
  readonly byNumber: readonly (Slot | undefined)[]
  /** Highest first, the order of writing. */
  readonly descending: readonly Slot[]
}

const messages = new Map<Definition, Message>()

function messageOf(of: Definition): Message {
  const known = messages.get(of)
  if (known !== undefined) return known
  const made = makeMessage([...of.fields.values()], 0)
  messages.set(of, made)
  return made
}

function makeMessage(fields: readonly Field[], depth: number): Message {
  const byNumber: (Slot | undefined)[] = []
  const inside = new Map<number, Field[]>()
  for (const field of fields) {
    const number = field.wire[depth]
    if (number === undefined) continue
    if (field.wire.length === depth + 1) byNumber[number] = { number, field, embedded: undefined }
    else inside.set(number, [...(inside.get(number) ?? []), field])
  }
  for (const [number, inner] of inside) byNumber[number] = { number, field: undefined, embedded: makeMessage(inner, depth + 1) }
  return { byNumber, descending: byNumber.filter((slot) => slot !== undefined).toReversed() }
}

/** Reads up to the reader's end into `target`. */
export function readObject(reader: Reader, of: Definition, target: Values, raw: RawCodec): Values {
  return readMessage(reader, messageOf(of), target, raw)
}

function readMessage(reader: Reader, message: Message, target: Values, raw: RawCodec): Values {
  while (reader.at < reader.end) {
    const tag = reader.uint32()
    const slot = message.byNumber[tag >>> 3]
    const wireType = tag & 7
    if (slot === undefined) reader.skip(wireType)
    else if (slot.embedded !== undefined) {
      const outer = reader.enter()
      readMessage(reader, slot.embedded, target, raw)
      reader.leave(outer)
    } else if (slot.field !== undefined) readField(reader, slot.field, wireType, target, raw)
  }
  return target
}

function readField(reader: Reader, field: Field, wireType: number, target: Values, raw: RawCodec): void {
  const { type, name } = field
  if (type.shape === 'list' && !type.wrapped && type.of !== undefined) {
    const list = (target[name] ??= []) as unknown[]
    readItems(reader, type.of, wireType, list, raw)
  } else if (type.shape === 'map' && type.of !== undefined) {
    readEntry(reader, type.of, (target[name] ??= {}) as Values, raw)
  } else {
    const value = readValue(reader, type, wireType, raw)
    if (value === undefined || (field.omitEmpty && !field.pointer && isEmpty(value))) return
    target[name] = value
  }
}

function isEmpty(value: unknown): boolean {
  return value === '' || value === 0 || value === false
}

function readItems(reader: Reader, of: Type, wireType: number, list: unknown[], raw: RawCodec): void {
  const packed = wireType === delimited && (of.shape === 'int32' || of.shape === 'int64' || of.shape === 'bool')
  if (!packed) {
    list.push(readValue(reader, of, wireType, raw) ?? null)
    return
  }
  const outer = reader.enter()
  while (reader.at < reader.end) list.push(readValue(reader, of, varint, raw))
  reader.leave(outer)
}

function readEntry(reader: Reader, of: Type, map: Values, raw: RawCodec): void {
  const outer = reader.enter()
  let key = ''
  let value: unknown
  while (reader.at < reader.end) {
    const tag = reader.uint32()
    if (tag >>> 3 === 1) key = reader.string()
    else if (tag >>> 3 === 2) value = readValue(reader, of, tag & 7, raw)
    else reader.skip(tag & 7)
  }
  reader.leave(outer)
  map[key] = value ?? (of.shape === 'string' ? '' : of.shape === 'object' ? {} : null)
}

function readValue(reader: Reader, type: Type, wireType: number, raw: RawCodec): unknown {
  const wanted = wireTypeOf(type)
  if (wireType !== wanted) throw new WireError(`proto: wrong wireType = ${wireType}`)
  switch (type.shape) {
    case 'string':
      return reader.string()
    case 'bool':
      return reader.int32() !== 0
    case 'int32':
      return reader.int32()
    case 'int64':
      return reader.int64()
    case 'double':
      return reader.double()
    case 'bytes':
      return reader.data().toBase64()
    default: {
      const outer = reader.enter()
      const value = readInner(reader, type, raw)
      reader.leave(outer)
      return value
    }
  }
}

function wireTypeOf(type: Type): number {
  if (type.shape === 'bool' || type.shape === 'int32' || type.shape === 'int64') return varint
  return type.shape === 'double' ? fixed64 : delimited
}

/** The message of a type that is one on the wire; the reader is narrowed to it. */
function readInner(reader: Reader, type: Type, raw: RawCodec): unknown {
  switch (type.shape) {
    case 'object':
      return readMessage(reader, messageOf(type.definition as Definition), {}, raw)
    case 'list':
      return readWrapped(reader)
    case 'quantity':
      return readNumbered(reader, (number) => (number === 1 ? reader.string() : undefined))[1] ?? '0'
    case 'time':
    case 'microTime':
      return readTime(reader, type.shape === 'microTime')
    case 'intOrString': {
      const parts = readNumbered(reader, (number) => (number === 3 ? reader.string() : reader.int32()))
      return parts[1] === 1 ? parts[3] ?? '' : parts[2] ?? 0
    }
    case 'schemaOrArray':
    case 'schemaOrBool':
    case 'schemaOrStrings':
      return readSchemaOr(reader, type, raw)
    default: {
      const bytes = readNumbered(reader, (number) => (number === 1 ? reader.data() : undefined))[1] as Uint8Array | undefined
      return bytes === undefined || bytes.length === 0 ? undefined : raw.decode(bytes)
    }
  }
}

/** Reads the fields of a small message; `read` gives undefined for what it does not know, and has not moved then. */
function readNumbered(reader: Reader, read: (number: number) => unknown): unknown[] {
  const values: unknown[] = []
  while (reader.at < reader.end) {
    const tag = reader.uint32()
    const before = reader.at
    const value = read(tag >>> 3)
    if (value === undefined && reader.at === before) reader.skip(tag & 7)
    else values[tag >>> 3] = value
  }
  return values
}

function readWrapped(reader: Reader): string[] {
  const items: string[] = []
  while (reader.at < reader.end) {
    const tag = reader.uint32()
    if (tag >>> 3 === 1) items.push(reader.string())
    else reader.skip(tag & 7)
  }
  return items
}

/** As far as a Date goes: a quarter of a million years. */
const secondsMax = 8_640_000_000_000

function readTime(reader: Reader, micro: boolean): string | undefined {
  if (reader.at === reader.end) return undefined
  const [, seconds = 0, nanos = 0] = readNumbered(reader, (number) => (number === 1 ? reader.int64() : reader.int32())) as number[]
  if (Math.abs(seconds) > secondsMax) throw new WireError('time is out of range')
  const text = utcText(seconds * 1_000)
  return micro ? `${text}.${String(Math.trunc(nanos / 1_000)).padStart(6, '0')}Z` : `${text}Z`
}

function readSchemaOr(reader: Reader, type: Type, raw: RawCodec): unknown {
  const schemas = messageOf(definitionNamed('JSONSchemaProps'))
  let allows = false
  let schema: unknown
  const list: unknown[] = []
  const readSchema = (): Values => {
    const outer = reader.enter()
    const value = readMessage(reader, schemas, {}, raw)
    reader.leave(outer)
    return value
  }
  while (reader.at < reader.end) {
    const number = reader.uint32() >>> 3
    if (type.shape === 'schemaOrBool') {
      if (number === 1) allows = reader.int32() !== 0
      else schema = readSchema()
    } else if (number === 1) schema = readSchema()
    else list.push(type.shape === 'schemaOrArray' ? readSchema() : reader.string())
  }
  if (type.shape === 'schemaOrBool') return schema ?? allows
  return list.length > 0 ? list : schema
}

export function writeObject(writer: Writer, of: Definition, object: Readonly<Values>, raw: RawCodec): void {
  writeMessage(writer, messageOf(of), object, raw)
}

function writeMessage(writer: Writer, message: Message, object: Readonly<Values>, raw: RawCodec): void {
  for (const { number, field, embedded } of message.descending) {
    if (embedded !== undefined) {
      const before = writer.written
      writeMessage(writer, embedded, object, raw)
      writer.prefix(number, before)
    } else if (field !== undefined) writeField(writer, number, field, object[field.name], raw)
  }
}

function writeField(writer: Writer, number: number, field: Field, value: unknown, raw: RawCodec): void {
  const { type } = field
  if (type.shape === 'list' && !type.wrapped && type.of !== undefined) {
    const list = (value ?? []) as readonly unknown[]
    for (let i = list.length - 1; i >= 0; i--) writeValue(writer, number, type.of, list[i], raw)
  } else if (type.shape === 'map' && type.of !== undefined) {
    writeMap(writer, number, type.of, (value ?? {}) as Values, raw)
  } else if ((value === undefined || value === null) && (field.pointer || type.shape === 'bytes' || type.shape === 'list')) {
    // A nil pointer or slice.
  } else writeValue(writer, number, type, value, raw)
}

function writeMap(writer: Writer, number: number, of: Type, map: Readonly<Values>, raw: RawCodec): void {
  for (const key of Object.keys(map).toSorted().toReversed()) {
    const before = writer.written
    writeValue(writer, 2, of, map[key], raw)
    writeValue(writer, 1, keyType, key, raw)
    writer.prefix(number, before)
  }
}

const keyType: Type = { shape: 'string', wrapped: false }

/** Writes a value with its tag; an absent one is Go's zero value. */
function writeValue(writer: Writer, number: number, type: Type, value: unknown, raw: RawCodec): void {
  switch (type.shape) {
    case 'bool':
      writer.byte(value === true ? 1 : 0)
      writer.tag(number, varint)
      return
    case 'int32':
    case 'int64':
      writer.int((value as number | undefined) ?? 0)
      writer.tag(number, varint)
      return
    case 'double':
      writer.double((value as number | undefined) ?? 0)
      writer.tag(number, fixed64)
      return
    default: {
      const before = writer.written
      writeInner(writer, type, value, raw)
      writer.prefix(number, before)
    }
  }
}

function writeInner(writer: Writer, type: Type, value: unknown, raw: RawCodec): void {
  switch (type.shape) {
    case 'string':
      return writer.text((value as string | undefined) ?? '')
    case 'bytes':
      return writer.raw(Uint8Array.fromBase64((value as string | undefined) ?? ''))
    case 'object':
      return writeMessage(writer, messageOf(type.definition as Definition), (value ?? {}) as Values, raw)
    case 'list':
      for (const item of ((value ?? []) as readonly unknown[]).toReversed()) writeValue(writer, 1, keyType, item, raw)
      return
    case 'quantity':
      return writeValue(writer, 1, keyType, value ?? '0', raw)
    case 'time':
    case 'microTime':
      return writeTime(writer, value as string | undefined, type.shape === 'microTime')
    case 'intOrString':
      return writeIntOrString(writer, (value as string | number | undefined) ?? 0, raw)
    case 'schemaOrArray':
    case 'schemaOrBool':
    case 'schemaOrStrings':
      return writeSchemaOr(writer, type, value, raw)
    default: {
      if (value === undefined || value === null) return
      const before = writer.written
      writer.raw(raw.encode(value))
      writer.prefix(1, before)
    }
  }
}

function writeTime(writer: Writer, text: string | undefined, micro: boolean): void {
  if (text === undefined || text === null) return
  writer.int(micro ? Number((/\.(\d+)/.exec(text)?.[1] ?? '').slice(0, 6).padEnd(6, '0')) * 1_000 : 0)
  writer.tag(2, varint)
  writer.int(Math.floor(Date.parse(text) / 1_000))
  writer.tag(1, varint)
}

function writeIntOrString(writer: Writer, value: string | number, raw: RawCodec): void {
  writeValue(writer, 3, keyType, typeof value === 'string' ? value : '', raw)
  writer.int(typeof value === 'number' ? value : 0)
  writer.tag(2, varint)
  writer.int(typeof value === 'string' ? 1 : 0)
  writer.tag(1, varint)
}

function writeSchemaOr(writer: Writer, type: Type, value: unknown, raw: RawCodec): void {
  const schema: Type = { shape: 'object', wrapped: false, definition: definitionNamed('JSONSchemaProps') }
  if (Array.isArray(value)) {
    for (const item of (value as unknown[]).toReversed()) writeValue(writer, 2, type.shape === 'schemaOrStrings' ? keyType : schema, item, raw)
  } else if (typeof value === 'object' && value !== null) writeValue(writer, type.shape === 'schemaOrBool' ? 2 : 1, schema, value, raw)
  if (type.shape !== 'schemaOrBool') return
  writer.byte(value === false || value === undefined || value === null ? 0 : 1)
  writer.tag(1, varint)
}
