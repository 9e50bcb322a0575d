/** JSON values that came from outside, and how Go shows them. */

export type JsonMap = Record<string, unknown>

export function isMap(value: unknown): value is JsonMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function isList(value: unknown): value is unknown[] {
  return Array.isArray(value)
}

/** A copy whose maps have their keys in order, as Go writes them; for messages. */
export function inOrder(value: unknown): unknown {
  if (isList(value)) return value.map(inOrder)
  if (!isMap(value)) return value
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, inner]) => [key, inOrder(inner)]))
}

/** As Go's decoder sees a number: an int64 where it is whole and fits, a float64 else. */
export function isInt64(value: number): boolean {
  return Number.isInteger(value) && value >= -(2 ** 63) && value < 2 ** 63
}
