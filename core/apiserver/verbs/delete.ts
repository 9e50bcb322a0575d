/** delete and deletecollection: options from body or query, then the registry; the answer is what is left, or a Status. */
import { success } from '../../api/errors.ts'
import type { DeleteOptions } from '../../api/schema/types.ts'
import type { ApiServerDeps, Call, Outcome } from '../deps.ts'
import { keyOf } from './write.ts'
import { askedOfDelete, deleteOptions, listQuery, writeOptions } from './options.ts'

/** Kinds of which upstream answers a delete with the object instead of a Status (rest's ReturnDeletedObject). */
export const answersWithObject: ReadonlySet<string> = new Set([
  '/namespaces',
  '/persistentvolumeclaims',
  '/persistentvolumes',
  '/pods',
  '/podtemplates',
  '/resourcequotas',
  '/serviceaccounts',
  '/services',
  'resource.k8s.io/deviceclasses',
  'resource.k8s.io/resourceclaims',
  'resource.k8s.io/resourceclaimtemplates',
  'resource.k8s.io/resourceslices',
  'storage.k8s.io/csidrivers',
  'storage.k8s.io/csinodes',
  'storage.k8s.io/storageclasses',
  'storage.k8s.io/volumeattachments',
  'storage.k8s.io/volumeattributesclasses',
])

export async function deleteVerb(deps: ApiServerDeps, call: Call): Promise<Outcome> {
  const options = await deleteOptions(call)
  warnOfOrphans(call, options)
  const write = writeOptions(deps, call, askedOfDelete(call, options), { operation: 'DELETE' })
  const { item, deleted } = await deps.registry.delete(call.ctx, call.kind, keyOf(call), options, write)
  const { group, plural } = call.kind
  if (!deleted || answersWithObject.has(`${group}/${plural}`)) {
    return { type: 'item', code: !deleted && options.orphanDependents === false ? 202 : 200, item }
  }
  const details = {
    name: call.info.name,
    ...(group === '' ? {} : { group }),
    kind: plural,
    ...(item.object.metadata.uid === undefined ? {} : { uid: item.object.metadata.uid }),
  }
  return { type: 'object', code: 200, object: { ...success(details) } }
}

/** Jobs leave their pods behind unless told otherwise (pkg/registry/batch/job/storage). */
function warnOfOrphans(call: Call, options: DeleteOptions): void {
  if (call.kind.group !== 'batch' || !call.kind.orphansByDefault) return
  if (options.propagationPolicy !== undefined || options.orphanDependents !== undefined) return
  call.warn('child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning')
}

export async function deleteCollectionVerb(deps: ApiServerDeps, call: Call): Promise<Outcome> {
  const query = listQuery(call)
  const options = await deleteOptions(call)
  warnOfOrphans(call, options)
  const asked = askedOfDelete(call, options)
  const result = await deps.registry.deleteCollection(call.ctx, call.kind, query, options, (object) => {
    const named = {
      ...call,
      info: { ...call.info, namespace: object.metadata.namespace ?? '', name: object.metadata.name ?? '' },
    }
    return writeOptions(deps, named, asked, { operation: 'DELETE' })
  })
  return { type: 'list', kind: call.kind, result }
}
