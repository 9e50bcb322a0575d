/**
 * CEL for whoever uses it: an environment says which names and functions there are, compile() parses and checks an
 * expression in it, and what comes out evaluates any number of times. Nothing here waits.
 */
import { check } from './check.ts'
import { estimate } from './estimate.ts'
import { Failure } from './failure.ts'
import type { Library, Range } from './library.ts'
import type { Syntax } from './macro.ts'
import { type Names, namesOf } from './names.ts'
import { parse } from './parse.ts'
import type { Plan } from './plan.ts'
import { plan } from './planner.ts'
import { Bindings } from './scope.ts'
import { Source } from './source.ts'
import { optionalLibrary } from './standard/optional.ts'
import { standardLibrary } from './standard/standard.ts'
import { Tracker } from './tracker.ts'
import type { CelType, ObjectType } from './type.ts'
import { validate } from './validate.ts'
import { CelError, EvaluationError, type Value } from './value.ts'

export interface EnvironmentInit {
  /** Beside the standard library, and that of optionals where they are on. */
  readonly libraries: readonly Library[]
  /** Name -> type. */
  readonly variables: Readonly<Record<string, CelType>>
  /** Types that expressions may construct by name: `Object.spec{...}`, `JSONPatch{...}`. */
  readonly constructible?: (name: string) => ObjectType | undefined
  /** Optional syntax: `a.?b`, `[?x]`. On unless false, as in all of Kubernetes' environments. */
  readonly optionals?: boolean
  /** The macro `cel.bind(name, value, expression)`. Off unless true. */
  readonly bindings?: boolean
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

export interface Environment {
  compile(text: string): Compilation
}

export function environment(init: EnvironmentInit): Environment {
  const optionals = init.optionals !== false
  const built = [standardLibrary, ...(optionals ? [optionalLibrary] : [])]
  const names = namesOf(init, [...built, ...init.libraries.filter((library) => !built.includes(library))])
  const syntax = { optionals, bindings: init.bindings === true }
  return { compile: (text) => compile(text, names, syntax) }
}

function compile(text: string, names: Names, syntax: Syntax): Compilation {
  const source = new Source(text)
  const expr = parse(source, syntax)
  if (expr === undefined || source.failed) return failed(source)
  const checked = check(expr, names, source)
  if (!source.failed) validate(expr, checked, source)
  if (source.failed) return failed(source)
  try {
    const program = plan(expr, checked)
    const compiled: Compiled = {
      type: checked.type(expr),
      reads: checked.reads,
      estimate: (sizeOf) => estimate(expr, checked, sizeOf),
      evaluate: (bindings, costMax) => evaluate(program, bindings, costMax ?? Infinity),
    }
    return { ok: true, compiled }
  } catch (error) {
    if (!(error instanceof CelError)) throw error
    return { ok: false, stage: 'plan', issues: [{ line: -1, column: -1, message: error.message }], text: error.message }
  }
}

function failed(source: Source): Compilation {
  return { ok: false, stage: 'check', issues: source.issues, text: source.print() }
}

function evaluate(program: Plan, bindings: Readonly<Record<string, Value | (() => Value)>>, costMax: number): { value: Value; cost: number } {
  const tracker = new Tracker(costMax)
  const result = program.evaluate(new Bindings(tracker, bindings))
  if (result instanceof Failure) throw new EvaluationError(result.message, tracker.cost)
  return { value: result, cost: tracker.cost }
}
