/**
 * StatefulSets: pods with names that stay, made, updated and given up in order. One look finds the revisions
 * (revisions.ts), decides (plan.ts), acts (act.ts) and writes the status (status.ts).
 */
import { controllerRevisions } from '../../api/apps/controllerrevision.ts'
import { statefulSets } from '../../api/apps/statefulset.ts'
import { persistentVolumeClaims } from '../../api/core/persistentvolumeclaim.ts'
import { nextAvailableInMs } from '../../api/core/podstate.ts'
import { pods } from '../../api/core/pod.ts'
import { isBeingDeleted } from '../../api/meta.ts'
import type { PersistentVolumeClaim, Pod, StatefulSet, StatefulSetStatus } from '../../api/schema/types.ts'
import { selectorOf, type Selector } from '../../api/selector.ts'
import type { Client } from '../../client/client.ts'
import type { Lister } from '../../client/lister.ts'
import type { Ctx } from '../../lib/ctx.ts'
import { cloneJson } from '../../lib/json.ts'
import { candidates, claim, claimants, indexForClaims, planClaims } from '../claim.ts'
import type { Controller, Env } from '../controller.ts'
import { inOrder, type Revision, restored } from '../history.ts'
import { itself } from '../run.ts'
import { Act } from './act.ts'
import { isMember } from './identity.ts'
import { planPods, type Target, type World } from './plan.ts'
import { findRevisions, forgetRevisions } from './revisions.ts'
import { differs, statusOf, written } from './status.ts'

type Set = Readonly<StatefulSet>

export const statefulSetController: Controller = {
  name: 'statefulset-controller',
  workers: 5,
  setUp(env) {
    const podInformer = env.informers.of(pods)
    const revisionInformer = env.informers.of(controllerRevisions)
    indexForClaims(podInformer)
    indexForClaims(revisionInformer)
    const sets = env.watch(statefulSets, itself)
    env.watch(pods, claimants(statefulSets, sets, selectorFor))
    // A pod may be waiting for a claim to come, or for one of an earlier time to be gone.
    const claims = env.watch(persistentVolumeClaims, (one) => sets.list(one.metadata.namespace ?? '').filter((set) => isClaimOf(set, one)).flatMap(itself))
    return async (ctx, key, client) => {
      const set = sets.at(key)
      if (set === undefined) return
      const selector = selectorFor(set)
      const history = planClaims(set, selector, candidates(revisionInformer, set))
      const known = inOrder(await claim(ctx, client, { owner: statefulSets, owned: controllerRevisions }, set, { ...history, release: [] }))
      const mine = planClaims(set, selector, candidates(podInformer, set), (pod) => isMember(set, pod))
      const owned = await claim(ctx, client, { owner: statefulSets, owned: pods }, set, mine)
      await look(ctx, env, client, { key, set, known, owned, claims })
    }
  },
}

const selectorFor = (set: Set): Selector => selectorOf(set.spec?.selector)

function isClaimOf(set: Set, { metadata }: Readonly<PersistentVolumeClaim>): boolean {
  const [, stem] = /^(.*)-\d+$/.exec(metadata.name ?? '') ?? []
  return (set.spec?.volumeClaimTemplates ?? []).some((template) => stem === `${template.metadata.name}-${set.metadata.name}`)
}

interface Found {
  readonly key: string
  readonly set: Set
  /** Oldest first. */
  readonly known: readonly Revision[]
  readonly owned: readonly Readonly<Pod>[]
  readonly claims: Lister<PersistentVolumeClaim>
}

async function look(ctx: Ctx, env: Env, client: Client, found: Found): Promise<void> {
  const { set, known, owned } = found
  const nowMs = env.clock.now()
  if (isBeingDeleted(set)) return await watchItGo(ctx, client, found, nowMs)
  const { current, update, collisions } = await findRevisions(ctx, client, set, known)
  const world: World = {
    set, current: targetOf(set, current), update: targetOf(set, update), pods: owned, nowMs,
    claim: (name) => found.claims.get({ namespace: set.metadata.namespace ?? '', name }),
  }
  const plan = planPods(world)
  let gone = 0
  try {
    await new Act(ctx, { client, recorder: env.recorder, claims: found.claims }, set).run(plan.stages)
    gone = plan.updates === undefined ? 0 : 1
  } finally {
    await writeStatus(ctx, client, set, statusOf(world, collisions, gone))
    await forgetRevisions(ctx, client, set, known, { revisions: [current, update], pods: owned })
  }
  const soon = nextAvailableInMs(owned, set.spec?.minReadySeconds ?? 0, nowMs)
  if (soon !== undefined) env.queue.after(found.key, soon)
}

function targetOf(set: Set, revision: Revision): Target {
  return { name: revision.metadata.name ?? '', set: restored(statefulSets, set, revision) }
}

/** A set that goes makes and deletes nothing any more, but still counts. */
async function watchItGo(ctx: Ctx, client: Client, { set, owned }: Found, nowMs: number): Promise<void> {
  const target = (name = ''): Target => ({ name, set })
  const { currentRevision, updateRevision, collisionCount = 0 } = set.status ?? {}
  await writeStatus(ctx, client, set, statusOf({ set, pods: owned, nowMs, current: target(currentRevision), update: target(updateRevision) }, collisionCount, 0))
}

async function writeStatus(ctx: Ctx, client: Client, set: Set, status: StatefulSetStatus): Promise<void> {
  if (differs(status, set.status)) await client.update(ctx, statefulSets, { ...(cloneJson(set) as StatefulSet), status: written(status) }, { subresource: 'status' })
}
