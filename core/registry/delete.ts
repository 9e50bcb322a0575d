/**
 * delete: at once, gracefully, or not before finalizers are gone. The decision is a pure
 * function of the object and what was asked (k8s.io/apiserver/pkg/registry/rest/delete.go and
 * generic/registry/store.go); the rest is compare and set.
 */
import { conflict, invalid } from '../api/errors.ts'
import { invalidValue, notSupported, path, type FieldError } from '../api/field.ts'
import type { Kind, RuleEnv } from '../api/kind.ts'
import { isBeingDeleted, type AnyObject, type Key } from '../api/meta.ts'
import { foregroundFinalizer, orphanFinalizer } from '../api/metavalidation.ts'
import type { DeleteOptions } from '../api/schema/types.ts'
import { formatTime } from '../api/time.ts'
import type { Ctx } from '../lib/ctx.ts'
import { cloneJson, equalJson } from '../lib/json.ts'
import { absent, resourceOf, shelf, standing, storeKey, stored, written, type Base } from './base.ts'
import { looseItem, storedItems, viewOf } from './item.ts'
import type { DeleteResult, Item, WriteOptions } from './registry.ts'
import { shownItem, storedRemotely } from './remote.ts'

type Plan =
  /** Nothing is to be done: the deletion is on its way. */
  | { readonly do: 'wait' }
  /** `last`: what the answer shows, where that is more than what stands. */
  | { readonly do: 'remove'; readonly last?: AnyObject }
  /** The object stays for now, marked like this. */
  | { readonly do: 'mark'; readonly next: AnyObject }

export async function deleteObject(
  base: Base, ctx: Ctx, kind: Kind, key: Key, asked: DeleteOptions, options: WriteOptions,
): Promise<DeleteResult> {
  const errors = validateDeleteOptions(asked)
  if (errors.length > 0) throw invalid({ group: 'meta.k8s.io', kind: 'DeleteOptions' }, '', errors)
  for (;;) {
    ctx.signal.throwIfAborted()
    const current = standing(base, kind, key)
    if (current === undefined) throw absent(kind, key.name)
    const shown = kind.remote === undefined ? viewOf(kind, current) : await shownItem(base, ctx, kind, current)
    checkPreconditions(kind, key, shown.object, asked)
    await options.admission.mutate(undefined, shown.object)
    await options.admission.validate(undefined, shown.object)
    const plan = planDelete(kind, shown.object, asked, options.env)
    const done = await carryOut(base, ctx, kind, key, current, plan, options)
    if (done !== undefined) return done
  }
}

/** undefined: somebody else was quicker. */
async function carryOut(
  base: Base, ctx: Ctx, kind: Kind, key: Key, current: Item, plan: Plan, options: WriteOptions,
): Promise<DeleteResult | undefined> {
  const at = storeKey(kind, key)
  if (plan.do === 'wait') return { item: viewOf(kind, current), deleted: false }
  if (plan.do === 'remove') {
    if (options.dryRun) return { item: plan.last === undefined ? viewOf(kind, current) : looseItem(plan.last, current.revision), deleted: true }
    const outcome = await base.store.delete(ctx, at, current.revision)
    if (!outcome.ok) return undefined
    if (plan.last === undefined) return { item: viewOf(kind, storedItems.at(current, outcome.revision)), deleted: true }
    plan.last.metadata.resourceVersion = String(outcome.revision)
    return { item: looseItem(plan.last, outcome.revision), deleted: true }
  }
  if (equalJson(plan.next, viewOf(kind, current).object)) return { item: viewOf(kind, current), deleted: false }
  if (options.dryRun) return { item: looseItem(plan.next, current.revision), deleted: false }
  const bytes = kind.remote === undefined ? stored(kind, plan.next) : await storedRemotely(base, kind, plan.next)
  const outcome = await base.store.put(ctx, at, bytes, current.revision)
  if (!outcome.ok) return undefined
  const item = written(base, kind, at, bytes, outcome.revision, storedItems.item)
  return { item: kind.remote === undefined ? viewOf(kind, item) : await shownItem(base, ctx, kind, item), deleted: false }
}

