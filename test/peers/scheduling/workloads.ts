/** What stands beside pods: Services and the owners of pods, which default spreading asks for, and budgets, which preemption weighs. */
import type { PodDisruptionBudget, TypedObject } from '../../../core/api/schema/types.ts'
import type { Drawing } from './cluster.ts'
import { appLabels, podSelector } from './terms.ts'

export function workloads(drawing: Drawing): readonly TypedObject[] {
  if (!drawing.about('defaultSpread')) return []
  const { draw } = drawing
  return appLabels.app.flatMap((app): readonly TypedObject[] => {
    const metadata = { name: app, namespace: 'default' }
    const template = { metadata: { labels: { app } }, spec: { containers: [] } }
    const service = { apiVersion: 'v1', kind: 'Service', metadata, spec: { selector: draw.chance(0.8) ? { app } : { app, tier: 'front' } } }
    const replicas = { apiVersion: 'apps/v1', kind: 'ReplicaSet', metadata, spec: { selector: { matchLabels: { app } }, template } }
    const stateful = { apiVersion: 'apps/v1', kind: 'StatefulSet', metadata, spec: { selector: { matchLabels: { app, tier: 'back' } }, serviceName: app, template } }
    return [service, replicas, stateful].filter(() => draw.chance(0.6))
  })
}

export function budget(drawing: Drawing, name: string): PodDisruptionBudget {
  const { draw } = drawing
  const status = { currentHealthy: 1, desiredHealthy: 1, expectedPods: 1, disruptionsAllowed: draw.int(3), ...(draw.chance(0.2) ? { disruptedPods: { [`e${1 + draw.int(6)}`]: '2026-01-03T00:00:00Z' } } : {}) }
  return { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', metadata: { name, namespace: 'default' }, spec: { selector: podSelector(drawing) }, status }
}
