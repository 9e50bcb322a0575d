import type { JSONSchemaProps } from '../schema/types.ts'

/** What compiling one rule of a schema has shown. */
export interface CompiledRule {
  /** Why it cannot be used. */
  readonly error?: string
  /** There is nothing to use. */
  readonly missing?: boolean
  /** At most, in units of CEL's cost model. */
  readonly cost: number
  /** How often it may be asked in one object, where no limits around it say. */
  readonly cardinality: number
  readonly readsOldSelf: boolean
  readonly messageError?: string
  readonly messageCost?: number
}

export function compileRules(_schema: Readonly<JSONSchemaProps>, _where: { readonly whole: boolean }): readonly CompiledRule[] | string {
  return []
}
