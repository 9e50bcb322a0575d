/** DefaultIngressClass: an ingress that names no class gets the one that is marked default (plugin/pkg/admission/network/defaultingressclass). */
import { ingressClasses } from '../../api/networking/ingressclass.ts'
import type { Ingress } from '../../api/schema/types.ts'
import { isAbout, objectOf, type AdmissionDeps } from '../deps.ts'
import type { AdmissionPlugin } from '../plugin.ts'
import { newest } from '../../api/newest.ts'

export function defaultIngressClass({ lookup }: AdmissionDeps): AdmissionPlugin {
  return {
    name: 'DefaultIngressClass',
    handles: (request) => request.operation === 'CREATE' && isAbout(request, 'networking.k8s.io', 'ingresses'),
    async mutate(_ctx, request) {
      const ingress = objectOf<Ingress>(request)
      if (ingress.spec?.ingressClassName !== undefined || ingress.metadata.annotations?.['kubernetes.io/ingress.class'] !== undefined) return undefined
      const marked = newest(lookup.list(ingressClasses).filter((c) => c.metadata.annotations?.['ingressclass.kubernetes.io/is-default-class'] === 'true'))
      if (marked?.metadata.name !== undefined) ingress.spec = { ...ingress.spec, ingressClassName: marked.metadata.name }
      return undefined
    },
  }
}
