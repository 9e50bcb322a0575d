/** What a pod is to its Job: whether it still counts, its index, whether it failed, when it ended. Pure. */
import { podCondition } from '../../api/core/podstate.ts'
import { isBeingDeleted } from '../../api/meta.ts'
import type { ContainerStatus, Job, Pod } from '../../api/schema/types.ts'
import { parseTime } from '../../api/time.ts'

/** Held by every pod whose end is not in its Job's status yet. */
export const trackingFinalizer = 'batch.kubernetes.io/job-tracking'
/** Label and annotation. */
export const indexKey = 'batch.kubernetes.io/job-completion-index'
export const failuresKey = 'batch.kubernetes.io/job-index-failure-count'
export const ignoredFailuresKey = 'batch.kubernetes.io/job-index-ignored-failure-count'

const int32Max = 2 ** 31 - 1

export function isTracked(pod: Readonly<Pod>): boolean {
  return pod.metadata.finalizers?.includes(trackingFinalizer) ?? false
}

export const isIndexed = (job: Readonly<Job>): boolean => job.spec?.completionMode === 'Indexed'
export const isSuspended = (job: Readonly<Job>): boolean => job.spec?.suspend === true
export const limitsIndexes = (job: Readonly<Job>): boolean => job.spec?.backoffLimitPerIndex !== undefined

/** Pods are replaced when they have ended; otherwise as soon as they are to end. */
export function replacesEndedOnly(job: Readonly<Job>): boolean {
  return job.spec?.podReplacementPolicy === 'Failed' || job.spec?.podFailurePolicy !== undefined
}

export const finishedCondition = (job: Readonly<Job>): 'Complete' | 'Failed' | undefined =>
  job.status?.conditions?.find((c) => (c.type === 'Complete' || c.type === 'Failed') && c.status === 'True')?.type as 'Complete' | 'Failed' | undefined

export const isFinished = (job: Readonly<Job>): boolean => finishedCondition(job) !== undefined

/** undefined: it has none, or none that can be read. */
export function indexOf(pod: Readonly<Pod>): number | undefined {
  const text = pod.metadata.annotations?.[indexKey] ?? ''
  return /^\+?\d+$/.test(text) ? Number(text) : undefined
}

/** The index, where the Job has it. */
export function validIndex(job: Readonly<Job>, pod: Readonly<Pod>): number | undefined {
  const index = indexOf(pod)
  return index !== undefined && index < (job.spec?.completions ?? 0) ? index : undefined
}

/** Pods that are deleted count as failed too, unless those alone are replaced that have ended. */
export function hasFailed(job: Readonly<Job>, pod: Readonly<Pod>): boolean {
  if (pod.status?.phase === 'Failed') return true
  return !replacesEndedOnly(job) && isBeingDeleted(pod) && pod.status?.phase !== 'Succeeded'
}

export const countedFailures = (pod: Readonly<Pod>): number => annotatedCount(pod, failuresKey)
export const ignoredFailures = (pod: Readonly<Pod>): number => annotatedCount(pod, ignoredFailuresKey)

/** How often pods of this index failed before this one, counted or not. */
export const allFailures = (pod: Readonly<Pod>): number => countedFailures(pod) + ignoredFailures(pod)

function annotatedCount(pod: Readonly<Pod>, key: string): number {
  const text = pod.metadata.annotations?.[key] ?? ''
  const count = /^\+?\d+$/.test(text) ? Number(text) : 0
  return count > int32Max ? 0 : count
}

/** By its containers; else since when it is not ready; else when it was deleted; else when it was made. */
export function endedAtMs(pod: Readonly<Pod>): number {
  const ready = podCondition(pod, 'Ready')
  const { deletionTimestamp, deletionGracePeriodSeconds, creationTimestamp } = pod.metadata
  const deletedMs = timeMs(deletionTimestamp)
  return containersEndedMs(pod) ??
    (ready?.status === 'False' ? timeMs(ready.lastTransitionTime) : undefined) ??
    (deletedMs === undefined ? undefined : deletedMs - (deletionGracePeriodSeconds ?? 0) * 1_000) ??
    timeMs(creationTimestamp) ?? 0
}

/** undefined while one runs. Of what ran before, only what goes on beside the containers counts. */
function containersEndedMs(pod: Readonly<Pod>): number | undefined {
  const beside = new Set((pod.spec?.initContainers ?? []).filter((c) => c.restartPolicy === 'Always').map((c) => c.name))
  const containers = latestEndMs(pod.status?.containerStatuses ?? [])
  const sidecars = latestEndMs((pod.status?.initContainerStatuses ?? []).filter((c) => beside.has(c.name)))
  if (containers === 'running' || sidecars === 'running') return undefined
  const latest = Math.max(containers, sidecars)
  return latest === -Infinity ? undefined : latest
}

function latestEndMs(statuses: readonly Readonly<ContainerStatus>[]): number | 'running' {
  let latest = -Infinity
  for (const { state } of statuses) {
    const at = timeMs(state?.terminated?.finishedAt)
    if (at === undefined) return 'running'
    latest = Math.max(latest, at)
  }
  return latest
}

export function timeMs(text: string | undefined | null): number | undefined {
  return text === undefined || text === null ? undefined : parseTime(text)
}
