/** Lists as libraries take and make them: their elements, and which of these are the same or come first. */
import { Elements } from '../access.ts'
import { compare, equal } from '../equality.ts'
import { bool, bytes, double, duration, int, string, timestamp, uint, type CelType } from '../type.ts'
import { CelError, type ListValue, type Value } from '../value.ts'

export function elementsOf(list: ListValue): Value[] {
  return Array.from({ length: list.size }, (_, i) => list.at(i))
}

export function listOf(elements: readonly Value[]): ListValue {
  return new Elements(elements)
}

/** Values that cannot be compared are not the same. */
export function same(a: Value, b: Value): boolean {
  try {
    return equal(a, b)
  } catch (error) {
    if (error instanceof CelError) return false
    throw error
  }
}

/** Undefined: the two have no order. */
export function orderOf(a: Value, b: Value): number | undefined {
  const order = compare(a, b)
  return order === undefined || Number.isNaN(order) ? undefined : order
}

/** Values of these types have an order. */
export const orderedTypes: readonly CelType[] = [int, uint, double, bool, duration, timestamp, string, bytes]

export const isText = (type: CelType): boolean => type.kind === 'string' || type.kind === 'bytes'

