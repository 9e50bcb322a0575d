/** What a user makes and changes, drawn from the seed, and what it must come to in the end. The list is workloads.ts. */
import { isApiError } from '../../core/api/errors.ts'
import type { KindRef } from '../../core/api/kind.ts'
import { keyOf, type KubeObject } from '../../core/api/meta.ts'
import type { Client } from '../../core/client/client.ts'
import type { Ctx } from '../../core/lib/ctx.ts'
import { cloneJson } from '../../core/lib/json.ts'
import type { Random } from '../../core/lib/random.ts'
import { simNamespace } from './cluster.ts'
import type { History } from './history.ts'

export interface Act {
  readonly name: string
  readonly run: (user: User) => Promise<void>
}

export interface Workload {
  readonly name: string
  readonly begin: (user: User) => Promise<void>
  /** Things a user may do to it, any number of times and in any order. */
  readonly acts: readonly (() => Act)[]
  /** What is done last, so that it can come to rest. */
  readonly last?: Act
  /** What keeps it from being as it should be; undefined: nothing. */
  readonly lacks: (history: History) => string | undefined
}

export interface Place {
  readonly random: Random
  /** Of this kind of workload in this run, from 0. */
  readonly index: number
  readonly nodes: number
}

export interface WorkloadKind {
  readonly name: string
  readonly draw: (place: Place) => Workload
}

const lookEveryMs = 100

/** The user: past all faults, and refused politely. */
export class User {
  readonly #ctx: Ctx
  readonly #client: Client

  constructor(ctx: Ctx, client: Client) {
    this.#ctx = ctx
    this.#client = client
  }

  /** Of cluster scope, and perhaps there. */
  async ensure<T extends KubeObject>(kind: KindRef<T>, object: T): Promise<void> {
    if ((await this.#client.get(this.#ctx, kind, keyOf(object))) === undefined) await this.create(kind, object)
  }

  async create<T extends KubeObject>(kind: KindRef<T>, object: T): Promise<void> {
    const placed = kind.namespaced ? { ...object, metadata: { namespace: simNamespace, ...object.metadata } } : object
    await this.#client.create(this.#ctx, kind, placed)
  }

  /** Nothing happens to what is gone. */
  async change<T extends KubeObject>(kind: KindRef<T>, name: string, change: (mine: T) => void): Promise<void> {
    for (;;) {
      const lent = await this.#client.get(this.#ctx, kind, { namespace: simNamespace, name })
      if (lent === undefined) return
      const mine = cloneJson(lent) as T
      change(mine)
      try {
        return void (await this.#client.update(this.#ctx, kind, mine))
      } catch (error) {
        if (isApiError(error, 'NotFound')) return
        if (!isApiError(error, 'Conflict')) throw error
      }
    }
  }

  async remove(kind: KindRef, name: string, propagationPolicy = 'Background'): Promise<void> {
    await this.#client.delete(this.#ctx, kind, { namespace: simNamespace, name }, { propagationPolicy })
  }

  /** Whether it was let go: a budget may keep it. */
  async evict(kind: KindRef, name: string): Promise<boolean> {
    const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace: simNamespace } }
    try {
      await this.#client.post(this.#ctx, kind, { namespace: simNamespace, name }, 'eviction', eviction)
      return true
    } catch (error) {
      if (isApiError(error) && error.code < 500) return false
      throw error
    }
  }

  /** Waits until it is as it should be. */
  async until<T extends KubeObject>(kind: KindRef<T>, name: string, holds: (object: Readonly<T>) => boolean): Promise<void> {
    for (;;) {
      const found = await this.#client.get(this.#ctx, kind, { namespace: simNamespace, name })
      if (found !== undefined && holds(found)) return
      await this.#ctx.clock.sleep(lookEveryMs, this.#ctx.signal)
    }
  }

  async list<T extends KubeObject>(kind: KindRef<T>): Promise<readonly Readonly<T>[]> {
    return (await this.#client.list(this.#ctx, kind, { namespace: simNamespace })).items
  }
}

export function pick<T>(random: Random, from: readonly [T, ...T[]]): T {
  return from[random.int(from.length)] ?? from[0]
}
