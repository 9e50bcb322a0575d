/** What a set of replicas needs: pods to make or to give up, and its status. Pure: values in, values out. */
import { availableInMs, byDeletionRank, isPodActive, isPodReady, isPodTerminating } from '../../api/core/podstate.ts'
import type { KubeObject } from '../../api/meta.ts'
import type { Pod, PodTemplateSpec, ReplicaSetCondition, ReplicaSetStatus } from '../../api/schema/types.ts'
import { labelsSelector } from '../../api/selector.ts'
import { formatTime } from '../../api/time.ts'
import { conditionOf, removeCondition } from '../conditions.ts'

/** Pods made or deleted in one go at most. */
export const burstPods = 500

/** What ReplicaSet and ReplicationController have in common. */
export interface Replicas extends KubeObject {
  spec?: { replicas?: number; minReadySeconds?: number; template?: PodTemplateSpec }
  status?: ReplicaSetStatus
}

export interface Plan {
  readonly create: number
  readonly remove: readonly Readonly<Pod>[]
}

/** `kin`: the pods of all sets with the same owner, which tell how crowded a node is. */
export function planReplicas(want: number, owned: readonly Readonly<Pod>[], kin: readonly Readonly<Pod>[], nowMs: number): Plan {
  const active = owned.filter(isPodActive)
  const missing = want - active.length
  if (missing >= 0) return { create: Math.min(missing, burstPods), remove: [] }
  const crowd = new Map<string, number>()
  for (const pod of kin) {
    const node = pod.spec?.nodeName ?? ''
    if (isPodActive(pod)) crowd.set(node, (crowd.get(node) ?? 0) + 1)
  }
  const rank = byDeletionRank({ nowMs, onNode: (pod) => crowd.get(pod.spec?.nodeName ?? '') ?? 0 })
  return { create: 0, remove: active.toSorted(rank).slice(0, Math.min(-missing, burstPods)) }
}

/** Its status with these pods; `failure` is why pods could not be made or deleted. */
export function statusOf(
  set: Readonly<Replicas>, owned: readonly Readonly<Pod>[], failure: string | undefined, now: { readonly ms: number; readonly countTerminating: boolean },
): ReplicaSetStatus {
  const active = owned.filter(isPodActive)
  const labelled = labelsSelector(set.spec?.template?.metadata?.labels)
  const minReadyS = set.spec?.minReadySeconds ?? 0
  const prev = set.status
  return {
    ...prev,
    replicas: active.length,
    ...count('fullyLabeledReplicas', active.filter((pod) => labelled.matches(pod.metadata.labels)).length),
    ...count('readyReplicas', active.filter(isPodReady).length),
    ...count('availableReplicas', active.filter((pod) => availableInMs(pod, minReadyS, now.ms) === 0).length),
    ...(now.countTerminating ? { terminatingReplicas: owned.filter(isPodTerminating).length } : {}),
    ...count('observedGeneration', set.metadata.generation ?? 0),
    ...conditions(prev?.conditions, active.length - (set.spec?.replicas ?? 1), failure, now.ms),
  }
}

/** Zero is left out of JSON, as Go's omitempty does; `undefined` overrides what was there before. */
function count<N extends string>(name: N, value: number): { readonly [name in N]: number } {
  return { [name]: value === 0 ? undefined : value } as { readonly [name in N]: number }
}

function conditions(prev: readonly ReplicaSetCondition[] | undefined, surplus: number, failure: string | undefined, nowMs: number): { conditions?: ReplicaSetCondition[] } {
  const failed = conditionOf(prev, 'ReplicaFailure')
  if (failure !== undefined && failed === undefined) {
    const reason = surplus < 0 ? 'FailedCreate' : surplus > 0 ? 'FailedDelete' : ''
    return { conditions: [...(prev ?? []), { type: 'ReplicaFailure', status: 'True', reason, message: failure, lastTransitionTime: formatTime(nowMs) }] }
  }
  if (failure !== undefined || failed === undefined) return prev === undefined ? {} : { conditions: [...prev] }
  const kept = removeCondition(prev, 'ReplicaFailure')
  return { conditions: (kept.length === 0 ? undefined : kept) as ReplicaSetCondition[] }
}
