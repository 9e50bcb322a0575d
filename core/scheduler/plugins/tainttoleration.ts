/** TaintToleration: NoSchedule and NoExecute taints refuse; fewer untolerated PreferNoSchedule taints score higher. */
import { isTolerated, untolerated } from '../../api/core/taints.ts'
import type { Node } from '../../api/schema/types.ts'
import { normalizeByMax, type Plugin, type Refusal } from '../framework.ts'

const refusal: Refusal = { reasons: ['node(s) had untolerated taint(s)'], unresolvable: true }
const hard = ['NoSchedule', 'NoExecute'] as const

export const taintToleration: Plugin = {
  name: 'TaintToleration',
  local: true,
  filter(pod) {
    const tolerations = pod.spec?.tolerations
    return {
      check({ node }) {
        const taints = node.spec?.taints
        return taints !== undefined && untolerated(taints, tolerations, hard) !== undefined ? refusal : undefined
      },
    }
  },
  score(pod) {
    const tolerations = (pod.spec?.tolerations ?? []).filter((t) => (t.effect ?? '') === '' || t.effect === 'PreferNoSchedule')
    return {
      score: ({ node }) => (node.spec?.taints ?? []).filter((taint) => taint.effect === 'PreferNoSchedule' && !isTolerated(tolerations, taint)).length,
      normalize: (scores) => normalizeByMax(scores, { reverse: true }),
    }
  },
  wakes(pod, event) {
    if (event.type === 'pod changed') return event.pod.spec?.tolerations?.length !== event.prev.spec?.tolerations?.length // they can only be added
    if (event.type !== 'node added' && event.type !== 'node changed') return false
    const stands = (node: Readonly<Node>): boolean => untolerated(node.spec?.taints, pod.spec?.tolerations, hard) !== undefined
    return !stands(event.node) && (event.type === 'node added' || stands(event.prev))
  },
}
