/** Lists of metav1.Condition, set as every writer of them must set them (k8s.io/apimachinery/pkg/api/meta/conditions.go). Pure. */
import type { Condition } from './schema/types.ts'
import { formatTime } from './time.ts'

export function conditionNamed(conditions: readonly Condition[] | undefined, type: string): Readonly<Condition> | undefined {
  return conditions?.find((condition) => condition.type === type)
}

/** In its place in the list, or at the end of it; its time is that of the last change of status. */
export function withCondition(conditions: readonly Condition[] | undefined, next: Omit<Condition, 'lastTransitionTime'>, nowMs: number): Condition[] {
  const prev = conditionNamed(conditions, next.type)
  const lastTransitionTime = prev?.status === next.status ? prev.lastTransitionTime : formatTime(nowMs)
  const made: Condition = { ...next, lastTransitionTime }
  return prev === undefined ? [...(conditions ?? []), made] : (conditions ?? []).map((condition) => (condition === prev ? made : condition))
}
