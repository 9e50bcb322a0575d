/**
 * ConfigMaps, Secrets and single objects like them that pods refer to: each is
 * watched by name for as long as a pod uses it, so that volumes follow changes
 * without polling and the node asks for nothing that is not its own.
 */
import { childCtx, unlessAborted, type Ctx } from '../../core/lib/ctx.ts'
import { backoffMs } from '../../core/lib/backoff.ts'
import type { Group } from '../../core/lib/group.ts'
import type { KindRef } from '../../core/api/kind.ts'
import { kindId } from '../../core/api/kind.ts'
import { keyText, type Key, type KubeObject } from '../../core/api/meta.ts'
import type { Client } from '../../core/client/client.ts'

export interface ObjectSource {
  /** The object as it is now. The first call for it asks the API; `podUid` is told of later changes. Throws what the API refused. */
  get<T extends KubeObject>(ctx: Ctx, kind: KindRef<T>, key: Key, podUid: string): Promise<Readonly<T> | undefined>
  /** The pod uses nothing any more. */
  release(podUid: string): void
}

interface Entry {
  readonly users: Set<string>
  readonly end: () => void
  value: Readonly<KubeObject> | undefined
  /** Resolves when the object is known for the first time; rejects when the API refused. */
  known: PromiseWithResolvers<void>
  seen: boolean
}

/** A promise whose rejection nobody needs to await. */
function unknown(): PromiseWithResolvers<void> {
  const later = Promise.withResolvers<void>()
  later.promise.catch(() => undefined)
  return later
}

const retry = { firstMs: 1_000, maxMs: 60_000 } as const

export function objectSource(group: Group, client: Client, changed: (podUid: string) => void): ObjectSource {
  const entries = new Map<string, Entry>()

  const follow = async (ctx: Ctx, kind: KindRef, key: Key, entry: Entry): Promise<void> => {
    for (let failures = 0; !ctx.signal.aborted; ) {
      try {
        const fieldSelector = `metadata.name=${key.name}`
        const list = await client.list(ctx, kind, { namespace: key.namespace, fieldSelector })
        put(entry, list.items[0] as Readonly<KubeObject> | undefined)
        entry.seen = true
        entry.known.resolve()
        failures = 0
        const resourceVersion = list.metadata.resourceVersion ?? ''
        for await (const event of client.watch<KubeObject>(ctx, kind, { namespace: key.namespace, fieldSelector, resourceVersion })) {
          if (event.type === 'ERROR') break
          if (event.type === 'DELETED') put(entry, undefined)
          else if (event.type !== 'BOOKMARK') put(entry, event.object)
        }
        // A server that ends every watch at once must not be asked in a circle.
        await ctx.clock.sleep(endedMs, ctx.signal)
      } catch (error) {
        entry.known.reject(error) // no matter to an object that was known before
        if (ctx.signal.aborted) return
        await ctx.clock.sleep(backoffMs(retry, failures++), ctx.signal).catch(() => undefined)
        if (!entry.seen) entry.known = unknown()
      }
    }
  }
  const put = (entry: Entry, value: Readonly<KubeObject> | undefined): void => {
    if (entry.value?.metadata.resourceVersion === value?.metadata.resourceVersion) return
    entry.value = value
    for (const uid of entry.users) changed(uid)
  }
  return {
    async get<T extends KubeObject>(ctx: Ctx, kind: KindRef<T>, key: Key, podUid: string) {
      const id = `${kindId(kind)} ${keyText(key)}`
      let entry = entries.get(id)
      if (entry === undefined) {
        const { ctx: following, end } = childCtx(group.ctx)
        const made: Entry = { users: new Set(), end, value: undefined, known: unknown(), seen: false }
        group.go(`watch ${kind.plural} ${keyText(key)}`, () => follow(following, kind, key, made).finally(() => end()))
        entries.set(id, made)
        entry = made
      }
      entry.users.add(podUid)
      await unlessAborted(ctx.signal, entry.known.promise)
      return entry.value as Readonly<T> | undefined
    },
    release(podUid) {
      for (const [id, entry] of entries) {
        if (!entry.users.delete(podUid) || entry.users.size > 0) continue
        entries.delete(id)
        entry.end()
      }
    },
  }
}

const endedMs = 100
