/**
 * What the rules of a definition may cost: each alone, and all together. How often a rule is asked follows from the
 * limits of the lists and maps around it (apis/apiextensions/validation/cel_validation.go).
 */
import type { Path } from '../field.ts'
import type { JSONSchemaProps } from '../schema/types.ts'

/** Of one expression. */
export const expressionCostMax = 10_000_000
/** Of all expressions of a schema together. */
export const totalCostMax = 100_000_000

const uint64Max = 2 ** 64
const mostExpensiveMax = 4

export interface ExpensiveRule {
  readonly at: Path
  readonly cost: number
}

export class RuleCosts {
  total = 0
  /** Those that make up a hundredth of the limit or more, the most expensive first. */
  mostExpensive: readonly ExpensiveRule[] = []

  add(at: Path, cost: number): void {
    this.total = Math.min(this.total + cost, uint64Max)
    if (cost < totalCostMax / 100) return
    this.mostExpensive = [...this.mostExpensive, { at, cost }].toSorted((a, b) => b.cost - a.cost).slice(0, mostExpensiveMax)
  }
}

export function multiply(cost: number, times: number): number {
  return cost === 0 ? 0 : Math.min(cost * times, uint64Max)
}

/** How often a value inside of one of `schema` may occur; undefined: without limit. */
export function childCardinality(own: number | undefined, schema: Readonly<JSONSchemaProps>): number | undefined {
  const inside = elementsMax(schema)
  return own === undefined || inside === undefined ? undefined : multiply(own, inside)
}

function elementsMax({ type, additionalProperties, maxProperties, maxItems }: Readonly<JSONSchemaProps>): number | undefined {
  if (type === 'object' && additionalProperties !== undefined) return maxProperties === undefined ? undefined : Math.max(0, maxProperties)
  if (type === 'array') return maxItems === undefined ? undefined : Math.max(0, maxItems)
  return 1
}

export function costSentence(what: string, cost: number, max: number): string {
  const factor = cost / max
  // close to the limit, one digit would read as if it were kept
  const text = factor > 100 ? 'more than 100x' : `${factor.toFixed(factor < 1.5 ? 6 : 1)}x`
  return `${what} exceeds budget by factor of ${text} (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)`
}
