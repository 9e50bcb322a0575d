/**
 * Deployments: rolls pod templates out over ReplicaSets. One look brings a Deployment one step on: its newest set is
 * found or made, sizes move as plan.ts says, the status tells how it goes (status.ts). Revisions are in revision.ts.
 */
import { deployments } from '../../api/apps/deployment.ts'
import { replicaSets } from '../../api/apps/replicaset.ts'
import { isPodTerminal } from '../../api/core/podstate.ts'
import { pods } from '../../api/core/pod.ts'
import { isApiError } from '../../api/errors.ts'
import { controllerOf, controllerRef, isBeingDeleted, keyOf } from '../../api/meta.ts'
import type { Deployment, DeploymentCondition, Pod, ReplicaSet } from '../../api/schema/types.ts'
import { nothing, selectorOf, type Selector } from '../../api/selector.ts'
import type { Client } from '../../client/client.ts'
import { controllerIndex } from '../../client/lister.ts'
import type { Ctx } from '../../lib/ctx.ts'
import { cloneJson, equalJson } from '../../lib/json.ts'
import { candidates, claim, claimants, indexForClaims, planClaims } from '../claim.ts'
import { conditionOf, setCondition } from '../conditions.ts'
import type { Controller, Env } from '../controller.ts'
import { templateHash } from '../hash.ts'
import { isTerminatingNamespace, messageOf } from '../podcontrol.ts'
import { itself, ownerKey } from '../run.ts'
import { byCreation, isRolling, isScalingEvent, newestSize, planCleanup, planRecreate, planRolling, planScale, type Scaling, sizeOf } from './plan.ts'
import { maxRevision, newestAnnotations, replicasAnnotations, revisionAnnotation } from './revision.ts'
import { condition, countsOf, hasDeadline, isComplete, overdueInMs, reasons, rolloutStatus, type Sets } from './status.ts'
import { replicaSetName, sameTemplate, selectorWithHash, withHash } from './template.ts'

export const deploymentController: Controller = {
  name: 'deployment-controller',
  workers: 5,
  setUp(env) {
    const lister = env.watch(deployments, itself)
    const setInformer = env.informers.of(replicaSets)
    const podInformer = env.informers.of(pods)
    indexForClaims(setInformer)
    indexForClaims(podInformer)
    const ofOwner = ownerKey(deployments)
    env.watch(replicaSets, claimants(deployments, lister, selectorFor))
    // Recreate waits for the last old pod to be gone; nobody else here cares about pods.
    env.watch(pods, (pod) => {
      const owner = controllerOf(pod)
      const set = owner?.kind === 'ReplicaSet' ? setInformer.lister.byUid(owner.uid) : undefined
      return set === undefined ? [] : ofOwner(set).filter((key) => lister.at(key)?.spec?.strategy?.type === 'Recreate')
    })
    return async (ctx, key, client) => {
      const lent = lister.at(key)
      if (lent === undefined) return
      if (emptySelector(lent)) return await refuseSelectingAll(ctx, env, client, lent)
      const claims = planClaims(lent, selectorFor(lent), candidates(setInformer, lent))
      const sets = await claim(ctx, client, { owner: deployments, owned: replicaSets }, lent, claims)
      const podsOf = (set: Readonly<ReplicaSet>): readonly Readonly<Pod>[] => podInformer.lister.by(controllerIndex, set.metadata.uid ?? '')
      await new Rollout(ctx, env, client, lent, sets, podsOf).step(key)
    }
  },
}

const selectorFor = (deployment: Readonly<Deployment>): Selector => (emptySelector(deployment) ? nothing : selectorOf(deployment.spec?.selector))

function emptySelector({ spec }: Readonly<Deployment>): boolean {
  return Object.keys(spec?.selector?.matchLabels ?? {}).length === 0 && (spec?.selector?.matchExpressions ?? []).length === 0
}

async function refuseSelectingAll(ctx: Ctx, env: Env, client: Client, deployment: Readonly<Deployment>): Promise<void> {
  env.recorder.event(deployments, deployment, 'Warning', 'SelectingAll', 'This deployment is selecting all pods. A non-empty selector is required.')
  const { generation } = deployment.metadata
  if ((deployment.status?.observedGeneration ?? 0) >= (generation ?? 0)) return
  await client.update(ctx, deployments, { ...deployment, status: { ...deployment.status, ...(generation === undefined ? {} : { observedGeneration: generation }) } }, { subresource: 'status' })
}

/** One look at one Deployment. Holds the newest answer of the server, because one look may write more than once. */
class Rollout {
  readonly #ctx: Ctx
  readonly #env: Env
  readonly #client: Client
  readonly #podsOf: (set: Readonly<ReplicaSet>) => readonly Readonly<Pod>[]
  readonly #now: number
  #deployment: Readonly<Deployment>
  #newest: Readonly<ReplicaSet> | undefined
  #old: Readonly<ReplicaSet>[]

