/**
 * NamespaceLifecycle: nothing is written into a namespace that is not there, nothing new into one that is going away, and the
 * system's own namespaces are never deleted (apiserver/pkg/admission/plugin/namespace/lifecycle).
 */
import { notFound } from '../../api/errors.ts'
import { namespaces } from '../../api/core/namespace.ts'
import { isAbout, refuse, type AdmissionDeps } from '../deps.ts'
import type { AdmissionPlugin } from '../plugin.ts'

const immortal = new Set(['default', 'kube-system', 'kube-public'])
/** A namespace made a moment ago may not have reached the lookup yet. */
const missingWaitMs = 50

export function namespaceLifecycle({ lookup }: AdmissionDeps): AdmissionPlugin {
  return {
    name: 'NamespaceLifecycle',
    handles: (request) => request.operation !== 'CONNECT',
    async mutate(ctx, request) {
      if (isAbout(request, '', 'namespaces')) {
        return request.operation === 'DELETE' && immortal.has(request.name) ? refuse(request, 'this namespace may not be deleted') : undefined
      }
      if (request.namespace === '' || request.operation === 'DELETE' || isAbout(request, 'authorization.k8s.io', 'localsubjectaccessreviews')) return undefined
      const key = { namespace: '', name: request.namespace }
      let namespace = lookup.get(namespaces, key)
      if (namespace === undefined && request.operation === 'CREATE') {
        await ctx.clock.sleep(missingWaitMs, ctx.signal)
        namespace = lookup.get(namespaces, key)
      }
      if (namespace === undefined) return notFound({ group: '', resource: 'namespaces' }, request.namespace)
      if (request.operation !== 'CREATE' || namespace.status?.phase !== 'Terminating') return undefined
      return refuse(request, `unable to create new content in namespace ${request.namespace} because it is being terminated`, [
        { reason: 'NamespaceTerminating', message: `namespace ${request.namespace} is being terminated`, field: 'metadata.namespace' },
      ])
    },
  }
}
