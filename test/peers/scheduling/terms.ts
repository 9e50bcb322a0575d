/** Terms over nodes and over other pods: selectors, affinity, tolerations, spreading. */
import type { Affinity, LabelSelector, NodeSelectorRequirement, NodeSelectorTerm, PodAffinity, PodAffinityTerm, Toleration, TopologySpreadConstraint } from '../../../core/api/schema/types.ts'
import type { Drawing } from './cluster.ts'
import { hostKey, regionKey, taintKeys, topologyKeys, zoneKey, zones } from './nodes.ts'

export const appLabels = { app: ['web', 'db', 'cache'], tier: ['front', 'back'], version: ['v1', 'v2'] } as const

const nodeValues: Readonly<Record<string, readonly string[]>> = {
  [zoneKey]: zones, [regionKey]: ['r1', 'r2'], disk: ['ssd', 'hdd'], generation: ['1', '2', '3', '7', 'old'], rack: ['k1', 'k2', 'k3'],
}

function some<T>({ draw }: Drawing, of: readonly T[]): T[] {
  const chosen = of.filter(() => draw.chance(0.5))
  return chosen.length > 0 ? chosen : [draw.one(of)]
}

export function nodeSelector(drawing: Drawing): Record<string, string> {
  const { draw } = drawing
  return Object.fromEntries(Array.from({ length: draw.chance(0.8) ? 1 : 2 }, () => draw.one(Object.keys(nodeValues))).map((key) => [key, draw.one(nodeValues[key] ?? [])]))
}

function nodeRequirement(drawing: Drawing): NodeSelectorRequirement {
  const { draw } = drawing
  if (draw.chance(0.2)) return { key: 'generation', operator: draw.one(['Gt', 'Lt']), values: [draw.one(['1', '2', '5'])] }
  const key = draw.one(Object.keys(nodeValues))
  const operator = draw.one(['In', 'In', 'NotIn', 'NotIn', 'Exists', 'DoesNotExist'])
  return operator === 'In' || operator === 'NotIn' ? { key, operator, values: some(drawing, nodeValues[key] ?? []) } : { key, operator }
}

export function nodeTerm(drawing: Drawing): NodeSelectorTerm {
  const { draw, nodes } = drawing
  if (draw.chance(0.15)) return { matchFields: [{ key: 'metadata.name', operator: draw.chance(0.7) ? 'In' : 'NotIn', values: [draw.chance(0.9) ? draw.one(nodes) : 'nowhere'] }] }
  if (draw.chance(0.04)) return {}
  const matchExpressions = Array.from({ length: draw.chance(0.7) ? 1 : 2 }, () => nodeRequirement(drawing))
  return draw.chance(0.06) ? { matchExpressions, matchFields: [{ key: 'metadata.name', operator: 'In', values: [draw.one(nodes)] }] } : { matchExpressions }
}

export function drawAffinity(drawing: Drawing, { pending }: { readonly pending: boolean }): Affinity {
  const { draw, about } = drawing
  const affinity: Affinity = {}
  if (pending && about('nodeAffinity')) {
    affinity.nodeAffinity = {}
    if (draw.chance(0.6)) affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution = { nodeSelectorTerms: Array.from({ length: 1 + draw.int(2) }, () => nodeTerm(drawing)) }
    if (draw.chance(0.8)) {
      affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution = Array.from({ length: 1 + draw.int(2) }, () => ({ weight: 1 + draw.int(100), preference: nodeTerm(drawing) }))
    }
  }
  if (about('podAffinity')) {
    if (draw.chance(0.45)) affinity.podAffinity = podTerms(drawing, { requiredChance: pending ? 0.5 : 0.4 })
    if (draw.chance(0.5)) affinity.podAntiAffinity = podTerms(drawing, { requiredChance: 0.6 })
  }
  return affinity
}

function podTerms(drawing: Drawing, { requiredChance }: { readonly requiredChance: number }): PodAffinity {
  const { draw } = drawing
  const terms: PodAffinity = {}
  if (draw.chance(requiredChance)) terms.requiredDuringSchedulingIgnoredDuringExecution = Array.from({ length: draw.chance(0.8) ? 1 : 2 }, () => podTerm(drawing))
  if (draw.chance(0.5)) {
    terms.preferredDuringSchedulingIgnoredDuringExecution = Array.from({ length: 1 + draw.int(2) }, () => ({ weight: 1 + draw.int(100), podAffinityTerm: podTerm(drawing) }))
  }
  return terms
}

