/**
 * What a StatefulSet needs next: pods to make, to delete, to bring in line. In order, one at a time and never past a pod
 * that is not available; or all at once where the set asks for that. Pure (upstream's stateful_set_control.go).
 */
import { availableInMs, isPodReady, isPodTerminal } from '../../api/core/podstate.ts'
import { isBeingDeleted } from '../../api/meta.ts'
import type { PersistentVolumeClaim, Pod, StatefulSet } from '../../api/schema/types.ts'
import { claimNames, hasIdentity, hasStorage, inRange, ordinalOf, podOf, revisionOf, startOf, wantedOf } from './identity.ts'
import { goesWithEarlierPod, ownersOf } from './retention.ts'

/** A revision by name, and the set as it is with that revision's template. */
export interface Target {
  readonly name: string
  readonly set: Readonly<StatefulSet>
}

export interface World {
  readonly set: Readonly<StatefulSet>
  readonly current: Target
  readonly update: Target
  readonly pods: readonly Readonly<Pod>[]
  readonly claim: (name: string) => Readonly<PersistentVolumeClaim> | undefined
  readonly nowMs: number
}

export interface Step {
  /**
   * create: with its claims. claims: those that are missing. conform: labels, volumes and owners of claims. keep: owners of
   * claims only.
   */
  readonly do: 'create' | 'delete' | 'claims' | 'conform' | 'keep'
  readonly pod: Readonly<Pod>
}

export interface Plan {
  /** Steps of one stage do not wait for each other; a stage begins when the one before it went well. */
  readonly stages: readonly (readonly Step[])[]
  /** Its deletion ends the pod's time at the current revision. */
  readonly updates: Readonly<Pod> | undefined
}

export function planPods(world: World): Plan {
  const { set } = world
  const replicas = replicasOf(world)
  const condemned = world.pods.filter((pod) => ordinalOf(pod) >= 0 && !inRange(set, pod)).toSorted((a, b) => ordinalOf(b) - ordinalOf(a))
  const outlook = set.spec?.podManagementPolicy === 'Parallel' ? parallel(world, replicas, condemned) : ordered(world, replicas, condemned)
  const updates = outlook.blocked || set.spec?.updateStrategy?.type === 'OnDelete' ? undefined : nextToUpdate(world, replicas)
  const stages = updates === undefined ? outlook.stages : [...outlook.stages, [{ do: 'delete' as const, pod: updates }]]
  return { stages: stages.filter((stage) => stage.length > 0), updates }
}

/** One for each ordinal: the pod that is there, or one to be made, which has no phase yet. */
function replicasOf(world: World): readonly Readonly<Pod>[] {
  const { set } = world
  const there = new Map(world.pods.filter((pod) => inRange(set, pod)).map((pod) => [ordinalOf(pod), pod]))
  return Array.from({ length: wantedOf(set) }, (_, i) => there.get(startOf(set) + i) ?? newPod(world, startOf(set) + i))
}

/** Below the partition of a rolling update pods stay at the current revision, also when they are made anew. */
function newPod({ set, current, update }: World, ordinal: number): Pod {
  const { type, rollingUpdate } = set.spec?.updateStrategy ?? {}
  const index = ordinal - startOf(set)
  const old = rollingUpdate === undefined ? type === 'RollingUpdate' && index < (set.status?.currentReplicas ?? 0) : index < (rollingUpdate.partition ?? 0)
  const target = old ? current : update
  return podOf(target.set, target.name, ordinal)
}

interface Outlook {
  readonly stages: readonly (readonly Step[])[]
  /** Nothing is updated before this is done. */
  readonly blocked: boolean
}

function ordered(world: World, replicas: readonly Readonly<Pod>[], condemned: readonly Readonly<Pod>[]): Outlook {
  const stages: (readonly Step[])[] = []
  for (const pod of replicas) {
    const { steps, settled } = replicaSteps(world, pod)
    for (const step of steps) stages.push([step])
    if (!settled) return { stages, blocked: true }
    if (!isConform(world, pod)) stages.push([{ do: 'conform', pod }])
  }
  stages.push(...keepSteps(world, condemned).map((step) => [step]))
  const [last] = condemned
  if (last === undefined) return { stages, blocked: false }
  if (!isBeingDeleted(last) && (isAvailable(world, last) || last === firstUnavailable(world, replicas, condemned))) stages.push([{ do: 'delete', pod: last }])
  return { stages, blocked: true }
}

