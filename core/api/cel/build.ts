/** Nodes that macros make: each with a number of its own, all where the macro was called. */
import type { Expr } from './ast.ts'
import type { Build } from './macro.ts'

export function buildAt(offset: number, nextId: () => number, fail: (at: Expr, message: string) => Expr): Build {
  const node = () => ({ id: nextId(), offset })
  const copy = (expr: Expr): Expr => {
    const own = { id: nextId() }
    switch (expr.kind) {
      case 'literal':
      case 'ident': return { ...expr, ...own }
      case 'select': return { ...expr, ...own, operand: copy(expr.operand) }
      case 'call': return { ...expr, ...own, target: expr.target === undefined ? undefined : copy(expr.target), args: expr.args.map(copy) }
      case 'list': return { ...expr, ...own, elements: expr.elements.map(copy) }
      case 'map': return { ...expr, ...own, entries: expr.entries.map((entry) => ({ ...entry, id: nextId(), key: copy(entry.key), value: copy(entry.value) })) }
      case 'struct': return { ...expr, ...own, fields: expr.fields.map((field) => ({ ...field, id: nextId(), value: copy(field.value) })) }
      case 'fold': return {
        ...expr, ...own, range: copy(expr.range), init: copy(expr.init), condition: copy(expr.condition), step: copy(expr.step), result: copy(expr.result),
      }
    }
  }
  return {
    ident: (name) => ({ kind: 'ident', ...node(), name }),
    literal: (value) => ({ kind: 'literal', ...node(), value }),
    list: (...elements) => ({ kind: 'list', ...node(), elements, optional: new Set() }),
    map: () => ({ kind: 'map', ...node(), entries: [] }),
    call: (name, ...args) => ({ kind: 'call', ...node(), name, target: undefined, args }),
    member: (name, target, ...args) => ({ kind: 'call', ...node(), name, target, args }),
    test: (operand, field) => ({ kind: 'select', ...node(), operand, field, test: true }),
    fold: (parts) => ({ kind: 'fold', ...node(), ...parts }),
    copy,
    fail,
  }
}
