/**
 * What a library gives to an environment: functions with their overloads, macros, constants. The standard
 * library is one; Kubernetes' own are in library/. Costs are in units of cel-go's cost model
 * (k8s.io/apiserver/pkg/cel/library/cost.go, cel-go/checker/cost.go, cel-go/interpreter/runtimecost.go).
 */
import type { CelType } from './type.ts'
import type { Value } from './value.ts'

export interface Library {
  readonly name: string
  readonly functions: readonly FunctionDeclaration[]
  /** Names that stand for values: types by name, and the like. */
  readonly constants?: Readonly<Record<string, { readonly type: CelType; readonly value: Value }>>
}

export interface FunctionDeclaration {
  /** `matches`, `ip.isCanonical`, `_+_`. */
  readonly name: string
  readonly overloads: readonly Overload[]
  /** All overloads share one apply(), which looks at its arguments itself: they are not checked before the call. */
  readonly unguarded?: boolean
  /** Overload.cost counts only where the checker knew which overload it is, as for cel-go's own functions. */
  readonly costByOverload?: boolean
}

export interface Overload {
  /** cel-go's id of the overload: `string_contains_string`. */
  readonly id: string
  /** Called as `a.f(b)`: `a` is the first argument. */
  readonly member?: boolean
  readonly params: readonly CelType[]
  readonly result: CelType
  /** Throws CelError. Arguments have the types of `params` (checked at run time where the checker could not know). */
  readonly apply: (args: readonly Value[]) => Value
  /** What this call has cost; 1 unless given. */
  readonly cost?: (args: readonly Value[], result: Value) => number
  /** What a call may cost, told before it is made; { 1, 1 } unless given. */
  readonly estimate?: (args: readonly Estimated[]) => CallEstimate
  /**
   * Looks at the arguments that are literals before anything runs, and throws CelError for what can never work, such as
   * a pattern that is none: the expression then does not compile.
   */
  readonly prepare?: (args: readonly (Value | undefined)[]) => void
}

export interface Range {
  readonly min: number
  readonly max: number
}

/** What is known of an argument before anything is computed. */
export interface Estimated {
  readonly type: CelType
  /** Characters, elements or entries; undefined: nothing is known. */
  readonly size: Range | undefined
  /** Of a list that has a path: the same of its elements (asked for with '@items' at the path's end). */
  readonly elementSize?: Range | undefined
  /** The literal, where it is one (patterns of matches()). */
  readonly literal?: Value
}

export interface CallEstimate {
  readonly cost: Range
  readonly resultSize?: Range
}
