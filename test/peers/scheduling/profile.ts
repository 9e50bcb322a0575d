/**
 * Our profile for the configuration of a case: upstream's KubeSchedulerConfiguration, as far as configurations.ts draws
 * it, as the arguments and weights that core/scheduler/plugins.ts takes.
 */
import type { NodeAffinity, TopologySpreadConstraint } from '../../../core/api/schema/types.ts'
import type { PluginEnv, Profile, WeightedPlugin } from '../../../core/scheduler/framework.ts'
import { defaultArgs, plugins, type PluginArgs } from '../../../core/scheduler/plugins.ts'
import type { ResourceWeight, ScoringStrategy, ShapePoint } from '../../../core/scheduler/plugins/resourcescore.ts'
import type { Configuration } from './configurations.ts'

interface Given {
  readonly NodeAffinity?: { readonly addedAffinity?: NodeAffinity }
  readonly NodeResourcesFit?: {
    readonly ignoredResources?: readonly string[]
    readonly ignoredResourceGroups?: readonly string[]
    readonly scoringStrategy?: { readonly type: ScoringStrategy['type']; readonly resources: readonly ResourceWeight[]; readonly requestedToCapacityRatio?: { readonly shape: readonly ShapePoint[] } }
  }
  readonly NodeResourcesBalancedAllocation?: { readonly resources: readonly ResourceWeight[] }
  readonly PodTopologySpread?: { readonly defaultConstraints: readonly TopologySpreadConstraint[] }
  readonly InterPodAffinity?: PluginArgs['InterPodAffinity']
}

interface Named {
  readonly name: string
  readonly weight?: number
}

interface Chosen {
  readonly enabled?: readonly Named[]
  readonly disabled?: readonly Named[]
}

interface GivenProfile {
  readonly pluginConfig: readonly { readonly name: keyof Given; readonly args: object }[]
  readonly plugins?: { readonly score?: Chosen; readonly multiPoint?: Chosen; readonly filter?: Chosen }
}

export function profileOf({ profiles }: Configuration, env: PluginEnv): Profile {
  const given = profiles[0] as GivenProfile
  const args = argsOf(Object.fromEntries(given.pluginConfig.map(({ name, args: own }) => [name, own])))
  const { score = {}, multiPoint = {}, filter = {} } = given.plugins ?? {}
  const names = (list: readonly Named[] = []): ReadonlySet<string> => new Set(list.map(({ name }) => name))
  const [unscored, unfiltered] = [names(score.disabled), names(filter.disabled)]
  const made = plugins.map(({ name, weight, make }): WeightedPlugin => {
    const { filter: own, ...rest } = make(env, args)
    const weightOf = (list: readonly Named[] = []): number | undefined => list.find((each) => each.name === name)?.weight
    const weighted = weightOf(score.enabled) ?? (unscored.has(name) ? 0 : (weightOf(multiPoint.enabled) ?? weight))
    return { plugin: unfiltered.has(name) || own === undefined ? rest : { ...rest, filter: own }, weight: weighted }
  })
  return { schedulerName: 'default-scheduler', plugins: made, preemption: args.DefaultPreemption }
}

function argsOf(given: Given): PluginArgs {
  const { NodeResourcesFit: fit, NodeResourcesBalancedAllocation: balanced, PodTopologySpread: spread } = given
  const strategy = fit?.scoringStrategy
  return {
    ...defaultArgs,
    NodeAffinity: { addedAffinity: given.NodeAffinity?.addedAffinity },
    NodeResourcesFit: {
      ignoredResources: fit?.ignoredResources ?? [], ignoredResourceGroups: fit?.ignoredResourceGroups ?? [],
      scoringStrategy: strategy === undefined ? defaultArgs.NodeResourcesFit.scoringStrategy : { type: strategy.type, resources: strategy.resources, shape: strategy.requestedToCapacityRatio?.shape ?? [] },
    },
    NodeResourcesBalancedAllocation: balanced ?? defaultArgs.NodeResourcesBalancedAllocation,
    PodTopologySpread: spread === undefined ? defaultArgs.PodTopologySpread : { defaultConstraints: spread.defaultConstraints, systemDefaulted: false },
    InterPodAffinity: given.InterPodAffinity ?? defaultArgs.InterPodAffinity,
  }
}
