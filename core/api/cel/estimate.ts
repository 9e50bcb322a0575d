/**
 * What an expression may cost, told from its tree and from how large its variables can be, before it ever runs
 * (cel-go/checker/cost.go).
 */
import type { CallExpr, Expr, FoldExpr } from './ast.ts'
import type { Checked } from './check.ts'
import { sizeOf as valueSize } from './kinds.ts'
import type { CallEstimate, Estimated, Overload, Range } from './library.ts'
import { accumulator } from './macro.ts'
import { either, exactly, product, sum, unbounded, unknownRange } from './range.ts'
import type { CelType } from './type.ts'
import { Uint } from './value.ts'

export type SizeOf = (path: readonly string[]) => Range | undefined

export function estimate(expr: Expr, checked: Checked, sizeOf: SizeOf): Range {
  return new Estimator(checked, sizeOf).cost(expr)
}

/** Sizes of what a list or map holds. */
interface Contents {
  readonly kind: 'list' | 'map'
  readonly key: Range
  readonly value: Range
}

interface Local {
  readonly path: readonly string[]
  readonly size: Range | undefined
  readonly contents: Contents | undefined
}

class Estimator {
  readonly #checked: Checked
  readonly #sizeOf: SizeOf
  readonly #locals = new Map<string, Local[]>()
  readonly #paths = new Map<number, readonly string[]>()
  readonly #sizes = new Map<number, Range>()
  readonly #contents = new Map<number, Contents>()

  constructor(checked: Checked, sizeOf: SizeOf) {
    this.#checked = checked
    this.#sizeOf = sizeOf
  }

  cost(expr: Expr): Range {
    const ident = this.#checked.ident(expr)
    if (ident !== undefined) return this.#ident(expr, ident.name)
    switch (expr.kind) {
      case 'literal': return exactly(0)
      case 'ident': return this.#ident(expr, expr.name)
      case 'select': return this.#select(expr)
      case 'call': return this.#call(expr)
      case 'list': return this.#list(expr)
      case 'map': return this.#map(expr)
      case 'struct': return sum(exactly(40), ...expr.fields.map((field) => this.cost(field.value)))
      case 'fold': return isBinding(expr) ? this.#binding(expr) : this.#fold(expr)
    }
  }

