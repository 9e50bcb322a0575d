/**
 * What an informer shows, and ahead of it what this part of the house wrote itself: who decides about many objects at
 * once must count its own writes before the informer does. What the informer has reached is forgotten.
 */
import type { KubeObject } from '../api/meta.ts'
import { keyOf, keyText } from '../api/meta.ts'
import type { Informer } from './informer.ts'

export class Newest<T extends KubeObject> {
  readonly #informer: Informer<T>
  readonly #written = new Map<string, Readonly<T>>()

  constructor(informer: Informer<T>) {
    this.#informer = informer
  }

  /** Remembers an answer of the server. */
  wrote(object: Readonly<T>): void {
    const key = keyText(keyOf(object as T))
    if (isAhead(object, this.#written.get(key))) this.#written.set(key, object)
  }

  at(key: string): Readonly<T> | undefined {
    return this.#ahead(key) ?? this.#informer.lister.at(key)
  }

  list(): Readonly<T>[] {
    const all = this.#informer.lister.list()
    for (const key of this.#written.keys()) this.#ahead(key)
    return this.#written.size === 0 ? all : [...all.filter((object) => !this.#written.has(keyText(keyOf(object as T)))), ...this.#written.values()]
  }

  #ahead(key: string): Readonly<T> | undefined {
    const written = this.#written.get(key)
    if (written === undefined || this.#informer.revision < revisionOf(written)) return written
    this.#written.delete(key)
    return undefined
  }
}

function isAhead<T extends KubeObject>(a: Readonly<T>, b: Readonly<T> | undefined): boolean {
  return b === undefined || revisionOf(a) > revisionOf(b)
}

function revisionOf(object: Readonly<KubeObject>): number {
  return Number(object.metadata.resourceVersion ?? 0)
}
