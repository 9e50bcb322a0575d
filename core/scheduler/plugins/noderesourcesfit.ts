/**
 * NodeResourcesFit: what the pods of a node ask for must fit into what it has;
 * emptier nodes score higher (LeastAllocated over cpu and memory).
 */
import { scoreMax, type Plugin, type Refusal } from '../framework.ts'
import { claimOf, type Claim, type NodeInfo } from '../world.ts'

export const nodeResourcesFit: Plugin = {
  name: 'NodeResourcesFit',
  filter(pod) {
    const claim = claimOf(pod)
    const others = Object.entries(claim.others).filter(([, milli]) => milli > 0)
    return (node) => refusalOf(claim, others, node)
  },
  score(pod) {
    const claim = claimOf(pod)
    return {
      score(node) {
        const parts = [
          free(node.scoredCpuMilli + claim.scoredCpuMilli, node.cpuMilli),
          free(node.scoredMemoryBytes + claim.scoredMemoryBytes, node.memoryBytes),
        ].filter((part) => part !== undefined)
        return parts.length === 0 ? 0 : Math.floor(parts.reduce((a, b) => a + b, 0) / parts.length)
      },
    }
  },
  wakes(_pod, event) {
    if (event.type !== 'node changed') return true // a pod that goes frees at least its place
    return JSON.stringify(event.node.status?.allocatable) !== JSON.stringify(event.prev.status?.allocatable)
  },
}

/** All that is lacking is named; what the whole node does not have, evictions cannot free. */
function refusalOf(claim: Claim, others: readonly (readonly [string, number])[], node: NodeInfo): Refusal | undefined {
  const { cpuMilli, memoryBytes } = claim
  const full = node.pods.size + 1 > node.podsMax
  const noCpu = cpuMilli > 0 && node.usedCpuMilli + cpuMilli > node.cpuMilli
  const noMemory = memoryBytes > 0 && node.usedMemoryBytes + memoryBytes > node.memoryBytes
  const lacking = others.filter(([name, milli]) => (node.usedOthers[name] ?? 0) + milli > (node.others[name] ?? 0))
  if (!full && !noCpu && !noMemory && lacking.length === 0) return undefined
  return {
    reasons: [
      ...(full ? ['Too many pods'] : []),
      ...(noCpu ? ['Insufficient cpu'] : []),
      ...(noMemory ? ['Insufficient memory'] : []),
      ...lacking.map(([name]) => `Insufficient ${name}`),
    ],
    unresolvable: (noCpu && cpuMilli > node.cpuMilli) || (noMemory && memoryBytes > node.memoryBytes) || lacking.some(([name, milli]) => milli > (node.others[name] ?? 0)),
  }
}

function free(wanted: number, has: number): number | undefined {
  if (has === 0) return undefined
  return wanted > has ? 0 : Math.floor(((has - wanted) * scoreMax) / has)
}
