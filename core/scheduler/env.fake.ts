/** What plugins are made with, in tests: listers over objects that are handed in, and a client that must not be asked unless one is given. */
import type { KindRef } from '../api/kind.ts'
import type { KubeObject } from '../api/meta.ts'
import type { Client } from '../client/client.ts'
import { Cache } from '../client/lister.ts'
import { type Clock, virtualClock } from '../lib/clock.ts'
import { seededRandom } from '../lib/random.ts'
import type { PluginEnv } from './framework.ts'

export interface FakeEnv extends PluginEnv {
  /** Shows objects of a kind to its lister from now on. */
  show<T extends KubeObject>(kind: KindRef<T>, ...objects: readonly T[]): FakeEnv
}

export function fakeEnv(options: { readonly client?: Client; readonly clock?: Clock } = {}): FakeEnv {
  const caches = new Map<KindRef, Cache<KubeObject>>()
  const cacheOf = (kind: KindRef): Cache<KubeObject> => {
    const cache = caches.get(kind) ?? new Cache<KubeObject>()
    caches.set(kind, cache)
    return cache
  }
  const env: FakeEnv = {
    client: options.client ?? ({} as Client),
    clock: options.clock ?? virtualClock(),
    random: seededRandom(1),
    event: () => {},
    read: <T extends KubeObject>(kind: KindRef<T>) => cacheOf(kind as unknown as KindRef) as unknown as Cache<T>,
    show(kind, ...objects) {
      for (const object of objects) cacheOf(kind as unknown as KindRef).put(object)
      return env
    },
  }
  return env
}
