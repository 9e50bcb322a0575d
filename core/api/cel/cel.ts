/**
 * CEL for whoever uses it: an environment says which names and functions there are, compile() parses and checks an
 * expression in it, and what comes out evaluates any number of times. Nothing here waits.
 */
import type { Library, Range } from './library.ts'
import type { CelType, ObjectType } from './type.ts'
import type { Value } from './value.ts'

export interface EnvironmentInit {
  readonly libraries: readonly Library[]
  /** Name -> type. */
  readonly variables: Readonly<Record<string, CelType>>
  /** Types that expressions may construct by name: `Object.spec{...}`, `JSONPatch{...}`. */
  readonly constructible?: (name: string) => ObjectType | undefined
  /** Optional syntax: `a.?b`, `[?x]`. On unless false, as in all of Kubernetes' environments. */
  readonly optionals?: boolean
}

export interface Issue {
  /** Where in the source: line from 1, column from 0, as cel-go prints them. */
  readonly line: number
  readonly column: number
  readonly message: string
}

export interface Compiled {
  readonly type: CelType
  /** Names of variables that the expression reads. */
  readonly reads: ReadonlySet<string>
  /** What an evaluation may cost; sizes of variables' values come from `sizeOf` (a path such as ['self', 'spec', '@items']). */
  estimate(sizeOf: (path: readonly string[]) => Range | undefined): Range
  /**
   * Throws EvaluationError for what fails, and CostExceeded past `costMax`. A binding may be a function: it is called when it is
   * first read.
   */
  evaluate(bindings: Readonly<Record<string, Value | (() => Value)>>, costMax?: number): { readonly value: Value; readonly cost: number }
}

/**
 * Where compiling ended: in reading and checking (upstream says `compilation failed: `), or in making a program of what
 * was checked (`program instantiation failed: `), such as int('x').
 */
export type Stage = 'check' | 'plan'

export type Compilation = { readonly ok: true; readonly compiled: Compiled } | { readonly ok: false; readonly stage: Stage; readonly issues: readonly Issue[]; /** As cel-go prints all of them, with the source line and a caret. */ readonly text: string }
