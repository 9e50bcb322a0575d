/** The condition DisruptionTarget, which says of a pod that the system ended it, and why. Pure. */
import type { Pod, PodStatus } from '../../api/schema/types.ts'
import { formatTime } from '../../api/time.ts'
import { conditionOf, setCondition } from '../conditions.ts'

/** The pod's status with the condition; undefined when it says so already. */
export function disrupted(pod: Readonly<Pod>, reason: string, message: string, nowMs: number): PodStatus | undefined {
  const have = conditionOf(pod.status?.conditions, 'DisruptionTarget')
  if (have?.status === 'True' && have.reason === reason) return undefined
  const { generation } = pod.metadata
  const condition = {
    type: 'DisruptionTarget', status: 'True', reason, message, lastTransitionTime: formatTime(nowMs),
    ...(generation === undefined ? {} : { observedGeneration: generation }),
  }
  return { ...pod.status, conditions: setCondition(pod.status?.conditions, condition) }
}
