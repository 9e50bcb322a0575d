/** PersistentVolumeClaimResize: a claim grows only when it is bound and its class allows it (plugin/pkg/admission/storage/persistentvolume/resize). */
import { compareQuantities } from '../../api/quantity.ts'
import { storageClasses } from '../../api/storage/storageclass.ts'
import type { PersistentVolumeClaim } from '../../api/schema/types.ts'
import { isAbout, objectOf, oldObjectOf, refuse, type AdmissionDeps } from '../deps.ts'
import type { AdmissionPlugin } from '../plugin.ts'

export function claimResize({ lookup }: AdmissionDeps): AdmissionPlugin {
  return {
    name: 'PersistentVolumeClaimResize',
    handles: (request) => request.operation === 'UPDATE' && isAbout(request, '', 'persistentvolumeclaims'),
    async validate(_ctx, request) {
      const [next, prev] = [objectOf<PersistentVolumeClaim>(request), oldObjectOf<PersistentVolumeClaim>(request)]
      const size = (claim: Readonly<PersistentVolumeClaim>): string | number => claim.spec?.resources?.requests?.['storage'] ?? 0
      if (compareQuantities(size(next), size(prev)) <= 0) return undefined
      if (prev.status?.phase !== 'Bound') return refuse(request, 'Only bound persistent volume claims can be expanded')
      const name = classOf(next)
      const allowed = name !== '' && name === classOf(prev) && lookup.get(storageClasses, { namespace: '', name })?.allowVolumeExpansion === true
      return allowed ? undefined
        : refuse(request, 'only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize')
    },
  }
}

function classOf(claim: Readonly<PersistentVolumeClaim>): string {
  return claim.metadata.annotations?.['volume.beta.kubernetes.io/storage-class'] ?? claim.spec?.storageClassName ?? ''
}
