/**
 * Expressions of a policy evaluated for one request: they share variables, each computed when it is first read, and a
 * budget (k8s.io/apiserver/pkg/admission/plugin/cel: activation.go, composition.go).
 */
import type { CompiledExpression } from '../../api/admissionregistration/expressions.ts'
import { costPerCallMax } from '../../api/cel/environments.ts'
import type { ObjectType } from '../../api/cel/type.ts'
import { CelError, CostExceeded, EvaluationError, ObjectValue, type Value } from '../../api/cel/value.ts'
import { evaluateExpression, type Bindings } from '../expressions.ts'

/** What expressions that are evaluated together may cost (k8s.io/apiserver/pkg/apis/cel). */
const runBudget = 10_000_000

/** Nothing more is evaluated after it. */
export const exhausted = Symbol('exhausted')

export type Result = { readonly value: Value } | { readonly error: string }

export class Run {
  /** What is left of the budget. */
  left: number
  readonly #bindings: Bindings
  readonly #variables: Variables

  constructor(bindings: Bindings, variables: ReadonlyMap<string, CompiledExpression>, budget = runBudget) {
    this.left = budget
    this.#variables = new Variables(variables, () => this.#bindings)
    this.#bindings = { ...remembered(bindings), variables: this.#variables }
  }

  async evaluate(expression: CompiledExpression, text: string): Promise<Result | typeof exhausted> {
    if (!expression.ok) return { error: `compilation error: ${expression.detail}` }
    const evaluated = await evaluateExpression(expression.compiled, text, this.#bindings)
    this.left -= this.#variables.takeCost() + evaluated.cost
    return this.left < 0 ? exhausted : evaluated
  }
}

/** Each made at most once in a run. */
function remembered(bindings: Bindings): Bindings {
  return Object.fromEntries(Object.entries(bindings).map(([name, bound]) => {
    if (typeof bound !== 'function') return [name, bound]
    let made: { readonly value: Value } | undefined
    return [name, () => (made ??= { value: bound() }).value]
  }))
}

class Variables extends ObjectValue {
  readonly type: ObjectType
  readonly #expressions: ReadonlyMap<string, CompiledExpression>
  readonly #bindings: () => Bindings
  readonly #computed = new Map<string, Result>()
  #cost = 0

  constructor(expressions: ReadonlyMap<string, CompiledExpression>, bindings: () => Bindings) {
    super()
    this.#expressions = expressions
    this.#bindings = bindings
    this.type = { kind: 'object', name: 'kubernetes.variables', field: () => undefined, fieldNames: () => [...expressions.keys()] }
  }

  get(name: string): Value | undefined {
    const expression = this.#expressions.get(name)
    if (expression === undefined) return undefined
    const known = this.#computed.get(name) ?? this.#compute(name, expression)
    this.#computed.set(name, known)
    if ('error' in known) throw new CelError(known.error)
    return known.value
  }

  fields(): Iterable<string> {
    return this.#expressions.keys()
  }

  /** Of what was computed since it was last asked. */
  takeCost(): number {
    const cost = this.#cost
    this.#cost = 0
    return cost
  }

  #compute(name: string, expression: CompiledExpression): Result {
    if (!expression.ok) return { error: `composited variable "${name}" fails to compile: ${expression.detail}` }
    try {
      const { value, cost } = expression.compiled.evaluate(this.#bindings(), costPerCallMax)
      this.#cost += cost
      return { value }
    } catch (error) {
      if (!(error instanceof CelError || error instanceof CostExceeded)) throw error
      this.#cost += error instanceof EvaluationError ? error.cost : error instanceof CostExceeded ? costPerCallMax : 0
      return { error: `composited variable "${name}" fails to evaluate: ${error.message}` }
    }
  }
}
