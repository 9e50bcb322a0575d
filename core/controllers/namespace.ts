/**
 * Namespaces that go: deletes all that is in them, pods first, tells in conditions what stands in the way, and takes the
 * `kubernetes` finalizer off when nothing is left (upstream's namespace/deletion).
 */
import { isApiError } from '../api/errors.ts'
import type { Kind, Verb } from '../api/kind.ts'
import { isBeingDeleted, keyOf, type AnyObject } from '../api/meta.ts'
import { namespaces } from '../api/core/namespace.ts'
import { pods } from '../api/core/pod.ts'
import type { Namespace, NamespaceCondition, Pod } from '../api/schema/types.ts'
import { formatTime } from '../api/time.ts'
import type { Client } from '../client/client.ts'
import type { Ctx } from '../lib/ctx.ts'
import { equalJson } from '../lib/json.ts'
import { conditionOf } from './conditions.ts'
import type { Controller } from './controller.ts'
import { itself } from './run.ts'

const finalizer = 'kubernetes'
/** How long to wait for finalizers of others before looking again. */
const finalizersS = 15

export const namespaceController: Controller = {
  name: 'namespace-controller',
  workers: 10,
  setUp(env) {
    const lister = env.watch(namespaces, itself)
    // The last pod's end is told; only finalizers of strangers have to be waited for.
    const isGoing = (name: string): boolean => isBeingDeleted(lister.at(name) ?? { metadata: {} })
    env.informers.of(pods).on({ deleted: (pod) => (isGoing(pod.metadata.namespace ?? '') ? env.queue.add(pod.metadata.namespace ?? '') : undefined) })
    return async (ctx, name, client) => {
      const lent = lister.at(name)
      if (lent === undefined || !isBeingDeleted(lent)) return
      const live = await client.get(ctx, namespaces, { namespace: '', name })
      if (live === undefined || !isBeingDeleted(live) || live.metadata.uid !== lent.metadata.uid) return
      const found = { ...(await deleteContent(ctx, client, env.settings.kinds(), name)), undiscovered: env.settings.staleVersions?.() ?? [] }
      const conditions = conditionsOf(live, found, env.clock.now())
      let mine: Readonly<Namespace> = live
      const held = (live.spec?.finalizers ?? []).length > 0 // else any write lets it go, and what is left in it would be lost
      if (held && (live.status?.phase !== 'Terminating' || !equalJson(conditions, live.status.conditions ?? []))) {
        mine = await client.update(ctx, namespaces, { ...live, status: { ...live.status, phase: 'Terminating', conditions } }, { subresource: 'status' })
      }
      const errors = [...found.errors, ...discoveryFailure(found)]
      if (errors.length > 0) throw new Error(errors.join('; '))
      if (found.waitS > 0) return env.queue.after(name, (Math.floor(found.waitS / 2) + 1) * 1_000)
      const rest = (mine.spec?.finalizers ?? []).filter((f) => f !== finalizer)
      await client.update(ctx, namespaces, { ...mine, spec: { ...mine.spec, finalizers: rest } }, { subresource: 'finalize' })
    }
  },
}

export interface Found {
  /** `pods.` -> how many are left. */
  readonly remaining: Readonly<Record<string, number>>
  readonly finalizers: Readonly<Record<string, number>>
  readonly errors: readonly string[]
  /** Group-versions that may have something in the namespace, and whose servers do not answer. */
  readonly undiscovered?: readonly string[]
  /** Seconds after which to look again; 0: nothing is left. */
  readonly waitS: number
}

interface Left {
  readonly items: readonly Readonly<AnyObject>[]
  readonly waitS: number
}

async function deleteContent(ctx: Ctx, client: Client, kinds: readonly Kind[], namespace: string): Promise<Found> {
  const remaining: Record<string, number> = {}
  const finalizers: Record<string, number> = {}
  const errors: string[] = []
  let waitS = 0
  const empty = async (kind: Kind): Promise<void> => {
    try {
      const left = await deleteAll(ctx, client, kind, namespace)
      waitS = Math.max(waitS, left.waitS)
      if (left.items.length > 0) remaining[`${kind.plural}.${kind.group}`] = left.items.length
      for (const item of left.items) for (const f of item.metadata.finalizers ?? []) finalizers[f] = (finalizers[f] ?? 0) + 1
      if (left.items.length > 0 && left.waitS === 0) errors.push(`unexpected items still remain in namespace: ${namespace} for gvr: ${kind.group}/${kind.version}, Resource=${kind.plural}`)
    } catch (error) {
      if (ctx.signal.aborted) throw error
      errors.push(error instanceof Error ? error.message : String(error))
    }
  }
  // What pods need (secrets, services, volumes) goes after the pods.
  await empty(pods as Kind)
  if (Object.keys(remaining).length > 0) return { remaining, finalizers, errors, waitS }
  const seen = new Set([pods.prefix])
  // Of custom kinds first the version in which objects are stored: nobody has to convert them.
  const stored = kinds.filter((kind) => kind.custom?.storageVersion === kind.version)
  for (const kind of [...kinds.filter((each) => each.custom === undefined), ...stored, ...kinds]) {
    if (!kind.namespaced || !kind.stored || seen.has(kind.prefix) || !has(kind, 'delete') || !has(kind, 'list')) continue
    seen.add(kind.prefix)
    await empty(kind)
  }
  return { remaining, finalizers, errors, waitS }
}

