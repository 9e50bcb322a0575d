/** DefaultStorageClass: a claim that names no class gets the one that is marked default (plugin/pkg/admission/storage/storageclass/setdefault). */
import { defaultClass, storageClasses } from '../../api/storage/storageclass.ts'
import type { PersistentVolumeClaim } from '../../api/schema/types.ts'
import { isAbout, objectOf, type AdmissionDeps } from '../deps.ts'
import type { AdmissionPlugin } from '../plugin.ts'

export function defaultStorageClass({ lookup }: AdmissionDeps): AdmissionPlugin {
  return {
    name: 'DefaultStorageClass',
    handles: (request) => request.operation === 'CREATE' && isAbout(request, '', 'persistentvolumeclaims'),
    async mutate(_ctx, request) {
      const claim = objectOf<PersistentVolumeClaim>(request)
      // "" asks for no class at all; the annotation is the field of old
      if (claim.spec?.storageClassName !== undefined || claim.metadata.annotations?.['volume.beta.kubernetes.io/storage-class'] !== undefined) return undefined
      const marked = defaultClass(lookup.list(storageClasses))
      if (marked?.metadata.name !== undefined) claim.spec = { ...claim.spec, storageClassName: marked.metadata.name }
      return undefined
    },
  }
}
