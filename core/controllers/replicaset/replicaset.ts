/**
 * ReplicaSet and ReplicationController: as many pods of a template as asked. What is missing or too much is decided in
 * plan.ts; here pods are claimed, made in batches that grow while all goes well, and deleted.
 */
import { pods } from '../../api/core/pod.ts'
import { replicationControllers } from '../../api/core/replicationcontroller.ts'
import { replicaSets } from '../../api/apps/replicaset.ts'
import { isApiError } from '../../api/errors.ts'
import type { Kind } from '../../api/kind.ts'
import { controllerOf, isBeingDeleted, keyOf, type KubeObject } from '../../api/meta.ts'
import type { Pod, ReplicaSet, ReplicationController } from '../../api/schema/types.ts'
import { labelsSelector, nothing, selectorOf, type Selector } from '../../api/selector.ts'
import type { Client } from '../../client/client.ts'
import { controllerIndex, type Lister } from '../../client/lister.ts'
import type { Ctx } from '../../lib/ctx.ts'
import { cloneJson, equalJson } from '../../lib/json.ts'
import { candidates, claim, indexForClaims, planClaims } from '../claim.ts'
import type { Controller, Env, Reconcile } from '../controller.ts'
import { itself, ownerKey } from '../run.ts'
import { nextAvailableMs, type Plan, planReplicas, podFrom, type Replicas, statusOf } from './plan.ts'

const burstFirst = 1

export const replicaSetController: Controller = {
  name: 'replicaset-controller',
  workers: 5,
  setUp: (env) => setUp<ReplicaSet>(env, { kind: replicaSets, countTerminating: true, selector: (set) => (set.spec?.selector === undefined ? nothing : selectorOf(set.spec.selector)) }),
}

export const replicationController: Controller = {
  name: 'replication-controller',
  workers: 5,
  setUp: (env) =>
    setUp<ReplicationController>(env, {
      kind: replicationControllers,
      countTerminating: false,
      selector: (set) => (Object.keys(set.spec?.selector ?? {}).length === 0 ? nothing : labelsSelector(set.spec?.selector)),
    }),
}

interface Flavour<T extends KubeObject> {
  readonly kind: Kind<T>
  /** Whether status.terminatingReplicas is kept. */
  readonly countTerminating: boolean
  readonly selector: (set: Readonly<T>) => Selector
}

function setUp<T extends Replicas>(env: Env, flavour: Flavour<T>): Reconcile {
  const { kind } = flavour
  const podInformer = env.informers.of(pods)
  indexForClaims(podInformer)
  const setInformer = env.informers.of(kind)
  setInformer.addIndex(controllerIndex, (o) => {
    const owner = controllerOf(o as T)
    return owner === undefined ? [] : [owner.uid]
  })
  const sets = env.watch(kind, (set) => itself(set as T))
  const ofOwner = ownerKey(kind)
  env.watch(pods, (pod) => (controllerOf(pod) === undefined ? whoWants(sets, flavour, pod) : ofOwner(pod)))

  return async (ctx, key, client) => {
    const set = sets.at(key)
    if (set === undefined) return
    const claims = planClaims(set as T, flavour.selector(set), candidates(podInformer, set as T))
    const owned = await claim(ctx, client, { owner: kind, owned: pods }, set, claims)
    const now = env.clock.now()
    let failure: unknown
    if (!isBeingDeleted(set as T)) {
      const plan = planReplicas((set as T).spec?.replicas ?? 1, owned, kinOf(sets, podInformer.lister, set as T, owned), now)
      failure = await act(ctx, env, client, kind, set as T, plan)
    }
    await writeStatus(ctx, client, flavour, set, owned, failure, now)
    if (failure !== undefined) throw failure
    const soon = nextAvailableMs(set as T, owned, now)
    if (soon !== undefined) env.queue.after(key, soon)
  }
}

/** A pod without a manager is everyone's whose selector it matches. */
function whoWants<T extends Replicas>(sets: Lister<T>, flavour: Flavour<T>, pod: Readonly<Pod>): readonly string[] {
  if (Object.keys(pod.metadata.labels ?? {}).length === 0) return []
  return sets.list(pod.metadata.namespace ?? '').filter((set) => flavour.selector(set).matches(pod.metadata.labels)).flatMap((set) => itself(set as T))
}

