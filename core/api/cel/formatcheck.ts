/**
 * 'a %s'.format([x]) before it ever runs: where the format and the list are literals, each value must have a type that
 * its clause takes (cel-go ext/formatting.go). The clauses themselves are library/stringformat.ts.
 */
import type { CallExpr, Expr } from './ast.ts'
import type { Checked } from './check.ts'
import { readClause, refusal } from './library/stringformat.ts'
import type { Source } from './source.ts'
import type { CelType } from './type.ts'
import { typeName } from './typing.ts'
import { CelError } from './value.ts'

type Kinds = ReadonlySet<CelType['kind']>

const plain: Kinds = new Set<CelType['kind']>(['list', 'map', 'int', 'uint', 'double', 'bool', 'string', 'timestamp', 'bytes', 'duration', 'type', 'null', 'dyn'])
const integers: Kinds = new Set<CelType['kind']>(['int', 'uint', 'dyn'])
/** NaN and the infinities may be given by name. */
const doubles: Kinds = new Set<CelType['kind']>(['double', 'string', 'dyn'])
const taken: Readonly<Record<string, Kinds>> = {
  s: plain, d: integers, o: integers, f: doubles, e: doubles,
  b: new Set<CelType['kind']>(['int', 'uint', 'bool', 'dyn']),
  x: new Set<CelType['kind']>(['int', 'uint', 'string', 'bytes', 'dyn']),
}

/** What is wrong with a literal format goes to `source`; calls of other functions are passed over. */
export function checkFormat(call: CallExpr, checked: Checked, source: Source): void {
  const [list] = call.args
  if (call.name !== 'format' || call.target?.kind !== 'literal' || typeof call.target.value !== 'string' || list?.kind !== 'list') return
  if (checked.call(call)?.overloads.some((overload) => overload.id === 'string_format') !== true) return
  try {
    const used = checkClauses(call.target.value, list.elements, checked, source)
    if (used === undefined || used >= list.elements.length) return
    source.report(call.offset, `too many arguments supplied to string.format (expected ${used}, got ${list.elements.length})`)
  } catch (error) {
    if (!(error instanceof CelError)) throw error
    source.report(call.offset, error.message)
  }
}

/** How many values the format takes; undefined: one of them is wrong, and has been reported. */
function checkClauses(text: string, values: readonly Expr[], checked: Checked, source: Source): number | undefined {
  let used = 0
  for (let at = text.indexOf('%'); at >= 0; at = text.indexOf('%', at)) {
    if (text[at + 1] === '%') {
      at += 2
      continue
    }
    if (at + 1 >= text.length) throw new CelError('unexpected end of string')
    const value = values[used]
    if (value === undefined) throw new CelError(`index ${used} out of range`)
    const { letter, length } = readClause(text.slice(at + 1))
    const wrong = refusedPart(value, letter, checked)
    if (wrong !== undefined) {
      source.report(wrong.offset, `error during formatting: ${refusal(letter, typeName(checked.type(wrong)))}`)
      return undefined
    }
    used++
    at += 1 + length
  }
  return used
}

/** The value, or what is in it, that the clause does not take. Only %s looks into literal lists and maps. */
function refusedPart(value: Expr, letter: string, checked: Checked): Expr | undefined {
  if (taken[letter.toLowerCase()]?.has(checked.type(value).kind) !== true) return value
  if (letter !== 's') return undefined
  return partsOf(value).map((part) => refusedPart(part, letter, checked)).find((part) => part !== undefined)
}

function partsOf(value: Expr): readonly Expr[] {
  if (value.kind === 'list') return value.elements
  return value.kind === 'map' ? value.entries.flatMap((entry) => [entry.key, entry.value]) : []
}
