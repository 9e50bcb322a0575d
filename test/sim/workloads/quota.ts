/** A quota over all workloads, mostly roomy, sometimes tight: then it is met when it is used up. */
import { resourceQuotas } from '../../../core/api/core/resourcequota.ts'
import { isPodTerminal } from '../../../core/api/core/podstate.ts'
import type { Pod, ResourceQuota } from '../../../core/api/schema/types.ts'
import { simNamespace } from '../cluster.ts'
import type { History } from '../history.ts'
import { pick, type Place, type Workload, type WorkloadKind } from '../workload.ts'

export const quotaWorkload: WorkloadKind = { name: 'quota', draw }

function draw({ random, index }: Place): Workload {
  const name = `quota${index}`
  const podsMax = pick(random, [60, 40, 8])
  const hard = random.fraction() < 0.5 ? { pods: String(podsMax) } : { 'requests.cpu': `${podsMax * 100}m` }
  return {
    name,
    /** What comes before a quota was first counted is let in, upstream as here. */
    async begin(user) {
      await user.create(resourceQuotas, { metadata: { name }, spec: { hard } })
      await user.until(resourceQuotas, name, ({ status }) => status?.hard !== undefined)
    },
    acts: [],
    lacks: (history) => lacks(history, name),
  }
}

function lacks(history: History, name: string): string | undefined {
  const quota = history.all<ResourceQuota>('resourcequotas').get(`${simNamespace}/${name}`)
  const { pods: used } = quota?.status?.used ?? {}
  if (quota?.spec?.hard?.['pods'] === undefined) return undefined
  const there = [...history.all<Pod>('pods').values()].filter((pod) => pod.metadata.namespace === simNamespace && !isPodTerminal(pod)).length
  return used === String(there) ? undefined : `quota ${name} counts ${String(used)} pods, there are ${there}`
}

/** Whether a quota leaves no room for one more pod: then others may lack some. */
export function isFull(history: History): boolean {
  for (const { spec } of history.all<ResourceQuota>('resourcequotas').values()) {
    const hard = spec?.hard?.['pods'] ?? spec?.hard?.['requests.cpu'] ?? ''
    const podsMax = hard.endsWith('m') ? Number(hard.slice(0, -1)) / 100 : Number(hard)
    const there = [...history.all<Pod>('pods').values()].filter((pod) => pod.metadata.namespace === simNamespace && !isPodTerminal(pod)).length
    if (there >= podsMax) return true
  }
  return false
}
