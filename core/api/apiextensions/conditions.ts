/**
 * What a CustomResourceDefinition says of itself: conditions, versions, names. Read by whoever serves custom kinds and by
 * the controllers; written with setCondition, which keeps times as upstream does (pkg/apihelpers).
 */
import type { CustomResourceDefinition, CustomResourceDefinitionCondition, CustomResourceDefinitionVersion } from '../schema/types.ts'
import { formatTime } from '../time.ts'

export const cleanupFinalizer = 'customresourcecleanup.apiextensions.k8s.io'

export type ConditionType = 'Established' | 'NamesAccepted' | 'NonStructuralSchema' | 'Terminating' | 'KubernetesAPIApprovalPolicyConformant'

type Definition = Readonly<CustomResourceDefinition>
type Condition = CustomResourceDefinitionCondition

export function conditionOf(crd: Definition, type: ConditionType): Readonly<Condition> | undefined {
  return crd.status?.conditions?.find((condition) => condition.type === type)
}

export function isTrue(crd: Definition, type: ConditionType): boolean {
  return conditionOf(crd, type)?.status === 'True'
}

/** Its kinds are served. */
export const isEstablished = (crd: Definition): boolean => isTrue(crd, 'Established')

/** It is on its way out: nothing new may be created under it. */
export const isTerminating = (crd: Definition): boolean => isTrue(crd, 'Terminating')

/** The version that objects are stored in. Validation sees to it that there is one. */
export function storageVersion(crd: Definition): Readonly<CustomResourceDefinitionVersion> | undefined {
  return crd.spec.versions?.find((version) => version.storage)
}

export function servedVersions(crd: Definition): readonly Readonly<CustomResourceDefinitionVersion>[] {
  return (crd.spec.versions ?? []).filter((version) => version.served)
}

/** Whether two conditions say the same, whenever that began. */
export function saysTheSame(a: Readonly<Condition> | undefined, b: Readonly<Condition> | undefined): boolean {
  if (a === undefined || b === undefined) return a === b
  return a.type === b.type && a.status === b.status && (a.reason ?? '') === (b.reason ?? '') && (a.message ?? '') === (b.message ?? '')
}

export interface NewCondition {
  readonly type: ConditionType
  readonly status: 'True' | 'False' | 'Unknown'
  readonly reason: string
  readonly message: string
}

/** In its place in the list, or at the end of it; its time is that of the last change of status. Changes `conditions`. */
export function setCondition(conditions: Condition[], next: NewCondition, nowMs: number): void {
  const at = conditions.findIndex((condition) => condition.type === next.type)
  const prev = conditions[at]
  if (prev === undefined) {
    conditions.push({ ...next, lastTransitionTime: formatTime(nowMs) })
    return
  }
  const since = prev.status === next.status ? (prev.lastTransitionTime ?? formatTime(nowMs)) : formatTime(nowMs)
  conditions[at] = { ...prev, ...next, lastTransitionTime: since }
}