  constructor(ctx: Ctx, env: Env, client: Client, deployment: Readonly<Deployment>, sets: readonly Readonly<ReplicaSet>[], podsOf: (set: Readonly<ReplicaSet>) => readonly Readonly<Pod>[]) {
    this.#ctx = ctx
    this.#env = env
    this.#client = client
    this.#podsOf = podsOf
    this.#now = env.clock.now()
    this.#deployment = deployment
    // Of several with the same template the oldest is the newest set: the choice must not change from look to look.
    this.#newest = sets.toSorted(byCreation).find((set) => sameTemplate(set.spec?.template, deployment.spec?.template))
    this.#old = sets.filter((set) => set !== this.#newest)
  }

  async step(key: string): Promise<void> {
    const d = this.#deployment
    if (isBeingDeleted(d)) return await this.#writeStatus('counts')
    await this.#tellPaused()
    if (this.#newest !== undefined) await this.#keepNewest(this.#newest)
    if (d.spec?.paused === true || isScalingEvent(d, this.#sets())) return await this.#resize()
    if (isRolling(d)) await this.#roll()
    else await this.#recreate()
    const due = overdueInMs(this.#deployment, this.#deployment.status ?? {}, this.#now)
    if (due !== undefined && due > 0) this.#env.queue.after(key, due)
  }

  #sets(): readonly Readonly<ReplicaSet>[] {
    return this.#newest === undefined ? this.#old : [...this.#old, this.#newest]
  }

  async #resize(): Promise<void> {
    await this.#scale(planScale(this.#deployment, this.#newest, this.#old))
    if (this.#deployment.spec?.paused === true) await this.#cleanUp()
    await this.#writeStatus('counts')
  }

  async #roll(): Promise<void> {
    const newest = this.#newest ?? (await this.#createNewest())
    if (newest === undefined) return
    const moved = await this.#scale(planRolling(this.#deployment, newest, this.#old))
    if (!moved && isComplete(this.#deployment, this.#deployment.status ?? {})) await this.#cleanUp()
    await this.#writeStatus('rollout')
  }

  async #recreate(): Promise<void> {
    const moved = await this.#scale(planRecreate(this.#old))
    if (!moved && !this.#oldPodsRun()) {
      const newest = this.#newest ?? (await this.#createNewest())
      if (newest === undefined) return
      await this.#scale([{ set: newest, to: newestSize(this.#deployment, newest, this.#old) }])
      if (isComplete(this.#deployment, this.#deployment.status ?? {})) await this.#cleanUp()
    }
    await this.#writeStatus('rollout')
  }

  #oldPodsRun(): boolean {
    return this.#old.some((set) => (set.status?.replicas ?? 0) > 0 || this.#podsOf(set).some((pod) => !isPodTerminal(pod)))
  }

  /** Revision and copied annotations of the newest set, and the Deployment's own revision after it. */
  async #keepNewest(newest: Readonly<ReplicaSet>): Promise<void> {
    const annotations = newestAnnotations(this.#deployment, newest, maxRevision(this.#old) + 1n)
    const minReady = this.#deployment.spec?.minReadySeconds ?? 0
    if (!equalJson(annotations, newest.metadata.annotations ?? {}) || (newest.spec?.minReadySeconds ?? 0) !== minReady) {
      const mine = cloneJson(newest) as ReplicaSet
      mine.metadata.annotations = { ...annotations }
      if (mine.spec !== undefined) mine.spec.minReadySeconds = minReady
      this.#newest = await this.#client.update(this.#ctx, replicaSets, mine)
    }
    const needed = conditionOf(this.#deployment.status?.conditions, 'Progressing') === undefined && hasDeadline(this.#deployment)
    const found = condition('Progressing', 'True', reasons.found, `Found new replica set "${newest.metadata.name}"`, this.#now)
    await this.#tell(annotations[revisionAnnotation] ?? '', needed ? found : undefined)
  }

  async #createNewest(): Promise<Readonly<ReplicaSet> | undefined> {
    const d = this.#deployment
    const hash = templateHash(d.spec?.template, d.status?.collisionCount)
    const template = withHash(d.spec?.template, hash)
    const name = replicaSetName(d.metadata.name ?? '', hash)
    const revision = maxRevision(this.#old) + 1n
    const draft: ReplicaSet = {
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      metadata: { name, namespace: d.metadata.namespace ?? '', labels: { ...template.metadata?.labels }, ownerReferences: [controllerRef(d, deployments)] },
      spec: { replicas: 0, selector: selectorWithHash(d.spec?.selector, hash), template, ...(d.spec?.minReadySeconds === undefined ? {} : { minReadySeconds: d.spec.minReadySeconds }) },
    }
    const replicas = newestSize(d, draft, this.#old)
    draft.metadata.annotations = { ...newestAnnotations(d, draft, revision), ...replicasAnnotations(d) }
    if (draft.spec !== undefined) draft.spec.replicas = replicas
    try {
      const created = await this.#client.create(this.#ctx, replicaSets, draft)
      this.#newest = created
      if (replicas > 0) this.#event('ScalingReplicaSet', `Scaled up replica set ${name} from 0 to ${replicas}`)
      const word = hasDeadline(d) ? condition('Progressing', 'True', reasons.created, `Created new replica set "${name}"`, this.#now) : undefined
      await this.#tell(String(revision), word)
      return created
    } catch (error) {
      if (isApiError(error, 'AlreadyExists')) return await this.#onCollision(name, error)
      if (!isTerminatingNamespace(error)) await this.#tellCreateFailed(name, error)
      throw error
    }
  }

  /** Under the name stands our own set that the lister does not show yet, or another template with the same hash. */
  async #onCollision(name: string, error: unknown): Promise<Readonly<ReplicaSet> | undefined> {
    const d = this.#deployment
    const standing = await this.#client.get(this.#ctx, replicaSets, { namespace: d.metadata.namespace ?? '', name })
    if (standing !== undefined && controllerOf(standing)?.uid === d.metadata.uid && sameTemplate(standing.spec?.template, d.spec?.template)) {
      this.#newest = standing
      return standing
    }
    const mine = cloneJson(d) as Deployment
    mine.status = { ...mine.status, collisionCount: (mine.status?.collisionCount ?? 0) + 1 }
    await this.#client.update(this.#ctx, deployments, mine, { subresource: 'status' })
    throw error
  }

  async #tellCreateFailed(name: string, error: unknown): Promise<void> {
    const message = `Failed to create new replica set "${name}": ${messageOf(error)}`
    this.#env.recorder.event(deployments, this.#deployment, 'Warning', reasons.createFailed, message)
    if (hasDeadline(this.#deployment)) await this.#tell(undefined, condition('Progressing', 'False', reasons.createFailed, message, this.#now))
  }

  /** Scales; says whether a size changed. */
  async #scale(plan: readonly (Scaling & { readonly force?: boolean })[]): Promise<boolean> {
    let moved = false
    for (const { set, to, force } of plan) {
      const from = sizeOf(set)
      const annotations = { ...set.metadata.annotations, ...replicasAnnotations(this.#deployment) }
      if (from === to && (force !== true || equalJson(annotations, set.metadata.annotations ?? {}))) continue
      const mine = cloneJson(set) as ReplicaSet
      mine.metadata.annotations = annotations
      if (mine.spec !== undefined) mine.spec.replicas = to
      const scaled = await this.#client.update(this.#ctx, replicaSets, mine)
      if (this.#newest?.metadata.uid === set.metadata.uid) this.#newest = scaled
      else this.#old = this.#old.map((other) => (other.metadata.uid === set.metadata.uid ? scaled : other))
      if (from === to) continue
      moved = true
      this.#event('ScalingReplicaSet', `Scaled ${from < to ? 'up' : 'down'} replica set ${set.metadata.name} from ${from} to ${to}`)
    }
    return moved
  }

  async #cleanUp(): Promise<void> {
    for (const set of planCleanup(this.#deployment, this.#old)) await this.#client.delete(this.#ctx, replicaSets, keyOf(set))
  }

  /** A pause is told, so that the time of it does not count against the deadline. */
  async #tellPaused(): Promise<void> {
    const current = conditionOf(this.#deployment.status?.conditions, 'Progressing')
    if (!hasDeadline(this.#deployment) || current?.reason === reasons.timedOut) return
    const paused = this.#deployment.spec?.paused === true
    const told = current?.reason === reasons.paused
    if (paused === told) return
    await this.#tell(undefined, condition('Progressing', 'Unknown', paused ? reasons.paused : reasons.resumed, paused ? 'Deployment is paused' : 'Deployment is resumed', this.#now))
  }

  async #tell(revision: string | undefined, word: DeploymentCondition | undefined): Promise<void> {
    const mine = cloneJson(this.#deployment) as Deployment
    if (revision !== undefined && revision !== '') mine.metadata.annotations = { ...mine.metadata.annotations, [revisionAnnotation]: revision }
    if (word !== undefined) mine.status = { ...mine.status, conditions: setCondition(mine.status?.conditions, word) }
    if (equalJson(mine, this.#deployment)) return
    this.#deployment = await this.#client.update(this.#ctx, deployments, mine, { subresource: 'status' })
  }

  async #writeStatus(how: 'counts' | 'rollout'): Promise<void> {
    const d = this.#deployment
    const sets: Sets = { newest: this.#newest, old: this.#old }
    const status = how === 'counts' ? countsOf(d, sets, this.#now) : rolloutStatus(d, sets, this.#now)
    if (equalJson(status, d.status ?? {})) return
    this.#deployment = await this.#client.update(this.#ctx, deployments, { ...cloneJson(d), status }, { subresource: 'status' })
  }

  #event(reason: string, message: string): void {
    this.#env.recorder.event(deployments, this.#deployment, 'Normal', reason, message)
  }
}