/** What a deletion asked for like this does to the object now. */
function planDelete(kind: Kind, object: Readonly<AnyObject>, asked: DeleteOptions, env: RuleEnv): Plan {
  const { now } = env
  if (kind.strategy.markDeleted !== undefined && !isBeingDeleted(object)) {
    const marked = cloneJson(object) as AnyObject
    kind.strategy.markDeleted(marked, env)
    return { do: 'mark', next: marked }
  }
  if (kind.group === '' && kind.plural === 'namespaces') return planNamespace(object, asked, now)
  const next = cloneJson(object) as AnyObject
  const grace = planGrace(kind, next, asked, now)
  if (grace === 'pending') return { do: 'wait' }
  const finalizers = finalizersFor(kind, object.metadata.finalizers ?? [], asked)
  if (finalizers.length > 0) next.metadata.finalizers = finalizers
  else delete next.metadata.finalizers
  if (grace === 'none') {
    if (finalizers.length === 0) return { do: 'remove' }
    markNow(next, now)
    return { do: 'mark', next }
  }
  // Upstream writes the mark and then deletes; nobody is to act on it, so we spare the write.
  return finalizers.length === 0 && grace === 0 ? { do: 'remove', last: next } : { do: 'mark', next }
}

/** Marks a graceful deletion in `next`; says its seconds, `pending` when one runs that is no longer, `none` when there is no grace. */
function planGrace(kind: Kind, next: AnyObject, asked: DeleteOptions, now: number): number | 'pending' | 'none' {
  if (kind.graceS === undefined) return 'none'
  const meta = next.metadata
  // What is less than nothing counts as one second, as upstream takes it.
  const askedS = asked.gracePeriodSeconds === undefined || asked.gracePeriodSeconds === null ? undefined
    : asked.gracePeriodSeconds < 0 ? 1 : asked.gracePeriodSeconds
  if (!isBeingDeleted(next)) {
    const graceS = kind.graceS(next, askedS)
    meta.deletionTimestamp = formatTime(now + graceS * 1_000)
    meta.deletionGracePeriodSeconds = graceS
    if ((meta.generation ?? 0) > 0) meta.generation = (meta.generation ?? 0) + 1
    return graceS
  }
  const runningS = Math.max(meta.deletionGracePeriodSeconds ?? 0, (meta.deletionGracePeriodSeconds ?? 0) < 0 ? 1 : 0)
  if (runningS === 0) return 'none'
  if (askedS === undefined || askedS >= runningS) return 'pending'
  // A running deletion may only be shortened, and not into the past.
  const end = Date.parse(meta.deletionTimestamp ?? '') - runningS * 1_000 + askedS * 1_000
  const graceS = end < now && askedS !== 0 ? 1 : askedS
  meta.deletionTimestamp = formatTime(Math.max(end, now))
  meta.deletionGracePeriodSeconds = graceS
  return graceS
}

/** An object that knows no grace but has finalizers: its deletion has been asked for, and runs. */
function markNow(next: AnyObject, now: number): void {
  const meta = next.metadata
  if (!isBeingDeleted(next) && (meta.generation ?? 0) > 0) meta.generation = (meta.generation ?? 0) + 1
  if (!isBeingDeleted(next) || Date.parse(meta.deletionTimestamp ?? '') > now) meta.deletionTimestamp = formatTime(now)
  meta.deletionGracePeriodSeconds = 0
}

/** The object's finalizers with those of the garbage collector that the asked propagation means. */
function finalizersFor(kind: Kind, have: readonly string[], asked: DeleteOptions): string[] {
  const { orphan, foreground } = propagation(kind, have, asked)
  const others = have.filter((f) => f !== orphanFinalizer && f !== foregroundFinalizer)
  return [...others, ...(orphan ? [orphanFinalizer] : []), ...(foreground ? [foregroundFinalizer] : [])]
}

function propagation(kind: Kind, have: readonly string[], asked: DeleteOptions): { readonly orphan: boolean; readonly foreground: boolean } {
  // Events are nobody's owners: upstream's collector does not know them.
  if (kind.ttlMs !== undefined) return { orphan: false, foreground: false }
  if (asked.orphanDependents !== undefined && asked.orphanDependents !== null) return { orphan: asked.orphanDependents, foreground: false }
  if (asked.propagationPolicy !== undefined && asked.propagationPolicy !== null) {
    return { orphan: asked.propagationPolicy === 'Orphan', foreground: asked.propagationPolicy === 'Foreground' }
  }
  const own = have.find((f) => f === orphanFinalizer || f === foregroundFinalizer)
  if (own !== undefined) return { orphan: own === orphanFinalizer, foreground: own === foregroundFinalizer }
  return { orphan: kind.orphansByDefault, foreground: false }
}

