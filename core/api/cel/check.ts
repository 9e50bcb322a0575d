/**
 * Types of a parsed expression: which variable a name is, which overloads a call may be, what comes out
 * (cel-go/checker/checker.go). Errors go to the source; nothing is computed here.
 */
import { type CallExpr, type Expr, type FoldExpr, qualifiedName, type SelectExpr, type StructExpr } from './ast.ts'
import type { Overload } from './library.ts'
import type { FunctionEntry, Names } from './names.ts'
import type { Source } from './source.ts'
import { any, bool, type CelType, dyn, int, list, map, type ObjectType, optional, param } from './type.ts'
import { errorType, formatType, fresh, isDynOrError, mostGeneral, sameType, Substitution } from './typing.ts'
import type { Value } from './value.ts'
import { valueType } from './kinds.ts'

export interface Checked {
  readonly type: (expr: Expr) => CelType
  /** Of names, and of selections that turned out to be names. */
  readonly ident: (expr: Expr) => Ident | undefined
  readonly call: (expr: Expr) => Resolved | undefined
  readonly struct: (expr: Expr) => ObjectType | undefined
  /** Variables of the environment that are read. */
  readonly reads: ReadonlySet<string>
}

export interface Ident {
  readonly name: string
  readonly value?: Value
}

export interface Resolved {
  readonly entry: FunctionEntry
  /** More than one: which it is shows at run time. */
  readonly overloads: readonly Overload[]
  /** `a.b(c)` where a.b is the name of a function: there is no target. */
  readonly namespaced: boolean
}

export function check(expr: Expr, names: Names, source: Source): Checked {
  const checker = new Checker(names, source)
  checker.check(expr)
  return checker.result()
}

class Checker {
  readonly #names: Names
  readonly #source: Source
  readonly #types = new Map<number, CelType>()
  readonly #idents = new Map<number, Ident>()
  readonly #calls = new Map<number, Resolved>()
  readonly #structs = new Map<number, ObjectType>()
  readonly #reads = new Set<string>()
  readonly #substitution = new Substitution()
  /** Variables of loops, innermost last. */
  readonly #scopes: Map<string, CelType>[] = []
  #freeCount = 0

  constructor(names: Names, source: Source) {
    this.#names = names
    this.#source = source
  }

  result(): Checked {
    return {
      type: (expr) => this.#substitution.apply(this.#types.get(expr.id) ?? dyn, 'dyn'),
      ident: (expr) => this.#idents.get(expr.id),
      call: (expr) => this.#calls.get(expr.id),
      struct: (expr) => this.#structs.get(expr.id),
      reads: this.#reads,
    }
  }

  check(expr: Expr): CelType {
    const type = this.#check(expr)
    this.#types.set(expr.id, type)
    return type
  }

