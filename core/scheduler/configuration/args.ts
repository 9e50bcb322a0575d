/**
 * Arguments of plugins in a KubeSchedulerConfiguration: their fields, what they are where nothing is said, and what they
 * mean to our plugins (k8s.io/kubernetes/pkg/scheduler/apis/config/v1/defaults.go). What they must obey is argrules.ts.
 */
import type { Fields } from '../../api/apiserver/shape.ts'
import type { NodeAffinity, TopologySpreadConstraint } from '../../api/schema/types.ts'
import { defaultArgs, type PluginArgs } from '../plugins.ts'
import type { ResourceWeight, ShapePoint } from '../plugins/resourcescore.ts'

export interface NodeResourcesFitArgs {
  readonly ignoredResources: readonly string[]
  readonly ignoredResourceGroups: readonly string[]
  readonly scoringStrategy: { readonly type: string; readonly resources: readonly ResourceWeight[]; readonly requestedToCapacityRatio?: { readonly shape?: readonly ShapePoint[] } }
}

export interface TopologySpreadArgs {
  readonly defaultConstraints: readonly Readonly<TopologySpreadConstraint>[]
  readonly defaultingType: string
}

/** Times in milliseconds. */
export interface AllArgs {
  readonly DefaultPreemption: { readonly minCandidateNodesPercentage: number; readonly minCandidateNodesAbsolute: number }
  readonly DynamicResources: { readonly filterTimeout: number; readonly bindingTimeout: number }
  readonly InterPodAffinity: { readonly hardPodAffinityWeight: number; readonly ignorePreferredTermsOfExistingPods: boolean }
  readonly NodeAffinity: { readonly addedAffinity?: Readonly<NodeAffinity> }
  readonly NodeResourcesBalancedAllocation: { readonly resources: readonly ResourceWeight[] }
  readonly NodeResourcesFit: NodeResourcesFitArgs
  readonly PodTopologySpread: TopologySpreadArgs
  readonly VolumeBinding: { readonly bindTimeoutSeconds: number; readonly shape?: readonly ShapePoint[] }
}

export type ArgsName = keyof AllArgs

const weights = { list: { fields: { name: 'string', weight: 'integer' } } } as const
const points = { list: { fields: { utilization: 'integer', score: 'integer' } } } as const

export const argFields: Readonly<Record<ArgsName, Fields>> = {
  DefaultPreemption: { minCandidateNodesPercentage: 'integer', minCandidateNodesAbsolute: 'integer' },
  DynamicResources: { filterTimeout: 'duration', bindingTimeout: 'duration' },
  InterPodAffinity: { hardPodAffinityWeight: 'integer', ignorePreferredTermsOfExistingPods: 'boolean' },
  NodeAffinity: { addedAffinity: { type: 'NodeAffinity' } },
  NodeResourcesBalancedAllocation: { resources: weights },
  NodeResourcesFit: {
    ignoredResources: { list: 'string' },
    ignoredResourceGroups: { list: 'string' },
    scoringStrategy: { fields: { type: 'string', resources: weights, requestedToCapacityRatio: { fields: { shape: points } } } },
  },
  PodTopologySpread: { defaultConstraints: { list: { type: 'TopologySpreadConstraint' } }, defaultingType: 'string' },
  VolumeBinding: { bindTimeoutSeconds: 'integer', shape: points },
}

export function hasArgs(name: string): name is ArgsName {
  return Object.hasOwn(argFields, name)
}

type Written<T> = { readonly [K in keyof T]?: T[K] }

