/**
 * Kinds whose versions a webhook converts (kind.remote): what is stored in another version is shown in this one after a
 * question to somebody else. Each item is asked for once for each version, many in one question, and keeps the answer.
 * For all other kinds there is nothing to wait for: callers ask `kind.remote` first, or get undefined here.
 */
import { apiVersionOf, type AnyObject } from '../api/meta.ts'
import type { Kind } from '../api/kind.ts'
import { unlessAborted, type Ctx } from '../lib/ctx.ts'
import { stored, type Base } from './base.ts'
import { converted, encodeStored, keepView, lacksView, viewOf } from './item.ts'
import type { Item } from './registry.ts'

/** Objects in one question. */
const batchMax = 500

/** Questions that are under way, by what they are about: two who want the same wait for one answer. */
const asking = new WeakMap<Kind, WeakMap<Item, Promise<void>>>()

/** Resolves when viewOf() may be asked for these items; undefined: at once. */
export function shown(base: Base, ctx: Ctx, kind: Kind, items: Iterable<Item>): Promise<void> | undefined {
  if (kind.remote === undefined) return undefined
  let asked = asking.get(kind)
  if (asked === undefined) asking.set(kind, (asked = new WeakMap()))
  const waits = new Set<Promise<void>>()
  const missing: Item[] = []
  for (const item of items) {
    const source = lacksView(kind, item)
    if (source === undefined) continue
    const wait = asked.get(source)
    if (wait === undefined) missing.push(source)
    else waits.add(wait)
  }
  for (let i = 0; i < missing.length; i += batchMax) {
    const batch = missing.slice(i, i + batchMax)
    const wait = ask(base, kind, batch).finally(() => {
      for (const item of batch) asked.delete(item)
    })
    for (const item of batch) asked.set(item, wait)
    waits.add(wait)
  }
  if (waits.size === 0) return undefined
  return unlessAborted(ctx.signal, Promise.all(waits).then(() => undefined))
}

/** The item in the kind's version. */
export async function shownItem(base: Base, ctx: Ctx, kind: Kind, item: Item): Promise<Item> {
  await shown(base, ctx, kind, [item])
  return viewOf(kind, item)
}

/** What is stored for an object of this kind: in the storage version, whatever the kind's own is. */
export async function storedRemotely(base: Base, kind: Kind, object: AnyObject): Promise<Uint8Array> {
  const { remote, custom } = kind
  if (remote === undefined || custom === undefined || custom.storageVersion === kind.version) return stored(kind, object)
  const [other] = await remote([withoutVersion(object)], apiVersionOf({ group: kind.group, version: custom.storageVersion }), base.life)
  return encodeStored(kind, kind.conversion === undefined ? (other as AnyObject) : kind.conversion.toStored(other as AnyObject))
}

/** The life of the registry, not of who asked first: others may wait for the same answer. */
async function ask(base: Base, kind: Kind, items: readonly Item[]): Promise<void> {
  const answers = await kind.remote?.(items.map((item) => withoutVersion(item.object)), apiVersionOf(kind), base.life)
  items.forEach((item, i) => {
    const object = answers?.[i] as AnyObject
    const metadata = { ...object.metadata, resourceVersion: String(item.revision) }
    keepView(kind, item, converted(kind, { ...object, metadata }, item.revision))
  })
}

/** resourceVersion is no part of what is stored, and nobody's business but ours. */
function withoutVersion(object: Readonly<AnyObject>): AnyObject {
  const { resourceVersion: _, ...metadata } = object.metadata
  return { ...object, metadata }
}
