/** NodeName: a pod that names its node goes there or nowhere. */
import type { Plugin, Refusal } from '../framework.ts'

const refusal: Refusal = { reasons: ["node(s) didn't match the requested node name"], unresolvable: true }

export const nodeName: Plugin = {
  name: 'NodeName',
  local: true,
  filter(pod) {
    const wanted = pod.spec?.nodeName ?? ''
    return wanted === '' ? undefined : { check: (node) => (node.name === wanted ? undefined : refusal) }
  },
  wakes: (pod, event) => event.type === 'node added' && event.node.metadata.name === pod.spec?.nodeName,
}
