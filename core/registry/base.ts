/** What every verb of the registry stands on: the store, the cache over it, chance; where an object lies; what an error is about. */
import { notFound, type ApiError, type GroupResource } from '../api/errors.ts'
import type { Kind } from '../api/kind.ts'
import type { AnyObject, Key } from '../api/meta.ts'
import type { Random } from '../lib/random.ts'
import type { Cache, PrefixCache } from '../store/cache.ts'
import type { Store } from '../store/store.ts'
import type { Horizon } from './horizon.ts'
import { encodeStored } from './item.ts'
import type { Item } from './registry.ts'

export interface Base {
  readonly store: Store
  readonly cache: Cache<Item>
  readonly random: Random
  readonly horizon: Horizon
  /** Ends with the registry. */
  readonly life: AbortSignal
}

/** `pods/default/web`, `nodes//n1`: by namespace, then by name, as upstream lists. */
export function storeKey(kind: Kind, key: Key): string {
  return `${kind.prefix}/${kind.namespaced ? key.namespace : ''}/${key.name}`
}

export function shelf(base: Base, kind: Kind): PrefixCache<Item> {
  return base.cache.prefix(kind.prefix)
}

/** What stands at the key, as it is stored. */
export function standing(base: Base, kind: Kind, key: Key): Item | undefined {
  return shelf(base, kind).get(storeKey(kind, key))
}

export function resourceOf(kind: Kind): GroupResource {
  return { group: kind.group, resource: kind.plural }
}

export function absent(kind: Kind, name: string): ApiError {
  return notFound(resourceOf(kind), name)
}

/** What is stored for an object of this kind. */
export function stored(kind: Kind, object: AnyObject): Uint8Array {
  return encodeStored(kind, kind.conversion === undefined ? object : kind.conversion.toStored(object))
}

/** The item that a write has made, as it is stored: the cache has it, unless the next write was quicker. */
export function written(base: Base, kind: Kind, key: string, bytes: Uint8Array, revision: number, make: (bytes: Uint8Array, revision: number) => Item): Item {
  const item = shelf(base, kind).get(key)
  return item?.revision === revision ? item : make(bytes, revision)
}
