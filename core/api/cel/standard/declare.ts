/** Short ways to declare functions of the standard library, where all overloads share one implementation. */
import type { CallEstimate, Estimated, FunctionDeclaration, Overload } from '../library.ts'
import type { CelType } from '../type.ts'
import type { Value } from '../value.ts'

export interface Signature {
  readonly id: string
  readonly params: readonly CelType[]
  readonly result: CelType
  readonly member?: boolean
  readonly cost?: (args: readonly Value[], result: Value) => number
  readonly estimate?: (args: readonly Estimated[]) => CallEstimate
  readonly prepare?: (args: readonly (Value | undefined)[]) => void
}

export function signature(id: string, params: readonly CelType[], result: CelType): Signature {
  return { id, params, result }
}

export function member(id: string, params: readonly CelType[], result: CelType): Signature {
  return { id, params, result, member: true }
}

/** `apply` looks at its arguments itself. */
export function shared(name: string, overloads: readonly Signature[], apply: (args: readonly Value[]) => Value): FunctionDeclaration {
  return { name, unguarded: true, costByOverload: true, overloads: overloads.map((overload): Overload => ({ ...overload, apply })) }
}

/** Each overload has its own apply(). */
export function separate(name: string, overloads: readonly Overload[]): FunctionDeclaration {
  return { name, costByOverload: true, overloads }
}
