/**
 * What a PodDisruptionBudget allows: how many of its pods are healthy, how many must be, which of them are about to go.
 * Pure: values in, values out. Whose pods they are and how many their managers want is managers.ts.
 */
import { isPodReady } from '../../api/core/podstate.ts'
import { scaledValue } from '../../api/intorstring.ts'
import { isBeingDeleted } from '../../api/meta.ts'
import { saysAllowance, withAllowance, withSyncFailed } from '../../api/policy/allowance.ts'
import type { IntOrString, Pod, PodDisruptionBudget, PodDisruptionBudgetStatus } from '../../api/schema/types.ts'
import { parseTime } from '../../api/time.ts'
import { equalJson } from '../../lib/json.ts'

/** So long a pod whose eviction was granted counts as going; after that nobody will delete it any more. */
const goingMs = 120_000

type Budget = Readonly<PodDisruptionBudget>
type Pods = readonly Readonly<Pod>[]

/** How many pods there should be, and how many of them healthy. */
export interface Need {
  readonly expected: number
  readonly healthy: number
}

/** A number of pods that must be available is compared with the pods there are; everything else with what their managers want. */
export function asksManagers({ spec }: Budget): boolean {
  return spec?.maxUnavailable !== undefined || typeof spec?.minAvailable === 'string'
}

/** `expected`: what the managers want, where they are asked; else the pods there are. */
export function needOf({ spec }: Budget, expected: number): Need {
  if (spec?.maxUnavailable !== undefined) return { expected, healthy: Math.max(0, expected - share(spec.maxUnavailable, expected)) }
  if (spec?.minAvailable !== undefined) return { expected, healthy: share(spec.minAvailable, expected) }
  return { expected: 0, healthy: 0 }
}

function share(value: IntOrString, total: number): number {
  const scaled = scaledValue(value, total, 'up')
  if (scaled === undefined) throw new Error(`invalid value for IntOrString: invalid type: string is not a percentage`)
  return scaled
}

export interface Going {
  /** Pods whose eviction was granted and that are not on their way out yet, with when. */
  readonly pods: Readonly<Record<string, string>>
  /** Those that should be and are not. */
  readonly left: Pods
  /** When the first of them will have been waited for long enough. */
  readonly untilMs: number | undefined
}

export function goingOf({ status }: Budget, pods: Pods, nowMs: number): Going {
  const going: Record<string, string> = {}
  const left: Readonly<Pod>[] = []
  let untilMs: number | undefined
  for (const pod of pods) {
    const name = pod.metadata.name ?? ''
    const since = status?.disruptedPods?.[name]
    if (since === undefined || isBeingDeleted(pod)) continue
    const until = untilOf(since)
    if (until < nowMs) left.push(pod)
    else {
      going[name] = since
      untilMs = Math.min(untilMs ?? until, until)
    }
  }
  return { pods: going, left, untilMs }
}

const untilOf = (since: string): number => (parseTime(since) ?? 0) + goingMs

export function healthyCount(pods: Pods, going: Going['pods'], nowMs: number): number {
  return pods.filter((pod) => {
    const since = going[pod.metadata.name ?? '']
    return !isBeingDeleted(pod) && !(since !== undefined && untilOf(since) > nowMs) && isPodReady(pod)
  }).length
}

/** The status with these counts; undefined when it says so already. Without any expected pod nothing is allowed: the first may be just coming. */
export function statusOf(budget: Budget, need: Need, healthy: number, going: Going['pods'], nowMs: number): PodDisruptionBudgetStatus | undefined {
  const { status: prev, metadata: { generation = 0 } } = budget
  const counts = {
    currentHealthy: healthy,
    desiredHealthy: need.healthy,
    expectedPods: need.expected,
    disruptionsAllowed: need.expected <= 0 ? 0 : Math.max(0, healthy - need.healthy),
    observedGeneration: generation,
    disruptedPods: going,
  }
  const { currentHealthy = 0, desiredHealthy = 0, expectedPods = 0, disruptionsAllowed = 0, observedGeneration = 0, disruptedPods = {} } = prev ?? {}
  if (equalJson(counts, { currentHealthy, desiredHealthy, expectedPods, disruptionsAllowed, observedGeneration, disruptedPods }) && saysAllowance(prev ?? {})) return undefined
  const { disruptedPods: pods, ...numbers } = counts
  const next: PodDisruptionBudgetStatus = { ...numbers, ...(Object.keys(pods).length === 0 ? {} : { disruptedPods: { ...pods } }), ...(prev?.conditions === undefined ? {} : { conditions: prev.conditions }) }
  return { ...next, conditions: withAllowance(next, nowMs) }
}

/** Nothing is allowed while nothing can be counted. */
export function failedStatus({ status }: Budget, why: string, nowMs: number): PodDisruptionBudgetStatus {
  return { currentHealthy: 0, desiredHealthy: 0, expectedPods: 0, ...status, disruptionsAllowed: 0, conditions: withSyncFailed(status ?? {}, why, nowMs) }
}
