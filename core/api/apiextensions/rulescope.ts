/** What the expressions in one schema share: what they add up to, how often a value may occur, and the schema in the form in which they are compiled. */
import type { JSONSchemaProps } from '../schema/types.ts'
import { childCardinality, RuleCosts } from './costs.ts'
import { structuralOf, type Structural } from './structural/schema.ts'

type Schema = Readonly<JSONSchemaProps>

export interface RuleScope {
  readonly costs: RuleCosts
  /** How often a value of the schema at hand may occur; undefined: without limit. */
  readonly cardinality: number | undefined
  readonly shapes: Shapes
}

export function rootScope(schema: Schema): RuleScope {
  return { costs: new RuleCosts(), cardinality: 1, shapes: new Shapes(schema) }
}

/** That of what is inside of `schema`. */
export function childScope(scope: RuleScope | undefined, schema: Schema): RuleScope | undefined {
  return scope === undefined ? undefined : { ...scope, cardinality: childCardinality(scope.cardinality, schema) }
}

/** Compiled once for a whole schema, and only when there is an expression in it. */
class Shapes {
  readonly #root: Schema
  #bySource: Map<Schema, Structural> | undefined

  constructor(root: Schema) {
    this.#root = root
  }

  of(source: Schema): Structural {
    if (this.#bySource === undefined) {
      this.#bySource = new Map()
      enter(this.#bySource, structuralOf(this.#root))
    }
    return this.#bySource.get(source) ?? structuralOf(source)
  }
}

function enter(map: Map<Schema, Structural>, schema: Structural): void {
  map.set(schema.source, schema)
  for (const property of schema.properties.values()) enter(map, property)
  if (schema.additional !== undefined) enter(map, schema.additional)
  if (schema.items !== undefined) enter(map, schema.items)
}
