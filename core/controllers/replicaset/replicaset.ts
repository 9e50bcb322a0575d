/**
 * ReplicaSet and ReplicationController: as many pods of a template as asked. What is missing or too much is decided in
 * plan.ts; here pods are claimed, made in batches that grow while all goes well, and deleted.
 */
import { pods } from '../../api/core/pod.ts'
import { isPodActive, isPodTerminating, nextAvailableInMs } from '../../api/core/podstate.ts'
import { replicationControllers } from '../../api/core/replicationcontroller.ts'
import { replicaSets } from '../../api/apps/replicaset.ts'
import type { Kind } from '../../api/kind.ts'
import { controllerOf, isBeingDeleted, type KubeObject } from '../../api/meta.ts'
import type { Pod, ReplicaSet, ReplicationController } from '../../api/schema/types.ts'
import { labelsSelector, nothing, selectorOf, type Selector } from '../../api/selector.ts'
import type { Client } from '../../client/client.ts'
import { controllerIndex, type Lister } from '../../client/lister.ts'
import type { Ctx } from '../../lib/ctx.ts'
import { cloneJson, equalJson } from '../../lib/json.ts'
import { candidates, claim, claimants, indexForClaims, planClaims } from '../claim.ts'
import type { Controller, Env, Reconcile } from '../controller.ts'
import { createPod, messageOf, podFrom, removePod, slowStart } from '../podcontrol.ts'
import { itself } from '../run.ts'
import { type Plan, planReplicas, type Replicas, statusOf } from './plan.ts'

export const replicaSetController: Controller = {
  name: 'replicaset-controller',
  workers: 5,
  setUp: (env) => setUp<ReplicaSet>(env, { kind: replicaSets, countTerminating: true, selector: (set) => selectorOf(set.spec?.selector) }),
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
  env.watch(pods, claimants(kind, sets, flavour.selector))

  return async (ctx, key, client) => {
    const set = sets.at(key)
    if (set === undefined) return
    const selector = flavour.selector(set)
    const near = candidates(podInformer, set as T)
    // Pods that ended or go are neither adopted nor let go; those of the set that are still going are counted.
    const going = near.filter((pod) => isPodTerminating(pod) && controllerOf(pod)?.uid === (set as T).metadata.uid && selector.matches(pod.metadata.labels))
    const claims = planClaims(set as T, selector, near.filter(isPodActive))
    const owned = [...(await claim(ctx, client, { owner: kind, owned: pods }, set, claims)), ...going]
    const now = env.clock.now()
    let failure: unknown
    if (!isBeingDeleted(set as T)) {
      const plan = planReplicas((set as T).spec?.replicas ?? 1, owned, kinOf(sets, podInformer.lister, set as T, owned), now)
      failure = await act(ctx, env, client, kind, set as T, plan)
    }
    await writeStatus(ctx, client, flavour, set, owned, failure, now)
    if (failure !== undefined) throw failure
    const soon = nextAvailableInMs(owned.filter(isPodActive), (set as T).spec?.minReadySeconds ?? 0, now)
    if (soon !== undefined) env.queue.after(key, soon)
  }
}

/** Pods of all sets that have the same owner: while a Deployment rolls, old and new replicas crowd the same nodes. */
function kinOf<T extends Replicas>(sets: Lister<T>, podsOf: Lister<Pod>, set: Readonly<Replicas>, owned: readonly Readonly<Pod>[]): readonly Readonly<Pod>[] {
  const owner = controllerOf(set)
  if (owner === undefined) return owned
  return sets.by(controllerIndex, owner.uid).flatMap((kin) => podsOf.by(controllerIndex, (kin as T).metadata.uid ?? ''))
}

/** Makes or deletes; gives what stood in the way. */
async function act(ctx: Ctx, env: Env, client: Client, kind: Kind, set: Readonly<Replicas>, plan: Plan): Promise<unknown> {
  const control = { client, recorder: env.recorder }
  const owner = { kind, object: set }
  if (plan.create > 0) return await slowStart(plan.create, () => createPod(ctx, control, owner, podFrom(set.spec?.template, owner)))
  const outcomes = await Promise.allSettled(plan.remove.map((pod) => removePod(ctx, control, owner, pod)))
  return outcomes.find((o) => o.status === 'rejected')?.reason
}

async function writeStatus<T extends Replicas>(
  ctx: Ctx, client: Client, flavour: Flavour<T>, set: Readonly<T>, owned: readonly Readonly<Pod>[], failure: unknown, nowMs: number,
): Promise<void> {
  const status = statusOf(set as T, owned, failure === undefined ? undefined : messageOf(failure), { ms: nowMs, countTerminating: flavour.countTerminating })
  if (equalJson(status, withoutZeros((set as T).status))) return
  await client.update(ctx, flavour.kind, { ...cloneJson(set as T), status }, { subresource: 'status' })
}

/** Counts that are 0 are the same as counts that are not there, however they were written. */
function withoutZeros(status: Replicas['status']): unknown {
  const kept = Object.entries(status ?? {}).filter(([name, value]) => value !== 0 || name === 'replicas' || name === 'terminatingReplicas')
  return { replicas: 0, ...Object.fromEntries(kept) }
}