  #check(expr: Expr): CelType {
    switch (expr.kind) {
      case 'literal': return valueType(expr.value)
      case 'ident': return this.#ident(expr, expr.name) ?? this.#undeclared(expr, expr.name)
      case 'select': return this.#select(expr)
      case 'call': return expr.name === '_?._' ? this.#optionalSelect(expr) : this.#call(expr)
      case 'list': return this.#list(expr)
      case 'map': return this.#map(expr)
      case 'struct': return this.#struct(expr)
      case 'fold': return this.#fold(expr)
    }
  }

  #ident(expr: Expr, written: string): CelType | undefined {
    const name = written.startsWith('.') ? written.slice(1) : written
    const scope = this.#scopes.findLast((candidate) => candidate.has(name))
    const local = scope?.get(name)
    if (local !== undefined) {
      this.#idents.set(expr.id, { name })
      return local
    }
    const found = this.#names.ident(name)
    if (found === undefined) return undefined
    this.#idents.set(expr.id, found.value === undefined ? { name } : { name, value: found.value })
    if (found.value === undefined) this.#reads.add(name)
    return found.type
  }

  #undeclared(expr: Expr, name: string): CelType {
    this.#source.report(expr.offset, `undeclared reference to '${name}' (in container '')`)
    return errorType
  }

  #select(expr: SelectExpr): CelType {
    const name = qualifiedName(expr)
    const ident = name === undefined ? undefined : this.#ident(expr, name)
    if (ident !== undefined) return ident
    const field = this.#field(expr, expr.operand, expr.field, false)
    return expr.test ? bool : this.#substitution.apply(field)
  }

  #optionalSelect(expr: CallExpr): CelType {
    const [operand, field] = expr.args
    if (operand === undefined || field?.kind !== 'literal' || typeof field.value !== 'string') throw new Error('`.?` without field')
    const type = this.#substitution.apply(this.#field(expr, operand, field.value, true))
    const entry = this.#names.function('_?._')
    if (entry !== undefined) this.#calls.set(expr.id, { entry, overloads: entry.overloads, namespaced: false })
    return type
  }

  #field(expr: Expr, operand: Expr, field: string, isOptional: boolean): CelType {
    const operandType = this.#substitution.apply(this.check(operand))
    const target = operandType.kind === 'optional' ? operandType.of : operandType
    const type = this.#fieldOf(expr, target, field)
    return isOptional || operandType.kind === 'optional' ? optional(type) : type
  }

  #fieldOf(expr: Expr, target: CelType, field: string): CelType {
    if (target.kind === 'map') return target.value
    if (target.kind === 'object') return this.#objectField(expr.offset, target, field)
    if (target.kind === 'param') this.#substitution.assign(dyn, target)
    else if (!isDynOrError(target)) {
      // What libraries declare are objects to cel-go, of which it then finds nothing.
      const why = target.kind === 'opaque' ? `unexpected failed resolution of '${target.name}'` : `type '${formatType(target)}' does not support field selection`
      this.#source.report(expr.offset, why)
    }
    return dyn
  }

  #objectField(offset: number, type: ObjectType, field: string): CelType {
    const found = type.field(field)
    if (found !== undefined) return found.type
    this.#source.report(offset, `undefined field '${field}'`)
    return errorType
  }

  #call(expr: CallExpr): CelType {
    const args = expr.args.map((arg) => this.check(arg))
    if (expr.target === undefined) {
      const name = expr.name.startsWith('.') ? expr.name.slice(1) : expr.name
      const entry = this.#names.function(name)
      return entry === undefined ? this.#undeclared(expr, expr.name) : this.#resolve(expr, entry, undefined, args)
    }
    const prefix = qualifiedName(expr.target)
    const namespaced = prefix === undefined ? undefined : this.#names.function(`${prefix.replace(/^\./, '')}.${expr.name}`)
    if (namespaced !== undefined) return this.#resolve(expr, namespaced, undefined, args)
    const target = this.check(expr.target)
    const entry = this.#names.function(expr.name)
    return entry === undefined ? this.#undeclared(expr, expr.name) : this.#resolve(expr, entry, target, args)
  }

  #resolve(expr: CallExpr, entry: FunctionEntry, target: CelType | undefined, args: readonly CelType[]): CelType {
    if (entry.name === '_&&_' || entry.name === '_||_') return this.#resolveLogic(expr, entry, args)
    const given = target === undefined ? args : [target, ...args]
    const fitting: Overload[] = []
    let result: CelType | undefined
    for (const overload of entry.overloads) {
      if ((overload.member === true) !== (target !== undefined)) continue
      const [type, ...params] = fresh([overload.result, ...overload.params], () => `_var${this.#freeCount++}`) as [CelType, ...CelType[]]
      if (!this.#substitution.assignAll(given, params)) continue
      fitting.push(overload)
      const type2 = this.#substitution.apply(type)
      if (result === undefined) result = type2
      else if (result.kind !== 'dyn' && !sameType(type2, result)) result = dyn
    }
    if (result === undefined) {
      this.#noOverload(expr, entry.name, given, target !== undefined)
      return errorType
    }
    this.#calls.set(expr.id, { entry, overloads: fitting, namespaced: target === undefined })
    return result
  }

  #resolveLogic(expr: CallExpr, entry: FunctionEntry, args: readonly CelType[]): CelType {
    let good = true
    args.forEach((type, i) => {
      if (this.#substitution.assign(type, bool)) return
      good = false
      this.#mismatch(expr.args[i]?.offset ?? expr.offset, bool, type)
    })
    this.#calls.set(expr.id, { entry, overloads: entry.overloads, namespaced: true })
    return good ? bool : errorType
  }

  #noOverload(expr: Expr, name: string, given: readonly CelType[], member: boolean): void {
    const types = given.map((type) => formatType(this.#substitution.apply(type, 'dyn')))
    const signature = member ? `${types[0]}.(${types.slice(1).join(', ')})` : `(${types.join(', ')})`
    this.#source.report(expr.offset, `found no matching overload for '${name}' applied to '${signature}'`)
  }

  #list(expr: Extract<Expr, { kind: 'list' }>): CelType {
    let element: CelType | undefined
    expr.elements.forEach((each, i) => {
      const type = this.check(each)
      element = this.#join(element, expr.optional.has(i) ? this.#unwrap(each, type) : type)
    })
    return list(element ?? this.#free())
  }

  #map(expr: Extract<Expr, { kind: 'map' }>): CelType {
    let key: CelType | undefined
    let value: CelType | undefined
    for (const entry of expr.entries) {
      key = this.#join(key, this.check(entry.key))
      const type = this.check(entry.value)
      value = this.#join(value, entry.optional ? this.#unwrap(entry.value, type) : type)
    }
    return map(key ?? this.#free(), value ?? this.#free())
  }

  #unwrap(expr: Expr, type: CelType): CelType {
    if (type.kind === 'optional') return type.of
    if (type.kind !== 'dyn') this.#mismatch(expr.offset, optional(type), type)
    return type
  }

  /** Literals may mix types as far as types go; validate.ts has more to say. */
  #join(previous: CelType | undefined, current: CelType): CelType {
    if (previous === undefined) return current
    return this.#substitution.assign(previous, current) ? mostGeneral(previous, current) : dyn
  }

  #struct(expr: StructExpr): CelType {
    const name = expr.name.startsWith('.') ? expr.name.slice(1) : expr.name
    const found = this.#scopes.findLast((scope) => scope.has(name))?.get(name) ?? this.#names.ident(name)?.type
    if (found === undefined) return this.#undeclared(expr, expr.name)
    let type: CelType = errorType
    if (found.kind !== 'type') this.#source.report(expr.offset, `'${formatType(found)}' is not a type`)
    else if (found.of.kind !== 'object') this.#source.report(expr.offset, `'${formatType(found.of)}' is not a message type`)
    else {
      type = found.of
      this.#structs.set(expr.id, found.of)
    }
    const unknown = found.kind === 'type' ? (field: string) => `undefined field '${field}'` : () => `unexpected failed resolution of '${name}'`
    for (const field of expr.fields) this.#structField(field, type, unknown)
    return type
  }

  #structField(field: StructExpr['fields'][number], type: CelType, unknown: (field: string) => string): void {
    const value = this.check(field.value)
    if (type.kind !== 'object') return this.#source.report(field.offset, unknown(field.name))
    const want = this.#objectField(field.offset, type, field.name)
    const have = field.optional ? this.#unwrap(field.value, value) : value
    if (this.#substitution.assign(want, have)) return
    const [wanted, had] = [formatType(want), formatType(have)]
    this.#source.report(field.offset, `expected type of field '${field.name}' is '${wanted}' but provided type is '${had}'`)
  }

  #fold(expr: FoldExpr): CelType {
    this.check(expr.range)
    const accumulator = this.check(expr.init)
    const range = this.#substitution.apply(this.#types.get(expr.range.id) ?? dyn)
    this.#scopes.push(new Map([[expr.accumulator, accumulator]]))
    this.#scopes.push(this.#loopVariables(expr, range))
    this.#assert(expr.condition, bool)
    this.#assert(expr.step, accumulator)
    this.#scopes.pop()
    const result = this.check(expr.result)
    this.#scopes.pop()
    return this.#substitution.apply(result)
  }

  #loopVariables(expr: FoldExpr, range: CelType): Map<string, CelType> {
    const [first, second] = this.#elementTypes(expr, range)
    const scope = new Map([[expr.variable, first]])
    if (expr.variable2 !== undefined) scope.set(expr.variable2, second)
    return scope
  }

  #elementTypes(expr: FoldExpr, range: CelType): readonly [CelType, CelType] {
    const two = expr.variable2 !== undefined
    if (range.kind === 'list') return two ? [int, range.element] : [range.element, dyn]
    if (range.kind === 'map') return [range.key, range.value]
    if (range.kind === 'param' || (isDynOrError(range) && range !== any)) {
      this.#substitution.assign(dyn, range)
      return [dyn, dyn]
    }
    const type = formatType(range)
    this.#source.report(expr.range.offset, `expression of type '${type}' cannot be range of a comprehension (must be list, map, or dynamic)`)
    return [errorType, errorType]
  }

  #assert(expr: Expr, want: CelType): void {
    const have = this.check(expr)
    if (!this.#substitution.assign(want, have)) this.#mismatch(expr.offset, want, have)
  }

  #mismatch(offset: number, want: CelType, have: CelType): void {
    this.#source.report(offset, `expected type '${formatType(want)}' but found '${formatType(have)}'`)
  }

  #free(): CelType {
    return param(`_var${this.#freeCount++}`)
  }
}

