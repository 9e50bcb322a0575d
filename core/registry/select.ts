/** Which objects of a kind a query means: namespace, name, label and field selectors in one value, parsed once and asked often. */
import { badRequest } from '../api/errors.ts'
import type { Kind } from '../api/kind.ts'
import type { AnyObject } from '../api/meta.ts'
import { parseFieldSelector, parseLabelSelector, type FieldRequirement } from '../api/selector.ts'
import type { Item, ListQuery } from './registry.ts'

export interface Selection {
  /** Beginning of the store keys that can be meant: a whole key when `exact`. */
  readonly range: string
  readonly exact: boolean
  /** Whether selectors leave anything out: then how many are left is not known. */
  readonly filters: boolean
  /** `item` as the kind shows it. */
  matches(item: Item): boolean
}

export function selectionOf(kind: Kind, query: Pick<ListQuery, 'namespace' | 'name' | 'labelSelector' | 'fieldSelector'>): Selection {
  const labels = parseLabelSelector(query.labelSelector)
  const fields = parseFieldSelector(query.fieldSelector)
  for (const { field } of fields) checkField(kind, field)
  const pinned = (field: string): string | undefined => fields.find((r) => r.field === field && r.equal)?.value
  const name = query.name ?? pinned('metadata.name')
  const namespace = !kind.namespaced ? '' : query.namespace !== '' ? query.namespace : pinned('metadata.namespace')
  const range = rangeOf(kind, namespace, name)
  const tests = fields.filter((r) => !(r.equal && r.field === 'metadata.name' && r.value === name))
  return {
    range,
    exact: name !== undefined && namespace !== undefined,
    filters: !labels.empty || fields.length > 0 || query.name !== undefined,
    matches(item) {
      if (name !== undefined && item.object.metadata.name !== name) return false
      if (!labels.empty && !labels.matches(item.object.metadata.labels)) return false
      for (const test of tests) if ((valueOf(kind, item.object, test) === test.value) !== test.equal) return false
      return true
    },
  }
}

function rangeOf(kind: Kind, namespace: string | undefined, name: string | undefined): string {
  if (namespace === undefined) return `${kind.prefix}/`
  return `${kind.prefix}/${namespace}/${name ?? ''}`
}

function valueOf(kind: Kind, object: Readonly<AnyObject>, { field }: FieldRequirement): string {
  if (field === 'metadata.name') return object.metadata.name ?? ''
  if (field === 'metadata.namespace') return object.metadata.namespace ?? ''
  return kind.selectableFields[field]?.(object) ?? ''
}

/** Upstream has one sentence for kinds that know fields of their own (and custom ones), another for the rest. */
export function checkField(kind: Kind, field: string): void {
  if (field === 'metadata.name' || field === 'metadata.namespace' || Object.hasOwn(kind.selectableFields, field)) return
  if (Object.keys(kind.selectableFields).length > 0 || kind.custom !== undefined) throw badRequest(`field label not supported${namesItself.has(kind.group) ? ` for ${kind.group}/${kind.version}, Kind=${kind.kind}` : ''}: ${field}`)
  throw badRequest(`${JSON.stringify(field)} is not a known field selector: only "metadata.name", "metadata.namespace"`)
}

/** Groups whose kinds name themselves there. */
const namesItself = new Set(['resource.k8s.io'])

/** Whether an item's key lies in the selection's range; cheaper than looking at the object. */
export function covers(selection: Selection, key: string): boolean {
  return selection.exact ? key === selection.range : key.startsWith(selection.range)
}
