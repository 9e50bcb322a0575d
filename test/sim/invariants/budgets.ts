/** Evictions are paid for: each takes one disruption of a budget that has one, and a budget never owes any. And enough pods stay. */
import { isPodReady } from '../../../core/api/core/podstate.ts'
import { selectorOf } from '../../../core/api/selector.ts'
import type { Pod, PodDisruptionBudget } from '../../../core/api/schema/types.ts'
import type { Invariant } from '../invariant.ts'
import { Recent } from '../recent.ts'

export const evictionsArePaidFor: Invariant = {
  name: 'budgets hold against evictions',
  begin: () => ({
    after({ prefix, key, object, prev, type }) {
      if (prefix !== 'policy/poddisruptionbudgets' || type === 'deleted') return undefined
      const now = (object as PodDisruptionBudget).status
      const before = (prev as PodDisruptionBudget | undefined)?.status
      const allowed = now?.disruptionsAllowed ?? 0
      if (allowed < 0) return `${key} allows ${allowed} disruptions`
      const taken = Object.keys(now?.disruptedPods ?? {}).filter((pod) => before?.disruptedPods?.[pod] === undefined)
      if (taken.length === 0) return undefined
      const had = before?.disruptionsAllowed ?? 0
      return had - taken.length === allowed ? undefined : `${key} let go ${taken.join()} and allows ${allowed} more, it had ${had}`
    },
  }),
}

const isHealthy = (pod: Readonly<Pod>): boolean => isPodReady(pod) && pod.metadata.deletionTimestamp === undefined

/** Pods that other things than evictions have taken lately are not held against it: a budget counts them when it hears of them. */
export const evictionsLeaveEnough: Invariant = {
  name: 'evictions leave as many healthy pods as their budget demands',
  begin({ history, lateMs }) {
    const healthy = new Recent<string>()
    const seen = new Map<string, Readonly<Pod>>()
    const evicted = new Set<string>()
    return {
      after({ prefix, type, key, object, prev, atMs }) {
        if (prefix === 'pods') {
          const { uid = '' } = object.metadata
          seen.set(uid, object as Pod)
          healthy.set(uid, type !== 'deleted' && isHealthy(object as Pod), atMs)
        }
        if (prefix !== 'policy/poddisruptionbudgets' || type === 'deleted') return undefined
        const { spec, status, metadata } = object as PodDisruptionBudget
        const { namespace = '' } = metadata
        const going = Object.keys(status?.disruptedPods ?? {})
        const taken = going.filter((pod) => (prev as PodDisruptionBudget | undefined)?.status?.disruptedPods?.[pod] === undefined)
        if (taken.length === 0) return undefined
        const pods = history.all<Pod>('pods')
        for (const pod of going) evicted.add(pods.get(`${namespace}/${pod}`)?.metadata.uid ?? '')
        const selector = selectorOf(spec?.selector)
        const isMine = (pod: Readonly<Pod> | undefined): boolean => pod !== undefined && pod.metadata.namespace === namespace && selector.matches(pod.metadata.labels) && !evicted.has(pod.metadata.uid ?? '')
        const stay = [...pods.values()].filter((pod) => isMine(pod) && isHealthy(pod)).length
        const lost = [...healthy.left(2 * lateMs, atMs)].filter((uid) => isMine(seen.get(uid))).length
        const { desiredHealthy = 0 } = status ?? {}
        return stay + lost >= desiredHealthy ? undefined : `${key} let go ${taken.join()}: ${stay} healthy pods stay, ${lost} were lost otherwise, and it demands ${desiredHealthy}`
      },
    }
  },
}
