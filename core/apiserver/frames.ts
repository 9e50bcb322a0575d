/**
 * Watch events as bytes. Plain JSON frames are spliced from the object's own bytes and kept with them, so that a
 * thousand watchers of one change share one buffer; Tables, metadata only and protobuf are made the same way and kept
 * for as long as the item itself lives.
 */
import { ApiError, internal } from '../api/errors.ts'
import { apiVersionOf, type AnyObject } from '../api/meta.ts'
import type { Kind } from '../api/kind.ts'
import { watchFrame } from '../api/codec/protobuf.ts'
import type { Item } from '../registry/registry.ts'
import { utf8 } from './exchange.ts'
import type { Media } from './negotiate.ts'
import { renderValue } from './answer.ts'
import { partialMetadata, tableOf, type IncludeObject } from './table.ts'

export type EventType = 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR'

export interface Framer {
  /** Content type of the stream. */
  readonly type: string
  event(type: 'ADDED' | 'MODIFIED' | 'DELETED', item: Item): Uint8Array
  /** An object that is nobody else's: bookmarks and errors. */
  own(type: EventType, object: object): Uint8Array
  readonly kind: Kind
}

export interface FramerOptions {
  readonly include: IncludeObject
  readonly now: () => number
}

type Frames = Partial<Record<'ADDED' | 'MODIFIED' | 'DELETED', Uint8Array>>

const jsonFrames = new WeakMap<Item, Frames>()
const heads = {
  ADDED: utf8('{"type":"ADDED","object":'),
  MODIFIED: utf8('{"type":"MODIFIED","object":'),
  DELETED: utf8('{"type":"DELETED","object":'),
} as const
const closeBrace = 0x7d
const newline = 0x0a

export function framer(kind: Kind, media: Media, options: FramerOptions): Framer {
  if (media.type === 'application/vnd.kubernetes.protobuf') return protobufFramer(kind, media)
  if (media.as !== undefined) return convertingFramer(kind, media, options)
  return { kind, type: 'application/json', event: sharedFrame, own: jsonFrame }
}

function sharedFrame(type: 'ADDED' | 'MODIFIED' | 'DELETED', item: Item): Uint8Array {
  let frames = jsonFrames.get(item)
  if (frames === undefined) jsonFrames.set(item, (frames = {}))
  return (frames[type] ??= splice(heads[type], item.bytes))
}

function splice(head: Uint8Array, bytes: Uint8Array): Uint8Array {
  const frame = Buffer.allocUnsafe(head.length + bytes.length + 2)
  frame.set(head, 0)
  frame.set(bytes, head.length)
  frame[frame.length - 2] = closeBrace
  frame[frame.length - 1] = newline
  return frame
}

function jsonFrame(type: EventType, object: object): Uint8Array {
  return utf8(`{"type":"${type}","object":${JSON.stringify(object)}}\n`)
}

/** Tables name their columns in the first event only; ages are those of the moment, so nothing is shared. */
function convertingFramer(kind: Kind, media: Media, options: FramerOptions): Framer {
  let headers = true
  const version = media.asVersion
  const convert = (object: Readonly<AnyObject>): object => {
    if (media.as !== 'Table') return partialMetadata(object, version)
    const metadata = { resourceVersion: object.metadata.resourceVersion ?? '' }
    const initialEnd = object.metadata.annotations?.[initialEndAnnotation] !== undefined
    const include = initialEnd && options.include === 'None' ? 'Metadata' : options.include
    const table = tableOf({ kind, objects: [object], metadata, include, version, now: options.now(), headers })
    headers = false
    return table
  }
  return {
    kind,
    type: 'application/json',
    event: (type, item) => jsonFrame(type, convert(item.object)),
    own: (type, object) => jsonFrame(type, type === 'ERROR' ? object : convert(object as AnyObject)),
  }
}

const protobufFrames = new WeakMap<Item, Frames>()

/** Only kinds that have a protobuf form get here: negotiate.ts sees to it. */
function protobufFramer(kind: Kind, media: Media): Framer {
  const frame = (type: string, object: object): Uint8Array => watchFrame(type, renderValue(object, media).body)
  const convert = (object: Readonly<AnyObject>): object => (media.as === undefined ? object : partialMetadata(object, media.asVersion))
  return {
    kind,
    type: 'application/vnd.kubernetes.protobuf;stream=watch',
    event(type, item) {
      if (media.as !== undefined) return frame(type, convert(item.object))
      let frames = protobufFrames.get(item)
      if (frames === undefined) protobufFrames.set(item, (frames = {}))
      return (frames[type] ??= frame(type, item.object))
    },
    own: (type, object) => frame(type, type === 'ERROR' ? object : convert(object as AnyObject)),
  }
}

const initialEndAnnotation = 'k8s.io/initial-events-end'

export function bookmarkFrame(frames: Framer, revision: number, initialEnd: boolean): Uint8Array {
  return frames.own('BOOKMARK', bookmarkObject(frames.kind, revision, initialEnd))
}

export function bookmarkObject(kind: Kind, revision: number, initialEnd: boolean): AnyObject {
  return {
    kind: kind.kind,
    apiVersion: apiVersionOf(kind),
    metadata: { resourceVersion: String(revision), ...(initialEnd ? { annotations: { [initialEndAnnotation]: 'true' } } : {}) },
  }
}

export function errorFrame(frames: Framer, error: Error): Uint8Array {
  return frames.own('ERROR', (error instanceof ApiError ? error : internal(error.message)).status())
}
