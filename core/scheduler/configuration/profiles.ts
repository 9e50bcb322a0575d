/**
 * Profiles out of a KubeSchedulerConfiguration: plugins with their arguments, at the points and in the order that it says.
 * A plugin that is not asked everywhere is a copy without those functions.
 */
import { ConfigurationError } from '../../api/apiserver/shape.ts'
import type { BackoffOptions } from '../../lib/backoff.ts'
import { type Filter, isRefusal, type Plugin, type Profile, type Refusal, type WeightedPlugin } from '../framework.ts'
import { plugins as entries, type ProfileMaker } from '../plugins.ts'
import { type AllArgs, hasArgs, type NodeResourcesFitArgs, completeArgs, pluginArgs } from './args.ts'
import { type ExtensionPoint, extensionPoints, type SchedulerConfiguration, type SchedulerProfile } from './configuration.ts'
import { expand, type Expanded, has } from './points.ts'

/** Of a configuration without errors. Throws ConfigurationError for plugins that cannot be had so. */
export function profilesOf(config: SchedulerConfiguration): readonly ProfileMaker[] {
  const ignored = ignoredResources(config)
  return config.profiles.map((profile) => {
    try {
      return makerOf(profile, profile.percentageOfNodesToScore ?? config.percentageOfNodesToScore, ignored)
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error
      throw new ConfigurationError(`creating profile for scheduler name ${profile.schedulerName}: ${error.message}`)
    }
  })
}

/** Extended resources that are extenders' business alone. */
export function ignoredResources({ extenders }: SchedulerConfiguration): readonly string[] {
  return extenders.flatMap(({ managedResources }) => managedResources.filter(({ ignoredByScheduler }) => ignoredByScheduler).map(({ name }) => name))
}

export function backoffOf({ podInitialBackoffSeconds, podMaxBackoffSeconds }: SchedulerConfiguration): BackoffOptions {
  return { firstMs: podInitialBackoffSeconds * 1_000, maxMs: podMaxBackoffSeconds * 1_000 }
}

function makerOf(profile: SchedulerProfile, percentageOfNodesToScore: number, ignored: readonly string[]): ProfileMaker {
  const { schedulerName } = profile
  const expanded = expand(profile.plugins)
  if (expanded.queueSort.length !== 1) throw new ConfigurationError(`only one queue sort plugin required for profile with scheduler name ${JSON.stringify(schedulerName)}, but got ${expanded.queueSort.length}`)
  if (expanded.bind.length === 0) throw new ConfigurationError(`at least one bind plugin is needed for profile with scheduler name ${JSON.stringify(schedulerName)}`)
  const args = pluginArgs(argsOf(profile, ignored))
  const preempts = has(expanded, 'postFilter', 'DefaultPreemption')
  return (env): Profile => ({
    schedulerName,
    percentageOfNodesToScore,
    preemption: preempts ? args.DefaultPreemption : undefined,
    preemptsFirst: preempts && expanded.postFilter[0]?.name === 'DefaultPreemption',
    plugins: arrange(expanded, (name) => entries.find((entry) => entry.name === name)?.make(env, args)),
  })
}

/** What extenders see to takes the place of what else was to be ignored. */
export function argsOf({ pluginConfig }: SchedulerProfile, ignored: readonly string[]): Partial<AllArgs> {
  const args: Partial<AllArgs> = Object.fromEntries(pluginConfig.filter(({ name }) => hasArgs(name)).map(({ name, args: own }) => [name, own]))
  if (ignored.length === 0) return args
  const fit: NodeResourcesFitArgs = args.NodeResourcesFit ?? completeArgs('NodeResourcesFit', {})
  return { ...args, NodeResourcesFit: { ...fit, ignoredResources: ignored } }
}

/** Points at which our plugins are asked; those before a filter or a score belong to these. */
const asked = extensionPoints.filter((point) => !['preScore', 'postBind', 'permit', 'placementGenerate', 'placementScore'].includes(point))

