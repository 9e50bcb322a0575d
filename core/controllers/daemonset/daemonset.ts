/**
 * DaemonSets: a pod on every node that fits. One look finds the revision (revisions.ts), decides what is missing or too
 * much (plan.ts), and when nothing is, what the update does next (rolling.ts); the status is in status.ts. Pods are bound
 * by the scheduler, to the node that they are pinned to.
 */
import { controllerRevisions } from '../../api/apps/controllerrevision.ts'
import { daemonSets } from '../../api/apps/daemonset.ts'
import { nodes } from '../../api/core/node.ts'
import { isPodTerminal, nextAvailableInMs } from '../../api/core/podstate.ts'
import { pods } from '../../api/core/pod.ts'
import { controllerOf, isBeingDeleted } from '../../api/meta.ts'
import type { DaemonSet, Node, Pod } from '../../api/schema/types.ts'
import { nothing, selectorOf, type Selector } from '../../api/selector.ts'
import type { Client } from '../../client/client.ts'
import type { Lister } from '../../client/lister.ts'
import type { Ctx } from '../../lib/ctx.ts'
import { cloneJson, equalJson } from '../../lib/json.ts'
import { candidates, claim, claimants, indexForClaims, planClaims } from '../claim.ts'
import type { Controller, Env } from '../controller.ts'
import type { Revision } from '../history.ts'
import { createPod, podFrom, removePod, slowStart } from '../podcontrol.ts'
import { itself } from '../run.ts'
import { FailedPods } from './failures.ts'
import { nodeOf, pinned, placementOf, podTemplate } from './placement.ts'
import { planPods, type Plan, type Pods, type World } from './plan.ts'
import { findRevisions, forgetRevisions } from './revisions.ts'
import { planRolling } from './rolling.ts'
import { statusOf } from './status.ts'

/** Pods made or deleted in one go at most. */
const burstPods = 250

export const daemonSetController: Controller = {
  name: 'daemon-set-controller',
  component: 'daemonset-controller',
  workers: 2,
  setUp(env) {
    const podInformer = env.informers.of(pods)
    const revisionInformer = env.informers.of(controllerRevisions)
    indexForClaims(podInformer)
    indexForClaims(revisionInformer)
    const sets = env.watch(daemonSets, itself)
    const keysOf = claimants(daemonSets, sets, selectorFor)
    env.watch(pods, keysOf)
    // Revisions that somebody makes for a set are looked at when there is something to do; those without a manager are adopted.
    const look = (revision: Revision): void => keysOf(revision).forEach((key) => env.queue.add(key))
    revisionInformer.on({
      added: (revision) => (controllerOf(revision) === undefined ? look(revision) : undefined),
      updated: (next, prev) => [next, prev].forEach(look),
      deleted: look,
    })
    const nodeLister = watchNodes(env, sets)
    const failures = new FailedPods()
    return async (ctx, key, client) => {
      const set = sets.at(key)
      if (set === undefined) return
      if (selectsAll(set)) return env.recorder.event(daemonSets, set, 'Warning', 'SelectingAll', 'This daemon set is selecting all pods. A non-empty selector is required.')
      // The history of a set that goes may have gone before it: nothing can be said of it any more.
      if (isBeingDeleted(set)) return
      const selector = selectorFor(set)
      const found = await claim(ctx, client, { owner: daemonSets, owned: controllerRevisions }, set, planClaims(set, selector, candidates(revisionInformer, set)))
      const owned = await claim(ctx, client, { owner: daemonSets, owned: pods }, set, planClaims(set, selector, candidates(podInformer, set)))
      await new Look(ctx, { env, client, failures }, { key, set, nodes: nodeLister.list(), found, owned }).step()
    }
  },
}

const selectorFor = (set: Readonly<DaemonSet>): Selector => (selectsAll(set) ? nothing : selectorOf(set.spec?.selector))

function selectsAll({ spec }: Readonly<DaemonSet>): boolean {
  return spec?.selector !== undefined && Object.keys(spec.selector.matchLabels ?? {}).length === 0 && (spec.selector.matchExpressions ?? []).length === 0
}

/** A node concerns the sets whose pods may run there, or might no more. Most changes of nodes are heartbeats. */
function watchNodes(env: Env, sets: Lister<DaemonSet>): Lister<Node> {
  const informer = env.informers.of(nodes)
  const look = (concerns: (place: ReturnType<typeof placementOf>) => boolean): void => {
    for (const set of sets.list()) if (concerns(placementOf(set))) itself(set).forEach((key) => env.queue.add(key))
  }
  informer.on({
    added: (node) => look((place) => place(node).run),
    deleted: (node) => look((place) => place(node).stay),
    updated: (next, prev) => {
      if (equalJson(next.metadata.labels, prev.metadata.labels) && equalJson(next.spec?.taints, prev.spec?.taints)) return
      look((place) => !equalJson(place(next), place(prev)))
    },
  })
  return informer.lister
}

