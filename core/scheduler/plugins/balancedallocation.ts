/** NodeResourcesBalancedAllocation: prefers nodes whose resources are used evenly, by how much the pod improves that. */
import { claimOf } from '../claim.ts'
import { scoreMax, type Plugin } from '../framework.ts'
import { askedOf, type ResourceWeight, usesOf } from './resourcescore.ts'

export interface BalancedArgs {
  readonly resources: readonly ResourceWeight[]
}

export function balancedAllocation({ resources }: BalancedArgs): Plugin {
  return {
    name: 'NodeResourcesBalancedAllocation',
    local: true,
    score(pod) {
      const claim = claimOf(pod)
      if (resources.every(({ name }) => askedOf(claim, name, false) === 0)) return undefined // a best-effort pod changes no balance
      return {
        score(node) {
          const uses = usesOf(node, claim, resources, false)
          const before = balance(uses.map(({ used, has }) => used / has))
          const after = balance(uses.map(({ wanted, has }) => wanted / has))
          return scoreMax / 2 + Math.trunc((scoreMax / 2 + after - before) / 2)
        },
      }
    },
  }
}

/** 100 less the standard deviation of the used fractions. */
function balance(used: readonly number[]): number {
  const fractions = used.map((fraction) => Math.min(fraction, 1))
  return Math.trunc((1 - deviation(fractions)) * scoreMax)
}

function deviation(fractions: readonly number[]): number {
  const [first = 0, second = 0] = fractions
  if (fractions.length < 2) return 0
  if (fractions.length === 2) return Math.abs((first - second) / 2)
  const mean = fractions.reduce((a, b) => a + b, 0) / fractions.length
  return Math.sqrt(fractions.reduce((sum, fraction) => sum + (fraction - mean) * (fraction - mean), 0) / fractions.length)
}
