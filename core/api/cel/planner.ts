/**
 * Checked tree -> plan (cel-go/interpreter/planner.go, decorators.go). Literals are put together ahead of time: lists and
 * maps of literals, conversions of literals, tests for membership in them; CelError says that one can never work.
 */
import type { CallExpr, Expr, SelectExpr } from './ast.ts'
import {
  type Attribute, ComputedAttribute, ComputedQualifier, ConditionalAttribute, ConstantQualifier, isKey, NamedAttribute,
  type Qualifier, TestQualifier,
} from './attribute.ts'
import type { Checked, Resolved } from './check.ts'
import { goTypeName } from './access.ts'
import { equal } from './equality.ts'
import { Failure, failureOf, type Result } from './failure.ts'
import { Fold } from './fold.ts'
import { isOfType, sizeOf, valueTypeName } from './kinds.ts'
import type { FunctionEntry } from './names.ts'
import type { Overload } from './library.ts'
import {
  AttributePlan, Call, Constant, ListConstruction, Logic, MapConstruction, Membership, NotStrictlyFalse, OptionalOr, type Plan, StructConstruction,
} from './plan.ts'
import { emptyScope } from './scope.ts'
import { CelError, ListValue, OpaqueValue, type Value } from './value.ts'

export function plan(expr: Expr, checked: Checked): Plan {
  return new Planner(checked).plan(expr)
}

const conversions: ReadonlySet<string> = new Set(['bool', 'bytes', 'double', 'duration', 'dyn', 'int', 'string', 'timestamp', 'type', 'uint'])

class Planner {
  readonly #checked: Checked

  constructor(checked: Checked) {
    this.#checked = checked
  }

  plan(expr: Expr): Plan {
    const ident = this.#checked.ident(expr)
    if (ident !== undefined) {
      return ident.value === undefined ? new AttributePlan(new NamedAttribute(expr.id, ident.name)) : new Constant(expr.id, ident.value)
    }
    switch (expr.kind) {
      case 'literal': return new Constant(expr.id, expr.value)
      case 'ident': throw new Error(`unchecked name ${expr.name}`)
      case 'select': return this.#select(expr)
      case 'call': return this.#call(expr)
      case 'list': return this.#list(expr)
      case 'map': return this.#map(expr)
      case 'struct': return this.#struct(expr)
      case 'fold': return new Fold({
        id: expr.id, variable: expr.variable, variable2: expr.variable2, accumulator: expr.accumulator,
        init: this.plan(expr.init), range: this.plan(expr.range), condition: this.plan(expr.condition), step: this.plan(expr.step),
        result: this.plan(expr.result),
      })
    }
  }

  #select(expr: SelectExpr): Plan {
    const operand = asAttribute(this.plan(expr.operand))
    if (!expr.test) {
      operand.attribute.add(new ConstantQualifier(expr.id, expr.field, false))
      return operand
    }
    operand.attribute.add(new TestQualifier(expr.id, expr.field))
    return new AttributePlan(operand.attribute, { test: true })
  }

  #list(expr: Extract<Expr, { kind: 'list' }>): Plan {
    const construction = new ListConstruction(expr.id, expr.elements.map((element) => this.plan(element)), expr.optional)
    return construction.elements.every((element) => element instanceof Constant) ? folded(construction) : construction
  }

  #map(expr: Extract<Expr, { kind: 'map' }>): Plan {
    const entries = expr.entries.map((entry) => ({ key: this.plan(entry.key), value: this.plan(entry.value), optional: entry.optional }))
    const construction = new MapConstruction(expr.id, entries)
    return entries.every((entry) => entry.key instanceof Constant && entry.value instanceof Constant) ? folded(construction) : construction
  }

  #struct(expr: Extract<Expr, { kind: 'struct' }>): Plan {
    const type = this.#checked.struct(expr)
    if (type === undefined) throw new CelError(`unknown type: ${expr.name}`)
    return new StructConstruction(expr.id, type, expr.fields.map((field) => ({ name: field.name, value: this.plan(field.value), optional: field.optional })))
  }

  #call(expr: CallExpr): Plan {
    const resolved = this.#checked.call(expr)
    if (resolved === undefined) throw new Error(`unchecked call of ${expr.name}`)
    const operands = expr.target === undefined || resolved.namespaced ? expr.args : [expr.target, ...expr.args]
    const args = operands.map((operand) => this.plan(operand))
    const [first, second, third] = args
    if (first === undefined) return this.#function(expr, resolved, args)
    if (second === undefined) return this.#unary(expr, resolved, first)
    switch (resolved.entry.name) {
      case '_&&_': return new Logic(expr.id, false, args)
      case '_||_': return new Logic(expr.id, true, args)
      case '_?_:_': return new AttributePlan(new ConditionalAttribute(expr.id, first, branch(second), branch(third ?? second)))
      case '_==_': return equality(expr.id, first, second, true)
      case '_!=_': return equality(expr.id, first, second, false)
      case '_[_]': return index(expr.id, first, second, false)
      case '_[?_]':
      case '_?._': return index(expr.id, first, second, true)
      case '@in': return this.#in(expr, resolved, first, second)
      case 'or':
      case 'orValue': return this.#optionalOr(expr, resolved, first, second)
      default: return this.#function(expr, resolved, args)
    }
  }

  #unary(expr: CallExpr, resolved: Resolved, operand: Plan): Plan {
    if (resolved.entry.name === '@not_strictly_false') return new NotStrictlyFalse(expr.id, operand)
    const call = this.#function(expr, resolved, [operand])
    return conversions.has(resolved.entry.name) && operand instanceof Constant ? folded(call) : call
  }

  #in(expr: CallExpr, resolved: Resolved, needle: Plan, haystack: Plan): Plan {
    const list = onlyOverload(resolved)?.id === 'in_list' && haystack instanceof Constant ? haystack.value : undefined
    if (!(list instanceof ListValue)) return this.#function(expr, resolved, [needle, haystack])
    if (list.size === 0) return new Constant(expr.id, false)
    const values = Array.from({ length: list.size }, (_, i) => list.at(i))
    return values.every(isKey) ? new Membership(expr.id, needle, values) : this.#function(expr, resolved, [needle, haystack])
  }

  #optionalOr(expr: CallExpr, resolved: Resolved, first: Plan, second: Plan): Plan {
    const ids = resolved.overloads.map((overload) => overload.id)
    const known = ids.length > 1 || ids[0] === 'optional_or_optional' || ids[0] === 'optional_orValue_value'
    return known ? new OptionalOr(expr.id, first, second, resolved.entry.name === 'orValue') : this.#function(expr, resolved, [first, second])
  }

  #function(expr: CallExpr, resolved: Resolved, args: readonly Plan[]): Plan {
    const only = onlyOverload(resolved)
    const literals = args.map((arg) => (arg instanceof Constant ? arg.value : undefined))
    for (const overload of resolved.overloads) overload.prepare?.(literals)
    const stopsEarly = args.length > 2 || (only === undefined && !resolved.entry.unguarded)
    return new Call({ id: expr.id, args, stopsEarly, apply: applying(resolved, only), cost: costing(resolved, only) })
  }
}

