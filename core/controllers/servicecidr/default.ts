/**
 * The default ServiceCIDR, of what the server is configured with: made again when it is gone, and never changed, because
 * Services have their addresses from it. Upstream's API server keeps it up itself (controlplane/controller/defaultservicecidr).
 */
import { serviceCIDRs } from '../../api/networking/servicecidr.ts'
import { isBeingDeleted } from '../../api/meta.ts'
import { equalJson } from '../../lib/json.ts'
import { type Controller, serverIdentity } from '../controller.ts'
import { isApiError } from '../../api/errors.ts'

const name = 'kubernetes'

export const defaultServiceCidr: Controller = {
  name: 'kubernetes-service-cidr-controller',
  identity: serverIdentity,
  workers: 1,
  setUp(env) {
    const cidrs = [env.settings.serviceCidr]
    const lister = env.watch(serviceCIDRs, ({ metadata }) => (metadata.name === name ? [name] : []))
    let told = false
    env.queue.add(name)
    return async (ctx, _key, client) => {
      const range = lister.at(name)
      if (range === undefined) {
        const made = client.create(ctx, serviceCIDRs, { apiVersion: 'networking.k8s.io/v1', kind: 'ServiceCIDR', metadata: { name }, spec: { cidrs } })
        await made.catch((error: unknown) => {
          if (!isApiError(error, 'AlreadyExists')) throw error // boot was quicker
        })
        return
      }
      if (told || isBeingDeleted(range) || equalJson(range.spec?.cidrs, cidrs)) return
      told = true
      env.recorder.event(serviceCIDRs, range, 'Warning', 'KubernetesDefaultServiceCIDRInconsistent', `The default ServiceCIDR [${range.spec?.cidrs?.join(' ')}] does not match the controller flag configurations [${cidrs.join(' ')}]`)
    }
  },
}
