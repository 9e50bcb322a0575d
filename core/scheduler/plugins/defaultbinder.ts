/** DefaultBinder: writes the decision through the pod's binding subresource. */
import type { Client } from '../../client/client.ts'
import { keyOf } from '../../api/meta.ts'
import { pods } from '../../api/core/pod.ts'
import type { Plugin } from '../framework.ts'

export function defaultBinder(client: Client): Plugin {
  return {
    name: 'DefaultBinder',
    async bind(ctx, pod, nodeName) {
      const { name = '', namespace = '', uid = '' } = pod.metadata
      const binding = { apiVersion: 'v1', kind: 'Binding', metadata: { name, namespace, uid }, target: { kind: 'Node', name: nodeName } }
      await client.post(ctx, pods, keyOf(pod), 'binding', binding)
    },
  }
}
