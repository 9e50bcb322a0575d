/** TaintNodesByCondition: a new node starts as not ready, so that nothing is scheduled to it before its kubelet says so (plugin/pkg/admission/nodetaint). */
import type { Node } from '../../api/schema/types.ts'
import { isAbout, objectOf } from '../deps.ts'
import type { AdmissionPlugin } from '../plugin.ts'

const notReady = { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }

export function taintNodesByCondition(): AdmissionPlugin {
  return {
    name: 'TaintNodesByCondition',
    handles: (request) => request.operation === 'CREATE' && isAbout(request, '', 'nodes'),
    async mutate(_ctx, request) {
      const node = objectOf<Node>(request)
      const taints = node.spec?.taints ?? []
      if (taints.some((t) => t.key === notReady.key && t.effect === notReady.effect)) return undefined
      node.spec = { ...node.spec, taints: [...taints, { ...notReady }] }
      return undefined
    },
  }
}
