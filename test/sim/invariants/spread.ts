/** Pods that are to be spread are: no binding makes a domain exceed the emptiest one by more than it may. */
import { isPodTerminal } from '../../../core/api/core/podstate.ts'
import { selectorOf } from '../../../core/api/selector.ts'
import type { Node, Pod } from '../../../core/api/schema/types.ts'
import type { History } from '../history.ts'
import type { Invariant } from '../invariant.ts'
import { Recent } from '../recent.ts'
import { isBinding, nodeOf } from './binding.ts'
import { matchesLabels } from './labels.ts'

interface Place {
  readonly node: string
  readonly pod: Readonly<Pod>
}

export const spreadHolds: Invariant = {
  name: 'no domain has more pods than its spread allows',
  begin({ history, lateMs }) {
    const there = new Recent<string>()
    const places = new Map<string, Place>()
    return {
      after(happened) {
        const { prefix, type, object, atMs } = happened
        if (prefix !== 'pods') return undefined
        const pod = object as Pod
        const { uid = '' } = pod.metadata
        const node = nodeOf(pod)
        places.set(uid, { node, pod })
        there.set(uid, type !== 'deleted' && counts(pod), atMs)
        if (!isBinding(happened)) return undefined
        // Of what has gone lately the scheduler may not have heard, and what has no node it may be binding.
        const gone = [...there.left(lateMs, atMs)].flatMap((left) => places.get(left) ?? [])
        const waiting = [...history.all<Pod>('pods').values()].filter((other) => nodeOf(other) === '').map((other) => ({ node: '', pod: other }))
        return skew(history, happened.key, pod, node, [...gone, ...waiting])
      },
    }
  },
}

const counts = (pod: Readonly<Pod>): boolean => pod.metadata.deletionTimestamp === undefined && !isPodTerminal(pod)

/** What would be wrong with the pod on this node; `maybe`: pods that may be taken to be where they are not, without a node: anywhere. */
export function skew(history: History, key: string, pod: Readonly<Pod>, nodeName: string, maybe: readonly Place[] = []): string | undefined {
  const nodes = history.all<Node>('nodes')
  for (const { topologyKey, maxSkew, whenUnsatisfiable, labelSelector } of pod.spec?.topologySpreadConstraints ?? []) {
    if (whenUnsatisfiable !== 'DoNotSchedule') continue
    const selector = selectorOf(labelSelector)
    const domainOf = (node: string): string | undefined => nodes.get(`/${node}`)?.metadata.labels?.[topologyKey]
    const surely = new Map<string, number>()
    const perhaps = new Map<string, number>()
    for (const node of nodes.values()) {
      const domain = node.metadata.labels?.[topologyKey]
      if (domain !== undefined && matchesLabels(pod, node)) surely.set(domain, 0)
    }
    const isAlike = ({ metadata }: Readonly<Pod>): boolean => metadata.namespace === pod.metadata.namespace && selector.matches(metadata.labels)
    const add = (to: Map<string, number>, { node, pod: other }: Place): void => {
      const domain = domainOf(node)
      if (domain !== undefined && surely.has(domain) && isAlike(other)) to.set(domain, (to.get(domain) ?? 0) + 1)
    }
    for (const [other, bound] of history.all<Pod>('pods')) if (other !== key && counts(bound)) add(surely, { node: nodeOf(bound), pod: bound })
    for (const place of maybe) add(perhaps, place)
    const anywhere = maybe.filter(({ node, pod: other }) => node === '' && isAlike(other)).length
    const emptiest = filledUp([...surely].map(([name, count]) => count + (perhaps.get(name) ?? 0)), anywhere)
    const would = (surely.get(domainOf(nodeName) ?? '') ?? 0) + 1
    if (would - emptiest > maxSkew) return `${key} is pod ${would} in ${topologyKey} ${domainOf(nodeName) ?? ''}, the emptiest has ${emptiest}`
  }
  return undefined
}

/** The least of these counts when so many more come to wherever there are fewest. */
function filledUp(counts: readonly number[], more: number): number {
  let least = Math.min(...counts)
  let left = more - counts.filter((count) => count === least).length
  while (left >= 0 && counts.length > 0) {
    least++
    left -= counts.filter((count) => count <= least).length
  }
  return least
}