/** Pods of all sets that have the same owner: while a Deployment rolls, old and new replicas crowd the same nodes. */
function kinOf<T extends Replicas>(sets: Lister<T>, podsOf: Lister<Pod>, set: Readonly<Replicas>, owned: readonly Readonly<Pod>[]): readonly Readonly<Pod>[] {
  const owner = controllerOf(set)
  if (owner === undefined) return owned
  return sets.by(controllerIndex, owner.uid).flatMap((kin) => podsOf.by(controllerIndex, (kin as T).metadata.uid ?? ''))
}

/** Makes or deletes; gives what stood in the way. */
async function act(ctx: Ctx, env: Env, client: Client, kind: Kind, set: Readonly<Replicas>, plan: Plan): Promise<unknown> {
  if (plan.create > 0) return await createPods(ctx, env, client, kind, set, plan.create)
  const outcomes = await Promise.allSettled(plan.remove.map((pod) => removePod(ctx, env, client, kind, set, pod)))
  return outcomes.find((o) => o.status === 'rejected')?.reason
}

/** 1, 2, 4, ... at a time, so that a template that is refused is refused once and not a thousand times. */
async function createPods(ctx: Ctx, env: Env, client: Client, kind: Kind, set: Readonly<Replicas>, total: number): Promise<unknown> {
  for (let left = total, batch = burstFirst; left > 0; left -= batch, batch *= 2) {
    const size = Math.min(batch, left)
    const outcomes = await Promise.allSettled(Array.from({ length: size }, () => createPod(ctx, env, client, kind, set)))
    const refused = outcomes.find((o) => o.status === 'rejected')
    if (refused === undefined) continue
    // Where the namespace goes, nothing more will come to be, and that is no failure of the set.
    return isTerminatingNamespace(refused.reason) ? undefined : refused.reason
  }
  return undefined
}

async function createPod(ctx: Ctx, env: Env, client: Client, kind: Kind, set: Readonly<Replicas>): Promise<void> {
  try {
    const pod = await client.create(ctx, pods, podFrom(set, kind))
    env.recorder.event(kind, set, 'Normal', 'SuccessfulCreate', `Created pod: ${pod.metadata.name}`)
  } catch (error) {
    if (!isTerminatingNamespace(error)) env.recorder.event(kind, set, 'Warning', 'FailedCreate', `Error creating: ${text(error)}`)
    throw error
  }
}

async function removePod(ctx: Ctx, env: Env, client: Client, kind: Kind, set: Readonly<Replicas>, pod: Readonly<Pod>): Promise<void> {
  try {
    const { uid } = pod.metadata
    const deleted = await client.delete(ctx, pods, keyOf(pod), uid === undefined ? {} : { preconditions: { uid } })
    if (deleted) env.recorder.event(kind, set, 'Normal', 'SuccessfulDelete', `Deleted pod: ${pod.metadata.name}`)
  } catch (error) {
    env.recorder.event(kind, set, 'Warning', 'FailedDelete', `Error deleting: ${text(error)}`)
    throw error
  }
}

export function isTerminatingNamespace(error: unknown): boolean {
  return isApiError(error) && (error.details?.causes?.some((cause) => cause.reason === 'NamespaceTerminating') ?? false)
}

const text = (error: unknown): string => (error instanceof Error ? error.message : String(error))

async function writeStatus<T extends Replicas>(
  ctx: Ctx, client: Client, flavour: Flavour<T>, set: Readonly<T>, owned: readonly Readonly<Pod>[], failure: unknown, nowMs: number,
): Promise<void> {
  const status = statusOf(set as T, owned, failure === undefined ? undefined : text(failure), { ms: nowMs, countTerminating: flavour.countTerminating })
  if (equalJson(status, withoutZeros((set as T).status))) return
  await client.update(ctx, flavour.kind, { ...cloneJson(set as T), status }, { subresource: 'status' })
}

/** Counts that are 0 are the same as counts that are not there, however they were written. */
function withoutZeros(status: Replicas['status']): unknown {
  const kept = Object.entries(status ?? {}).filter(([name, value]) => value !== 0 || name === 'replicas' || name === 'terminatingReplicas')
  return { replicas: 0, ...Object.fromEntries(kept) }
}
