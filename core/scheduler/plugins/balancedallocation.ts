/** NodeResourcesBalancedAllocation: prefers nodes whose cpu and memory are used evenly, by how much the pod improves that. */
import { scoreMax, type Plugin } from '../framework.ts'
import { claimOf } from '../world.ts'

export const balancedAllocation: Plugin = {
  name: 'NodeResourcesBalancedAllocation',
  score(pod) {
    const claim = claimOf(pod)
    if (claim.cpuMilli === 0 && claim.memoryBytes === 0) return undefined // a best-effort pod changes no balance
    return {
      score(node) {
        const before = balance([node.usedCpuMilli, node.cpuMilli], [node.usedMemoryBytes, node.memoryBytes])
        const after = balance([node.usedCpuMilli + claim.cpuMilli, node.cpuMilli], [node.usedMemoryBytes + claim.memoryBytes, node.memoryBytes])
        return Math.floor(scoreMax / 2) + Math.trunc((Math.floor(scoreMax / 2) + after - before) / 2)
      },
    }
  },
}

/** 100 less the standard deviation of the used fractions. */
function balance(...resources: readonly (readonly [number, number])[]): number {
  const fractions = resources.filter(([, has]) => has > 0).map(([used, has]) => Math.min(used / has, 1))
  const [first, second] = fractions
  const deviation = first === undefined || second === undefined ? 0 : Math.abs(first - second) / 2
  return Math.trunc((1 - deviation) * scoreMax)
}
