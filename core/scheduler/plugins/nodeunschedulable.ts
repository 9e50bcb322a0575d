/** NodeUnschedulable: a cordoned node takes only pods that tolerate node.kubernetes.io/unschedulable. */
import { isTolerated } from '../../api/core/taints.ts'
import type { Plugin, Refusal } from '../framework.ts'

const refusal: Refusal = { reasons: ['node(s) were unschedulable'], unresolvable: true }
const taint = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' }

export const nodeUnschedulable: Plugin = {
  name: 'NodeUnschedulable',
  filter(pod) {
    if (isTolerated(pod.spec?.tolerations, taint)) return undefined
    return (node) => (node.node.spec?.unschedulable === true ? refusal : undefined)
  },
  wakes(pod, event) {
    if (event.type === 'pod changed') return isTolerated(pod.spec?.tolerations, taint)
    if (event.type === 'node added') return event.node.spec?.unschedulable !== true
    return event.type === 'node changed' && event.prev.spec?.unschedulable === true && event.node.spec?.unschedulable !== true
  },
}
