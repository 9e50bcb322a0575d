/** Who owns whom at last: a pod of a ReplicaSet of a Deployment is the Deployment's. */
import { controllerOf, type AnyObject, type KubeObject } from '../api/meta.ts'
import type { Span } from './effects.ts'
import type { Thing } from './plan.ts'

/** Nobody builds them so high. */
const generationsMax = 8

export class Family {
  readonly #byUid = new Map<string, Readonly<KubeObject>>()
  readonly #objects: Span['after']

  constructor({ before, after, happenings }: Pick<Span, 'before' | 'after' | 'happenings'>) {
    this.#objects = after
    for (const world of [before, after]) for (const objects of world.values()) for (const object of objects.values()) this.#byUid.set(object.metadata.uid ?? '', object)
    for (const { object } of happenings) if (!this.#byUid.has(object.metadata.uid ?? '')) this.#byUid.set(object.metadata.uid ?? '', object)
  }

  /** The object itself where nobody owns it. */
  rootOf(object: Readonly<KubeObject>): Thing {
    let at = object
    for (let i = 0; i < generationsMax; i++) {
      const owner = controllerOf(at)
      if (owner === undefined) break
      const next = this.#byUid.get(owner.uid)
      if (next === undefined) return { kind: owner.kind, namespace: at.metadata.namespace ?? '', name: owner.name }
      at = next
    }
    return { kind: at.kind ?? '', namespace: at.metadata.namespace ?? '', name: at.metadata.name ?? '' }
  }

  byUid(uid: string): Readonly<KubeObject> | undefined {
    return this.#byUid.get(uid)
  }

  /** As it is at the end. */
  at(prefix: string, { namespace, name }: Thing): Readonly<AnyObject> | undefined {
    return this.#objects.get(prefix)?.get(`${namespace}/${name}`) as Readonly<AnyObject> | undefined
  }
}

export function idOf({ kind, namespace, name }: Thing): string {
  return `${kind}/${namespace}/${name}`
}