const has = (kind: Kind, verb: Verb): boolean => kind.verbs.includes(verb)

async function deleteAll(ctx: Ctx, client: Client, kind: Kind, namespace: string): Promise<Left> {
  const options = { propagationPolicy: 'Background' }
  const before = await list(ctx, client, kind, namespace)
  if (before.length === 0) return { items: [], waitS: 0 }
  if (has(kind, 'deletecollection')) await client.deleteCollection(ctx, kind, { namespace }, options)
  else for (const item of before) await client.delete(ctx, kind, keyOf(item), options)
  const items = await list(ctx, client, kind, namespace)
  if (items.length === 0) return { items, waitS: 0 }
  const graceS = kind.plural === 'pods' ? Math.max(0, ...items.map((pod) => (pod as unknown as Pod).metadata.deletionGracePeriodSeconds ?? 0)) : 0
  return { items, waitS: Math.max(graceS, items.some((item) => (item.metadata.finalizers ?? []).length > 0) ? finalizersS : 0) }
}

async function list(ctx: Ctx, client: Client, kind: Kind, namespace: string): Promise<readonly Readonly<AnyObject>[]> {
  try {
    return (await client.list<AnyObject>(ctx, kind, { namespace })).items
  } catch (error) {
    if (isApiError(error) && (error.code === 404 || error.code === 405)) return [] // the kind has gone meanwhile
    throw error
  }
}

const fine: Readonly<Record<string, readonly [reason: string, message: string]>> = {
  NamespaceDeletionDiscoveryFailure: ['ResourcesDiscovered', 'All resources successfully discovered'],
  NamespaceDeletionGroupVersionParsingFailure: ['ParsedGroupVersions', 'All legacy kube types successfully parsed'],
  NamespaceDeletionContentFailure: ['ContentDeleted', 'All content successfully deleted, may be waiting on finalization'],
  NamespaceContentRemaining: ['ContentRemoved', 'All content successfully removed'],
  NamespaceFinalizersRemaining: ['ContentHasNoFinalizers', 'All content-preserving finalizers finished'],
}

/** One sentence, or none. */
function discoveryFailure({ undiscovered = [] }: Pick<Found, 'undiscovered'>): readonly string[] {
  const groups = undiscovered.map((version) => `${version}: stale GroupVersion discovery: ${version}`).toSorted()
  return groups.length === 0 ? [] : [`unable to retrieve the complete list of server APIs: ${groups.join(', ')}`]
}

export function conditionsOf(namespace: Readonly<Namespace>, found: Found, nowMs: number): NamespaceCondition[] {
  const wrong = new Map<string, readonly [reason: string, message: string]>()
  for (const why of discoveryFailure(found)) wrong.set('NamespaceDeletionDiscoveryFailure', ['DiscoveryFailed', `Discovery failed for some groups, ${found.undiscovered?.length ?? 0} failing: ${why}`])
  if (found.errors.length > 0) {
    const text = found.errors.toSorted().join(', ')
    wrong.set('NamespaceDeletionContentFailure', ['ContentDeletionFailed', `Failed to delete all resource types, ${found.errors.length} remaining: ${text}`])
  }
  const parts = Object.entries(found.remaining).map(([gr, n]) => `${gr} has ${n} resource instances`).sort()
  if (parts.length > 0) wrong.set('NamespaceContentRemaining', ['SomeResourcesRemain', `Some resources are remaining: ${parts.join(', ')}`])
  const held = Object.entries(found.finalizers).map(([f, n]) => `${f} in ${n} resource instances`).sort()
  if (held.length > 0) wrong.set('NamespaceFinalizersRemaining', ['SomeFinalizersRemain', `Some content in the namespace has finalizers remaining: ${held.join(', ')}`])
  const now = formatTime(nowMs)
  const others = (namespace.status?.conditions ?? []).filter((c) => fine[c.type] === undefined)
  return [
    ...others,
    ...Object.entries(fine).map(([type, ok]) => {
      const [reason, message] = wrong.get(type) ?? ok
      const status = wrong.has(type) ? 'True' : 'False'
      const prev = conditionOf(namespace.status?.conditions, type)
      return { type, status, lastTransitionTime: prev?.status === status ? (prev.lastTransitionTime ?? now) : now, reason, message }
    }),
  ]
}
