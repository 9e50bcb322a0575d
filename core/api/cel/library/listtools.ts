/**
 * cel.lib.ext.lists, as of its version 3: cutting, flattening, sorting lists (cel-go ext/lists.go). sortBy() is a macro of
 * the parser over @sortByAssociatedKeys().
 */
import { valueTypeName } from '../kinds.ts'
import type { Estimated, FunctionDeclaration, Library, Range } from '../library.ts'
import { exactly, product, scaled, sum, unbounded } from '../range.ts'
import { dyn, int, list, param, type CelType } from '../type.ts'
import { typeName } from '../typing.ts'
import { CelError, ListValue, type Value } from '../value.ts'
import { actualSize, listBaseCost, sizeOf, stringFactor, unit } from './cost.ts'
import { declare, member, overload, type Costs } from './declare.ts'
import { elementsOf, isText, listOf, orderedTypes, orderOf, same } from './elements.ts'

const anyList = list(param('T'))

const made = (factor: number, size: number): number => Math.trunc(size * factor) + 1 + listBaseCost
const madeEstimate = (factor: number, size: Range) => ({ cost: sum(sum(scaled(size, factor), unit), exactly(listBaseCost)), resultSize: size })

const byResult = (estimate: (args: readonly Estimated[]) => Range): Costs => ({
  cost: (_args, result) => made(1, actualSize(result)),
  estimate: (args) => madeEstimate(1, estimate(args)),
})
const flattening: Costs = {
  cost: ([elements, depth = 1n]) => made(Number(depth), actualSize(elements)),
  estimate: ([elements, depth]) => madeEstimate(depth === undefined ? 1 : literalOr(depth, unbounded), sizeOf(elements)),
}

/** Each element with each. */
const pairs = (list: Estimated | undefined): Range => product(sizeOf(list), sizeOf(list))
const pairFactor = (text: boolean): number => (text ? 2 + stringFactor : 2)

function pairCost(list: Value | undefined): number {
  const size = actualSize(list)
  const first = list instanceof ListValue && size > 0 ? list.at(0) : undefined
  return made(pairFactor(typeof first === 'string' || first instanceof Uint8Array), size * size)
}

const sorting = (keys: CelType): Costs => ({
  cost: (args) => pairCost(args.at(-1)),
  estimate: (args) => madeEstimate(pairFactor(isText(keys)), pairs(args.at(-1))),
})

/** cel-go's own cost functions are bound to one overload each. */
const byOverload = (declaration: FunctionDeclaration, unguarded = false): FunctionDeclaration => ({ ...declaration, costByOverload: true, unguarded })

export const listToolsLibrary: Library = {
  name: 'cel.lib.ext.lists',
  functions: [
    byOverload(declare('slice', member('list_slice', [anyList, int, int], anyList, slice, byResult(sliceSize)))),
    byOverload(declare('flatten', member('list_flatten', [list(anyList)], anyList, flatten, flattening), member('list_flatten_int', [list(dyn), int], list(dyn), flatten, flattening)), true),
    byOverload(declare('sort', ...orderedTypes.map((type) => member(`list_${typeName(type)}_sort`, [list(type)], list(type), (elements: Value) => sortBy(elements, elements), sorting(type)))), true),
    byOverload(declare('@sortByAssociatedKeys', ...orderedTypes.map((type) => member(`list_${typeName(type)}_sortByAssociatedKeys`, [anyList, list(type)], anyList, sortBy, sorting(type)))), true),
    byOverload(declare('lists.range', overload('lists_range', [int], list(int), range, byResult(([count]) => exactly(literalOr(count, unbounded)))))),
    byOverload(declare('reverse', member('list_reverse', [anyList], anyList, (elements: ListValue) => listOf(elementsOf(elements).toReversed()), byResult(([elements]) => sizeOf(elements))))),
    byOverload(declare('distinct', member('list_distinct', [anyList], anyList, distinct, { cost: ([elements]) => pairCost(elements), estimate: ([elements]) => madeEstimate(2, pairs(elements)) }))),
  ],
}

function literalOr(argument: Estimated | undefined, otherwise: number): number {
  const literal = argument?.literal
  return typeof literal === 'bigint' ? Math.max(0, Number(literal)) : otherwise
}

/** An end before its start wraps around, as unsigned numbers do. */
function sliceSize([elements, start, end]: readonly Estimated[]): Range {
  const size = literalOr(end, sizeOf(elements).max) - literalOr(start, 0)
  return exactly(size < 0 ? unbounded + size : size)
}

function slice(elements: ListValue, start: bigint, end: bigint): ListValue {
  const wrong = (why: string): CelError => new CelError(`cannot slice(${start}, ${end}), ${why}`)
  if (start < 0n || end < 0n) throw wrong('negative indexes not supported')
  if (start > end) throw wrong('start index must be less than or equal to end index')
  if (end > BigInt(elements.size)) throw wrong(`list is length ${elements.size}`)
  return listOf(elementsOf(elements).slice(Number(start), Number(end)))
}

function flatten(elements: Value, depth: Value = 1n): ListValue {
  if (!(elements instanceof ListValue) || typeof depth !== 'bigint') throw new CelError(`no such overload: ${valueTypeName(elements)}.flatten(${depth === 1n ? '' : valueTypeName(depth)})`)
  if (depth < 0n) throw new CelError('level must be non-negative')
  return listOf(flat(elements, depth))
}

function flat(elements: ListValue, depth: bigint): Value[] {
  return elementsOf(elements).flatMap((element) => (element instanceof ListValue && depth > 0n ? flat(element, depth - 1n) : [element]))
}

/** Elements whose keys are the same keep their order. */
function sortBy(elements: Value, keys: Value): ListValue {
  if (!(elements instanceof ListValue && keys instanceof ListValue)) throw new CelError('no such overload')
  if (elements.size !== keys.size) {
    throw new CelError(`@sortByAssociatedKeys() expected a list of the same size as the associated keys list, but got ${elements.size} and ${keys.size} elements respectively`)
  }
  const all = elementsOf(keys)
  const [first] = all
  if (first === undefined) return elements
  if (!isOrdered(first)) throw new CelError('list elements must be comparable')
  const type = valueTypeName(first)
  if (all.some((key) => valueTypeName(key) !== type)) throw new CelError('list elements must have the same type')
  const order = all.map((_, i) => i).sort((a, b) => orderOf(all[a] ?? null, all[b] ?? null) ?? 0)
  return listOf(order.map((i) => elements.at(i)))
}

const orderedNames = new Set(orderedTypes.map(typeName))
const isOrdered = (value: Value): boolean => orderedNames.has(valueTypeName(value))

/** Longer ones are a mistake, which the cost of the call would not stop before memory ends. */
const rangeMax = 10_000_000n

function range(count: bigint): ListValue {
  if (count > rangeMax) throw new CelError(`lists.range(${count}) is too long`)
  return listOf(Array.from({ length: Math.max(0, Number(count)) }, (_, i) => BigInt(i)))
}

function distinct(elements: ListValue): ListValue {
  const found: Value[] = []
  for (const element of elementsOf(elements)) if (!found.some((one) => same(element, one))) found.push(element)
  return listOf(found)
}