export function podSelector(drawing: Drawing): LabelSelector {
  const { draw } = drawing
  const key = draw.one(Object.keys(appLabels) as (keyof typeof appLabels)[])
  if (draw.chance(0.6)) return { matchLabels: { [key]: draw.one(appLabels[key]) } }
  if (draw.chance(0.1)) return {}
  const operator = draw.one(['In', 'NotIn', 'Exists', 'DoesNotExist'])
  return { matchExpressions: [operator === 'In' || operator === 'NotIn' ? { key, operator, values: some(drawing, appLabels[key]) } : { key, operator }] }
}

/**
 * The API server turns matchLabelKeys of affinity into expressions when a pod is made: here the keys that it would have
 * added stand in the selector.
 */
function podTerm(drawing: Drawing): PodAffinityTerm {
  const { draw } = drawing
  const term: PodAffinityTerm = { topologyKey: draw.one(topologyKeys), ...(draw.chance(0.95) ? { labelSelector: podSelector(drawing) } : {}) }
  if (draw.chance(0.2)) term.namespaces = some(drawing, ['default', 'team-a', 'team-b', 'lab'])
  if (draw.chance(0.2)) term.namespaceSelector = draw.chance(0.3) ? {} : draw.one<LabelSelector>([{ matchLabels: { stage: 'live' } }, { matchExpressions: [{ key: 'team', operator: 'Exists' }] }, { matchLabels: { team: 'nobody' } }])
  if (term.labelSelector !== undefined && draw.chance(0.12)) {
    const operator = draw.one(['In', 'NotIn'])
    term[operator === 'In' ? 'matchLabelKeys' : 'mismatchLabelKeys'] = ['version']
    term.labelSelector.matchExpressions = [...(term.labelSelector.matchExpressions ?? []), { key: 'version', operator, values: [draw.one(appLabels.version)] }]
  }
  return term
}

export function tolerations(drawing: Drawing): Toleration[] {
  const { draw } = drawing
  return Array.from({ length: 1 + draw.int(3) }, () => {
    if (draw.chance(0.08)) return { operator: 'Exists' }
    if (draw.chance(0.1)) return { key: 'node.kubernetes.io/unschedulable', operator: 'Exists', effect: 'NoSchedule' }
    const key = draw.one(taintKeys)
    const effect = draw.one(['', 'NoSchedule', 'NoSchedule', 'PreferNoSchedule', 'NoExecute'])
    const operator = draw.one(['', 'Equal', 'Exists', 'Exists'])
    const value = key === 'level' ? String(draw.int(10)) : draw.one(['db', 'web'])
    return { key, ...(operator === '' ? {} : { operator }), ...(operator === 'Exists' ? {} : { value }), ...(effect === '' ? {} : { effect }) }
  })
}

export function spreadConstraints(drawing: Drawing): TopologySpreadConstraint[] {
  const { draw } = drawing
  const keys = [hostKey, zoneKey, zoneKey, 'rack', regionKey]
  return Array.from({ length: 1 + draw.int(2) }, (): TopologySpreadConstraint => {
    const hard = draw.chance(0.6)
    return {
      topologyKey: draw.one(keys), maxSkew: 1 + draw.int(3), whenUnsatisfiable: hard ? 'DoNotSchedule' : 'ScheduleAnyway',
      ...(draw.chance(0.95) ? { labelSelector: podSelector(drawing) } : {}),
      ...(hard && draw.chance(0.25) ? { minDomains: 1 + draw.int(5) } : {}),
      ...(draw.chance(0.25) ? { nodeAffinityPolicy: draw.one(['Honor', 'Ignore']) } : {}),
      ...(draw.chance(0.25) ? { nodeTaintsPolicy: draw.one(['Honor', 'Ignore']) } : {}),
      ...(draw.chance(0.2) ? { matchLabelKeys: ['version'] } : {}),
    }
  })
}
