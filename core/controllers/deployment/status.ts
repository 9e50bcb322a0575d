/** A Deployment's status from its ReplicaSets: counts, Available, Progressing with its deadline, ReplicaFailure. Pure. */
import type { Deployment, DeploymentCondition, DeploymentStatus, ReplicaSet } from '../../api/schema/types.ts'
import { formatTime, parseTime } from '../../api/time.ts'
import { conditionOf, removeCondition, setCondition } from '../conditions.ts'
import { maxUnavailable, sizeOf, wantedOf } from './plan.ts'

/** What counts as no deadline at all. */
const noDeadlineS = 2_147_483_647

export const reasons = {
  updated: 'ReplicaSetUpdated',
  createFailed: 'ReplicaSetCreateError',
  created: 'NewReplicaSetCreated',
  found: 'FoundNewReplicaSet',
  available: 'NewReplicaSetAvailable',
  timedOut: 'ProgressDeadlineExceeded',
  paused: 'DeploymentPaused',
  resumed: 'DeploymentResumed',
} as const

export interface Sets {
  readonly newest: Readonly<ReplicaSet> | undefined
  readonly old: readonly Readonly<ReplicaSet>[]
}

export function hasDeadline(deployment: Readonly<Deployment>): boolean {
  const s = deployment.spec?.progressDeadlineSeconds
  return s !== undefined && s !== noDeadlineS
}

export function condition(type: string, status: string, reason: string, message: string, nowMs: number): DeploymentCondition {
  const now = formatTime(nowMs)
  return { type, status, reason, message, lastUpdateTime: now, lastTransitionTime: now }
}

/** Counts and availability; progress is as it was. */
export function countsOf(deployment: Readonly<Deployment>, { newest, old }: Sets, nowMs: number): DeploymentStatus {
  const all = newest === undefined ? old : [...old, newest]
  const sum = (of: (set: Readonly<ReplicaSet>) => number): number => all.reduce((n, set) => n + of(set), 0)
  const available = sum((set) => set.status?.availableReplicas ?? 0)
  const enough = available >= wantedOf(deployment) - maxUnavailable(deployment)
  const word = enough
    ? condition('Available', 'True', 'MinimumReplicasAvailable', 'Deployment has minimum availability.', nowMs)
    : condition('Available', 'False', 'MinimumReplicasUnavailable', 'Deployment does not have minimum availability.', nowMs)
  const terminating = terminatingOf(all)
  return prune({
    observedGeneration: deployment.metadata.generation ?? 0,
    replicas: sum((set) => set.status?.replicas ?? 0),
    updatedReplicas: newest?.status?.replicas ?? 0,
    readyReplicas: sum((set) => set.status?.readyReplicas ?? 0),
    availableReplicas: available,
    unavailableReplicas: Math.max(0, sum(sizeOf) - available),
    ...(terminating === undefined ? {} : { terminatingReplicas: terminating }),
    ...(deployment.status?.collisionCount === undefined ? {} : { collisionCount: deployment.status.collisionCount }),
    conditions: setCondition(deployment.status?.conditions, word),
  })
}

/** Not known as long as a set that was worked on has not said. */
function terminatingOf(sets: readonly Readonly<ReplicaSet>[]): number | undefined {
  let sum = 0
  for (const { status } of sets) {
    if (status?.terminatingReplicas !== undefined) sum += status.terminatingReplicas
    else if ((status?.observedGeneration ?? 0) !== 0) return undefined
  }
  return sum
}

/** Go leaves zeros out of JSON, except where it is told to keep them. */
export function prune(status: DeploymentStatus): DeploymentStatus {
  const kept = Object.entries(status).filter(([name, value]) => name === 'terminatingReplicas' || name === 'collisionCount' || (value !== 0 && !(Array.isArray(value) && value.length === 0)))
  return Object.fromEntries(kept) as DeploymentStatus
}