/** What was written, and the rest as it is where nothing is said. */
const completions: { readonly [K in ArgsName]: (written: Written<AllArgs[K]>) => AllArgs[K] } = {
  DefaultPreemption: (written) => ({ ...defaultArgs.DefaultPreemption, ...written }),
  DynamicResources: (written) => ({ filterTimeout: defaultArgs.DynamicResources.filterTimeoutMs, bindingTimeout: defaultArgs.DynamicResources.bindingTimeoutMs, ...written }),
  InterPodAffinity: (written) => ({ ...defaultArgs.InterPodAffinity, ...written }),
  NodeAffinity: (written) => written,
  NodeResourcesBalancedAllocation: ({ resources }) => ({ resources: weighed(resources) }),
  NodeResourcesFit: ({ ignoredResources = [], ignoredResourceGroups = [], scoringStrategy }) => ({
    ignoredResources, ignoredResourceGroups,
    // A strategy that is written down has no type by default.
    scoringStrategy: scoringStrategy === undefined ? { type: 'LeastAllocated', resources: weighed(undefined) } : { ...scoringStrategy, type: scoringStrategy.type ?? '', resources: weighed(scoringStrategy.resources) },
  }),
  PodTopologySpread: ({ defaultConstraints = [], defaultingType = '' }) => ({ defaultConstraints, defaultingType: defaultingType === '' ? 'System' : defaultingType }),
  VolumeBinding: (written) => ({ ...defaultArgs.VolumeBinding, ...written }),
}

function weighed(resources: readonly { readonly name?: string; readonly weight?: number }[] = []): readonly ResourceWeight[] {
  if (resources.length === 0) return defaultArgs.NodeResourcesBalancedAllocation.resources
  return resources.map(({ name = '', weight = 0 }) => ({ name, weight: weight === 0 ? 1 : weight }))
}

/** `written` has the fields of that name. */
export function completeArgs<K extends ArgsName>(name: K, written: object): AllArgs[K] {
  return completions[name](written)
}

/** Arguments without errors, as our plugins take them. */
export function pluginArgs(args: Partial<AllArgs>): PluginArgs {
  const fit = args.NodeResourcesFit ?? completeArgs('NodeResourcesFit', {})
  const devices = args.DynamicResources ?? completeArgs('DynamicResources', {})
  const { bindTimeoutSeconds } = args.VolumeBinding ?? defaultArgs.VolumeBinding
  return {
    NodeAffinity: { addedAffinity: args.NodeAffinity?.addedAffinity },
    NodeResourcesFit: { ...fit, scoringStrategy: { ...fit.scoringStrategy, type: strategyOf(fit), shape: shapeOf(fit.scoringStrategy.requestedToCapacityRatio?.shape) } },
    NodeResourcesBalancedAllocation: args.NodeResourcesBalancedAllocation ?? defaultArgs.NodeResourcesBalancedAllocation,
    VolumeBinding: { bindTimeoutSeconds },
    PodTopologySpread: spreading(args.PodTopologySpread),
    InterPodAffinity: args.InterPodAffinity ?? defaultArgs.InterPodAffinity,
    DynamicResources: { filterTimeoutMs: devices.filterTimeout, bindingTimeoutMs: devices.bindingTimeout },
    DefaultPreemption: args.DefaultPreemption ?? defaultArgs.DefaultPreemption,
  }
}

export const strategies = ['LeastAllocated', 'MostAllocated', 'RequestedToCapacityRatio'] as const

function strategyOf({ scoringStrategy }: NodeResourcesFitArgs): (typeof strategies)[number] {
  const known = strategies.find((type) => type === scoringStrategy.type)
  if (known === undefined) throw new Error(`scoring strategy ${scoringStrategy.type} was not checked`)
  return known
}

function shapeOf(written: readonly Partial<ShapePoint>[] = []): readonly ShapePoint[] {
  return written.map(({ utilization = 0, score = 0 }) => ({ utilization, score }))
}

function spreading(args: TopologySpreadArgs | undefined): PluginArgs['PodTopologySpread'] {
  if (args === undefined || args.defaultingType === 'System') return defaultArgs.PodTopologySpread
  return { defaultConstraints: args.defaultConstraints, systemDefaulted: false }
}
