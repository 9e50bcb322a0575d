/**
 * Own writes: keeps a key from being worked on while listers do not show yet what its last work wrote, so that nothing
 * is created or deleted twice because of a stale cache. One rule for all: a create, update or patch is seen when the
 * informer's revision has reached that of the answer; a delete when the lister shows the object going or gone; an update
 * that ends an object when the lister shows it gone.
 */
import type { KindRef } from '../api/kind.ts'
import { isBeingDeleted, keyOf, type Key, type KubeObject } from '../api/meta.ts'
import type { Client } from '../client/client.ts'
import type { Informer } from '../client/informer.ts'
import type { Informers } from '../client/informers.ts'
import type { Clock } from '../lib/clock.ts'

/** A write that no lister has shown after so long is forgotten: upstream's expectations live as long. */
const rememberedMs = 300_000

interface Awaited {
  readonly key: string
  readonly informer: Informer<KubeObject>
  readonly seen: () => boolean
  readonly until: number
}

/** What the informer must have reached. */
type Change = Awaited & { readonly revision: number }
/** A deletion does not tell its revision: what is to go. */
type Deletion = Awaited & { readonly uid: string }
type Pending = Change | Deletion

export class OwnWrites {
  readonly #informers: Informers
  readonly #clock: Clock
  readonly #release: (key: string, afterMs: number) => void
  readonly #byKey = new Map<string, Set<Pending>>()
  readonly #byInformer = new Map<Informer<KubeObject>, Waiting>()

  /** `release` is called for a key that was found unsettled, once it may be worked on (or looked at again after a time). */
  constructor(informers: Informers, clock: Clock, release: (key: string, afterMs: number) => void) {
    this.#informers = informers
    this.#clock = clock
    this.#release = release
  }

  /** Whether everything that was written for the key is seen. */
  settled(key: string): boolean {
    const pending = this.#byKey.get(key)
    if (pending === undefined) return true
    const now = this.#clock.monotonic()
    for (const p of pending) if (p.seen() || p.until <= now) this.#drop(p)
    if (!this.#byKey.has(key)) return true
    this.#release(key, rememberedMs)
    return false
  }

  /** A client whose writes are remembered for the key. */
  clientFor(key: string, client: Client): Client {
    const wrote = (kind: KindRef, object: Readonly<KubeObject>): void => {
      const { uid = '' } = object.metadata
      if (hasEnded(object)) return this.#add(key, kind, { uid }, (informer) => isGone(informer, keyOf(object), uid))
      const revision = Number(object.metadata.resourceVersion ?? 0)
      this.#add(key, kind, { revision }, (informer) => informer.revision >= revision)
    }
    const remember = async <T extends KubeObject>(kind: KindRef<T>, options: { readonly dryRun?: boolean } | undefined, answer: Promise<Readonly<T>>): Promise<Readonly<T>> => {
      const object = await answer
      if (options?.dryRun !== true) wrote(kind, object as T)
      return object
    }
    return {
      ...client,
      create: (ctx, kind, object, options) => remember(kind, options, client.create(ctx, kind, object, options)),
      update: (ctx, kind, object, options) => remember(kind, options, client.update(ctx, kind, object, options)),
      patch: (ctx, kind, at, type, patch, options) => remember(kind, options, client.patch(ctx, kind, at, type, patch, options)),
      delete: async (ctx, kind, at, options) => {
        const uid = options?.preconditions?.uid ?? this.#informers.known(kind)?.lister.get(at)?.metadata.uid
        const deleted = await client.delete(ctx, kind, at, options)
        if (deleted && uid !== undefined) this.#add(key, kind, { uid }, (informer) => isGoing(informer, at, uid))
        return deleted
      },
    }
  }

  #add(key: string, kind: KindRef, what: { readonly revision: number } | { readonly uid: string }, seenBy: (informer: Informer<KubeObject>) => boolean): void {
    const informer = this.#informers.known(kind)
    if (informer === undefined || seenBy(informer)) return
    const pending: Pending = { ...what, key, informer, seen: () => seenBy(informer), until: this.#clock.monotonic() + rememberedMs }
    this.#byKey.set(key, (this.#byKey.get(key) ?? new Set()).add(pending))
    let waiting = this.#byInformer.get(informer)
    if (waiting === undefined) {
      this.#byInformer.set(informer, (waiting = new Waiting()))
      const known = waiting
      informer.onRevision(() => this.#shown(known.takeReached()))
      informer.on({
        updated: (object) => (isBeingDeleted(object) ? this.#shown(known.takeGoing(object.metadata.uid ?? '')) : undefined),
        deleted: (object) => this.#shown(known.takeGoing(object.metadata.uid ?? '')),
      })
    }
    waiting.add(pending)
  }

  #shown(seen: readonly Pending[]): void {
    for (const pending of seen) {
      this.#leave(pending)
      if (!this.#byKey.has(pending.key)) this.#release(pending.key, 0)
    }
  }

  #drop(pending: Pending): void {
    this.#byInformer.get(pending.informer)?.forget(pending)
    this.#leave(pending)
  }

  #leave(pending: Pending): void {
    const mine = this.#byKey.get(pending.key)
    mine?.delete(pending)
    if (mine?.size === 0) this.#byKey.delete(pending.key)
  }
}

/** Writes that one informer has yet to show, so kept that an event looks at those alone that it shows. */
class Waiting {
  /** By revision, the lowest first. */
  #ordered: Change[] = []
  readonly #deletions = new Map<string, Set<Deletion>>()

  add(pending: Pending): void {
    if ('uid' in pending) return void this.#deletions.set(pending.uid, (this.#deletions.get(pending.uid) ?? new Set()).add(pending))
    let at = this.#ordered.length // answers come almost in order
    while (at > 0 && (this.#ordered[at - 1]?.revision ?? 0) > pending.revision) at--
    this.#ordered.splice(at, 0, pending)
  }

  takeReached(): readonly Pending[] {
    const first = this.#ordered.findIndex((pending) => !pending.seen())
    return first < 0 ? this.#ordered.splice(0) : this.#ordered.splice(0, first)
  }

  takeGoing(uid: string): readonly Pending[] {
    const shown = [...(this.#deletions.get(uid) ?? [])].filter((pending) => pending.seen())
    for (const pending of shown) this.forget(pending)
    return shown
  }

  forget(pending: Pending): void {
    if ('uid' in pending) {
      const going = this.#deletions.get(pending.uid)
      going?.delete(pending)
      if (going?.size === 0) this.#deletions.delete(pending.uid)
      return
    }
    const at = this.#ordered.indexOf(pending)
    if (at >= 0) this.#ordered.splice(at, 1)
  }
}

/** The update took away the last thing that kept the object; its answer has the revision of before. */
function hasEnded(object: Readonly<KubeObject>): boolean {
  const { finalizers = [], deletionGracePeriodSeconds = 0 } = object.metadata
  // A namespace has finalizers of its own kind besides.
  const { spec } = object as { readonly spec?: { readonly finalizers?: unknown } }
  return isBeingDeleted(object) && finalizers.length === 0 && deletionGracePeriodSeconds === 0 && spec?.finalizers === undefined
}

function isGone(informer: Informer<KubeObject>, at: Key, uid: string): boolean {
  return informer.lister.get(at)?.metadata.uid !== uid
}

function isGoing(informer: Informer<KubeObject>, at: Key, uid: string): boolean {
  const object = informer.lister.get(at)
  return object === undefined || object.metadata.uid !== uid || isBeingDeleted(object)
}
