/**
 * Expressions as a tree: what the parser makes, macros already expanded. Each has a number of its own, by which the
 * checker keeps types and the evaluator keeps costs, and the offset in the source that errors about it point to.
 */
import type { Value } from './value.ts'

export type Expr = LiteralExpr | IdentExpr | SelectExpr | CallExpr | ListExpr | MapExpr | StructExpr | FoldExpr

interface Node {
  readonly id: number
  readonly offset: number
}

export interface LiteralExpr extends Node {
  readonly kind: 'literal'
  readonly value: Value
}

export interface IdentExpr extends Node {
  readonly kind: 'ident'
  readonly name: string
}

/** `operand.field`, or has(operand.field) where it is only a test. */
export interface SelectExpr extends Node {
  readonly kind: 'select'
  readonly operand: Expr
  readonly field: string
  readonly test: boolean
}

/** `f(args)`, `target.f(args)`, and every operator by its name: `_+_`, `_[_]`, `_?_:_`. */
export interface CallExpr extends Node {
  readonly kind: 'call'
  readonly name: string
  readonly target: Expr | undefined
  readonly args: readonly Expr[]
}

export interface ListExpr extends Node {
  readonly kind: 'list'
  readonly elements: readonly Expr[]
  /** Indexes of those written `?x`. */
  readonly optional: ReadonlySet<number>
}

export interface MapExpr extends Node {
  readonly kind: 'map'
  readonly entries: readonly { readonly id: number; readonly offset: number; readonly key: Expr; readonly value: Expr; readonly optional: boolean }[]
}

export interface StructExpr extends Node {
  readonly kind: 'struct'
  readonly name: string
  readonly fields: readonly { readonly id: number; readonly offset: number; readonly name: string; readonly value: Expr; readonly optional: boolean }[]
}

/** What macros over lists and maps become: a loop with one accumulator. */
export interface FoldExpr extends Node {
  readonly kind: 'fold'
  readonly range: Expr
  readonly variable: string
  /** Of loops over index and element, or key and value. */
  readonly variable2: string | undefined
  readonly accumulator: string
  readonly init: Expr
  readonly condition: Expr
  readonly step: Expr
  readonly result: Expr
}

/** `a.b.c` of nothing but names; undefined for anything else. */
export function qualifiedName(expr: Expr): string | undefined {
  if (expr.kind === 'ident') return expr.name
  if (expr.kind !== 'select' || expr.test) return undefined
  const operand = qualifiedName(expr.operand)
  return operand === undefined ? undefined : `${operand}.${expr.field}`
}

export function children(expr: Expr): readonly Expr[] {
  switch (expr.kind) {
    case 'literal':
    case 'ident': return []
    case 'select': return [expr.operand]
    case 'call': return expr.target === undefined ? expr.args : [expr.target, ...expr.args]
    case 'list': return expr.elements
    case 'map': return expr.entries.flatMap((entry) => [entry.key, entry.value])
    case 'struct': return expr.fields.map((field) => field.value)
    case 'fold': return [expr.range, expr.init, expr.condition, expr.step, expr.result]
  }
}
