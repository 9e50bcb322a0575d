/**
 * The cluster as authentication, authorization and admission read it: maps that
 * follow the registry's own cache, change by change, in the moment of the commit,
 * so that what was acknowledged is seen by the next request. Objects are lent.
 */
import type { Ctx } from '../lib/ctx.ts'
import { kindId, type Kind, type KindRef } from '../api/kind.ts'
import { keyOf, keyText, type AnyObject, type Key, type KubeObject } from '../api/meta.ts'
import type { Change, Changes, Lookup } from '../auth/lookup.ts'
import type { Item, Registry } from '../registry/registry.ts'

type Follower = (change: Change<AnyObject>) => void

class Followed {
  readonly objects = new Map<string, Readonly<AnyObject>>()
  /** namespace -> names; what a list of one namespace goes through. */
  readonly namespaces = new Map<string, Set<string>>()
  readonly followers = new Set<Follower>()
  /** Of the objects that came lately. */
  averageBytes = 0

  apply(type: 'ADDED' | 'MODIFIED' | 'DELETED', item: Item): void {
    const object = item.object
    this.averageBytes = this.averageBytes === 0 ? item.bytes.length : 0.9 * this.averageBytes + 0.1 * item.bytes.length
    const key = keyOf(object)
    const text = keyText(key)
    if (type === 'DELETED') {
      this.objects.delete(text)
      this.namespaces.get(key.namespace)?.delete(text)
    } else {
      this.objects.set(text, object)
      const names = this.namespaces.get(key.namespace) ?? new Set<string>()
      this.namespaces.set(key.namespace, names.add(text))
    }
    for (const follow of this.followers) follow({ type: type === 'DELETED' ? 'delete' : 'set', object })
  }
}

export class RegistryWorld implements Lookup, Changes {
  readonly #followed = new Map<string, Followed>()
  readonly #byResource = new Map<string, Followed>()

  /** Follows these kinds from now until ctx ends; resolves when what there is has been seen. */
  static async open(ctx: Ctx, registry: Registry, kinds: readonly Kind[]): Promise<RegistryWorld> {
    const world = new RegistryWorld()
    await Promise.all(kinds.map((kind) => world.#open(ctx, registry, kind)))
    return world
  }

  get<T extends KubeObject>(kind: KindRef<T>, key: Key): Readonly<T> | undefined {
    return this.#of(kind).objects.get(keyText(key)) as Readonly<T> | undefined
  }

  list<T extends KubeObject>(kind: KindRef<T>, namespace?: string): readonly Readonly<T>[] {
    const { objects, namespaces } = this.#of(kind)
    if (namespace === undefined || namespace === '') return [...objects.values()] as unknown as Readonly<T>[]
    return [...(namespaces.get(namespace) ?? [])].map((text) => objects.get(text)) as unknown as Readonly<T>[]
  }

  follow<T extends KubeObject>(kind: KindRef<T>, on: (change: Change<T>) => void): { stop(): void } {
    const followed = this.#of(kind)
    const follower = on as unknown as Follower
    for (const object of followed.objects.values()) follower({ type: 'set', object })
    followed.followers.add(follower)
    return { stop: () => void followed.followers.delete(follower) }
  }

  /** How many objects there are of a resource, and how large they are; undefined for what is not followed. */
  size(group: string, resource: string): { readonly count: number; readonly averageBytes: number } | undefined {
    const followed = this.#byResource.get(`${group}/${resource}`)
    return followed === undefined ? undefined : { count: followed.objects.size, averageBytes: followed.averageBytes }
  }

  #of(kind: KindRef): Followed {
    const followed = this.#followed.get(kindId(kind))
    if (followed === undefined) throw new Error(`world: ${kindId(kind)} is not followed`)
    return followed
  }

  async #open(ctx: Ctx, registry: Registry, kind: Kind): Promise<void> {
    const followed = new Followed()
    this.#followed.set(kindId(kind), followed)
    this.#byResource.set(`${kind.group}/${kind.plural}`, followed)
    const query = { namespace: '', allowBookmarks: true, sendInitialEvents: true, resourceVersionMatch: 'NotOlderThan' }
    await new Promise<void>((resolve, reject) => {
      const sink = {
        event: followed.apply.bind(followed),
        bookmark: (_revision: number, initialEnd: boolean): void => (initialEnd ? resolve() : undefined),
        end: (error?: Error): void => {
          if (ctx.signal.aborted) return
          reject(error ?? new Error(`watch of ${kind.plural} ended`))
          ctx.log.error('the world is cut off from the registry', { kind: kindId(kind), error })
        },
      }
      registry.watch(ctx, kind, query, sink).then(
        (watch) => ctx.signal.addEventListener('abort', () => watch.stop(), { once: true }),
        reject,
      )
    })
  }
}
