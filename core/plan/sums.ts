/** What adds up over many objects: quotas, Services without anybody behind them, disruption budgets that are not kept. */
import type { AnyObject } from '../api/meta.ts'
import type { EndpointSlice, PodDisruptionBudget, ResourceQuota, Service } from '../api/schema/types.ts'
import type { World } from '../fork/journal.ts'
import { thingOf, type Span } from './effects.ts'
import { byThing, type BudgetBreach, type QuotaUse, type Thing } from './plan.ts'

export function quotaUses({ before, after }: Span): readonly QuotaUse[] {
  const found: QuotaUse[] = []
  for (const [key, object] of after.get('resourcequotas') ?? []) {
    const [is, was] = [object as ResourceQuota, before.get('resourcequotas')?.get(key) as ResourceQuota | undefined]
    for (const [resource, hard] of Object.entries(is.status?.hard ?? {}).toSorted(([a], [b]) => (a < b ? -1 : 1))) {
      const [used, now] = [was?.status?.used?.[resource] ?? '0', is.status?.used?.[resource] ?? '0']
      if (used !== now) found.push({ ...thingOf(object as AnyObject), resource, before: used, after: now, hard })
    }
  }
  return found.toSorted((a, b) => byThing(a, b))
}

const slicesPrefix = 'discovery.k8s.io/endpointslices'

/** Those that are new or had somebody before. */
export function desertedServices({ before, after }: Span): readonly Thing[] {
  const [had, have] = [attended(before), attended(after)]
  return [...(after.get('services') ?? [])].flatMap(([key, object]) => {
    const { spec } = object as Service
    if (spec?.type === 'ExternalName' || Object.keys(spec?.selector ?? {}).length === 0 || have.has(key)) return []
    const is = { new: before.get('services')?.has(key) !== true, deserted: had.has(key), changed: before.get('services')?.get(key) !== object }
    return is.new || is.deserted || is.changed ? [thingOf(object as AnyObject)] : []
  }).toSorted(byThing)
}

/** Services with a ready endpoint. */
function attended(world: World): ReadonlySet<string> {
  const found = new Set<string>()
  for (const object of world.get(slicesPrefix)?.values() ?? []) {
    const { metadata, endpoints } = object as EndpointSlice
    if ((endpoints ?? []).some(({ conditions }) => conditions?.ready !== false)) found.add(`${metadata.namespace ?? ''}/${metadata.labels?.['kubernetes.io/service-name'] ?? ''}`)
  }
  return found
}

export function breachedBudgets({ before, happenings }: Span): readonly BudgetBreach[] {
  const worst = new Map<string, BudgetBreach>()
  for (const { prefix, key, object } of happenings) {
    if (prefix !== 'policy/poddisruptionbudgets') continue
    const was = before.get(prefix)?.get(key) as PodDisruptionBudget | undefined
    const { status } = object as PodDisruptionBudget
    const [healthy, desired] = [status?.currentHealthy ?? 0, status?.desiredHealthy ?? 0]
    const fell = was !== undefined && (was.status?.currentHealthy ?? 0) >= (was.status?.desiredHealthy ?? 0)
    if (fell && healthy < desired && healthy < (worst.get(key)?.healthy ?? Number.POSITIVE_INFINITY)) worst.set(key, { ...thingOf(object as AnyObject), healthy, desired })
  }
  return [...worst.values()].toSorted(byThing)
}
