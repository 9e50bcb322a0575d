/** Evictions are paid for: each takes one disruption of a budget that has one, and a budget never owes any. */
import type { PodDisruptionBudget } from '../../../core/api/schema/types.ts'
import type { Invariant } from '../invariant.ts'

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
