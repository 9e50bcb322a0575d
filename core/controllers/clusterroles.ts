/** Aggregated cluster roles: a role with an aggregationRule has the rules of all roles that it selects (upstream's clusterroleaggregation). */
import { clusterRoles } from '../api/rbac/clusterrole.ts'
import { keyOf } from '../api/meta.ts'
import type { ClusterRole, PolicyRule } from '../api/schema/types.ts'
import { selectorOf } from '../api/selector.ts'
import { equalJson } from '../lib/json.ts'
import type { Controller } from './controller.ts'
import { itself } from './run.ts'

export const clusterRoleAggregator: Controller = {
  name: 'clusterrole-aggregation-controller',
  setUp(env) {
    const informer = env.informers.of(clusterRoles)
    const aggregated = (): string[] => informer.lister.list().filter((role) => role.aggregationRule !== undefined).flatMap(itself)
    const lister = env.watch(clusterRoles, aggregated)
    return async (ctx, key, client) => {
      const role = lister.at(key)
      if (role?.aggregationRule === undefined) return
      const rules = aggregate(role, lister.list())
      if (equalJson(rules, role.rules ?? [])) return
      const { resourceVersion } = role.metadata
      await client.patch(ctx, clusterRoles, keyOf(role), 'merge', { metadata: { resourceVersion }, rules })
    }
  },
}

/** Each rule once, in the order of the roles' names. */
export function aggregate(role: Readonly<ClusterRole>, all: readonly Readonly<ClusterRole>[]): PolicyRule[] {
  const rules: PolicyRule[] = []
  const selectors = (role.aggregationRule?.clusterRoleSelectors ?? []).map(selectorOf)
  for (const selector of selectors) {
    const selected = all.filter((other) => other.metadata.name !== role.metadata.name && selector.matches(other.metadata.labels))
    for (const other of selected.toSorted((a, b) => ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1))) {
      for (const rule of other.rules ?? []) if (!rules.some((have) => equalJson(have, rule))) rules.push(rule)
    }
  }
  return rules
}
