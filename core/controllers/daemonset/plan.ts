/**
 * Which pods of a DaemonSet are missing, and which are too many: one a node that it belongs to, two only while a surge
 * replaces the old one. Pure (upstream's podsShouldBeOnNode); updates are in rolling.ts.
 */
import { availableInMs, isPodReady } from '../../api/core/podstate.ts'
import { scaledValue } from '../../api/intorstring.ts'
import { isBeingDeleted } from '../../api/meta.ts'
import type { DaemonSet, Node, Pod } from '../../api/schema/types.ts'
import { revisionLabel } from '../history.ts'
import type { Place } from './placement.ts'

export type Pods = readonly Readonly<Pod>[]

export interface World {
  readonly set: Readonly<DaemonSet>
  /** Of the revision that pods are to be at. */
  readonly hash: string
  readonly nodes: readonly Readonly<Node>[]
  readonly place: (node: Readonly<Node>) => Place
  /** By the node that they are for; without those that ended and are going. */
  readonly pods: ReadonlyMap<string, Pods>
  readonly nowMs: number
}

export interface Plan {
  /** Names of nodes that get a pod. */
  readonly create: readonly string[]
  readonly remove: Pods
  /** Pods that failed: they are removed when their node may try again. */
  readonly failed: Pods
  readonly succeeded: Pods
}

export function isAvailable({ set, nowMs }: World, pod: Readonly<Pod>): boolean {
  return availableInMs(pod, set.spec?.minReadySeconds ?? 0, nowMs) === 0
}

/** Surge or unavailability as a number of pods, out of so many; 0 where nothing rolls. */
export function rollingNumber(set: Readonly<DaemonSet>, name: 'maxSurge' | 'maxUnavailable', total: number): number {
  const { type, rollingUpdate } = set.spec?.updateStrategy ?? {}
  return type === 'RollingUpdate' ? (scaledValue(rollingUpdate?.[name] ?? 0, total, 'up') ?? 0) : 0
}

export function planPods(world: World): Plan {
  const create: string[] = []
  const plan = { remove: [] as Readonly<Pod>[], failed: [] as Readonly<Pod>[], succeeded: [] as Readonly<Pod>[] }
  for (const node of world.nodes) {
    const name = node.metadata.name ?? ''
    const { run, stay } = world.place(node)
    const there = world.pods.get(name)
    if (run && there === undefined) create.push(name)
    else if (!stay) plan.remove.push(...living(there ?? []))
    else if (keepOne(world, there ?? [], plan) === 0 && run && rollingNumber(world.set, 'maxSurge', 1) > 0) create.push(name)
  }
  return { create, ...plan, remove: [...plan.remove, ...withoutNode(world)] }
}

const living = (pods: Pods): Pods => pods.filter((pod) => !isBeingDeleted(pod))

/** Sorts out what is too many on a node; gives how many were there that run or will. */
function keepOne(world: World, there: Pods, plan: { readonly remove: Readonly<Pod>[]; readonly failed: Readonly<Pod>[]; readonly succeeded: Readonly<Pod>[] }): number {
  const running: Readonly<Pod>[] = []
  for (const pod of living(there)) {
    if (pod.status?.phase === 'Failed') plan.failed.push(pod)
    else if (pod.status?.phase === 'Succeeded') plan.succeeded.push(pod)
    else running.push(pod)
  }
  running.sort(byAge)
  plan.remove.push(...(rollingNumber(world.set, 'maxSurge', 1) > 0 ? beyondSurge(world, running) : running.slice(1)))
  return running.length
}

/** Of each the oldest stays: one of the new revision and one of an old, as long as the old one serves and the new does not. */
function beyondSurge(world: World, running: Pods): Pods {
  if (running.length <= 1) return []
  const updated = running.find((pod) => pod.metadata.labels?.[revisionLabel] === world.hash)
  const old = running.find((pod) => pod.metadata.labels?.[revisionLabel] !== world.hash)
  const surplus = running.filter((pod) => pod !== updated && pod !== old)
  const replaced = updated !== undefined && old !== undefined && (!isPodReady(old) || isAvailable(world, updated))
  return replaced ? [...surplus, old] : surplus
}

/** Scheduled ones first, then the oldest. */
export function byAge(a: Readonly<Pod>, b: Readonly<Pod>): number {
  const [x, y] = [a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? '']
  return Number(isUnscheduled(a)) - Number(isUnscheduled(b)) || (x === y ? byText(a.metadata.name ?? '', b.metadata.name ?? '') : byText(x, y))
}

const byText = (a: string, b: string): number => (a === b ? 0 : a < b ? -1 : 1)
const isUnscheduled = (pod: Readonly<Pod>): boolean => (pod.spec?.nodeName ?? '') === ''

/** Nobody else would ever delete a pod that waits for a node that is no more. */
function withoutNode({ nodes, pods }: World): Pods {
  const known = new Set(nodes.map((node) => node.metadata.name ?? ''))
  return [...pods].flatMap(([node, there]) => (known.has(node) ? [] : there.filter(isUnscheduled)))
}
