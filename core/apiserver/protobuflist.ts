/**
 * Lists in protobuf, spliced from their items: an item is encoded once and kept for as long as it lives, so that a
 * second list of ten thousand pods copies bytes. Every Kubernetes list has its metadata as field 1 and its items as 2.
 */
import { apiVersionOf, type AnyObject } from '../api/meta.ts'
import type { Kind } from '../api/kind.ts'
import type { Item, ListResult } from '../registry/registry.ts'
import { encodeProtobuf } from './codec.ts'
import { utf8 } from './exchange.ts'

const magic = Uint8Array.of(0x6b, 0x38, 0x73, 0x00)
const encoded = new WeakMap<Item, Uint8Array>()

/** undefined when the kind has no protobuf form. */
export function protobufList(kind: Kind, result: ListResult, metadata: Readonly<Record<string, unknown>>): Uint8Array | undefined {
  const empty = messageOf({ kind: kind.listKind, apiVersion: apiVersionOf(kind), metadata, items: [] } as unknown as AnyObject)
  if (empty === undefined) return undefined
  const parts: Uint8Array[] = []
  let size = empty.length
  for (const item of result.items) {
    const bytes = itemBytes(item)
    if (bytes === undefined) return undefined
    const head = fieldHead(itemsField, bytes.length)
    parts.push(head, bytes)
    size += head.length + bytes.length
  }
  const type = Buffer.concat([field(1, utf8(apiVersionOf(kind))), field(2, utf8(kind.listKind))])
  return Buffer.concat([magic, field(1, type), fieldHead(2, size), empty, ...parts, field(3, nothing), field(4, nothing)])
}

const itemsField = 2
const nothing = new Uint8Array()

function itemBytes(item: Item): Uint8Array | undefined {
  const known = encoded.get(item)
  if (known !== undefined) return known
  const made = messageOf(item.object)
  if (made !== undefined) encoded.set(item, made)
  return made
}

/** The bare message inside the envelope (runtime.Unknown, field 2). */
function messageOf(object: Readonly<AnyObject>): Uint8Array | undefined {
  const bytes = encodeProtobuf(object)
  if (bytes === undefined) return undefined
  let at = magic.length
  while (at < bytes.length) {
    const number = (bytes[at] ?? 0) >>> 3
    const length = readVarint(bytes, at + 1)
    const start = length.next
    if (number === 2) return bytes.subarray(start, start + length.value)
    at = start + length.value
  }
  return nothing
}

function readVarint(bytes: Uint8Array, from: number): { readonly value: number; readonly next: number } {
  let value = 0
  let shift = 0
  let at = from
  for (;;) {
    const byte = bytes[at++] ?? 0
    value += (byte & 0x7f) * 2 ** shift
    if (byte < 0x80) return { value, next: at }
    shift += 7
  }
}

function fieldHead(number: number, length: number): Uint8Array {
  const head: number[] = [(number << 3) | 2]
  let left = length
  while (left > 0x7f) {
    head.push((left & 0x7f) | 0x80)
    left = Math.floor(left / 128)
  }
  head.push(left)
  return Uint8Array.from(head)
}

function field(number: number, bytes: Uint8Array): Uint8Array {
  return Buffer.concat([fieldHead(number, bytes.length), bytes])
}