interface Tools {
  readonly env: Env
  readonly client: Client
  readonly failures: FailedPods
}

interface Seen {
  readonly key: string
  readonly set: Readonly<DaemonSet>
  readonly nodes: readonly Readonly<Node>[]
  readonly found: readonly Revision[]
  readonly owned: Pods
}

/** One look at one DaemonSet. */
class Look {
  readonly #ctx: Ctx
  readonly #tools: Tools
  readonly #seen: Seen
  readonly #nowMs: number

  constructor(ctx: Ctx, tools: Tools, seen: Seen) {
    this.#ctx = ctx
    this.#tools = tools
    this.#seen = seen
    this.#nowMs = tools.env.clock.now()
  }

  async step(): Promise<void> {
    const { set, found, owned, nodes: all } = this.#seen
    const { client } = this.#tools
    const revisions = await findRevisions(this.#ctx, client, set, found, owned)
    if (revisions === undefined) return
    const world: World = { set, hash: revisions.hash, nodes: all, place: placesOf(set, all), pods: byNode(owned), nowMs: this.#nowMs }
    try {
      await this.#manage(world)
      await forgetRevisions(this.#ctx, client, set, revisions, owned)
    } finally {
      await this.#writeStatus(world)
    }
    this.#lookAgain()
  }

  /** The update goes on when every node has what it should. */
  async #manage(world: World): Promise<void> {
    const plan = planPods(world)
    const remove = [...plan.remove, ...this.#ended(plan)]
    if (plan.create.length > 0 || remove.length > 0) await this.#act(world, plan.create, remove)
    else if (world.set.spec?.updateStrategy?.type === 'RollingUpdate') {
      const next = planRolling(world)
      await this.#act(world, next.create, next.remove)
    }
  }

  /** Pods that ended, as far as their nodes may have another one now. */
  #ended({ failed, succeeded }: Plan): Pods {
    const { key, set } = this.#seen
    const { env, failures } = this.#tools
    const due = failed.filter((pod) => {
      const waitMs = failures.next(`${set.metadata.uid}/${set.status?.observedGeneration ?? 0}/${nodeOf(pod) ?? ''}`, this.#nowMs)
      if (waitMs > 0) env.queue.after(key, waitMs)
      return waitMs === 0
    })
    const about = ({ metadata }: Readonly<Pod>): string => `daemon pod ${metadata.namespace}/${metadata.name} on node`
    for (const pod of due) env.recorder.event(daemonSets, set, 'Warning', 'FailedDaemonPod', `Found failed ${about(pod)} ${nodeOf(pod)}, will try to kill it`)
    for (const pod of succeeded) env.recorder.event(daemonSets, set, 'Normal', 'SucceededDaemonPod', `Found succeeded ${about(pod)} ${nodeOf(pod)}, will try to delete it`)
    return [...due, ...succeeded]
  }

  /** Makes and deletes; throws what went wrong first. */
  async #act({ set, hash }: World, create: readonly string[], remove: Pods): Promise<void> {
    const { env, client } = this.#tools
    const control = { client, recorder: env.recorder }
    const owner = { kind: daemonSets, object: set }
    const template = podTemplate(set, hash)
    const refused = await slowStart(Math.min(create.length, burstPods), (i) => createPod(this.#ctx, control, owner, podFrom(pinned(template, create[i] ?? ''), owner)))
    const outcomes = await Promise.allSettled(remove.slice(0, burstPods).map((pod) => removePod(this.#ctx, control, owner, pod)))
    const failure = refused ?? outcomes.find((outcome) => outcome.status === 'rejected')?.reason
    if (failure !== undefined) throw failure
  }

  async #writeStatus(world: World): Promise<void> {
    const { set } = world
    const status = statusOf(world)
    if (!equalJson(status, set.status)) await this.#tools.client.update(this.#ctx, daemonSets, { ...(cloneJson(set) as DaemonSet), status }, { subresource: 'status' })
  }

  #lookAgain(): void {
    const { key, set, owned } = this.#seen
    const soon = nextAvailableInMs(owned, set.spec?.minReadySeconds ?? 0, this.#nowMs)
    if (soon !== undefined) this.#tools.env.queue.after(key, soon)
  }
}

/** Asked more than once a look, decided once. */
function placesOf(set: Readonly<DaemonSet>, all: readonly Readonly<Node>[]): World['place'] {
  const place = placementOf(set)
  const places = new Map(all.map((node) => [node, place(node)]))
  return (node) => places.get(node) ?? place(node)
}

function byNode(owned: Pods): ReadonlyMap<string, Pods> {
  const map = new Map<string, Readonly<Pod>[]>()
  for (const pod of owned) {
    const node = nodeOf(pod)
    // One that ended and goes is the business of others.
    if (node === undefined || (isPodTerminal(pod) && isBeingDeleted(pod))) continue
    const there = map.get(node)
    if (there === undefined) map.set(node, [pod])
    else there.push(pod)
  }
  return map
}
