/** PodResizeValidator: a pod that runs cannot ask for more than its node has (plugin/pkg/admission/podresize). */
import { isDeepStrictEqual } from 'node:util'
import { nodes } from '../../api/core/node.ts'
import { podAmounts } from '../../api/core/podresources.ts'
import { quantityMilli } from '../../api/quantity.ts'
import type { Node, Pod } from '../../api/schema/types.ts'
import { isAbout, objectOf, oldObjectOf, refuse, type AdmissionDeps } from '../deps.ts'
import type { AdmissionPlugin } from '../plugin.ts'

export function podResize({ lookup }: AdmissionDeps): AdmissionPlugin {
  return {
    name: 'PodResizeValidator',
    handles: (request) => request.operation === 'UPDATE' && isAbout(request, '', 'pods', 'resize'),
    async validate(_ctx, request) {
      const [pod, before] = [objectOf<Pod>(request), oldObjectOf<Pod>(request)]
      const { nodeName = '' } = pod.spec ?? {}
      if (nodeName === '' || isDeepStrictEqual(pod.spec, before.spec)) return undefined
      const node = lookup.get(nodes, { namespace: '', name: nodeName })
      if (node === undefined) return refuse(request, `node ${JSON.stringify(nodeName)} not found`)
      const os = node.metadata.labels?.['kubernetes.io/os'] ?? 'linux'
      if (os !== 'linux') return refuse(request, `pod resize is only supported on linux nodes, node ${JSON.stringify(nodeName)} is ${JSON.stringify(os)}`, [{ reason: 'UnsupportedPlatform' }])
      const lacking = beyond(pod, node)
      return lacking.length === 0 ? undefined : refuse(request, `node didn't have enough allocatable resources: ${lacking.join('; ')}`, [{ reason: 'NodeCapacity' }])
    },
  }
}

/** Amounts come in thousandths; cpu is told in them. */
function beyond(pod: Readonly<Pod>, node: Readonly<Node>): readonly string[] {
  const wanted = podAmounts(pod, 'requests')
  return (['cpu', 'memory'] as const).flatMap((name) => {
    const [asked, has] = [wanted[name] ?? 0, quantityMilli(node.status?.allocatable?.[name] ?? 0)]
    const told = (milli: number): number => (name === 'cpu' ? milli : Math.ceil(milli / 1_000))
    return asked > has ? [`${name}, requested: ${told(asked)}, allocatable: ${told(has)}`] : []
  })
}
