/** StorageObjectInUseProtection: volumes and claims get a finalizer that a controller takes away when nobody uses them (plugin/pkg/admission/storage/storageobjectinuseprotection). */
import { isAbout } from '../deps.ts'
import type { AdmissionPlugin, AdmissionRequest } from '../plugin.ts'

function finalizerOf(request: AdmissionRequest): string | undefined {
  if (isAbout(request, '', 'persistentvolumes')) return 'kubernetes.io/pv-protection'
  if (isAbout(request, '', 'persistentvolumeclaims')) return 'kubernetes.io/pvc-protection'
  return isAbout(request, 'storage.k8s.io', 'volumeattributesclasses') ? 'kubernetes.io/vac-protection' : undefined
}

export function storageObjectInUseProtection(): AdmissionPlugin {
  return {
    name: 'StorageObjectInUseProtection',
    handles: (request) => request.operation === 'CREATE' && finalizerOf(request) !== undefined,
    async mutate(_ctx, request) {
      const [finalizer, meta] = [finalizerOf(request), request.object?.metadata]
      if (finalizer !== undefined && meta !== undefined && !meta.finalizers?.includes(finalizer)) meta.finalizers = [...(meta.finalizers ?? []), finalizer]
      return undefined
    },
  }
}
