/**
 * Macros: calls that the parser turns into loops, tests and bindings before anything is checked
 * (cel-go/parser/macro.go, ext/comprehensions.go, cel/library.go optMap).
 */
import type { Expr } from './ast.ts'
import type { Value } from './value.ts'

/** The loop's own variable; no expression can name it. */
export const accumulator = '@result'
const oldAccumulator = '__result__'

/** Makes nodes that stand where the macro was called. */
export interface Build {
  ident(name: string): Expr
  literal(value: Value): Expr
  list(...elements: readonly Expr[]): Expr
  map(): Expr
  call(name: string, ...args: readonly Expr[]): Expr
  member(name: string, target: Expr, ...args: readonly Expr[]): Expr
  test(operand: Expr, field: string): Expr
  fold(parts: Omit<Extract<Expr, { kind: 'fold' }>, 'id' | 'offset' | 'kind'>): Expr
  /** The same expression with numbers of its own. */
  copy(expr: Expr): Expr
  fail(at: Expr, message: string): Expr
}

export type Macro = (build: Build, target: Expr, args: readonly Expr[]) => Expr

/** What an environment may add to the language. */
export interface Syntax {
  readonly optionals: boolean
  readonly bindings: boolean
}

/** Undefined: an ordinary call. */
export function macro(name: string, target: Expr | undefined, count: number, { optionals, bindings }: Syntax): Macro | undefined {
  if (target === undefined) return name === 'has' && count === 1 ? has : undefined
  const found = members[`${name}/${count}`]
  if (found !== undefined) return found
  if (bindings && name === 'bind' && count === 3 && target.kind === 'ident' && target.name === 'cel') return bind
  return optionals ? optionalMembers[`${name}/${count}`] : undefined
}

const members: Readonly<Record<string, Macro>> = {
  'all/2': quantifier(all),
  'exists/2': quantifier(exists),
  'exists_one/2': quantifier(existsOne),
  'map/2': transform((build, [, value]) => append(build, value)),
  'map/3': transform((build, [, filter, value]) => onlyIf(build, filter, append(build, value))),
  'filter/2': transform((build, [element, filter]) => onlyIf(build, filter, append(build, element))),
  'sortBy/2': sortBy,
  'all/3': quantifier2(all),
  'exists/3': quantifier2(exists),
  'exists_one/3': quantifier2(existsOne),
  'existsOne/3': quantifier2(existsOne),
  'transformList/3': transform2('list', (build, [, , value]) => append(build, value)),
  'transformList/4': transform2('list', (build, [, , filter, value]) => onlyIf(build, filter, append(build, value))),
  'transformMap/3': transform2('map', (build, [key, , value]) => insert(build, key, value)),
  'transformMap/4': transform2('map', (build, [key, , filter, value]) => onlyIf(build, filter, insert(build, key, value))),
  'transformMapEntry/3': transform2('map', (build, [, , entries]) => merge(build, entries)),
  'transformMapEntry/4': transform2('map', (build, [, , filter, entries]) => onlyIf(build, filter, merge(build, entries))),
}

const optionalMembers: Readonly<Record<string, Macro>> = {
  'optMap/2': (build, target, args) => bound(build, 'optMap', target, args, (value) => build.call('optional.of', value)),
  'optFlatMap/2': (build, target, args) => bound(build, 'optFlatMap', target, args, (value) => value),
}

function has(build: Build, _target: Expr, [arg]: readonly Expr[]): Expr {
  if (arg === undefined) throw new Error('has() without argument')
  if (arg.kind !== 'select' || arg.test) return build.fail(arg, 'invalid argument to has() macro')
  return build.test(arg.operand, arg.field)
}

interface Loop {
  readonly init: Expr
  readonly condition: Expr
  readonly step: Expr
  readonly result: Expr
}

function all(build: Build, predicate: Expr): Loop {
  const result = () => build.ident(accumulator)
  const condition = build.call('@not_strictly_false', result())
  return { init: build.literal(true), condition, step: build.call('_&&_', result(), predicate), result: result() }
}

function exists(build: Build, predicate: Expr): Loop {
  const result = () => build.ident(accumulator)
  const condition = build.call('@not_strictly_false', build.call('!_', result()))
  return { init: build.literal(false), condition, step: build.call('_||_', result(), predicate), result: result() }
}

function existsOne(build: Build, predicate: Expr): Loop {
  const result = () => build.ident(accumulator)
  const step = onlyIf(build, predicate, build.call('_+_', result(), build.literal(1n)))
  return { init: build.literal(0n), condition: build.literal(true), step, result: build.call('_==_', result(), build.literal(1n)) }
}

function append(build: Build, value: Expr | undefined): Expr {
  return build.call('_+_', build.ident(accumulator), value === undefined ? build.list() : build.list(value))
}

function insert(build: Build, key: Expr | undefined, value: Expr | undefined): Expr {
  if (key?.kind !== 'ident' || value === undefined) throw new Error('transformMap() without key')
  return build.call('cel.@mapInsert', build.ident(accumulator), build.ident(key.name), value)
}

function merge(build: Build, entries: Expr | undefined): Expr {
  if (entries === undefined) throw new Error('transformMapEntry() without entries')
  return build.call('cel.@mapInsert', build.ident(accumulator), entries)
}

