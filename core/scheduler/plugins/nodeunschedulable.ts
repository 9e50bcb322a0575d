/** NodeUnschedulable: a cordoned node takes only pods that tolerate node.kubernetes.io/unschedulable. */
import { isTolerated, taintKeys } from '../../api/core/taints.ts'
import type { Plugin, Refusal } from '../framework.ts'

const refusal: Refusal = { reasons: ['node(s) were unschedulable'], unresolvable: true }
const taint = { key: taintKeys.unschedulable, effect: 'NoSchedule' }

export const nodeUnschedulable: Plugin = {
  name: 'NodeUnschedulable',
  local: true,
  filter(pod) {
    if (isTolerated(pod.spec?.tolerations, taint)) return undefined
    return { check: ({ node }) => (node.spec?.unschedulable === true ? refusal : undefined) }
  },
  wakes(pod, event) {
    if (event.type === 'pod changed') return isTolerated(pod.spec?.tolerations, taint) && !isTolerated(event.prev.spec?.tolerations, taint)
    if (event.type === 'node added') return event.node.spec?.unschedulable !== true
    return event.type === 'node changed' && event.prev.spec?.unschedulable === true && event.node.spec?.unschedulable !== true
  },
}