  #ident(expr: Expr, name: string): Range {
    this.#paths.set(expr.id, this.#local(name)?.path ?? [name])
    return exactly(1)
  }

  #select(expr: Extract<Expr, { kind: 'select' }>): Range {
    const operand = this.cost(expr.operand)
    if (expr.test) return operand
    this.#paths.set(expr.id, [...this.#path(expr.operand), expr.field])
    const { kind } = this.#checked.type(expr.operand)
    return kind === 'map' || kind === 'object' || kind === 'param' ? sum(operand, exactly(1)) : operand
  }

  #call(expr: CallExpr): Range {
    const resolved = this.#checked.call(expr)
    const [first] = expr.args
    if (resolved?.entry.name === 'dyn' && first !== undefined) return this.#dyn(expr, first)
    const argCosts = expr.args.map((arg) => this.cost(arg))
    if (resolved === undefined) return exactly(0)
    const target = resolved.namespaced ? undefined : expr.target
    const targetCost = target === undefined ? exactly(0) : this.cost(target)
    const args = (target === undefined ? expr.args : [target, ...expr.args]).map((arg) => this.#estimated(arg))
    let cost: Range = { min: unbounded, max: 0 }
    let size: Range | undefined
    for (const overload of expr.name === '_?._' ? resolved.overloads.slice(0, 1) : resolved.overloads) {
      const one = this.#overload(expr, overload, args, argCosts)
      cost = either(cost, one.cost)
      if (one.size !== undefined) size = size === undefined ? one.size : either(size, one.size)
      size = this.#indexed(expr, overload, size) ?? this.#size(expr)
    }
    if (size !== undefined) this.#sizes.set(expr.id, size)
    return sum(targetCost, cost)
  }

  /** Elements of lists and maps have paths and sizes of their own. */
  #indexed(expr: CallExpr, overload: Overload, size: Range | undefined): Range | undefined {
    const container = expr.args[0]
    const part = overload.id === 'index_list' ? '@items' : overload.id === 'index_map' ? '@values' : undefined
    if (part === undefined || container === undefined) return size
    this.#paths.set(expr.id, [...this.#path(container), part])
    return this.#contentsOf(container)?.value
  }

  #overload(expr: CallExpr, overload: Overload, args: readonly Estimated[], argCosts: readonly Range[]): { cost: Range; size?: Range | undefined } {
    const [first, second, third] = argCosts
    if ((overload.id === 'logical_or' || overload.id === 'logical_and') && first !== undefined && second !== undefined) {
      return { cost: { min: first.min, max: sum(first, second).max } }
    }
    if (overload.id === 'conditional' && first !== undefined && second !== undefined && third !== undefined) {
      this.#mergeContents(expr, expr.args[1], expr.args[2])
      const size = either(args[1]?.size ?? unknownRange, args[2]?.size ?? unknownRange)
      return { cost: sum(first, either(second, third)), size }
    }
    if (overload.id === 'add_list' || overload.id === 'add_string' || overload.id === 'add_bytes') this.#mergeContents(expr, expr.args[0], expr.args[1])
    const own = overload.id === 'equals' ? (opaqueEquality(args) ?? overload.estimate?.(args)) : overload.estimate?.(args)
    return { cost: sum(own?.cost ?? exactly(1), ...argCosts), size: own?.resultSize }
  }

  #mergeContents(expr: Expr, a: Expr | undefined, b: Expr | undefined): void {
    const [mine, theirs] = [a, b].map((each) => (each === undefined ? undefined : this.#contentsOf(each)))
    if (mine === undefined || theirs === undefined) return
    this.#contents.set(expr.id, { kind: mine.kind, key: either(mine.key, theirs.key), value: either(mine.value, theirs.value) })
  }

  #dyn(expr: CallExpr, arg: Expr): Range {
    const cost = this.cost(arg)
    this.#copySizes(expr, arg)
    return sum(exactly(1), cost)
  }

  #list(expr: Extract<Expr, { kind: 'list' }>): Range {
    const costs = expr.elements.map((element) => this.cost(element))
    const value = this.#spanOf(expr.elements)
    this.#contents.set(expr.id, { kind: 'list', key: exactly(1), value })
    return sum(exactly(10), ...costs)
  }

  #map(expr: Extract<Expr, { kind: 'map' }>): Range {
    const costs = expr.entries.flatMap((entry) => [this.cost(entry.key), this.cost(entry.value)])
    const [key, value] = [this.#spanOf(expr.entries.map((entry) => entry.key)), this.#spanOf(expr.entries.map((entry) => entry.value))]
    this.#contents.set(expr.id, { kind: 'map', key, value })
    return sum(exactly(30), ...costs)
  }

  #spanOf(exprs: readonly Expr[]): Range {
    if (exprs.length === 0) return exactly(0)
    return exprs.map((expr) => this.#size(expr) ?? unknownRange).reduce((span, size) => either(span, size), { min: unbounded, max: 0 })
  }

  #fold(expr: FoldExpr): Range {
    const [range, init] = [this.cost(expr.range), this.cost(expr.init)]
    this.#push(expr.accumulator, { path: this.#path(expr.init), size: this.#size(expr.init), contents: this.#contentsOf(expr.init) })
    this.#pushLoopVariables(expr)
    const loop = sum(this.cost(expr.condition), this.cost(expr.step))
    this.#pop(expr.variable)
    if (expr.variable2 !== undefined) this.#pop(expr.variable2)
    const result = this.cost(expr.result)
    this.#pop(expr.accumulator)
    const count = this.#size(expr.range) ?? unknownRange
    this.#foldSize(expr, count)
    return sum(range, init, result, product(count, loop))
  }

  #foldSize(expr: FoldExpr, count: Range): void {
    if (expr.init.kind === 'literal') {
      const size = this.#size(expr.init)
      if (size !== undefined) this.#sizes.set(expr.id, size)
    } else if (expr.init.kind === 'list' || expr.init.kind === 'map') {
      this.#sizes.set(expr.id, count)
      const contents = this.#contentsOf(expr.step)
      if (contents !== undefined) this.#contents.set(expr.id, contents)
    }
  }

  #pushLoopVariables(expr: FoldExpr): void {
    const contents = this.#contentsOf(expr.range)
    const path = this.#path(expr.range)
    const isList = (contents?.kind ?? this.#checked.type(expr.range).kind) === 'list'
    const values = { path: [...path, isList ? '@items' : '@values'], size: contents?.value, contents: undefined }
    const keys = { path: [...path, isList ? '@indices' : '@keys'], size: contents?.key, contents: undefined }
    if (expr.variable2 === undefined) this.#push(expr.variable, isList ? values : keys)
    else {
      this.#push(expr.variable, keys)
      this.#push(expr.variable2, values)
    }
  }

  /** A loop over nothing that only gives a value a name. */
  #binding(expr: FoldExpr): Range {
    const costs = sum(this.cost(expr.range), this.cost(expr.init))
    this.#push(expr.accumulator, { path: this.#path(expr.init), size: this.#size(expr.init), contents: this.#contentsOf(expr.init) })
    const result = this.cost(expr.result)
    this.#pop(expr.accumulator)
    this.#copySizes(expr, expr.result)
    return sum(costs, result)
  }

  #estimated(expr: Expr): Estimated {
    const found = this.#path(expr)
    const path = found[0] === accumulator ? [] : found
    const type = this.#checked.type(expr)
    const elementSize = type.kind === 'list' && path.length > 0 ? this.#sizeOf([...path, '@items']) : undefined
    return { type, size: this.#size(expr), elementSize, ...(expr.kind === 'literal' ? { literal: expr.value } : {}) }
  }

  #size(expr: Expr): Range | undefined {
    const known = this.#sizes.get(expr.id) ?? writtenSize(expr)
    if (known !== undefined) return known
    const told = this.#sizeOf(this.#path(expr))
    if (told !== undefined) {
      this.#sizes.set(expr.id, told)
      return told
    }
    if (isScalar(this.#checked.type(expr))) return exactly(1)
    return expr.kind === 'ident' ? this.#local(expr.name)?.size : undefined
  }

  #contentsOf(expr: Expr): Contents | undefined {
    return this.#contents.get(expr.id) ?? (expr.kind === 'ident' ? this.#local(expr.name)?.contents : undefined)
  }

  #copySizes(to: Expr, from: Expr): void {
    const [size, contents] = [this.#size(from), this.#contentsOf(from)]
    if (size !== undefined) this.#sizes.set(to.id, size)
    if (contents !== undefined) this.#contents.set(to.id, contents)
  }

  #path(expr: Expr): readonly string[] {
    return (expr.kind === 'ident' ? this.#local(expr.name)?.path : undefined) ?? this.#paths.get(expr.id) ?? []
  }

  #local(name: string): Local | undefined {
    return this.#locals.get(name)?.at(-1)
  }

  #push(name: string, local: Local): void {
    this.#locals.set(name, [...(this.#locals.get(name) ?? []), local])
  }

  #pop(name: string): void {
    this.#locals.get(name)?.pop()
  }
}

function isBinding(expr: FoldExpr): boolean {
  return expr.range.kind === 'list' && expr.range.elements.length === 0 && expr.condition.kind === 'literal' && expr.condition.value === false
}

function writtenSize(expr: Expr): Range | undefined {
  if (expr.kind === 'literal') return exactly(expr.value instanceof Uint ? 1 : valueSize(expr.value))
  if (expr.kind === 'list') return exactly(expr.elements.length)
  return expr.kind === 'map' ? exactly(expr.entries.length) : undefined
}

function isScalar(type: CelType): boolean {
  if (type.kind === 'optional') return isScalar(type.of)
  return ['bool', 'double', 'duration', 'int', 'timestamp', 'uint'].includes(type.kind)
}

/** What only its own functions look into is compared by its library, which knows what that costs. */
function opaqueEquality([a, b]: readonly Estimated[]): CallEstimate | undefined {
  if (a?.type.kind !== 'opaque' || b?.type.kind !== 'opaque' || a.type.name !== b.type.name) return undefined
  return { cost: a.type.equalityCost?.(b.size) ?? exactly(1) }
}
