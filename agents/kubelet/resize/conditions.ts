/**
 * How far a pod's resize is, as its conditions say it: PodResizePending while it is not granted, PodResizeInProgress from
 * then until it is in force. Pure values (pkg/kubelet/status/status_manager.go).
 */
import type { PodCondition } from '../../../core/api/schema/types.ts'

export const resizeConditionTypes = ['PodResizePending', 'PodResizeInProgress'] as const
export type ResizeConditionType = (typeof resizeConditionTypes)[number]

export interface ResizeState {
  readonly reason: string
  readonly message: string
  readonly generation: number | undefined
}

/** The next condition; the one before where it says the same already. */
export function resizeCondition(type: ResizeConditionType, before: PodCondition | undefined, { reason, message, generation }: ResizeState, nowMs: number): PodCondition {
  if (before !== undefined && (before.reason ?? '') === reason && (before.message ?? '') === message && before.observedGeneration === generation) return before
  const now = `${new Date(nowMs).toISOString().slice(0, 19)}Z`
  return {
    type,
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    status: 'True',
    lastProbeTime: now,
    lastTransitionTime: before !== undefined && (before.reason ?? '') === reason ? (before.lastTransitionTime ?? now) : now,
    ...(reason === '' ? {} : { reason }),
    ...(message === '' ? {} : { message }),
  }
}
