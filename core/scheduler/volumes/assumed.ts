/**
 * Objects as they will be once what the scheduler has decided is written: ahead of the lister, until it shows a newer
 * version, or the decision is taken back.
 */
import { keyOf, keyText, type KubeObject } from '../../api/meta.ts'
import type { Lister } from '../../client/lister.ts'

export class Assumed<T extends KubeObject> {
  /** What the API shows, and nothing else. */
  readonly shown: Lister<T>
  readonly #assumed = new Map<string, Readonly<T>>()

  constructor(shown: Lister<T>) {
    this.shown = shown
  }

  at(key: string): Readonly<T> | undefined {
    const shown = this.shown.at(key)
    const mine = this.#assumed.get(key)
    if (mine === undefined || (shown !== undefined && revisionOf(shown) <= revisionOf(mine))) return mine ?? shown
    this.#assumed.delete(key)
    return shown
  }

  list(): Readonly<T>[] {
    const all = this.shown.list()
    return this.#assumed.size === 0 ? all : all.map((object) => this.at(keyText(keyOf(object as T))) ?? object)
  }

  /** A changed copy of what at() gave. */
  assume(object: Readonly<T>): void {
    this.#assumed.set(keyText(keyOf(object as T)), object)
  }

  forget(object: Readonly<T>): void {
    this.#assumed.delete(keyText(keyOf(object as T)))
  }
}

export function revisionOf(object: Readonly<KubeObject>): number {
  return Number(object.metadata.resourceVersion ?? 0)
}
