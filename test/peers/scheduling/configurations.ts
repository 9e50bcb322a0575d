/** Configurations of the scheduler that a case is played under: one or two arguments of plugins, weights, a score that is off. */
import type { Drawing } from './cluster.ts'
import { hostKey, zoneKey } from './nodes.ts'
import { nodeTerm } from './terms.ts'

export interface Configuration {
  readonly apiVersion: 'kubescheduler.config.k8s.io/v1'
  readonly kind: 'KubeSchedulerConfiguration'
  readonly profiles: readonly object[]
}

const version = 'kubescheduler.config.k8s.io/v1'

export function configuration(drawing: Drawing): Configuration {
  const { draw } = drawing
  const pluginConfig = new Map<string, object>()
  for (let left = 1 + draw.int(2); left > 0; left--) {
    const [name, args] = pluginArgs(drawing)
    pluginConfig.set(name, { name, args: { apiVersion: version, kind: `${name}Args`, ...args } })
  }
  return {
    apiVersion: version, kind: 'KubeSchedulerConfiguration',
    profiles: [{ schedulerName: 'default-scheduler', pluginConfig: [...pluginConfig.values()], ...(draw.chance(0.4) ? { plugins: plugins(drawing) } : {}) }],
  }
}

function plugins({ draw }: Drawing): object {
  const name = draw.one(['NodeResourcesFit', 'NodeAffinity', 'TaintToleration', 'InterPodAffinity', 'ImageLocality'])
  return draw.weighted<object>([
    [2, () => ({ score: { disabled: [{ name }], enabled: [{ name, weight: 1 + draw.int(10) }] } })],
    [1, () => ({ multiPoint: { enabled: [{ name, weight: 1 + draw.int(10) }] } })],
    [1, () => ({ score: { disabled: [{ name }] } })],
    [1, () => ({ filter: { disabled: [{ name: draw.one(['TaintToleration', 'NodePorts', 'NodeUnschedulable']) }] } })],
  ])
}

function pluginArgs(drawing: Drawing): readonly [string, object] {
  const { draw } = drawing
  const resources = [{ name: 'cpu', weight: 1 + draw.int(5) }, ...(draw.chance(0.7) ? [{ name: 'memory', weight: 1 + draw.int(5) }] : []), ...(draw.chance(0.4) ? [{ name: 'example.com/gpu', weight: 3 }] : [])]
  return draw.weighted<readonly [string, object]>([
    [2, () => ['NodeResourcesFit', { scoringStrategy: { type: draw.one(['MostAllocated', 'LeastAllocated']), resources } }]],
    [2, () => ['NodeResourcesFit', { scoringStrategy: { type: 'RequestedToCapacityRatio', resources, requestedToCapacityRatio: { shape: shape(drawing) } } }]],
    [1, () => ['NodeResourcesFit', draw.chance(0.5) ? { ignoredResources: ['example.com/gpu'] } : { ignoredResourceGroups: ['example.com'] }]],
    [1, () => ['NodeResourcesBalancedAllocation', { resources: resources.map(({ name }) => ({ name, weight: 1 })) }]],
    [2, () => ['NodeAffinity', { addedAffinity: addedAffinity(drawing) }]],
    [2, () => ['PodTopologySpread', spreadArgs(drawing)]],
    [2, () => ['InterPodAffinity', { hardPodAffinityWeight: draw.int(101), ignorePreferredTermsOfExistingPods: draw.chance(0.4) }]],
  ])
}

function shape({ draw }: Drawing): readonly object[] {
  return draw.one([
    [{ utilization: 0, score: 0 }, { utilization: 100, score: 10 }],
    [{ utilization: 0, score: 10 }, { utilization: 70, score: 3 }, { utilization: 100, score: 0 }],
    [{ utilization: 20, score: 2 }, { utilization: 50, score: 9 }],
  ])
}

function addedAffinity(drawing: Drawing): object {
  return drawing.draw.chance(0.5)
    ? { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [nodeTerm(drawing)] } }
    : { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1 + drawing.draw.int(100), preference: nodeTerm(drawing) }] }
}

function spreadArgs({ draw }: Drawing): object {
  if (draw.chance(0.2)) return { defaultingType: 'List', defaultConstraints: [] }
  const defaultConstraints = [{ topologyKey: draw.one([zoneKey, hostKey, 'rack']), maxSkew: 1 + draw.int(2), whenUnsatisfiable: draw.one(['DoNotSchedule', 'ScheduleAnyway']) }]
  return { defaultingType: 'List', defaultConstraints }
}
