/** Expressions: parsed, checked, estimated, and evaluated with bindings of every kind of value. */
import { readFileSync } from 'node:fs'
import { environment } from '../../../core/api/cel/cel.ts'
import { mutatingLibraries } from '../../../core/api/cel/environments.ts'
import { fromJson } from '../../../core/api/cel/json.ts'
import { bool, dyn, int, list, map, string } from '../../../core/api/cel/type.ts'
import { CelError, CostExceeded } from '../../../core/api/cel/value.ts'
import { textTarget, type Target } from '../target.ts'

/** As much as one rule of a custom kind may cost. */
const costMax = 1_000_000
const env = environment({ libraries: mutatingLibraries, variables: { self: dyn, oldSelf: dyn, i: int, s: string, b: bool, l: list(int), m: map(string, dyn) } })
const self = { a: 'x', b: [1, 2, { c: null }], 'd-e': { f: 1.5 }, t: '2026-01-02T03:04:05Z', q: '1.5Gi', ip: '10.0.0.1', big: 'ab'.repeat(200) }
const bindings = { self: fromJson(self, dyn), oldSelf: fromJson({ ...self, a: 5, b: {} }, dyn), i: 7n, s: 'text', b: true, l: fromJson([3, 1, 2], list(int)), m: fromJson(self, map(string, dyn)) }

function expressions(file: string): readonly string[] {
  const path = new URL(`../../golden/cel/${file}`, import.meta.url).pathname
  return (JSON.parse(readFileSync(path, 'utf8')) as { readonly expr: string }[]).map(({ expr }) => expr)
}

export const cel: readonly Target[] = [
  textTarget('cel', [...expressions('expressions.json'), 'self.b.all(x, has(x.c) || x > 0)', 'm.map(k, k + s).sort().join(",")', 'quantity(self.q).isGreaterThan(quantity("1"))', 'cel.bind(x, l.sum(), x > i)', 'ip(self.ip) in [ip("10.0.0.1")]', 'timestamp(self.t).getFullYear() == 2026', 's.format([i, self])', 'self.?d.orValue(1)'], (text) => {
    const compiled = env.compile(text)
    if (!compiled.ok) return
    compiled.compiled.estimate(() => undefined)
    compiled.compiled.evaluate(bindings, costMax)
  }, { refuses: (error) => error instanceof CelError || error instanceof CostExceeded }),
]
