/**
 * What a pod's state means to those who count, replace or route to it: active, ready, available, and which of several
 * goes first when there are too many. Pure; shared by controllers, scheduler and kubelet (upstream's pkg/api/v1/pod and
 * pkg/controller/controller_utils.go).
 */
import { isBeingDeleted } from '../meta.ts'
import type { Pod, PodCondition } from '../schema/types.ts'
import { parseTime } from '../time.ts'

export function podCondition(pod: Readonly<Pod>, type: string): Readonly<PodCondition> | undefined {
  return pod.status?.conditions?.find((c) => c.type === type)
}

export function isPodReady(pod: Readonly<Pod>): boolean {
  return podCondition(pod, 'Ready')?.status === 'True'
}

/** Succeeded or failed: it will not run again. */
export function isPodTerminal(pod: Readonly<Pod>): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed'
}

/** Neither ended nor on its way out: it counts as a replica. */
export function isPodActive(pod: Readonly<Pod>): boolean {
  return !isPodTerminal(pod) && !isBeingDeleted(pod)
}

/** On its way out and not ended yet. */
export function isPodTerminating(pod: Readonly<Pod>): boolean {
  return !isPodTerminal(pod) && isBeingDeleted(pod)
}

/** Milliseconds until a ready pod counts as available: 0 when it does, undefined when it is not ready. */
export function availableInMs(pod: Readonly<Pod>, minReadyS: number, nowMs: number): number | undefined {
  const ready = podCondition(pod, 'Ready')
  if (ready?.status !== 'True') return undefined
  if (minReadyS <= 0) return 0
  const since = timeOf(ready.lastTransitionTime)
  return since === 0 ? undefined : Math.max(0, since + minReadyS * 1_000 - nowMs)
}

/** Milliseconds until the next of these that are ready counts as available; undefined when none is on its way. */
export function nextAvailableInMs(pods: readonly Readonly<Pod>[], minReadyS: number, nowMs: number): number | undefined {
  let next: number | undefined
  for (const pod of pods) {
    const ms = availableInMs(pod, minReadyS, nowMs) ?? 0
    if (ms > 0 && ms < (next ?? Infinity)) next = ms
  }
  return next
}

export interface RankOptions {
  readonly nowMs: number
  /** How many of the candidates' kin stand on the pod's node: the crowded node gives first. */
  readonly onNode: (pod: Readonly<Pod>) => number
}

/** Orders pods by which one is given up first: upstream's ActivePodsWithRanks. */
export function byDeletionRank(options: RankOptions): (a: Readonly<Pod>, b: Readonly<Pod>) => number {
  return (a, b) =>
    first(!isAssigned(a), !isAssigned(b)) ||
    phaseRank(a) - phaseRank(b) ||
    first(!isPodReady(a), !isPodReady(b)) ||
    deletionCost(a) - deletionCost(b) ||
    options.onNode(b) - options.onNode(a) ||
    (isPodReady(a) && isPodReady(b) ? byYouth(readySince(a), readySince(b), options.nowMs) || differing(readySince(a), readySince(b), a, b) : 0) ||
    restarts(b) - restarts(a) ||
    sidecarRestarts(b) - sidecarRestarts(a) ||
    byYouth(timeOf(a.metadata.creationTimestamp), timeOf(b.metadata.creationTimestamp), options.nowMs) ||
    byUid(a, b)
}

/** Orders pods by which one has done least, whoever stands beside it: upstream's ActivePods. */
export function byLeastWork(a: Readonly<Pod>, b: Readonly<Pod>): number {
  return (
    first(!isAssigned(a), !isAssigned(b)) ||
    phaseRank(a) - phaseRank(b) ||
    first(!isPodReady(a), !isPodReady(b)) ||
    (isPodReady(a) && isPodReady(b) ? laterOrNone(readySince(a), readySince(b)) : 0) ||
    restarts(b) - restarts(a) ||
    sidecarRestarts(b) - sidecarRestarts(a) ||
    laterOrNone(timeOf(a.metadata.creationTimestamp), timeOf(b.metadata.creationTimestamp))
  )
}

const laterOrNone = (a: number, b: number): number => (a === 0 || b === 0 ? first(a === 0, b === 0) : b - a)

/** Times that differ, but not in magnitude, leave it to the uid. */
const differing = (since: number, other: number, a: Readonly<Pod>, b: Readonly<Pod>): number => (since === other ? 0 : byUid(a, b))
const byUid = (a: Readonly<Pod>, b: Readonly<Pod>): number => (text(a.metadata.uid) < text(b.metadata.uid) ? -1 : 1)

const text = (value: string | undefined): string => value ?? ''
const first = (a: boolean, b: boolean): number => Number(b) - Number(a)
const isAssigned = (pod: Readonly<Pod>): boolean => text(pod.spec?.nodeName) !== ''
const timeOf = (time: string | undefined): number => (time === undefined || time === null ? 0 : (parseTime(time) ?? 0))
const readySince = (pod: Readonly<Pod>): number => timeOf(podCondition(pod, 'Ready')?.lastTransitionTime)

function phaseRank(pod: Readonly<Pod>): number {
  return pod.status?.phase === 'Pending' ? 0 : pod.status?.phase === 'Unknown' ? 1 : 2
}

function deletionCost(pod: Readonly<Pod>): number {
  const cost = pod.metadata.annotations?.['controller.kubernetes.io/pod-deletion-cost'] ?? '0'
  return /^[-+]?\d+$/.test(cost) ? Number(cost) : 0
}

/**
 * Younger first, no time before any. Times are compared by the power of two of their age, so that which of several pods
 * of about one age goes is not always the youngest, and with it the newest node or zone.
 */
function byYouth(a: number, b: number, nowMs: number): number {
  if (a === 0 || b === 0) return first(a === 0, b === 0)
  return magnitude(nowMs - a) - magnitude(nowMs - b)
}

/** Upstream takes the logarithm of nanoseconds. */
const magnitude = (ageMs: number): number => (ageMs > 0 ? Math.floor(Math.log2(ageMs * 1_000_000)) : -1)

function restarts(pod: Readonly<Pod>): number {
  return Math.max(0, ...(pod.status?.containerStatuses ?? []).map((c) => c.restartCount))
}

function sidecarRestarts(pod: Readonly<Pod>): number {
  const sidecars = new Set((pod.spec?.initContainers ?? []).filter((c) => c.restartPolicy === 'Always').map((c) => c.name))
  return Math.max(0, ...(pod.status?.initContainerStatuses ?? []).filter((c) => sidecars.has(c.name)).map((c) => c.restartCount))
}
