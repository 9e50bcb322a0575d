/** Publishes the authority of the API server's certificate into every namespace, as ConfigMap kube-root-ca.crt: pods trust by it. */
import { isApiError } from '../api/errors.ts'
import { configMaps } from '../api/core/configmap.ts'
import { namespaces } from '../api/core/namespace.ts'
import { cloneJson, equalJson } from '../lib/json.ts'
import type { Controller } from './controller.ts'
import { isTerminatingNamespace } from './podcontrol.ts'
import { itself } from './run.ts'

const name = 'kube-root-ca.crt'
const description = {
  'kubernetes.io/description': 'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or ' +
    'kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.',
}

export const rootCaPublisher: Controller = {
  name: 'root-ca-cert-publisher',
  setUp(env) {
    const lister = env.watch(namespaces, itself)
    const maps = env.watch(configMaps, (map) => (map.metadata.name === name ? [map.metadata.namespace ?? ''] : []))
    return async (ctx, namespace, client) => {
      const home = lister.at(namespace)
      if (home === undefined || home.status?.phase === 'Terminating') return
      const data = { 'ca.crt': env.settings.rootCa }
      const have = maps.get({ namespace, name })
      try {
        if (have === undefined) {
          await client.create(ctx, configMaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace, annotations: description }, data })
        } else if (!equalJson(have.data, data) || !equalJson({ ...have.metadata.annotations, ...description }, have.metadata.annotations)) {
          await client.update(ctx, configMaps, { ...cloneJson(have), metadata: { ...have.metadata, annotations: { ...have.metadata.annotations, ...description } }, data })
        }
      } catch (error) {
        if (!isApiError(error, 'AlreadyExists') && !isTerminatingNamespace(error)) throw error
      }
    }
  },
}