/**
 * One plugin after the other as ever, each at all of its points; where a point has an order of its own, its part of the
 * plugins stands in that order behind them. (preFilter and filter are one thing here, in the order of filter.)
 */
function arrange(expanded: Expanded, make: (name: string) => Plugin | undefined): readonly WeightedPlugin[] {
  const made = new Map<string, Plugin>()
  for (const point of asked) {
    for (const { name } of expanded[point]) {
      const plugin = made.get(name) ?? make(name)
      if (plugin !== undefined) made.set(name, plugin)
    }
  }
  const odd = asked.filter((point) => !isUsual(expanded, point))
  if (odd.includes('preFilter') !== odd.includes('filter')) odd.push(odd.includes('filter') ? 'preFilter' : 'filter')
  const usual = asked.filter((point) => !odd.includes(point))
  const partOf = (name: string, points: readonly ExtensionPoint[]): readonly WeightedPlugin[] => {
    const plugin = made.get(name)
    const here = points.filter((point) => has(expanded, point, name))
    if (plugin === undefined || here.length === 0) return []
    return [{ plugin: restricted(plugin, here), weight: here.includes('score') ? (expanded.score.find((score) => score.name === name)?.weight ?? 0) : 0 }]
  }
  const whole = entries.filter(({ name }) => made.has(name)).flatMap(({ name }) => partOf(name, usual))
  const filters = new Set([...expanded.filter, ...expanded.preFilter].map(({ name }) => name))
  const apart = odd.filter((point) => point !== 'preFilter').flatMap((point) =>
    point === 'filter' ? [...filters].flatMap((name) => partOf(name, ['preFilter', 'filter'])) : expanded[point].flatMap(({ name }) => partOf(name, [point])),
  )
  return [...whole, ...apart]
}

function isUsual(expanded: Expanded, point: ExtensionPoint): boolean {
  const places = expanded[point].map(({ name }) => entries.findIndex((entry) => entry.name === name)).filter((place) => place >= 0)
  return places.every((place, i) => i === 0 || (places[i - 1] ?? 0) < place)
}

/** The plugin as it is asked at these points only. */
function restricted(plugin: Plugin, points: readonly ExtensionPoint[]): Plugin {
  const { name, local, wakes, before, gate, score, reserve, release, rescue, prebind, bind } = plugin
  const at = (point: ExtensionPoint): boolean => points.includes(point)
  const filter = filterAt(plugin, at('preFilter'), at('filter'))
  return {
    name,
    ...(local === undefined ? {} : { local }),
    ...(wakes === undefined ? {} : { wakes }),
    ...(before !== undefined && at('queueSort') ? { before } : {}),
    ...(gate !== undefined && at('preEnqueue') ? { gate } : {}),
    ...(filter === undefined ? {} : { filter }),
    ...(score !== undefined && at('score') ? { score } : {}),
    ...(reserve !== undefined && at('reserve') ? { reserve } : {}),
    ...(release !== undefined && at('reserve') ? { release } : {}),
    ...(rescue !== undefined && at('postFilter') ? { rescue } : {}),
    ...(prebind !== undefined && at('preBind') ? { prebind } : {}),
    ...(bind !== undefined && at('bind') ? { bind } : {}),
  }
}

/** What is found out before nodes are looked at (a refusal, the nodes that count) belongs to preFilter; the question to each node, to filter. */
function filterAt({ filter }: Plugin, before: boolean, each: boolean): Plugin['filter'] {
  if (filter === undefined || (!before && !each)) return undefined
  if (each) return before ? filter : (pod, world) => withoutOnly(filter(pod, world))
  return (pod, world) => {
    const answer = filter(pod, world)
    if (answer === undefined || isRefusal(answer)) return answer
    return answer.only === undefined ? undefined : { check: () => undefined, only: answer.only }
  }
}

function withoutOnly(answer: Filter | Refusal | undefined): Filter | Refusal | undefined {
  if (answer === undefined || isRefusal(answer) || answer.only === undefined) return answer
  const { only: _, ...rest } = answer
  return rest
}
