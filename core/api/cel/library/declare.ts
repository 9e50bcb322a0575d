/** Short forms for what libraries are made of: functions and their overloads. */
import type { CallEstimate, Estimated, FunctionDeclaration, Overload } from '../library.ts'
import type { CelType } from '../type.ts'
import type { Value } from '../value.ts'

export interface Costs {
  readonly cost?: (args: readonly Value[], result: Value) => number
  readonly estimate?: (args: readonly Estimated[]) => CallEstimate
}

export type Apply = (...args: never[]) => Value

/** `f(a, b)`. The engine hands `apply` values of the types of `params`, so it says for itself what it takes. */
export function overload(id: string, params: readonly CelType[], result: CelType, apply: Apply, costs: Costs = {}): Overload {
  const call = apply as (...args: readonly Value[]) => Value
  return { id, params, result, apply: (args) => call(...args), ...costs }
}

/** `a.f(b)`. */
export function member(id: string, params: readonly CelType[], result: CelType, apply: Apply, costs: Costs = {}): Overload {
  return { ...overload(id, params, result, apply, costs), member: true }
}

export function declare(name: string, ...overloads: readonly Overload[]): FunctionDeclaration {
  return { name, overloads }
}
