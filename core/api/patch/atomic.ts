/**
 * Which parts of a configuration would replace what stands there as a whole. Mutating policies may not set them: whoever
 * means one field of such a part would take away the others.
 */
import type { MergeType } from './mergetype.ts'
import { formOf } from './typed.ts'
import { isMap } from './value.ts'

/** Their places: `.spec.template.spec.nodeSelector`. */
export function atomicPlaces(type: MergeType, value: unknown, path = ''): readonly string[] {
  const form = formOf(type, value)
  if (form === 'map' && type.map !== undefined && isMap(value)) {
    const { atomic, fields } = type.map
    const below = Object.entries(value).flatMap(([key, inner]) => {
      const field = fields.get(key)
      return field === undefined ? [] : atomicPlaces(field.type, inner, `${path}.${key}`)
    })
    return atomic ? [path, ...below] : below
  }
  if (form !== 'list' || type.list === undefined || !Array.isArray(value)) return []
  const { atomic, items } = type.list
  const below = value.flatMap((item: unknown, i) => atomicPlaces(items, item, `${path}[${i}]`))
  return atomic ? [path, ...below] : below
}
