/** The namespace of a request, as expressions see it: a namespace itself is in none. */
import { notFound, type ApiError } from '../../api/errors.ts'
import { namespaces } from '../../api/core/namespace.ts'
import type { Namespace } from '../../api/schema/types.ts'
import type { Lookup } from '../../auth/lookup.ts'
import { kindOf, namespaceOf } from '../match.ts'
import type { AdmissionRequest } from '../plugin.ts'

export function namespaceObject(request: AdmissionRequest, lookup: Lookup): Readonly<Namespace> | ApiError | undefined {
  const { group, kind } = kindOf(request)
  const name = group === '' && kind === 'Namespace' ? '' : namespaceOf(request)
  if (name === '') return undefined
  return lookup.get(namespaces, { namespace: '', name }) ?? notFound({ group: '', resource: 'namespaces' }, name)
}
