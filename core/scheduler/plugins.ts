/**
 * Every plugin there is, in the order in which filters are asked, with upstream's weights and the defaults of their
 * arguments (k8s.io/kubernetes/pkg/scheduler/apis/config/v1). To add one: a file in plugins/, its test, a line here, and one
 * in configuration/points.ts, which says where it is asked.
 */
import { deviceClasses } from '../api/resource/deviceclass.ts'
import type { Plugin, PluginEnv, PreemptionLimits, Profile } from './framework.ts'
import { balancedAllocation, type BalancedArgs } from './plugins/balancedallocation.ts'
import { defaultBinder } from './plugins/defaultbinder.ts'
import { dynamicResources, type DynamicResourcesArgs } from './plugins/dynamicresources.ts'
import { imageLocality } from './plugins/imagelocality.ts'
import { interPodAffinity, type InterPodAffinityArgs } from './plugins/interpodaffinity.ts'
import { nodeAffinity, type NodeAffinityArgs } from './plugins/nodeaffinity.ts'
import { nodeName } from './plugins/nodename.ts'
import { nodePorts } from './plugins/nodeports.ts'
import { type FitArgs, nodeResourcesFit } from './plugins/noderesourcesfit.ts'
import { nodeUnschedulable } from './plugins/nodeunschedulable.ts'
import { nodeVolumeLimits } from './plugins/nodevolumelimits.ts'
import { podTopologySpread, type PodTopologySpreadArgs, systemConstraints } from './plugins/podtopologyspread.ts'
import { prioritySort } from './plugins/prioritysort.ts'
import { schedulingGates } from './plugins/schedulinggates.ts'
import { taintToleration } from './plugins/tainttoleration.ts'
import { volumeBinding, type VolumeBindingArgs } from './plugins/volumebinding.ts'
import { volumeRestrictions } from './plugins/volumerestrictions.ts'
import { volumeZone } from './plugins/volumezone.ts'

/** What a profile can say to plugins, by the plugin's name. */
export interface PluginArgs {
  readonly NodeAffinity: NodeAffinityArgs
  readonly NodeResourcesFit: FitArgs
  readonly NodeResourcesBalancedAllocation: BalancedArgs
  readonly VolumeBinding: VolumeBindingArgs
  readonly PodTopologySpread: PodTopologySpreadArgs
  readonly InterPodAffinity: InterPodAffinityArgs
  readonly DynamicResources: DynamicResourcesArgs
  readonly DefaultPreemption: PreemptionLimits
}

const cpuAndMemory = [{ name: 'cpu', weight: 1 }, { name: 'memory', weight: 1 }] as const

export const defaultArgs: PluginArgs = {
  NodeAffinity: { addedAffinity: undefined },
  NodeResourcesFit: { ignoredResources: [], ignoredResourceGroups: [], scoringStrategy: { type: 'LeastAllocated', resources: cpuAndMemory, shape: [] } },
  NodeResourcesBalancedAllocation: { resources: cpuAndMemory },
  VolumeBinding: { bindTimeoutSeconds: 600 },
  PodTopologySpread: { defaultConstraints: systemConstraints, systemDefaulted: true },
  InterPodAffinity: { hardPodAffinityWeight: 1, ignorePreferredTermsOfExistingPods: false },
  DynamicResources: { filterTimeoutMs: 10_000, bindingTimeoutMs: 600_000 },
  DefaultPreemption: { minCandidateNodesPercentage: 10, minCandidateNodesAbsolute: 100 },
}

export interface PluginEntry {
  readonly name: string
  /** Of its score, where it scores; a profile may give another. */
  readonly weight: number
  readonly make: (env: PluginEnv, args: PluginArgs) => Plugin
}

export const plugins: readonly PluginEntry[] = [
  { name: 'SchedulingGates', weight: 0, make: () => schedulingGates },
  { name: 'PrioritySort', weight: 0, make: () => prioritySort },
  { name: 'NodeUnschedulable', weight: 0, make: () => nodeUnschedulable },
  { name: 'NodeName', weight: 0, make: () => nodeName },
  { name: 'TaintToleration', weight: 3, make: () => taintToleration },
  { name: 'NodeAffinity', weight: 2, make: (_, args) => nodeAffinity(args.NodeAffinity) },
  { name: 'NodePorts', weight: 0, make: () => nodePorts },
  { name: 'NodeResourcesFit', weight: 1, make: (env, args) => nodeResourcesFit(args.NodeResourcesFit, env.read(deviceClasses)) },
  { name: 'VolumeRestrictions', weight: 0, make: volumeRestrictions },
  { name: 'NodeVolumeLimits', weight: 0, make: nodeVolumeLimits },
  { name: 'VolumeBinding', weight: 0, make: (env, args) => volumeBinding(env, args.VolumeBinding) },
  { name: 'VolumeZone', weight: 0, make: volumeZone },
  { name: 'PodTopologySpread', weight: 2, make: (env, args) => podTopologySpread(env, args.PodTopologySpread) },
  { name: 'InterPodAffinity', weight: 2, make: (env, args) => interPodAffinity(env, args.InterPodAffinity) },
  { name: 'DynamicResources', weight: 2, make: (env, args) => dynamicResources(env, args.DynamicResources) },
  { name: 'NodeResourcesBalancedAllocation', weight: 1, make: (_, args) => balancedAllocation(args.NodeResourcesBalancedAllocation) },
  { name: 'ImageLocality', weight: 1, make: () => imageLocality },
  { name: 'DefaultBinder', weight: 0, make: (env) => defaultBinder(env.client) },
]

/** How a profile is made, once it is known what its plugins can read. */
export type ProfileMaker = (env: PluginEnv) => Profile

export function defaultProfile(env: PluginEnv): Profile {
  return {
    schedulerName: 'default-scheduler',
    plugins: plugins.map(({ weight, make }) => ({ plugin: make(env, defaultArgs), weight })),
    preemption: defaultArgs.DefaultPreemption,
  }
}
