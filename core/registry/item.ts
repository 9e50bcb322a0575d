/**
 * Items: an object with its JSON bytes. In the store an object lies without its resourceVersion,
 * which is the number of the change that wrote it; on the way out the number is put in between
 * two pieces of bytes, so nothing is serialised twice. The object itself is parsed when first asked for.
 */
import { apiVersionOf, type AnyObject } from '../api/meta.ts'
import type { Kind } from '../api/kind.ts'
import { cloneJson } from '../lib/json.ts'
import type { Make } from '../store/cache.ts'
import type { Item } from './registry.ts'

const encoder = new TextEncoder()
const metadataMark = Buffer.from('"metadata":{')
const rvOpen = '"resourceVersion":"'

/** The object as it is stored: kind, apiVersion and metadata first, no resourceVersion. */
export function encodeStored(kind: Kind, object: Readonly<AnyObject>): Uint8Array {
  const { kind: name, apiVersion, metadata, ...rest } = object
  const { resourceVersion: _, ...meta } = metadata
  const head = kind.conversion === undefined && kind.remote === undefined ? { kind: kind.kind, apiVersion: apiVersionOf(kind) } : { kind: name, apiVersion }
  const shape = { ...head, metadata: meta, ...rest }
  const bytes = encoder.encode(JSON.stringify(shape))
  serialised.set(bytes, shape)
  return bytes
}

/** What bytes were made of, as long as somebody has the bytes: until they are stored, and told. */
const serialised = new WeakMap<Uint8Array, object>()

/** Bytes with the resourceVersion put in; `splice` is where its text begins, -1 where there is none. */
class StoredItem implements Item {
  readonly bytes: Uint8Array
  readonly revision: number
  readonly splice: number
  /** The same content under the revision that wrote it: what was asked for it need not be asked again. */
  readonly origin: StoredItem | undefined
  #object: AnyObject | undefined
  /** What it was made of; let go when nobody asks in the moment of the write. */
  #source: WeakRef<object> | undefined
  /** By kinds, which go when they are described anew. */
  #views: WeakMap<Kind, Item> | undefined

  constructor(bytes: Uint8Array, revision: number, splice: number, { origin, source }: { readonly origin?: StoredItem | undefined; readonly source?: object | undefined } = {}) {
    this.bytes = bytes
    this.revision = revision
    this.splice = splice
    this.origin = origin
    this.#source = source === undefined ? undefined : new WeakRef(source)
  }

  get object(): Readonly<AnyObject> {
    if (this.#object !== undefined) return this.#object
    const source = this.#source?.deref() as AnyObject | undefined
    this.#source = undefined
    const object = source === undefined ? (JSON.parse(utf8(this.bytes)) as AnyObject) : cloneJson({ ...source, metadata: { resourceVersion: String(this.revision), ...source.metadata } })
    this.#object = object
    return object
  }

  /** The item in another version's shape, made once. */
  view(kind: Kind): Item {
    let view = this.#views?.get(kind)
    if (view === undefined) {
      view = this.#made(kind)
      this.keep(kind, view)
    }
    return view
  }

  has(kind: Kind): boolean {
    return this.#views?.has(kind) === true
  }

  keep(kind: Kind, view: Item): void {
    this.#views ??= new WeakMap()
    this.#views.set(kind, view)
  }

  #made(kind: Kind): Item {
    if (kind.remote === undefined || isIn(kind, this)) {
      // What is stored often is what is shown: its bytes are there.
      if (isIn(kind, this) && kind.conversion?.fromStored(this.object) === this.object) return this
      return converted(kind, this.object, this.revision)
    }
    if (this.origin === undefined) throw new Error(`registry: revision ${this.revision} was not converted to ${apiVersionOf(kind)}`)
    const { object } = this.origin.view(kind)
    return looseItem({ ...object, metadata: { ...object.metadata, resourceVersion: String(this.revision) } }, this.revision)
  }
}

/** How the cache makes items from what is stored. */
export const storedItems: Make<Item> = {
  item(value, revision) {
    const mark = asBuffer(value).indexOf(metadataMark)
    if (mark < 0) throw new Error(`registry: revision ${revision} is not an object of ours`)
    const splice = mark + metadataMark.length
    return spliced(value.subarray(0, splice), value.subarray(splice), revision, { source: serialised.get(value) })
  },
  at(item, revision) {
    const { bytes, splice, revision: was } = item as StoredItem
    const end = splice + rvOpen.length + String(was).length + 2
    return spliced(bytes.subarray(0, splice), bytes.subarray(end), revision, { origin: item as StoredItem })
  },
}

function spliced(head: Uint8Array, tail: Uint8Array, revision: number, from: { readonly origin?: StoredItem; readonly source?: object | undefined }): StoredItem {
  const text = `${rvOpen}${revision}",`
  const bytes = new Uint8Array(head.length + text.length + tail.length)
  bytes.set(head, 0)
  for (let i = 0; i < text.length; i++) bytes[head.length + i] = text.charCodeAt(i)
  bytes.set(tail, head.length + text.length)
  return new StoredItem(bytes, revision, head.length, from)
}

/** The item as this kind shows it: itself, unless the kind converts. */
export function viewOf(kind: Kind, item: Item): Item {
  return kind.conversion === undefined && kind.remote === undefined ? item : (item as StoredItem).view(kind)
}

/** What a webhook has to be asked for before viewOf() can answer: the item, or the one it was made of; undefined: nothing. */
export function lacksView(kind: Kind, item: Item): Item | undefined {
  let at = item as StoredItem
  while (!at.has(kind) && !isIn(kind, at)) {
    if (at.origin === undefined) return at
    at = at.origin
  }
  return undefined
}

export function keepView(kind: Kind, item: Item, view: Item): void {
  ;(item as StoredItem).keep(kind, view)
}

function isIn(kind: Kind, item: Item): boolean {
  return item.object.apiVersion === apiVersionOf(kind)
}

/** An item of an object that is in nobody's cache: dry runs, and the last state of what an update deleted. */
export function looseItem(object: Readonly<AnyObject>, revision: number): Item {
  return { object, bytes: encoder.encode(JSON.stringify(object)), revision }
}

/** What is stored as `object`, in the kind's shape. */
export function converted(kind: Kind, object: Readonly<AnyObject>, revision: number): Item {
  const mine = kind.conversion === undefined ? object : kind.conversion.fromStored(object)
  return looseItem({ ...mine, kind: kind.kind, apiVersion: apiVersionOf(kind) }, revision)
}

function utf8(bytes: Uint8Array): string {
  return asBuffer(bytes).toString('utf8')
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
