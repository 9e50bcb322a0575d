/**
 * What authentication, authorization and admission read of the cluster: answered
 * at once from memory. The composition root makes both from the registry's cache
 * (never stale) or from informers' listers. Objects are lent.
 */
import type { KindRef } from '../api/kind.ts'
import type { Key, KubeObject } from '../api/meta.ts'

export interface Lookup {
  get<T extends KubeObject>(kind: KindRef<T>, key: Key): Readonly<T> | undefined
  /** Without a namespace: everything of the kind. */
  list<T extends KubeObject>(kind: KindRef<T>, namespace?: string): readonly Readonly<T>[]
}

/** Where indexes hear of changes. */
export interface Changes {
  /** Calls `on` for each object that is there (before it returns, or soon after) and then for every change, in order. */
  follow<T extends KubeObject>(kind: KindRef<T>, on: (change: Change<T>) => void): { stop(): void }
}

export interface Change<T extends KubeObject> {
  readonly type: 'set' | 'delete'
  /** As it is, or as it was last. */
  readonly object: Readonly<T>
}
