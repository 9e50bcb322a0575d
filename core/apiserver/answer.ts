/**
 * Outcomes as bytes: JSON spliced from the items' own bytes, YAML, Tables, metadata only; gzip for what is large.
 * What a client accepts is negotiate.ts.
 */
import { gzip, gzipSync } from 'node:zlib'
import { scales } from '../api/autoscaling/scale.ts'
import { ApiError, internal, notAcceptable } from '../api/errors.ts'
import { apiVersionOf, type AnyObject } from '../api/meta.ts'
import type { Kind } from '../api/kind.ts'
import type { Item, ListResult } from '../registry/registry.ts'
import { encodeProtobuf, printYaml } from './codec.ts'
import type { Outcome } from './deps.ts'
import { utf8, type Headers, type Outlet } from './exchange.ts'
import type { Media } from './negotiate.ts'
import { protobufList } from './protobuflist.ts'
import { partialMetadata, tableOf, type IncludeObject } from './table.ts'

export interface Rendering {
  readonly media: Media
  readonly kind: Kind | undefined
  readonly now: number
  readonly include: IncludeObject
}

export interface Rendered {
  readonly type: string
  readonly body: Uint8Array
}

const jsonType = 'application/json'
const protobufType = 'application/vnd.kubernetes.protobuf'

/** Throws 406 when the conversion asked for does not fit what the verb gave. */
export function render(outcome: Outcome, how: Rendering): Rendered {
  const { media } = how
  if (media.as !== undefined && how.kind !== undefined) {
    const converted = convert(outcome, how, how.kind)
    if (converted !== undefined) return renderValue(converted, media)
  }
  if (outcome.type === 'item') {
    if (media.type === jsonType && !media.pretty) return { type: jsonType, body: outcome.item.bytes }
    return renderValue(outcome.item.object, media)
  }
  if (outcome.type === 'object') return renderValue(outcome.object, media)
  if (media.type === jsonType && !media.pretty) return { type: jsonType, body: listBytes(outcome.kind, outcome.result) }
  if (media.type === protobufType) {
    const body = protobufList(outcome.kind, outcome.result, listMetadata(outcome.kind, outcome.result))
    if (body !== undefined) return { type: protobufType, body }
  }
  return renderValue(listObject(outcome.kind, outcome.result), media)
}

export function renderValue(value: object, media: Media): Rendered {
  if (media.type === protobufType) {
    const body = encodeProtobuf(value as AnyObject)
    if (body !== undefined) return { type: protobufType, body }
  }
  if (media.type === 'application/yaml') return { type: media.type, body: utf8(printYaml(value)) }
  return {
    type: jsonType,
    body: utf8(media.pretty ? `${JSON.stringify(value, undefined, 2)}\n` : JSON.stringify(value)),
  }
}

/** What a subresource shows has columns of its own. */
function isScale(object: Readonly<AnyObject> | undefined): boolean {
  return object?.kind === scales.kind && object.apiVersion === 'autoscaling/v1'
}

function convert(outcome: Outcome, how: Rendering, kind: Kind): object | undefined {
  const { media } = how
  const version = media.asVersion
  // Statuses stay what they are.
  if (outcome.type === 'object' && outcome.object['kind'] === 'Status') return undefined
  const objects =
    outcome.type === 'list'
      ? outcome.result.items.map((item) => item.object)
      : [outcome.type === 'item' ? outcome.item.object : (outcome.object as unknown as AnyObject)]
  const metadata =
    outcome.type === 'list'
      ? listMetadata(undefined, outcome.result)
      : { resourceVersion: objects[0]?.metadata.resourceVersion ?? '' }
  if (media.as === 'Table')
    return tableOf({ kind: isScale(objects[0]) ? scales : kind, objects, metadata, include: how.include, version, now: how.now, headers: true })
  if (media.as === 'PartialObjectMetadataList') {
    if (outcome.type !== 'list')
      throw notAcceptable(
        `you requested PartialObjectMetadataList, but the requested object is not a list (${goType(kind, kind.kind)})`,
      )
    return {
      kind: media.as,
      apiVersion: `meta.k8s.io/${version}`,
      metadata,
      items: objects.map((object) => partialMetadata(object, version)),
    }
  }
  if (outcome.type === 'list')
    throw notAcceptable(
      `you requested PartialObjectMetadata, but the requested object is a list (${goType(kind, kind.listKind)})`,
    )
  const [object] = objects
  if (object === undefined) throw internal('nothing to convert')
  return partialMetadata(object, version)
}

