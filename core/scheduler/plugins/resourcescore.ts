/**
 * Scores of nodes by what of their resources is used: the strategies of NodeResourcesFit, and the sums that
 * NodeResourcesBalancedAllocation shares (upstream's noderesources/resource_allocation.go). Whole numbers are divided as
 * Go divides them.
 */
import type { Pod } from '../../api/schema/types.ts'
import { containersClaimOf, type Claim } from '../claim.ts'
import { scoreMax, type Scorer } from '../framework.ts'
import type { NodeInfo } from '../world.ts'

export interface ResourceWeight {
  readonly name: string
  readonly weight: number
}

export interface ShapePoint {
  /** Percent. */
  readonly utilization: number
  /** 0..10. */
  readonly score: number
}

export interface ScoringStrategy {
  readonly type: 'LeastAllocated' | 'MostAllocated' | 'RequestedToCapacityRatio'
  readonly resources: readonly ResourceWeight[]
  /** Of RequestedToCapacityRatio, by rising utilization. */
  readonly shape: readonly ShapePoint[]
}

/** One resource of a node: what it has, what is used, and what would be used with the pod. */
export interface Use {
  readonly weight: number
  readonly has: number
  readonly used: number
  readonly wanted: number
}

/** `scored`: containers that ask for no cpu or memory count with upstream's defaults. */
export function usesOf(node: NodeInfo, claim: Claim, resources: readonly ResourceWeight[], scored: boolean): readonly Use[] {
  const uses: Use[] = []
  for (const { name, weight } of resources) {
    const asked = askedOf(claim, name, scored)
    if (asked === 0 && isScalar(name)) continue
    const [has, used] = standing(node, name, scored)
    if (has > 0) uses.push({ weight, has, used, wanted: used + asked })
  }
  return uses
}

export function askedOf(claim: Claim, name: string, scored: boolean): number {
  if (name === 'cpu') return scored ? claim.scoredCpuMilli : claim.cpuMilli
  if (name === 'memory') return scored ? claim.scoredMemoryBytes : claim.memoryBytes
  return claim.others[name] ?? 0
}

const isScalar = (name: string): boolean => name !== 'cpu' && name !== 'memory' && name !== 'ephemeral-storage'

function standing(node: NodeInfo, name: string, scored: boolean): readonly [number, number] {
  if (name === 'cpu') return [node.cpuMilli, scored ? node.scoredCpuMilli : node.usedCpuMilli]
  if (name === 'memory') return [node.memoryBytes, scored ? node.scoredMemoryBytes : node.usedMemoryBytes]
  return [node.others[name] ?? 0, node.usedOthers[name] ?? 0]
}

export function strategyScorer({ type, resources, shape }: ScoringStrategy): (pod: Readonly<Pod>) => Scorer {
  const ratio = type === 'RequestedToCapacityRatio'
  const share: (use: Use) => number = type === 'LeastAllocated' ? least : type === 'MostAllocated' ? most : (use) => alongShape(shape, use)
  return (pod) => {
    const claim = containersClaimOf(pod)
    return { score: (node) => weighted(usesOf(node, claim, resources, true), share, ratio) }
  }
}

function weighted(uses: readonly Use[], share: (use: Use) => number, ratio: boolean): number {
  let sum = 0
  let weights = 0
  for (const use of uses) {
    const score = share(use)
    if (ratio && score <= 0) continue
    sum += score * use.weight
    weights += use.weight
  }
  if (weights === 0) return 0
  return ratio ? Math.round(sum / weights) : Math.floor(sum / weights)
}

function least({ has, wanted }: Use): number {
  return wanted > has ? 0 : Math.floor(((has - wanted) * scoreMax) / has)
}

function most({ has, wanted }: Use): number {
  return Math.floor((Math.min(wanted, has) * scoreMax) / has)
}

/** Linear between the points of the shape. */
function alongShape(shape: readonly ShapePoint[], { has, wanted }: Use): number {
  const utilization = wanted > has ? 100 : Math.floor((wanted * 100) / has)
  const score = (point: ShapePoint): number => point.score * (scoreMax / 10)
  const at = shape.findIndex((point) => utilization <= point.utilization)
  const [next, prev] = [shape[at] ?? shape.at(-1), shape[at - 1]]
  if (next === undefined) return 0
  if (at < 0 || prev === undefined) return score(next)
  return score(prev) + Math.trunc(((score(next) - score(prev)) * (utilization - prev.utilization)) / (next.utilization - prev.utilization))
}