/** A namespace is marked Terminating and stays until spec.finalizers and finalizers are empty (registry/core/namespace/storage). */
function planNamespace(object: Readonly<AnyObject>, asked: DeleteOptions, now: number): Plan {
  const spec = (object['spec'] ?? {}) as { finalizers?: string[] }
  const have = object.metadata.finalizers ?? []
  if (isBeingDeleted(object)) {
    if ((spec.finalizers ?? []).length > 0 || have.length > 0) return { do: 'wait' }
    return { do: 'remove' }
  }
  const next = cloneJson(object) as AnyObject
  next.metadata.deletionTimestamp = formatTime(now)
  const status = (next['status'] ??= {}) as { phase?: string }
  status.phase = 'Terminating'
  const policy = asked.propagationPolicy ?? undefined
  const orphan = asked.orphanDependents ?? (policy === undefined ? have.includes(orphanFinalizer) : policy === 'Orphan')
  const foreground = asked.orphanDependents === undefined || asked.orphanDependents === null
    ? (policy === undefined ? have.includes(foregroundFinalizer) : policy === 'Foreground')
    : !asked.orphanDependents
  const others = have.filter((f) => f !== orphanFinalizer && f !== foregroundFinalizer)
  const finalizers = [...others, ...(orphan ? [orphanFinalizer] : []), ...(foreground ? [foregroundFinalizer] : [])]
  if (finalizers.length > 0) next.metadata.finalizers = finalizers
  else delete next.metadata.finalizers
  return { do: 'mark', next }
}

function checkPreconditions(kind: Kind, key: Key, object: Readonly<AnyObject>, asked: DeleteOptions): void {
  const { uid, resourceVersion } = asked.preconditions ?? {}
  // Upstream's namespaces and definitions look at these themselves, and say it in another way.
  const itself = kind.strategy.markDeleted !== undefined || (kind.group === '' && kind.plural === 'namespaces')
  const about = itself ? resourceOf(kind) : { group: kind.group, resource: kind.kind }
  if (uid !== undefined && uid !== null && uid !== object.metadata.uid) {
    throw conflict(about, key.name, itself
      ? `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${object.metadata.uid}`
      : `the UID in the precondition (${uid}) does not match the UID in record (${object.metadata.uid}). The object might have been deleted and then recreated`)
  }
  if (resourceVersion !== undefined && resourceVersion !== null && resourceVersion !== object.metadata.resourceVersion) {
    throw conflict(about, key.name, itself
      ? `Precondition failed: ResourceVersion in precondition: ${resourceVersion}, ResourceVersion in object meta: ${object.metadata.resourceVersion}`
      : `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${object.metadata.resourceVersion}). ` +
        'The object might have been modified')
  }
}

function validateDeleteOptions(asked: DeleteOptions): FieldError[] {
  const errors: FieldError[] = []
  const policy = asked.propagationPolicy ?? undefined
  if ((asked.orphanDependents ?? undefined) !== undefined && policy !== undefined) {
    errors.push(invalidValue(path('propagationPolicy'), policy, 'orphanDependents and deletionPropagation cannot be both set'))
  }
  if (policy !== undefined && !policies.includes(policy)) {
    errors.push(notSupported(path('propagationPolicy'), policy, [...policies, 'nil']))
  }
  const dryRun = asked.dryRun ?? []
  if (dryRun.some((value) => value !== 'All')) errors.push(notSupported(path('dryRun'), dryRun, ['All']))
  return errors
}

const policies = ['Foreground', 'Background', 'Orphan']

/** Ends objects of kinds that end by themselves: those not written after this revision. */
export async function sweep(base: Base, ctx: Ctx, kind: Kind, upTo: number, pause: () => Promise<void>): Promise<void> {
  const due: string[] = []
  for (const [key, item] of shelf(base, kind).entries(`${kind.prefix}/`)) if (item.revision <= upTo) due.push(key)
  for (let i = 0; i < due.length; i += sweepSlice) {
    ctx.signal.throwIfAborted()
    const slice = due.slice(i, i + sweepSlice).map(async (key) => {
      const item = shelf(base, kind).get(key)
      if (item !== undefined && item.revision <= upTo) await base.store.delete(ctx, key, item.revision)
    })
    await Promise.all(slice)
    await pause()
  }
}

/** Objects that one slice of a sweep ends. */
const sweepSlice = 100