export function isComplete(deployment: Readonly<Deployment>, status: Readonly<DeploymentStatus>): boolean {
  const want = wantedOf(deployment)
  return (status.updatedReplicas ?? 0) === want && (status.replicas ?? 0) === want && (status.availableReplicas ?? 0) === want &&
    (status.observedGeneration ?? 0) >= (deployment.metadata.generation ?? 0)
}

/** The whole status during a rollout. */
export function rolloutStatus(deployment: Readonly<Deployment>, sets: Sets, nowMs: number): DeploymentStatus {
  const status = countsOf(deployment, sets, nowMs)
  const prev = conditionOf(deployment.status?.conditions, 'Progressing')
  const over = (status.replicas ?? 0) === (status.updatedReplicas ?? 0) && prev?.reason === reasons.available
  if (!hasDeadline(deployment)) status.conditions = removeCondition(status.conditions, 'Progressing')
  else if (!over) status.conditions = progress(deployment, sets, status, prev, nowMs)
  const failure = failureOf(sets)
  status.conditions = failure === undefined ? removeCondition(status.conditions, 'ReplicaFailure') : setCondition(status.conditions, failure)
  return prune(status)
}

function progress(
  deployment: Readonly<Deployment>, { newest }: Sets, status: Readonly<DeploymentStatus>, prev: DeploymentCondition | undefined, nowMs: number,
): DeploymentCondition[] {
  const subject = newest === undefined ? `Deployment "${deployment.metadata.name}"` : `ReplicaSet "${newest.metadata.name}"`
  if (isComplete(deployment, status)) {
    return setCondition(status.conditions, condition('Progressing', 'True', reasons.available, `${subject} has successfully progressed.`, nowMs))
  }
  if (hasProgressed(deployment.status ?? {}, status)) {
    const next = condition('Progressing', 'True', reasons.updated, `${subject} is progressing.`, nowMs)
    // The time of update moves with every bit of progress: the deadline counts from it.
    const kept = prev?.status === 'True' && prev.lastTransitionTime !== undefined ? { ...next, lastTransitionTime: prev.lastTransitionTime } : next
    return [...removeCondition(status.conditions, 'Progressing'), kept]
  }
  if (overdueInMs(deployment, status, nowMs) === 0) {
    return setCondition(status.conditions, condition('Progressing', 'False', reasons.timedOut, `${subject} has timed out progressing.`, nowMs))
  }
  return [...(status.conditions ?? [])]
}

function hasProgressed(prev: Readonly<DeploymentStatus>, next: Readonly<DeploymentStatus>): boolean {
  const old = (s: Readonly<DeploymentStatus>): number => (s.replicas ?? 0) - (s.updatedReplicas ?? 0)
  return (next.updatedReplicas ?? 0) > (prev.updatedReplicas ?? 0) || old(next) < old(prev) ||
    (next.readyReplicas ?? 0) > (prev.readyReplicas ?? 0) || (next.availableReplicas ?? 0) > (prev.availableReplicas ?? 0)
}

/** Milliseconds until the deadline passes: 0 when it has, undefined when none is running. */
export function overdueInMs(deployment: Readonly<Deployment>, status: Readonly<DeploymentStatus>, nowMs: number): number | undefined {
  const current = conditionOf(status.conditions, 'Progressing')
  if (!hasDeadline(deployment) || current === undefined || current.reason === reasons.available) return undefined
  if (current.reason === reasons.timedOut) return 0
  const due = (parseTime(current.lastUpdateTime ?? '') ?? 0) + (deployment.spec?.progressDeadlineSeconds ?? 0) * 1_000
  return due < nowMs ? 0 : due - nowMs + 1
}

function failureOf({ newest, old }: Sets): DeploymentCondition | undefined {
  const all = newest === undefined ? old : [newest, ...old]
  for (const set of all) {
    const failed = conditionOf(set.status?.conditions, 'ReplicaFailure')
    if (failed !== undefined) return { ...failed, lastUpdateTime: failed.lastTransitionTime ?? '' }
  }
  return undefined
}