function parallel(world: World, replicas: readonly Readonly<Pod>[], condemned: readonly Readonly<Pod>[]): Outlook {
  const brought = replicas.flatMap((pod) => {
    const { steps } = replicaSteps(world, pod)
    return isCreated(pod) && !isPodTerminal(pod) && !isConform(world, pod) ? [...steps, { do: 'conform' as const, pod }] : steps
  })
  const gone = condemned.filter((pod) => !isBeingDeleted(pod)).map((pod): Step => ({ do: 'delete', pod }))
  return { stages: [brought, keepSteps(world, condemned), gone], blocked: false }
}

/** `settled`: the pod is available, and those after it may come. */
function replicaSteps(world: World, pod: Readonly<Pod>): { readonly steps: readonly Step[]; readonly settled: boolean } {
  if (isPodTerminal(pod)) return { steps: isBeingDeleted(pod) ? [] : [{ do: 'delete', pod }], settled: false }
  if (!isCreated(pod)) return { steps: waitsForClaim(world, pod) ? [] : [{ do: 'create', pod }], settled: false }
  const steps: readonly Step[] = pod.status?.phase === 'Pending' ? [{ do: 'claims', pod }] : []
  return { steps, settled: !isBeingDeleted(pod) && isAvailable(world, pod) }
}

/** A rolling update takes the highest ordinal that is not up to date, once all above it are available. */
function nextToUpdate(world: World, replicas: readonly Readonly<Pod>[]): Readonly<Pod> | undefined {
  const partition = world.set.spec?.updateStrategy?.rollingUpdate?.partition ?? 0
  for (const pod of replicas.slice(partition).toReversed()) {
    if (revisionOf(pod) !== world.update.name && !isBeingDeleted(pod)) return pod
    if (isBeingDeleted(pod) || !isReadyForLong(world, pod)) return undefined
  }
  return undefined
}

export const isCreated = (pod: Readonly<Pod>): boolean => (pod.status?.phase ?? '') !== ''

export const isRunningAndReady = (pod: Readonly<Pod>): boolean => pod.status?.phase === 'Running' && isPodReady(pod)

function isReadyForLong({ set, nowMs }: World, pod: Readonly<Pod>): boolean {
  return availableInMs(pod, set.spec?.minReadySeconds ?? 0, nowMs) === 0
}

function isAvailable(world: World, pod: Readonly<Pod>): boolean {
  return isRunningAndReady(pod) && isReadyForLong(world, pod)
}

/** A set that shrinks may give up what is not available only when it is the first of those. */
function firstUnavailable(world: World, replicas: readonly Readonly<Pod>[], condemned: readonly Readonly<Pod>[]): Readonly<Pod> | undefined {
  return [...replicas, ...condemned.toReversed()].find((pod) => isBeingDeleted(pod) || !isReadyForLong(world, pod))
}

function waitsForClaim({ set, claim }: World, pod: Readonly<Pod>): boolean {
  return claimNames(set, ordinalOf(pod)).some((name) => {
    const there = claim(name)
    return there !== undefined && goesWithEarlierPod(there, { set, pod })
  })
}

function isConform(world: World, pod: Readonly<Pod>): boolean {
  return hasIdentity(world.set, pod) && hasStorage(world.set, pod) && areClaimsKept(world, pod)
}

function areClaimsKept({ set, claim }: World, pod: Readonly<Pod>): boolean {
  return claimNames(set, ordinalOf(pod)).every((name) => {
    const there = claim(name)
    return there === undefined || ownersOf(there, { set, pod }) === undefined
  })
}

function keepSteps(world: World, condemned: readonly Readonly<Pod>[]): readonly Step[] {
  return condemned.filter((pod) => !areClaimsKept(world, pod)).map((pod): Step => ({ do: 'keep', pod }))
}
