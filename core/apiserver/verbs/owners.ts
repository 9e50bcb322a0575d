/** Owner references that are there twice are dropped with a warning, as upstream does (endpoints/handlers/rest.go). */
import type { AnyObject } from '../../api/meta.ts'
import type { OwnerReference } from '../../api/schema/types.ts'
import type { Call } from '../deps.ts'

export function dedupeOwners(object: AnyObject, call: Pick<Call, 'warn'>): void {
  const owners = object.metadata.ownerReferences
  if (owners === undefined || owners.length < 2) return
  const seen = new Set<string>()
  const kept: OwnerReference[] = []
  const twice: string[] = []
  for (const owner of owners) {
    const id = JSON.stringify([
      owner.apiVersion,
      owner.kind,
      owner.name,
      owner.uid,
      owner.controller,
      owner.blockOwnerDeletion,
    ])
    if (seen.has(id)) twice.push(owner.uid)
    else kept.push(owner)
    seen.add(id)
  }
  if (twice.length === 0) return
  object.metadata.ownerReferences = kept
  call.warn(
    `.metadata.ownerReferences contains duplicate entries; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; ` +
      `please fix your requests; duplicate UID(s) observed: ${twice.join(', ')}`,
  )
}
