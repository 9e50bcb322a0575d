/** DefaultTolerationSeconds: a pod stays five minutes on a node that went away, unless it says otherwise (plugin/pkg/admission/defaulttolerationseconds). */
import type { Pod, Toleration } from '../../api/schema/types.ts'
import { isAbout, objectOf } from '../deps.ts'
import type { AdmissionPlugin } from '../plugin.ts'

const taints = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable']
const tolerationSeconds = 300

export function defaultTolerationSeconds(): AdmissionPlugin {
  return {
    name: 'DefaultTolerationSeconds',
    handles: (request) => (request.operation === 'CREATE' || request.operation === 'UPDATE') && isAbout(request, '', 'pods'),
    async mutate(_ctx, request) {
      const spec = objectOf<Pod>(request).spec
      if (spec === undefined) return undefined
      const own = spec.tolerations ?? []
      const about = (t: Toleration, key: string): boolean =>
        ((t.key ?? '') === '' || t.key === key) && ((t.effect ?? '') === '' || t.effect === 'NoExecute')
      const missing = taints.filter((key) => !own.some((t) => about(t, key)))
      if (missing.length > 0) spec.tolerations = [...own, ...missing.map((key) => ({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds }))]
      return undefined
    },
  }
}
