/**
 * Which plugin a profile asks at which point, in which order: the defaults, what a profile adds and takes away, and
 * plugins that are named once for all points (mergePlugins in pkg/scheduler/apis/config/v1/default_plugins.go,
 * expandMultiPointPlugins in pkg/scheduler/framework/runtime/framework.go).
 */
import { ConfigurationError } from '../../api/apiserver/shape.ts'
import { plugins } from '../plugins.ts'
import { type Enabled, type ExtensionPoint, extensionPoints, type PluginSet, type PluginSets } from './configuration.ts'

/** At which points upstream's plugin of that name is asked. */
export const pointsOf: Readonly<Record<string, readonly ExtensionPoint[]>> = {
  SchedulingGates: ['preEnqueue'],
  PrioritySort: ['queueSort'],
  NodeUnschedulable: ['filter'],
  NodeName: ['filter'],
  TaintToleration: ['filter', 'preScore', 'score'],
  NodeAffinity: ['preFilter', 'filter', 'preScore', 'score'],
  NodePorts: ['preFilter', 'filter'],
  NodeResourcesFit: ['preFilter', 'filter', 'preScore', 'score', 'placementScore'],
  VolumeRestrictions: ['preFilter', 'filter'],
  NodeVolumeLimits: ['preFilter', 'filter'],
  VolumeBinding: ['preFilter', 'filter', 'reserve', 'preBind', 'preScore', 'score'],
  VolumeZone: ['preFilter', 'filter'],
  PodTopologySpread: ['preFilter', 'filter', 'preScore', 'score'],
  InterPodAffinity: ['preFilter', 'filter', 'preScore', 'score'],
  DynamicResources: ['preEnqueue', 'preFilter', 'filter', 'postFilter', 'score', 'reserve', 'preBind'],
  DefaultPreemption: ['postFilter', 'preEnqueue'],
  NodeResourcesBalancedAllocation: ['preScore', 'score'],
  ImageLocality: ['score'],
  DefaultBinder: ['bind'],
}

/** Upstream's, behind features that are off here. */
const unserved = ['NodeDeclaredFeatures', 'GangScheduling', 'TopologyPlacementGenerator', 'PodGroupPodsCount']

const interfaceOf = (point: ExtensionPoint): string => `${point.charAt(0).toUpperCase()}${point.slice(1)}Plugin`

/** Evictions are thought of after claims of devices: it is cheaper to give one back. */
const defaultNames = plugins.flatMap(({ name, weight }): readonly Enabled[] => (name === 'DynamicResources' ? [{ name, weight }, { name: 'DefaultPreemption', weight: 0 }] : [{ name, weight }]))

/** In order; with the weight of a score, which is 1 where nothing is said. */
export type Expanded = Readonly<Record<ExtensionPoint, readonly Enabled[]>>

/** Throws ConfigurationError. */
export function expand(sets: PluginSets): Expanded {
  const multiPoint = merged(sets.multiPoint)
  for (const point of extensionPoints) checkSet(sets[point].enabled, point)
  const unknown = multiPoint.find(({ name }) => !isKnown(name))
  if (unknown !== undefined) refuseUnknown(unknown.name, 'preFilter')
  const weights = new Map([...sets.score.enabled, ...multiPoint].toReversed().map(({ name, weight }) => [name, weight === 0 ? 1 : weight]))
  const expanded = Object.fromEntries(extensionPoints.map((point) => [point, orderAt(point, sets[point], multiPoint).map((name) => ({ name, weight: weights.get(name) ?? 1 }))])) as unknown as Expanded
  checkParts(expanded)
  return expanded
}

/** The defaults with what a profile says of all points: what it names again stays in its place. */
function merged({ enabled, disabled }: PluginSet): readonly Enabled[] {
  if (disabled.includes('*')) return enabled
  const own = new Map(enabled.map((plugin) => [plugin.name, plugin]))
  const kept = defaultNames.filter(({ name }) => !disabled.includes(name)).map((plugin) => own.get(plugin.name) ?? plugin)
  return [...kept, ...enabled.filter((plugin) => !kept.includes(plugin))]
}

function isKnown(name: string): boolean {
  return Object.hasOwn(pointsOf, name)
}

function refuseUnknown(name: string, point: ExtensionPoint): never {
  if (unserved.includes(name)) throw new ConfigurationError(`plugin ${JSON.stringify(name)} is not served here`)
  throw new ConfigurationError(`${interfaceOf(point)} ${JSON.stringify(name)} does not exist`)
}

function checkSet(enabled: readonly Enabled[], point: ExtensionPoint): void {
  enabled.forEach(({ name }, i) => {
    if (!isKnown(name)) refuseUnknown(name, point)
    if (pointsOf[name]?.includes(point) !== true) throw new ConfigurationError(`plugin ${JSON.stringify(name)} does not extend ${interfaceOf(point)} plugin`)
    if (enabled.findIndex((other) => other.name === name) < i) refuseTwice(name, point)
  })
}

function refuseTwice(name: string, point: ExtensionPoint): never {
  throw new ConfigurationError(`plugin ${JSON.stringify(name)} already registered as ${JSON.stringify(interfaceOf(point))}`)
}

/** First what the point names of those that come by default, in its order; then the others of these; then what it adds. */
function orderAt(point: ExtensionPoint, { enabled, disabled }: PluginSet, multiPoint: readonly Enabled[]): readonly string[] {
  const own = enabled.map(({ name }) => name)
  if (disabled.includes('*')) return own
  const general = multiPoint.map(({ name }) => name).filter((name) => pointsOf[name]?.includes(point) === true && !disabled.includes(name))
  const others = general.filter((name) => !own.includes(name))
  const twice = others.find((name, i) => others.indexOf(name) < i)
  if (twice !== undefined) refuseTwice(twice, point)
  return [...own.filter((name) => general.includes(name)), ...others, ...own.filter((name) => !general.includes(name))]
}

/** What one of these finds out before nodes are looked at, its filter cannot do without: upstream fails every pod then. */
const prepareFilter = ['NodePorts', 'NodeResourcesFit', 'VolumeRestrictions', 'VolumeBinding', 'PodTopologySpread', 'InterPodAffinity', 'DynamicResources']
const prepareScore = ['TaintToleration', 'PodTopologySpread', 'InterPodAffinity']

function checkParts(expanded: Expanded): void {
  const lacks = (names: readonly string[], before: ExtensionPoint, point: ExtensionPoint): void => {
    const odd = names.find((name) => has(expanded, point, name) && !has(expanded, before, name))
    if (odd !== undefined) throw new ConfigurationError(`plugin ${JSON.stringify(odd)} is enabled at ${point} but not at ${before}, without which it cannot do it: disable it at both`)
  }
  lacks(prepareFilter, 'preFilter', 'filter')
  lacks(prepareScore, 'preScore', 'score')
}

export function has(expanded: Expanded, point: ExtensionPoint, name: string): boolean {
  return expanded[point].some((plugin) => plugin.name === name)
}
