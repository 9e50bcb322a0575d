/**
 * Lister: the objects of one kind as an informer last saw them, by key and by named indexes.
 * What it gives is lent: shared by every reader, never changed. The informer alone writes it (Cache).
 */
import { deepFreeze } from '../lib/json.ts'
import { keyOf, keyText, type Key, type KubeObject } from '../api/meta.ts'

/** Values under which an object is found. */
export type Index<T> = (object: Readonly<T>) => readonly string[]

export interface Lister<T extends KubeObject> {
  readonly size: number
  get(key: Key): Readonly<T> | undefined
  /** By `namespace/name` (or `name`). */
  at(key: string): Readonly<T> | undefined
  byUid(uid: string): Readonly<T> | undefined
  /** All, or those of one namespace; in the order they came. */
  list(namespace?: string): Readonly<T>[]
  /** Those that an index has under a value. Throws for an index that nobody added. */
  by(index: string, value: string): Readonly<T>[]
  /** Any of those. */
  one(index: string, value: string): Readonly<T> | undefined
}

/** Indexes that many parts share. */
export const ownerIndex = 'owner'
export const controllerIndex = 'controller'
export const nodeIndex = 'node'

export const byOwner: Index<KubeObject> = (o) => (o.metadata.ownerReferences ?? []).map((owner) => owner.uid)
export const byController: Index<KubeObject> = (o) => (o.metadata.ownerReferences ?? []).filter((owner) => owner.controller === true).map((owner) => owner.uid)
export const byNode: Index<KubeObject & { readonly spec?: { readonly nodeName?: string } }> = (o) => (o.spec?.nodeName === undefined || o.spec.nodeName === '' ? [] : [o.spec.nodeName])

const namespaceIndex = 'namespace'

export class Cache<T extends KubeObject> implements Lister<T> {
  readonly #objects = new Map<string, Readonly<T>>()
  /** An index without buckets: nobody shares a uid. */
  readonly #byUid = new Map<string, Readonly<T>>()
  readonly #indexes = new Map<string, Buckets<T>>()
  readonly #freeze: boolean

  constructor(options: { readonly freeze?: boolean } = {}) {
    this.#freeze = options.freeze ?? false
    this.addIndex(namespaceIndex, (o) => [o.metadata.namespace ?? ''])
  }

  get size(): number {
    return this.#objects.size
  }

  get(key: Key): Readonly<T> | undefined {
    return this.#objects.get(keyText(key))
  }

  at(key: string): Readonly<T> | undefined {
    return this.#objects.get(key)
  }

  byUid(uid: string): Readonly<T> | undefined {
    return this.#byUid.get(uid)
  }

  list(namespace?: string): Readonly<T>[] {
    return namespace === undefined || namespace === '' ? [...this.#objects.values()] : this.by(namespaceIndex, namespace)
  }

  by(index: string, value: string): Readonly<T>[] {
    return [...(this.#bucket(index, value)?.values() ?? [])]
  }

  one(index: string, value: string): Readonly<T> | undefined {
    return this.#bucket(index, value)?.values().next().value
  }

  /** Quiet when an index of that name is there already. */
  addIndex(name: string, of: Index<T>): void {
    if (this.#indexes.has(name)) return
    const index = { of, buckets: new Map<string, Map<string, Readonly<T>>>() }
    this.#indexes.set(name, index)
    for (const [key, object] of this.#objects) enter(index, key, object)
  }

  keys(): IterableIterator<string> {
    return this.#objects.keys()
  }

  put(object: Readonly<T>): Readonly<T> | undefined {
    if (this.#freeze) deepFreeze(object)
    const key = keyText(keyOf(object as T))
    const prev = this.#objects.get(key)
    for (const index of this.#indexes.values()) {
      if (prev === undefined) enter(index, key, object)
      else move(index, key, prev, object)
    }
    if (prev !== undefined && prev.metadata.uid !== object.metadata.uid) this.#byUid.delete(prev.metadata.uid ?? '')
    this.#byUid.set(object.metadata.uid ?? '', object)
    this.#objects.set(key, object)
    return prev
  }

  remove(key: string): Readonly<T> | undefined {
    const prev = this.#objects.get(key)
    if (prev === undefined) return undefined
    for (const index of this.#indexes.values()) leave(index, key, prev)
    this.#byUid.delete(prev.metadata.uid ?? '')
    this.#objects.delete(key)
    return prev
  }

  #bucket(index: string, value: string): ReadonlyMap<string, Readonly<T>> | undefined {
    const found = this.#indexes.get(index)
    if (found === undefined) throw new Error(`lister has no index ${index}`)
    return found.buckets.get(value)
  }
}

interface Buckets<T> {
  readonly of: Index<T>
  readonly buckets: Map<string, Map<string, Readonly<T>>>
}

/** Most changes leave an object where it is found. */
function move<T>(index: Buckets<T>, key: string, prev: Readonly<T>, next: Readonly<T>): void {
  const was = index.of(prev)
  const is = index.of(next)
  const stays = was.length === is.length && was.every((value, i) => value === is[i])
  if (stays) {
    for (const value of is) index.buckets.get(value)?.set(key, next)
    return
  }
  leave(index, key, prev)
  enter(index, key, next)
}

function enter<T>(index: Buckets<T>, key: string, object: Readonly<T>): void {
  for (const value of index.of(object)) {
    const bucket = index.buckets.get(value)
    if (bucket === undefined) index.buckets.set(value, new Map([[key, object]]))
    else bucket.set(key, object)
  }
}

function leave<T>(index: Buckets<T>, key: string, object: Readonly<T>): void {
  for (const value of index.of(object)) {
    const bucket = index.buckets.get(value)
    bucket?.delete(key)
    if (bucket?.size === 0) index.buckets.delete(value)
  }
}
