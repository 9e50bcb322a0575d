/** The condition DisruptionTarget, which says of a pod that the system ended it, and why. Pure. */
import { conditionNamed, withCondition } from '../../api/conditions.ts'
import type { Pod, PodStatus } from '../../api/schema/types.ts'

/** The pod's status with the condition; undefined when it says so already. */
export function disrupted(pod: Readonly<Pod>, reason: string, message: string, nowMs: number): PodStatus | undefined {
  const have = conditionNamed(pod.status?.conditions, 'DisruptionTarget')
  if (have?.status === 'True' && have.reason === reason) return undefined
  const { generation } = pod.metadata
  const condition = {
    type: 'DisruptionTarget', status: 'True', reason, message,
    ...(generation === undefined ? {} : { observedGeneration: generation }),
  }
  return { ...pod.status, conditions: withCondition(pod.status?.conditions, condition, nowMs) }
}
