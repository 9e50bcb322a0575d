/** Informers: one informer a kind and selection, shared by all parts of a process. Runs them as they are asked for. */
import { kindId, type KindRef } from '../api/kind.ts'
import type { KubeObject } from '../api/meta.ts'
import { aborted, childCtx, type Ctx } from '../lib/ctx.ts'
import { Group } from '../lib/group.ts'
import type { Random } from '../lib/random.ts'
import type { Client } from './client.ts'
import { type Informer, type InformerOptions, RunningInformer } from './informer.ts'

export interface InformersOptions {
  readonly client: Client
  readonly random: Random
  /** Freezes what listers lend: for tests. */
  readonly freeze?: boolean
}

export type Selection = Omit<InformerOptions, 'freeze'>

export class Informers {
  readonly #options: InformersOptions
  readonly #informers = new Map<string, RunningInformer<KubeObject>>()
  readonly #ends = new Map<KindRef, Set<() => void>>()
  #group: Group | undefined

  constructor(options: InformersOptions) {
    this.#options = options
  }

  /** The informer of a kind; a selection of its own has an informer of its own. It runs once run() does. */
  of<T extends KubeObject>(kind: KindRef<T>, selection: Selection = {}): Informer<T> {
    const id = [kindId(kind), selection.namespace ?? '', selection.fieldSelector ?? '', selection.labelSelector ?? ''].join('|')
    const known = this.#informers.get(id)
    if (known !== undefined) return known as unknown as Informer<T>
    const { client, random, freeze } = this.#options
    const informer = new RunningInformer<T>(client, random, kind, { ...selection, ...(freeze === undefined ? {} : { freeze }) })
    this.#informers.set(id, informer as unknown as RunningInformer<KubeObject>)
    this.#start(informer)
    return informer
  }

  /** The informer of all objects of a kind, if there is one. */
  known(kind: KindRef): Informer<KubeObject> | undefined {
    return this.#informers.get([kindId(kind), '', '', ''].join('|'))
  }

  /** Ends the informers of a kind that is served no more; who asks for it again gets a new one. */
  forget(kind: KindRef): void {
    for (const [id, informer] of this.#informers) {
      if (kindId(informer.kind) !== kindId(kind)) continue
      this.#informers.delete(id)
      for (const end of this.#ends.get(informer.kind) ?? []) end()
      this.#ends.delete(informer.kind)
    }
  }

  /** Runs all, also those that are asked for later, until ctx ends. */
  async run(ctx: Ctx): Promise<void> {
    await using group = new Group(ctx)
    this.#group = group
    for (const informer of this.#informers.values()) this.#start(informer)
    await aborted(group.ctx.signal)
    this.#group = undefined
  }

  /** Waits until every informer that is known now has its first list. */
  async synced(ctx: Ctx): Promise<void> {
    await Promise.race([Promise.all([...this.#informers.values()].map((i) => i.synced)), aborted(ctx.signal)])
    ctx.signal.throwIfAborted()
  }

  #start<T extends KubeObject>(informer: RunningInformer<T>): void {
    this.#group?.go(`informer ${informer.kind.plural}`, async (ctx) => {
      const { ctx: mine, end } = childCtx(ctx)
      const ends = this.#ends.get(informer.kind) ?? new Set()
      this.#ends.set(informer.kind, ends.add(end))
      await informer.run(mine)
      end()
    })
  }
}
