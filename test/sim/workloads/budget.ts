/** PodDisruptionBudgets over the pods of other workloads, and somebody who evicts them. */
import { podDisruptionBudgets } from '../../../core/api/policy/poddisruptionbudget.ts'
import { isPodReady } from '../../../core/api/core/podstate.ts'
import type { PodDisruptionBudget } from '../../../core/api/schema/types.ts'
import { simNamespace } from '../cluster.ts'
import type { History } from '../history.ts'
import { pick, type Place, type Workload, type WorkloadKind } from '../workload.ts'
import { evictPods, podsOf } from './pods.ts'

export const budgetWorkload: WorkloadKind = { name: 'budget', draw }

function draw({ random, index }: Place): Workload {
  const name = `budget${index}`
  const app = pick(random, ['web0', 'set0', 'db0'])
  const bound = pick(random, [{ minAvailable: 1 }, { minAvailable: 2 }, { minAvailable: '50%' }, { maxUnavailable: 1 }, { maxUnavailable: '40%' }])
  const budget: PodDisruptionBudget = { metadata: { name }, spec: { ...bound, selector: { matchLabels: { app } } } }
  return { name, begin: (user) => user.create(podDisruptionBudgets, budget), acts: [() => evictPods(random, app)], lacks: (history) => lacks(history, name, app) }
}

function lacks(history: History, name: string, app: string): string | undefined {
  const budget = history.all<PodDisruptionBudget>('policy/poddisruptionbudgets').get(`${simNamespace}/${name}`)
  const healthy = podsOf(history, app).filter(isPodReady).length
  const { currentHealthy, desiredHealthy = 0, disruptionsAllowed, observedGeneration, disruptedPods = {} } = budget?.status ?? {}
  if (observedGeneration !== budget?.metadata.generation) return `budget ${name}: generation ${String(budget?.metadata.generation)} was not observed`
  if (Object.keys(disruptedPods).length > 0) return `budget ${name} waits for ${Object.keys(disruptedPods).join()}`
  if (currentHealthy !== healthy) return `budget ${name} counts ${String(currentHealthy)} healthy pods, there are ${healthy}`
  const allowed = Math.max(0, healthy - desiredHealthy)
  return disruptionsAllowed === allowed || healthy === 0 ? undefined : `budget ${name} allows ${String(disruptionsAllowed)} disruptions of ${healthy} pods, ${desiredHealthy} are to stay`
}
