/**
 * The garbage collector: deletes what has lost its owners, and carries out foreground and orphaning deletions, for all
 * kinds there are. It keeps every kind's lister with an index by owner; that an owner is gone is believed only after a
 * live look, because a lister may be behind.
 */
import { kindId, type Kind } from '../../api/kind.ts'
import { keyOf, keyText, parseApiVersion, parseKey, type AnyObject, type Key, type KubeObject } from '../../api/meta.ts'
import type { OwnerReference } from '../../api/schema/types.ts'
import type { Client } from '../../client/client.ts'
import type { Informer } from '../../client/informer.ts'
import { byOwner, ownerIndex } from '../../client/lister.ts'
import type { Ctx } from '../../lib/ctx.ts'
import { equalJson } from '../../lib/json.ts'
import { isApiError } from '../../api/errors.ts'
import type { Controller, Env } from '../controller.ts'
import { blocks, foregroundFinalizer, orphanFinalizer, type OwnerState, planFate, waitsForCollector } from './plan.ts'

/** Kinds that own nothing and are owned by nobody that matters: they go by their age. */
const ignored = new Set(['/events', 'events.k8s.io/events'])

export const garbageCollector: Controller = {
  name: 'generic-garbage-collector',
  workers: 20,
  setUp(env) {
    const collector = new Collector(env)
    collector.follow()
    env.settings.onKinds?.(() => collector.follow())
    return (ctx, key, client) => collector.reconcile(ctx, key, client)
  },
}

interface Followed {
  readonly kind: Kind
  readonly informer: Informer<AnyObject>
}

interface Found extends Followed {
  readonly object: Readonly<AnyObject>
}

class Collector {
  readonly #env: Env
  /** By the kind's id. */
  readonly #followed = new Map<string, Followed>()
  /** By group and kind, which is how owners are named. */
  readonly #byGroupKind = new Map<string, Followed>()

  constructor(env: Env) {
    this.#env = env
  }

  /** Follows the kinds that are new, and those no more that have gone. Kinds over the same stored objects are followed once. */
  follow(): void {
    const kinds = this.#env.settings.kinds()
    const wanted = onePerPrefix(kinds.filter(isCollected))
    const ids = new Set([...wanted.values()].map(kindId))
    const gone = [...this.#followed].filter(([id]) => !ids.has(id))
    const served = new Set(gone.length === 0 ? [] : kinds.map(kindId))
    for (const [id, { kind }] of gone) {
      this.#leave(id, kind)
      if (!served.has(id)) this.#env.informers.forget(kind) // else others may follow it
    }
    for (const kind of wanted.values()) {
      if (this.#followed.has(kindId(kind))) continue
      const informer = this.#env.informers.of<AnyObject>(kind)
      const followed: Followed = { kind, informer }
      this.#followed.set(kindId(kind), followed)
      this.#byGroupKind.set(`${kind.group}/${kind.kind}`, followed)
      informer.addIndex(ownerIndex, byOwner)
      informer.on({
        added: (object) => this.#look(followed, object),
        updated: (next, prev) => {
          if (!equalJson(next.metadata.ownerReferences, prev.metadata.ownerReferences) || next.metadata.deletionTimestamp !== prev.metadata.deletionTimestamp || !equalJson(next.metadata.finalizers, prev.metadata.finalizers)) {
            this.#look(followed, next)
            this.#lookAtOwners(prev)
          }
        },
        deleted: (object) => {
          for (const dependent of this.#dependents(object.metadata.uid ?? '')) this.#look(dependent, dependent.object)
          this.#lookAtOwners(object)
        },
      })
    }
  }

  #leave(id: string, kind: Kind): void {
    this.#followed.delete(id)
    const name = `${kind.group}/${kind.kind}`
    if (this.#byGroupKind.get(name)?.kind === kind) this.#byGroupKind.delete(name)
  }

  async reconcile(ctx: Ctx, key: string, client: Client): Promise<void> {
    const bar = key.indexOf('|')
    const followed = this.#followed.get(key.slice(0, bar))
    const object = followed?.informer.lister.get(parseKey(key.slice(bar + 1)))
    if (followed === undefined || object === undefined) return
    const found: Found = { ...followed, object }
    switch (waitsForCollector(object)) {
      case 'orphan':
        return await this.#orphan(ctx, client, found)
      case 'foreground':
        return await this.#foreground(ctx, client, found)
      default:
        return await this.#judge(ctx, client, found)
    }
  }

  #look({ kind }: Followed, object: Readonly<KubeObject>): void {
    const concerns = (object.metadata.ownerReferences ?? []).length > 0 || waitsForCollector(object) !== undefined
    if (concerns) this.#env.queue.add(`${kindId(kind)}|${keyText(keyOf(object))}`)
  }

  /** An owner may wait for exactly this dependent. */
  #lookAtOwners(object: Readonly<KubeObject>): void {
    for (const reference of object.metadata.ownerReferences ?? []) {
      const owner = this.#ownerIn(reference)?.informer.lister.byUid(reference.uid)
      const followed = this.#ownerIn(reference)
      if (owner !== undefined && followed !== undefined && waitsForCollector(owner) !== undefined) this.#look(followed, owner)
    }
  }

  #ownerIn({ apiVersion, kind }: OwnerReference): Followed | undefined {
    return this.#byGroupKind.get(`${parseApiVersion(apiVersion).group}/${kind}`)
  }

  #dependents(uid: string): Found[] {
    if (uid === '') return []
    return [...this.#followed.values()].flatMap((followed) => followed.informer.lister.by(ownerIndex, uid).map((object) => ({ ...followed, object })))
  }

