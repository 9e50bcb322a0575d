/** cel.lib.ext.sets: lists looked at as sets (cel-go ext/sets.go). */
import type { FunctionDeclaration, Library } from '../library.ts'
import { product, scaled, sum } from '../range.ts'
import { bool, list, param } from '../type.ts'
import type { ListValue, Value } from '../value.ts'
import { actualSize, sizeOf, unit } from './cost.ts'
import { declare, overload } from './declare.ts'
import { elementsOf, same } from './elements.ts'

const anyList = list(param('T'))

/** Each element of one is looked for in the other, `passes` times. */
const compared = (name: string, id: string, passes: number, apply: (a: ListValue, b: ListValue) => boolean): FunctionDeclaration => ({
  ...declare(
    name,
    overload(id, [anyList, anyList], bool, apply, {
      cost: ([a, b]) => 1 + Math.trunc(actualSize(a) * actualSize(b) * passes),
      estimate: ([a, b]) => ({ cost: sum(scaled(product(sizeOf(a), sizeOf(b)), passes), unit) }),
    }),
  ),
  costByOverload: true,
})

export const setsLibrary: Library = {
  name: 'cel.lib.ext.sets',
  functions: [
    compared('sets.contains', 'list_sets_contains_list', 1, contains),
    compared('sets.equivalent', 'list_sets_equivalent_list', 2, (a, b) => contains(a, b) && contains(b, a)),
    compared('sets.intersects', 'list_sets_intersects_list', 1, (a, b) => elementsOf(a).some((element) => has(b, element))),
  ],
}

function contains(set: ListValue, part: ListValue): boolean {
  return elementsOf(part).every((element) => has(set, element))
}

function has(set: ListValue, wanted: Value): boolean {
  return elementsOf(set).some((element) => same(wanted, element))
}
