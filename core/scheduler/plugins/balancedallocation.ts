/** NodeResourcesBalancedAllocation: prefers nodes whose resources are used evenly, by how much the pod improves that. */
import { claimOf } from '../claim.ts'
import { scoreMax, type Plugin } from '../framework.ts'
import { askedOf, type ResourceWeight, type Use, usesOf } from './resourcescore.ts'

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
          const before = balance(uses, 'used')
          const after = balance(uses, 'wanted')
          return scoreMax / 2 + Math.trunc((scoreMax / 2 + after - before) / 2)
        },
      }
    },
  }
}

/** 100 less the standard deviation of the used fractions. */
function balance(uses: readonly Use[], which: 'used' | 'wanted'): number {
  return Math.trunc((1 - deviation(uses, which)) * scoreMax)
}

function deviation(uses: readonly Use[], which: 'used' | 'wanted'): number {
  const [first, second] = uses
  if (first === undefined || second === undefined) return 0
  if (uses.length === 2) return Math.abs((fraction(first, which) - fraction(second, which)) / 2)
  const mean = uses.reduce((sum, use) => sum + fraction(use, which), 0) / uses.length
  return Math.sqrt(uses.reduce((sum, use) => sum + (fraction(use, which) - mean) * (fraction(use, which) - mean), 0) / uses.length)
}

const fraction = (use: Use, which: 'used' | 'wanted'): number => Math.min(use[which] / use.has, 1)
