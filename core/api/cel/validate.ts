/**
 * What is wrong with an expression though its types are right: literals that are no duration, timestamp or pattern, and
 * lists and maps of mixed types (cel-go/cel/validator.go, as Kubernetes turns them on).
 */
import { type CallExpr, children, type Expr } from './ast.ts'
import type { Checked } from './check.ts'
import { checkFormat } from './formatcheck.ts'
import { isOfType } from './kinds.ts'
import { patternOf } from './patterns.ts'
import type { Source } from './source.ts'
import type { CelType } from './type.ts'
import { formatType, sameType } from './typing.ts'
import { CelError, type Value } from './value.ts'

/** What is wrong goes to `source`. `expr` is what `checked` was made of. */
export function validate(expr: Expr, checked: Checked, source: Source): void {
  visit(expr, false)

  function visit(each: Expr, mayMix: boolean): void {
    if (each.kind === 'call') {
      checkLiteral(each)
      checkFormat(each, checked, source)
    }
    if (each.kind === 'list' && !mayMix) checkList(each)
    if (each.kind === 'map' && !mayMix) checkMap(each)
    const inside = mayMix || (each.kind === 'call' && each.name === 'format')
    for (const child of children(each)) visit(child, inside)
  }

  function checkLiteral(call: CallExpr): void {
    const [arg] = call.args
    if (arg?.kind !== 'literal') return
    const bad = call.name === 'matches' ? !isPattern(arg.value) : (call.name === 'duration' || call.name === 'timestamp') && fails(call, arg.value)
    if (bad) source.report(arg.offset, `invalid ${call.name} argument`)
  }

  function fails(call: CallExpr, value: Value): boolean {
    const overload = checked.call(call)?.overloads.find((candidate) => candidate.params.length === 1 && isOfType(value, candidate.params[0] as CelType))
    try {
      overload?.apply([value])
      return false
    } catch (error) {
      if (error instanceof CelError) return true
      throw error
    }
  }

  function checkList(list: Extract<Expr, { kind: 'list' }>): void {
    let first: CelType | undefined
    for (const [i, element] of list.elements.entries()) {
      const type = unwrapped(checked.type(element), list.optional.has(i))
      if (first !== undefined && !sameType(first, type, true)) return mismatch(element, first, type)
      first ??= type
    }
  }

  function checkMap(map: Extract<Expr, { kind: 'map' }>): void {
    let first: { key: CelType; value: CelType } | undefined
    for (const entry of map.entries) {
      const [key, value] = [checked.type(entry.key), unwrapped(checked.type(entry.value), entry.optional)]
      first ??= { key, value }
      if (!sameType(first.key, key, true)) mismatch(entry.key, first.key, key)
      if (!sameType(first.value, value, true)) mismatch(entry.value, first.value, value)
    }
  }

  function mismatch(expr: Expr, want: CelType, have: CelType): void {
    source.report(expr.offset, `expected type '${formatType(want)}' but found '${formatType(have)}'`)
  }
}

function unwrapped(type: CelType, optional: boolean): CelType {
  return optional && type.kind === 'optional' ? type.of : type
}

function isPattern(value: Value): boolean {
  return typeof value !== 'string' || typeof patternOf(value) !== 'string'
}
