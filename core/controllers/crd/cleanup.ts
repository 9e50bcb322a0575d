/**
 * Definitions that go take the objects of their kind along: these are deleted, the definition waits for the last one,
 * tells in its Terminating condition what it waits for, and then lets go (pkg/controller/finalizer).
 */
import { cleanupFinalizer, conditionOf, isEstablished, saysTheSame, servedVersions, setCondition, storageVersion, type NewCondition } from '../../api/apiextensions/conditions.ts'
import { customResourceDefinitions } from '../../api/apiextensions/customresourcedefinition.ts'
import type { Kind, KindRef } from '../../api/kind.ts'
import { isBeingDeleted, type AnyObject } from '../../api/meta.ts'
import type { CustomResourceDefinition } from '../../api/schema/types.ts'
import type { Client } from '../../client/client.ts'
import type { Ctx } from '../../lib/ctx.ts'
import { cloneJson } from '../../lib/json.ts'
import { type Controller, serverIdentity } from '../controller.ts'
import { messageOf } from '../podcontrol.ts'
import { itself } from '../run.ts'

type Definition = Readonly<CustomResourceDefinition>

/** How often the rest is counted: soon at first, and never less than this. */
const lookAgainMs = { least: 100, most: 5_000 }
/** After so long it is told that something stands in the way. */
const patienceMs = 60_000

const stuck = 'InstanceDeletionCheck'

export const definitionCleanup: Controller = {
  name: 'crd-finalizer',
  identity: serverIdentity,
  workers: 16,
  setUp(env) {
    const lister = env.watch(customResourceDefinitions, itself)
    return async (ctx, key, client) => {
      const crd = lister.at(key)
      if (crd === undefined || !isBeingDeleted(crd) || crd.metadata.finalizers?.includes(cleanupFinalizer) !== true) return
      const now = env.clock.now()
      const teller = new Teller(client, crd, now)
      if (isBuiltIn(env.settings.kinds(), crd)) return await teller.release(ctx, 'OverlappingBuiltInResource', 'instances overlap with built-in resources in storage')
      if (!isEstablished(crd)) return await teller.release(ctx, 'NeverEstablished', 'resource was never established')
      const found = await deleteInstances(ctx, client, crd, async () => await teller.started(ctx))
      if (found.error !== undefined) {
        await teller.tell(ctx, 'InstanceDeletionFailed', found.error)
        throw new Error(found.error)
      }
      if (found.left === 0) return await teller.release(ctx, 'InstanceDeletionCompleted', 'removed all instances')
      const sinceMs = now - Date.parse(crd.metadata.deletionTimestamp ?? '')
      if (sinceMs >= patienceMs) await teller.tell(ctx, stuck, 'could not confirm zero CustomResources remaining: context deadline exceeded')
      env.queue.after(key, Math.min(Math.max(sinceMs, lookAgainMs.least), lookAgainMs.most))
    }
  },
}

/** Whose objects lie where a definition of that name would have its own: they are not its to delete. */
function isBuiltIn(kinds: readonly Kind[], { spec }: Definition): boolean {
  return kinds.some((kind) => kind.custom === undefined && kind.group === spec.group && kind.plural === spec.names.plural)
}

/** Says in the Terminating condition how far it is; each write starts from the one before. */
class Teller {
  readonly #client: Client
  readonly #now: number
  #crd: Definition

  constructor(client: Client, crd: Definition, now: number) {
    this.#client = client
    this.#crd = crd
    this.#now = now
  }

  /** What was found in the way before is not unsaid each time. */
  async started(ctx: Ctx): Promise<void> {
    if (conditionOf(this.#crd, 'Terminating')?.reason !== stuck) await this.tell(ctx, 'InstanceDeletionInProgress', 'CustomResource deletion is in progress')
  }

  async tell(ctx: Ctx, reason: string, message: string): Promise<void> {
    const condition: NewCondition = { type: 'Terminating', status: 'True', reason, message }
    if (!saysTheSame(condition, conditionOf(this.#crd, 'Terminating'))) await this.#write(ctx, this.#with(condition))
  }

  /** Lets go of it. */
  async release(ctx: Ctx, reason: string, message: string): Promise<void> {
    const next = this.#with({ type: 'Terminating', status: 'False', reason, message })
    next.metadata.finalizers = (next.metadata.finalizers ?? []).filter((finalizer) => finalizer !== cleanupFinalizer)
    await this.#write(ctx, next)
  }

  #with(condition: NewCondition): CustomResourceDefinition {
    const next = cloneJson(this.#crd) as CustomResourceDefinition
    setCondition(((next.status ??= {}).conditions ??= []), condition, this.#now)
    return next
  }

  async #write(ctx: Ctx, next: CustomResourceDefinition): Promise<void> {
    this.#crd = await this.#client.update(ctx, customResourceDefinitions, next, { subresource: 'status' })
  }
}

interface Found {
  readonly left: number
  readonly error?: string
}

async function deleteInstances(ctx: Ctx, client: Client, crd: Definition, started: () => Promise<void>): Promise<Found> {
  const kind = kindOf(crd)
  const list = async (): Promise<readonly Readonly<AnyObject>[]> => (await client.list<AnyObject>(ctx, kind)).items
  let doing = 'could not list instances'
  try {
    const before = await list()
    if (before.length === 0) return { left: 0 }
    await started()
    doing = 'could not issue all deletes'
    for (const namespace of new Set(before.map((item) => item.metadata.namespace ?? ''))) await client.deleteCollection(ctx, kind, { namespace })
    doing = 'could not confirm zero CustomResources remaining'
    return { left: (await list()).length }
  } catch (error) {
    if (ctx.signal.aborted) throw error
    return { left: 0, error: `${doing}: ${messageOf(error)}` }
  }
}

/** By a version that is served; where none is, by that in which its objects are stored. */
function kindOf(crd: Definition): KindRef<AnyObject> {
  const version = storageVersion(crd)?.served === true ? storageVersion(crd) : (servedVersions(crd)[0] ?? storageVersion(crd))
  const { group, names, scope } = crd.spec
  return { group, version: version?.name ?? '', kind: names.kind, plural: names.plural, namespaced: scope === 'Namespaced' }
}
