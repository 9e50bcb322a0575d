/** NodeAffinity: nodeSelector and required affinity refuse; preferred terms add their weights. */
import { nodeMatchesPod, termMatches } from '../../api/core/nodeaffinity.ts'
import { normalizeByMax, type Plugin, type Refusal } from '../framework.ts'

const refusal: Refusal = { reasons: ["node(s) didn't match Pod's node affinity/selector"], unresolvable: true }

export const nodeAffinity: Plugin = {
  name: 'NodeAffinity',
  filter(pod) {
    const asks = pod.spec?.nodeSelector !== undefined || pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution !== undefined
    return asks ? ({ node }) => (nodeMatchesPod(pod, node) ? undefined : refusal) : undefined
  },
  score(pod) {
    const preferred = pod.spec?.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []
    if (preferred.length === 0) return undefined
    return {
      score: ({ node }) => preferred.reduce((sum, term) => sum + (termMatches(term.preference, node) ? term.weight : 0), 0),
      normalize: (scores) => normalizeByMax(scores, { reverse: false }),
    }
  },
  wakes(pod, event) {
    if (event.type === 'pod changed') return true
    if (event.type === 'pod gone' || !nodeMatchesPod(pod, event.node)) return false
    return event.type === 'node added' || !nodeMatchesPod(pod, event.prev)
  },
}
