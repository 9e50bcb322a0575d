/**
 * No pod is let in that a quota does not let in. Pods on their way out are left out of the count: for some of them quotas
 * no longer speak.
 */
import { isPodActive } from '../../../core/api/core/podstate.ts'
import { quantityMilli } from '../../../core/api/quantity.ts'
import type { Pod, ResourceQuota } from '../../../core/api/schema/types.ts'
import type { Invariant } from '../invariant.ts'

export const quotasHold: Invariant = {
  name: 'quotas hold',
  begin: ({ history }) => ({
    after({ prefix, type, object }) {
      if (prefix !== 'pods' || type !== 'added') return undefined
      const namespace = object.metadata.namespace ?? ''
      for (const quota of history.all<ResourceQuota>('resourcequotas').values()) {
        if (quota.metadata.namespace !== namespace) continue
        const pods = [...history.all<Pod>('pods').values()].filter((pod) => pod.metadata.namespace === namespace && isPodActive(pod))
        const { pods: podsMax, 'requests.cpu': cpuMax } = quota.spec?.hard ?? {}
        if (podsMax !== undefined && pods.length > Number(podsMax)) return `${namespace} has ${pods.length} pods, ${podsMax} are allowed`
        const cpu = pods.flatMap((pod) => pod.spec?.containers ?? []).reduce((sum, { resources }) => sum + quantityMilli(resources?.requests?.['cpu'] ?? 0), 0)
        if (cpuMax !== undefined && cpu > quantityMilli(cpuMax)) return `pods in ${namespace} ask for ${cpu} m of cpu, ${cpuMax} is allowed`
      }
      return undefined
    },
  }),
}
