/**
 * The condition DisruptionAllowed of a budget, which says in words what its count of allowed disruptions says. Written by
 * the disruption controller and by whoever takes the last disruption (k8s.io/component-helpers/apps/poddisruptionbudget).
 */
import { conditionNamed, withCondition } from '../conditions.ts'
import type { Condition, PodDisruptionBudgetStatus } from '../schema/types.ts'

type Status = Readonly<PodDisruptionBudgetStatus>

export const allowanceType = 'DisruptionAllowed'
export const syncFailed = 'SyncFailed'

function verdict({ disruptionsAllowed = 0 }: Status): { readonly status: string; readonly reason: string } {
  return disruptionsAllowed > 0 ? { status: 'True', reason: 'SufficientPods' } : { status: 'False', reason: 'InsufficientPods' }
}

export function saysAllowance(status: Status): boolean {
  const have = conditionNamed(status.conditions, allowanceType)
  const { status: want, reason } = verdict(status)
  return have?.status === want && have.reason === reason
}

/** The conditions, with what the count says now. */
export function withAllowance(status: Status, nowMs: number): Condition[] {
  return withCondition(status.conditions, { type: allowanceType, ...observed(status), ...verdict(status), message: '' }, nowMs)
}

/** The conditions, with why nothing could be counted. */
export function withSyncFailed(status: Status, why: string, nowMs: number): Condition[] {
  return withCondition(status.conditions, { type: allowanceType, ...observed(status), status: 'False', reason: syncFailed, message: why }, nowMs)
}

function observed({ observedGeneration = 0 }: Status): { readonly observedGeneration?: number } {
  return observedGeneration === 0 ? {} : { observedGeneration }
}
