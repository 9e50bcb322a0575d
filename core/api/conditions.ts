/**
 * Lists of conditions, set as most writers of them must set them (k8s.io/apimachinery/pkg/api/meta/conditions.go,
 * k8s.io/kubernetes/pkg/api/v1/pod/util.go). Pure.
 */
import { formatTime } from './time.ts'

interface Said {
  readonly type: string
  readonly status: string
  readonly lastTransitionTime?: string
}

export function conditionNamed<C extends Said>(conditions: readonly C[] | undefined, type: string): Readonly<C> | undefined {
  return conditions?.find((condition) => condition.type === type)
}

/** In its place in the list, or at the end of it; its time is that of the last change of status. */
export function withCondition<C extends Said>(conditions: readonly C[] | undefined, next: Omit<C, 'lastTransitionTime'> & Pick<C, 'type' | 'status'>, nowMs: number): C[] {
  const prev = conditionNamed(conditions, next.type)
  const lastTransitionTime = (prev?.status === next.status ? prev.lastTransitionTime : undefined) ?? formatTime(nowMs)
  const made = { ...next, lastTransitionTime } as unknown as C
  return prev === undefined ? [...(conditions ?? []), made] : (conditions ?? []).map((condition) => (condition === prev ? made : condition))
}