function onlyOverload(resolved: Resolved): Overload | undefined {
  return resolved.overloads.length === 1 ? resolved.overloads[0] : undefined
}

function applying({ entry, overloads }: Resolved, only: Overload | undefined): (args: readonly Value[]) => Result {
  const shared = entry.unguarded ? entry.overloads[0] : undefined
  if (shared !== undefined) return caught(shared.apply)
  // Which one it is may depend on values the checker could not know; then all of the function's are tried.
  const candidates = only === undefined ? entry.overloads : overloads
  return (args) => {
    const overload = candidates.find((candidate) => accepts(candidate, args))
    if (overload === undefined) return unknownSignature(entry, args)
    try {
      return overload.apply(args)
    } catch (error) {
      return failureOf(error)
    }
  }
}

function caught(apply: (args: readonly Value[]) => Value): (args: readonly Value[]) => Result {
  return (args) => {
    try {
      return apply(args)
    } catch (error) {
      return failureOf(error)
    }
  }
}

function accepts(overload: Overload, args: readonly Value[]): boolean {
  return overload.params.length === args.length && overload.params.every((param, i) => isOfType(args[i] as Value, param))
}

function unknownSignature(entry: FunctionEntry, args: readonly Value[]): Failure {
  return new Failure(`no such overload: ${entry.name}(${args.map(valueTypeName).join(', ')})`)
}

function costing({ entry, overloads }: Resolved, only: Overload | undefined): (args: readonly Value[], result: Value) => number {
  if (only !== undefined) return only.cost === undefined ? () => 1 : safely(only.cost)
  if (entry.costByOverload) return () => 1
  return (args, result) => {
    const overload = overloads.find((candidate) => accepts(candidate, args)) ?? overloads[0]
    return overload?.cost === undefined ? 1 : safely(overload.cost)(args, result)
  }
}

/** Costs are asked of failed calls too, with arguments that are not what the function takes. */
function safely(cost: (args: readonly Value[], result: Value) => number): (args: readonly Value[], result: Value) => number {
  return (args, result) => {
    try {
      return cost(args, result)
    } catch {
      return 1
    }
  }
}

function equality(id: number, left: Plan, right: Plan, want: boolean): Plan {
  return new Call({
    id, args: [left, right], stopsEarly: false,
    apply: caught((args) => equal(args[0] ?? null, args[1] ?? null) === want),
    cost: (args) => want && args[0] instanceof OpaqueValue ? 1 : Math.ceil(Math.min(sizeOf(args[0] ?? null), sizeOf(args[1] ?? null)) * 0.1),
  })
}

function index(id: number, operand: Plan, key: Plan, optional: boolean): Plan {
  const container = asAttribute(operand)
  container.attribute.add(qualifier(id, key, optional))
  return container
}

function qualifier(id: number, key: Plan, optional: boolean): Qualifier {
  if (key instanceof Constant) {
    if (!isKey(key.value)) throw new CelError(`invalid qualifier type: ${goTypeName(key.value)}`)
    return new ConstantQualifier(id, key.value, optional)
  }
  const attribute = key instanceof AttributePlan ? key.attribute : new ComputedAttribute(id, key)
  return new ComputedQualifier(id, attribute, optional)
}

function asAttribute(plan: Plan): AttributePlan {
  return plan instanceof AttributePlan && !plan.isTest ? plan : new AttributePlan(new ComputedAttribute(plan.id, plan))
}

/** A branch that is an attribute is resolved as part of the choice, and costs only its qualifiers. */
function branch(plan: Plan): Attribute {
  return plan instanceof AttributePlan ? plan.attribute : new ComputedAttribute(plan.id, plan)
}

function folded(plan: Plan): Plan {
  const value = plan.evaluate(emptyScope)
  if (value instanceof Failure) throw new CelError(value.message)
  return new Constant(plan.id, value)
}

