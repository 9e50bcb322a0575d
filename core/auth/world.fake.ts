/** A small world in memory for tests of auth and admission: a Lookup and Changes over objects put by hand. */
import { kindId, type KindRef } from '../api/kind.ts'
import type { Key, KubeObject } from '../api/meta.ts'
import type { Change, Changes, Lookup } from './lookup.ts'

export class FakeWorld implements Lookup, Changes {
  readonly #objects = new Map<string, Map<string, KubeObject>>()
  readonly #followers = new Map<string, Set<(change: Change<KubeObject>) => void>>()

  put<T extends KubeObject>(kind: KindRef<T>, ...objects: readonly T[]): this {
    for (const object of objects) {
      this.#of(kind).set(`${object.metadata.namespace ?? ''}/${object.metadata.name}`, object)
      for (const on of this.#followers.get(kindId(kind)) ?? []) on({ type: 'set', object })
    }
    return this
  }

  remove(kind: KindRef, key: Key): this {
    const id = `${key.namespace}/${key.name}`
    const object = this.#of(kind).get(id)
    this.#of(kind).delete(id)
    if (object !== undefined) for (const on of this.#followers.get(kindId(kind)) ?? []) on({ type: 'delete', object })
    return this
  }

  get<T extends KubeObject>(kind: KindRef<T>, key: Key): Readonly<T> | undefined {
    return this.#of(kind).get(`${key.namespace}/${key.name}`) as T | undefined
  }

  list<T extends KubeObject>(kind: KindRef<T>, namespace?: string): readonly Readonly<T>[] {
    const all = [...this.#of(kind).values()] as T[]
    return namespace === undefined ? all : all.filter((o) => o.metadata.namespace === namespace)
  }

  follow<T extends KubeObject>(kind: KindRef<T>, on: (change: Change<T>) => void): { stop(): void } {
    const followers = this.#followers.get(kindId(kind)) ?? new Set()
    this.#followers.set(kindId(kind), followers)
    followers.add(on as (change: Change<KubeObject>) => void)
    for (const object of this.list(kind)) on({ type: 'set', object })
    return { stop: () => void followers.delete(on as (change: Change<KubeObject>) => void) }
  }

  #of(kind: KindRef): Map<string, KubeObject> {
    const id = kindId(kind)
    const map = this.#objects.get(id) ?? new Map<string, KubeObject>()
    this.#objects.set(id, map)
    return map
  }
}