/** Upstream names its internal type: `*core.ConfigMapList`. */
function goType({ group, custom }: Kind, name: string): string {
  if (custom !== undefined) return `*unstructured.Unstructured${name.endsWith('List') ? 'List' : ''}`
  return `*${group === '' ? 'core' : (group.split('.', 1)[0] ?? '')}.${name}`
}

/** Upstream's lists without a type of their own say also that nothing follows. */
function listMetadata(kind: Kind | undefined, result: ListResult): Readonly<Record<string, unknown>> {
  const custom = kind?.custom
  const next = result.continue ?? ''
  return {
    ...(result.resourceVersion === '' ? {} : { resourceVersion: result.resourceVersion }), // what is kept nowhere has none
    ...(next === '' && custom === undefined ? {} : { continue: next }),
    ...(result.remainingItemCount === undefined ? {} : { remainingItemCount: result.remainingItemCount }),
  }
}

/** A list as one object; items of a list carry no kind of their own in upstream's typed lists, and none is needed. */
export function listObject(kind: Kind, result: ListResult): AnyObject {
  return {
    kind: kind.listKind,
    apiVersion: apiVersionOf(kind),
    metadata: listMetadata(kind, result),
    items: result.items.map((item) => item.object),
  }
}

/** One allocation, one copy of each item's bytes. */
function listBytes(kind: Kind, result: ListResult): Uint8Array {
  const head = utf8(
    `{"kind":"${kind.listKind}","apiVersion":"${apiVersionOf(kind)}","metadata":${JSON.stringify(listMetadata(kind, result))},"items":[`,
  )
  const { items } = result
  let size = head.length + Math.max(0, items.length - 1) + 2
  for (const item of items) size += item.bytes.length
  const out = Buffer.allocUnsafe(size)
  out.set(head, 0)
  let at = head.length
  items.forEach((item: Item, i) => {
    if (i > 0) out[at++] = comma
    out.set(item.bytes, at)
    at += item.bytes.length
  })
  out[at++] = closeBracket
  out[at] = closeBrace
  return out
}

const comma = 0x2c
const closeBracket = 0x5d
const closeBrace = 0x7d

/** Answers above this size are compressed for those who accept it, as upstream. */
export const gzipBytesMin = 128 * 1_024
/** Up to this size compressing takes no longer than handing it to another thread. */
const gzipHereBytesMax = 384 * 1_024

export function send(outlet: Outlet, code: number, rendered: Rendered, headers: Headers, acceptsGzip: boolean): void {
  const all: Headers = { ...headers, 'content-type': rendered.type, 'cache-control': 'no-cache, private' }
  if (!acceptsGzip || rendered.body.length < gzipBytesMin) {
    outlet.send(code, all, rendered.body)
    return
  }
  const packed: Headers = { ...all, 'content-encoding': 'gzip', vary: 'Accept-Encoding' }
  if (rendered.body.length <= gzipHereBytesMax) {
    outlet.send(code, packed, gzipSync(rendered.body, { level: 1 }))
    return
  }
  gzip(rendered.body, { level: 1 }, (error, bytes) => {
    if (error === null) outlet.send(code, packed, bytes)
    else outlet.send(code, all, rendered.body)
  })
}

/** Any error as an ApiError: what is not one is an accident of ours, shown as 500 and logged by the caller. */
export function asApiError(error: unknown): ApiError {
  return error instanceof ApiError ? error : internal(error instanceof Error ? error.message : String(error))
}
