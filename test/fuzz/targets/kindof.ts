/** The built-in kind that a value says it is. */
import type { Kind } from '../../../core/api/kind.ts'
import { kinds } from '../../../core/api/kinds.ts'
import { parseApiVersion } from '../../../core/api/meta.ts'
import { definitionOf, type Definition } from '../../../core/api/schema/schema.ts'

export function kindOf(value: unknown): { readonly kind: Kind; readonly definition: Definition } | undefined {
  if (typeof value !== 'object' || value === null || !('kind' in value) || !('apiVersion' in value)) return undefined
  const { group, version } = parseApiVersion(String(value.apiVersion))
  const kind = kinds.find((each) => each.group === group && each.version === version && each.kind === value.kind)
  const definition = kind === undefined ? undefined : definitionOf(group, version, kind.kind)
  return kind === undefined || definition === undefined ? undefined : { kind, definition }
}
