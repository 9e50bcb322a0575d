/** Field ownership of a write (metadata.managedFields): the one place where the registry asks api/patch for it. */
import type { Kind } from '../api/kind.ts'
import type { AnyObject } from '../api/meta.ts'
import { updateManagedFields } from '../api/patch/managedfields.ts'
import { equalJson } from '../lib/json.ts'
import type { WriteOptions } from './registry.ts'

/** Sets next.metadata.managedFields for a write by options.manager; an apply has done it already. */
export function trackOwnership(kind: Kind, next: AnyObject, prev: Readonly<AnyObject> | undefined, options: WriteOptions): void {
  const { manager, subresource, env } = options
  if (manager === undefined) {
    if (prev?.metadata.managedFields !== undefined) next.metadata.managedFields ??= prev.metadata.managedFields
    return
  }
  if (manager.operation === 'Apply') return
  updateManagedFields({ prev, next, manager: manager.name, kind, subresource, now: env.now, ...(kind.custom === undefined ? {} : { type: kind.custom.type }) })
}

/** Whether the two would be the same if nobody had written down when: such a write changes nothing. */
export function sameButForTimes(next: Readonly<AnyObject>, prev: Readonly<AnyObject>): boolean {
  const { managedFields: nextManaged, resourceVersion: _n, ...nextMeta } = next.metadata
  const { managedFields: prevManaged, resourceVersion: _p, ...prevMeta } = prev.metadata
  if (!equalJson(nextMeta, prevMeta)) return false
  for (const field of new Set([...Object.keys(next), ...Object.keys(prev)])) {
    if (field !== 'metadata' && field !== 'kind' && field !== 'apiVersion' && !equalJson(next[field], prev[field])) return false
  }
  const timeless = (entries: typeof nextManaged): unknown => (entries ?? []).map((entry) => ({ ...entry, time: undefined }))
  return equalJson(timeless(nextManaged), timeless(prevManaged))
}