function onlyIf(build: Build, filter: Expr | undefined, step: Expr): Expr {
  if (filter === undefined) throw new Error('macro without predicate')
  return build.call('_?_:_', filter, step, build.ident(accumulator))
}

const sortable: ReadonlySet<Expr['kind']> = new Set(['list', 'select', 'ident', 'fold', 'call'])

/** `a.sortBy(v, f(v))`: a in the order of what f makes of its elements (cel-go/ext/lists.go). */
function sortBy(build: Build, target: Expr, args: readonly Expr[]): Expr {
  if (!sortable.has(target.kind)) return build.fail(target, 'sortBy can only be applied to a list, identifier, comprehension, call or select expression')
  const input = '@__sortBy_input__'
  const keys = transform((b, [, value]) => append(b, value))(build, build.ident(input), args)
  return build.fold({
    range: build.list(), variable: '#unused', variable2: undefined, accumulator: input,
    init: target, condition: build.literal(false), step: build.ident(input),
    result: build.member('@sortByAssociatedKeys', build.ident(input), keys),
  })
}

type MakeLoop = (build: Build, predicate: Expr) => Loop
type MakeStep = (build: Build, args: readonly Expr[]) => Expr

function quantifier(make: MakeLoop): Macro {
  return (build, range, [name, predicate]) => {
    if (name === undefined || predicate === undefined) throw new Error('macro without arguments')
    if (name.kind !== 'ident') return build.fail(name, 'argument must be a simple name')
    if (isAccumulator(name.name)) return build.fail(name, 'iteration variable overwrites accumulator variable')
    return build.fold({ range, variable: name.name, variable2: undefined, accumulator, ...make(build, predicate) })
  }
}

function transform(step: MakeStep): Macro {
  return (build, range, args) => {
    const name = args[0]
    if (name === undefined) throw new Error('macro without arguments')
    if (name.kind !== 'ident') return build.fail(name, 'argument is not an identifier')
    if (isAccumulator(name.name)) return build.fail(name, 'iteration variable overwrites accumulator variable')
    return build.fold({
      range, variable: name.name, variable2: undefined, accumulator,
      init: build.list(), condition: build.literal(true), step: step(build, args), result: build.ident(accumulator),
    })
  }
}

function quantifier2(make: MakeLoop): Macro {
  return (build, range, args) => {
    const predicate = args[2]
    const names = twoNames(build, args)
    if (predicate === undefined) throw new Error('macro without arguments')
    if ('kind' in names) return names
    return build.fold({ range, ...names, accumulator, ...make(build, predicate) })
  }
}

function transform2(kind: 'list' | 'map', step: MakeStep): Macro {
  return (build, range, args) => {
    const names = twoNames(build, args)
    if ('kind' in names) return names
    return build.fold({
      range, ...names, accumulator,
      init: kind === 'list' ? build.list() : build.map(),
      condition: build.literal(true), step: step(build, args), result: build.ident(accumulator),
    })
  }
}

function twoNames(build: Build, [first, second]: readonly Expr[]): Expr | { variable: string; variable2: string } {
  if (first === undefined || second === undefined) throw new Error('macro without arguments')
  if (first.kind !== 'ident') return build.fail(first, 'argument must be a simple name')
  if (second.kind !== 'ident') return build.fail(second, 'argument must be a simple name')
  if (first.name === second.name) return build.fail(second, `duplicate variable name: ${first.name}`)
  if (isAccumulator(first.name)) return build.fail(first, 'iteration variable overwrites accumulator variable')
  if (isAccumulator(second.name)) return build.fail(second, 'iteration variable overwrites accumulator variable')
  return { variable: first.name, variable2: second.name }
}

/** `a.optMap(v, f(v))`: where a has a value, f of it. The binding is a loop over nothing. */
function bound(build: Build, name: string, target: Expr, [variable, value]: readonly Expr[], wrap: (value: Expr) => Expr): Expr {
  if (variable === undefined || value === undefined) throw new Error('macro without arguments')
  if (variable.kind !== 'ident') return build.fail(variable, `${name}() variable name must be a simple identifier`)
  const binding = build.fold({
    range: build.list(), variable: '#unused', variable2: undefined, accumulator: variable.name,
    init: build.member('value', build.copy(target)), condition: build.literal(false), step: build.ident(variable.name), result: value,
  })
  return build.call('_?_:_', build.member('hasValue', target), wrap(binding), build.call('optional.none'))
}

/** `cel.bind(v, a, f(v))`: f of a, which is computed once. The binding is a loop over nothing. */
function bind(build: Build, _target: Expr, [variable, value, result]: readonly Expr[]): Expr {
  if (variable === undefined || value === undefined || result === undefined) throw new Error('macro without arguments')
  if (variable.kind !== 'ident') return build.fail(variable, 'cel.bind() variable names must be simple identifiers')
  return build.fold({
    range: build.list(), variable: '#unused', variable2: undefined, accumulator: variable.name,
    init: value, condition: build.literal(false), step: build.ident(variable.name), result,
  })
}

function isAccumulator(name: string): boolean {
  return name === accumulator || name === oldAccumulator
}
