/** PodTopologyLabels: a pod carries zone and region of its node, from the moment it is bound (plugin/pkg/admission/podtopologylabels). */
import { nodes } from '../../api/core/node.ts'
import type { Binding, Pod } from '../../api/schema/types.ts'
import { isAbout, objectOf, type AdmissionDeps } from '../deps.ts'
import type { AdmissionPlugin } from '../plugin.ts'

const copied = ['topology.kubernetes.io/zone', 'topology.kubernetes.io/region']

export function podTopologyLabels({ lookup }: AdmissionDeps): AdmissionPlugin {
  return {
    name: 'PodTopologyLabels',
    handles: (request) => request.operation === 'CREATE' && (isAbout(request, '', 'pods') || isAbout(request, '', 'pods', 'binding')),
    async mutate(_ctx, request) {
      const target = request.subresource === 'binding' ? objectOf<Binding>(request).target : undefined
      // the labels of a binding are copied to its pod
      const name = target === undefined ? objectOf<Pod>(request).spec?.nodeName : target.kind === 'Node' ? target.name : undefined
      const own = name === undefined || name === '' ? undefined : lookup.get(nodes, { namespace: '', name })?.metadata.labels
      const labels = copied.flatMap((key) => (own?.[key] === undefined ? [] : [[key, own[key]] as const]))
      const meta = request.object?.metadata
      if (meta !== undefined && labels.length > 0) meta.labels = { ...meta.labels, ...Object.fromEntries(labels) }
      return undefined
    },
  }
}