  /** Whether its owners still hold it. */
  async #judge(ctx: Ctx, client: Client, { kind, object }: Found): Promise<void> {
    const states = new Map<string, OwnerState>()
    for (const owner of object.metadata.ownerReferences ?? []) states.set(owner.uid, await this.#stateOf(ctx, client, kind, object, owner))
    const dependents = this.#dependents(object.metadata.uid ?? '')
    const circular = dependents.some((d) => waitsForCollector(d.object) === 'foreground' && blocks(d.object, object.metadata.uid ?? ''))
    const fate = planFate(object, (owner) => states.get(owner.uid) ?? 'unknown', { some: dependents.length > 0, circular })
    if (fate.do === 'nothing') return
    if (fate.do === 'keep') return await patchOwners(ctx, client, kind, object, fate.ownerReferences)
    // What is deleted is what was judged: not another object of the name, and not one that was given an owner since.
    const live = await client.get<AnyObject>(ctx, kind, keyOf(object))
    if (live === undefined || live.metadata.uid !== object.metadata.uid || !equalJson(live.metadata.ownerReferences, object.metadata.ownerReferences)) return
    if (fate.unblock) await patchOwners(ctx, client, kind, object, (object.metadata.ownerReferences ?? []).map((owner) => ({ ...owner, blockOwnerDeletion: false })))
    const { uid, resourceVersion } = live.metadata
    const preconditions = { ...(uid === undefined ? {} : { uid }), ...(fate.unblock || resourceVersion === undefined ? {} : { resourceVersion }) }
    await client.delete(ctx, kind, keyOf(object), { propagationPolicy: fate.propagation, preconditions })
  }

  async #stateOf(ctx: Ctx, client: Client, kind: Kind, object: Readonly<AnyObject>, reference: OwnerReference): Promise<OwnerState> {
    const owner = this.#ownerIn(reference)
    if (owner === undefined) return 'unknown' // a kind that is not served (any more, or yet)
    if (owner.kind.namespaced && !kind.namespaced) {
      this.#env.recorder.event(kind, object, 'Warning', 'OwnerRefInvalidNamespace', `ownerRef ${JSON.stringify(reference)} does not exist in namespace ""`)
      return 'unknown'
    }
    const at: Key = { namespace: owner.kind.namespaced ? (object.metadata.namespace ?? '') : '', name: reference.name }
    const shown = owner.informer.lister.get(at)
    const standing = shown?.metadata.uid === reference.uid ? shown : await client.get<AnyObject>(ctx, owner.kind, at)
    if (standing === undefined || standing.metadata.uid !== reference.uid) return 'gone'
    return waitsForCollector(standing) === 'foreground' ? 'waits' : 'lives'
  }

  /** Deletes the dependents, and lets the object go once none is left that blocks it. */
  async #foreground(ctx: Ctx, client: Client, { kind, object }: Found): Promise<void> {
    const uid = object.metadata.uid ?? ''
    const dependents = this.#dependents(uid)
    if (dependents.some((d) => blocks(d.object, uid))) {
      for (const dependent of dependents) this.#look(dependent, dependent.object)
      return
    }
    await removeFinalizer(ctx, client, kind, object, foregroundFinalizer)
  }

  async #orphan(ctx: Ctx, client: Client, { kind, object }: Found): Promise<void> {
    const uid = object.metadata.uid ?? ''
    for (const dependent of this.#dependents(uid)) {
      const rest = (dependent.object.metadata.ownerReferences ?? []).filter((owner) => owner.uid !== uid)
      await patchOwners(ctx, client, dependent.kind, dependent.object, rest)
    }
    await removeFinalizer(ctx, client, kind, object, orphanFinalizer)
  }
}

function isCollected({ stored, verbs, group, plural }: Kind): boolean {
  return stored && verbs.includes('list') && verbs.includes('watch') && verbs.includes('delete') && !ignored.has(`${group}/${plural}`)
}

/** Of custom kinds the version in which objects are stored, where it is served: nobody has to convert them. */
function onePerPrefix(kinds: readonly Kind[]): ReadonlyMap<string, Kind> {
  const found = new Map<string, Kind>()
  for (const kind of kinds) if (!found.has(kind.prefix) || kind.custom?.storageVersion === kind.version) found.set(kind.prefix, kind)
  return found
}

/** Refused when the object has changed since: then it is looked at again. */
async function patchOwners(ctx: Ctx, client: Client, kind: Kind, object: Readonly<KubeObject>, ownerReferences: readonly OwnerReference[]): Promise<void> {
  const { uid, resourceVersion } = object.metadata
  await whileThere(client.patch(ctx, kind, keyOf(object), 'merge', { metadata: { ownerReferences: ownerReferences.length === 0 ? null : ownerReferences, uid, resourceVersion } }))
}

async function removeFinalizer(ctx: Ctx, client: Client, kind: Kind, object: Readonly<KubeObject>, name: string): Promise<void> {
  const rest = (object.metadata.finalizers ?? []).filter((finalizer) => finalizer !== name)
  const { uid, resourceVersion } = object.metadata
  await whileThere(client.patch(ctx, kind, keyOf(object), 'merge', { metadata: { finalizers: rest.length === 0 ? null : rest, uid, resourceVersion } }))
}

async function whileThere(write: Promise<unknown>): Promise<void> {
  try {
    await write
  } catch (error) {
    if (!isApiError(error, 'NotFound')) throw error
  }
}
