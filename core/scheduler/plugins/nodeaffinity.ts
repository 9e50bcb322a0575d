/**
 * NodeAffinity: nodeSelector and required affinity refuse; preferred terms add their weights. The profile can add an
 * affinity to that of every pod.
 */
import { nodeMatchesPod, selectorMatches, termMatches } from '../../api/core/nodeaffinity.ts'
import type { NodeAffinity, NodeSelectorTerm } from '../../api/schema/types.ts'
import { type Filter, normalizeByMax, type Plugin, type Refusal } from '../framework.ts'

export interface NodeAffinityArgs {
  readonly addedAffinity: Readonly<NodeAffinity> | undefined
}

const refusal: Refusal = { reasons: ["node(s) didn't match Pod's node affinity/selector"], unresolvable: true }
const enforced: Refusal = { reasons: ["node(s) didn't match scheduler-enforced node affinity"], unresolvable: true }
const conflict: Refusal = { reasons: ['pod affinity terms conflict'], unresolvable: true }

export function nodeAffinity({ addedAffinity }: NodeAffinityArgs): Plugin {
  const added = addedAffinity?.requiredDuringSchedulingIgnoredDuringExecution
  const addedPreferred = addedAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []
  return {
    name: 'NodeAffinity',
    local: true,
    filter(pod) {
      const required = pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
      if (pod.spec?.nodeSelector === undefined && required === undefined && added === undefined) return undefined
      const only = namedNodes(required?.nodeSelectorTerms ?? [])
      if (only?.size === 0) return conflict
      const check: Filter['check'] = ({ node }) => (added !== undefined && !selectorMatches(added, node) ? enforced : nodeMatchesPod(pod, node) ? undefined : refusal)
      return only === undefined ? { check } : { check, only }
    },
    score(pod) {
      const preferred = [...addedPreferred, ...(pod.spec?.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [])]
      if (preferred.length === 0) return undefined
      return {
        score: ({ node }) => preferred.reduce((sum, term) => sum + (termMatches(term.preference, node) ? term.weight : 0), 0),
        normalize: (scores) => normalizeByMax(scores, { reverse: false }),
      }
    },
    wakes(pod, event) {
      if (event.type !== 'node added' && event.type !== 'node changed') return false
      if ((added !== undefined && !selectorMatches(added, event.node)) || !nodeMatchesPod(pod, event.node)) return false
      return event.type === 'node added' || !nodeMatchesPod(pod, event.prev) || (added !== undefined && !selectorMatches(added, event.prev))
    },
  }
}

/** The names of nodes to which the terms restrict the pod; undefined where one of them names none. */
function namedNodes(terms: readonly Readonly<NodeSelectorTerm>[]): ReadonlySet<string> | undefined {
  let all: Set<string> | undefined
  for (const term of terms) {
    const fields = (term.matchFields ?? []).filter(({ key, operator }) => key === 'metadata.name' && operator === 'In')
    if (fields.length === 0) return undefined
    const [first, ...others] = fields.map(({ values }) => new Set(values))
    const names = others.reduce((left, right) => left.intersection(right), first ?? new Set<string>())
    all = (all ?? new Set<string>()).union(names)
  }
  return all
}
