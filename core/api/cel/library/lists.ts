/** kubernetes.lists: order, sums and searching in lists (k8s.io/apiserver/pkg/cel/library/lists.go). */
import type { Estimated, Library } from '../library.ts'
import { product, scaled, sum } from '../range.ts'
import { bool, double, duration, int, list, param, uint } from '../type.ts'
import { CelError, Duration, ListValue, MapValue, Uint, type Value } from '../value.ts'
import { byteLength, elementSizeOf, sizeOf, stringFactor, unit } from './cost.ts'
import { declare, member, type Costs } from './declare.ts'
import { elementsOf, isText, orderedTypes, orderOf, same } from './elements.ts'

const anyList = list(param('A'))
const whole: Costs = { cost: ([elements]) => traversal(elements ?? null), estimate: ([elements]) => ({ cost: everyElement(elements) }) }

const ofOrdered = (make: (kind: string) => string, result: 'element' | 'bool', apply: (elements: ListValue) => Value) =>
  orderedTypes.map((type) => member(make(type.kind), [list(type)], result === 'bool' ? bool : type, apply, whole))

const summing = (kind: string, type: typeof int, zero: Value) => member(`list_${kind}_sum_${kind}`, [list(type)], type, (elements: ListValue) => elementsOf(elements).reduce(add, zero), whole)

export const listsLibrary: Library = {
  name: 'kubernetes.lists',
  functions: [
    declare('isSorted', ...ofOrdered((kind) => `list_${kind}_is_sorted_bool`, 'bool', isSorted)),
    declare('sum', summing('int', int, 0n), summing('uint', uint, new Uint(0n)), summing('double', double, 0), summing('duration', duration, new Duration(0n))),
    declare('max', ...ofOrdered((kind) => `list_${kind}_max_${kind}`, 'element', (elements) => extreme('max', elements, -1))),
    declare('min', ...ofOrdered((kind) => `list_${kind}_min_${kind}`, 'element', (elements) => extreme('min', elements, 1))),
    declare('indexOf', member('list_a_index_of_int', [anyList, param('A')], int, indexOf, whole)),
    declare('lastIndexOf', member('list_a_last_index_of_int', [anyList, param('A')], int, lastIndexOf, whole)),
  ],
}

/** What has no order counts as sorted. */
function isSorted(elements: ListValue): boolean {
  return elementsOf(elements).every((element, i) => i === 0 || orderOf(elements.at(i - 1), element) !== 1)
}

/** `taken`: how the best so far compares to one that takes its place. */
function extreme(name: string, elements: ListValue, taken: 1 | -1): Value {
  if (elements.size === 0) throw new CelError(`${name} called on empty list`)
  return elementsOf(elements).reduce((best, next) => (orderOf(best, next) === taken ? next : best))
}

const int64Max = 2n ** 63n - 1n
const uint64Max = 2n ** 64n - 1n

function add(sum: Value, next: Value): Value {
  if (typeof sum === 'number' && typeof next === 'number') return sum + next
  if (typeof sum === 'bigint' && typeof next === 'bigint') return checked(sum + next)
  if (sum instanceof Duration && next instanceof Duration) return new Duration(checked(sum.nanos + next.nanos))
  if (!(sum instanceof Uint && next instanceof Uint)) throw new CelError('no such overload')
  const total = sum.value + next.value
  if (total > uint64Max) throw new CelError('unsigned integer overflow')
  return new Uint(total)
}

function checked(sum: bigint): bigint {
  if (sum > int64Max || sum < -int64Max - 1n) throw new CelError('integer overflow')
  return sum
}

function indexOf(elements: ListValue, wanted: Value): bigint {
  return BigInt(elementsOf(elements).findIndex((element) => same(element, wanted)))
}

function lastIndexOf(elements: ListValue, wanted: Value): bigint {
  return BigInt(elementsOf(elements).findLastIndex((element) => same(element, wanted)))
}

/** Of all that is in a value, to the bottom. */
function traversal(value: Value): number {
  if (typeof value === 'string') return Math.floor(byteLength(value) * stringFactor)
  if (value instanceof Uint8Array) return Math.floor(value.length * stringFactor)
  if (value instanceof ListValue) return elementsOf(value).reduce<number>((sum, element) => sum + traversal(element), 0)
  if (value instanceof MapValue) return [...value.keys()].reduce<number>((sum, key) => sum + traversal(key) + traversal(value.get(key) ?? null), 0)
  return 1
}

/** One comparison an element; text is traversed for it. */
function everyElement(elements: Estimated | undefined) {
  const size = sizeOf(elements)
  if (elements?.type.kind !== 'list') return scaled(size, stringFactor)
  const each = isText(elements.type.element) ? sum(unit, scaled(elementSizeOf(elements), stringFactor)) : unit
  return product(size, each)
}
