/**
 * PodTopologySpread: equal pods are spread over domains. DoNotSchedule constraints refuse where one domain would get too
 * far ahead of the emptiest; ScheduleAnyway constraints score emptier domains higher. Pods without constraints get those
 * of the profile, with a selector from who owns and serves them.
 */
import { replicaSets } from '../../api/apps/replicaset.ts'
import { statefulSets } from '../../api/apps/statefulset.ts'
import { nodeMatchesPod } from '../../api/core/nodeaffinity.ts'
import { replicationControllers } from '../../api/core/replicationcontroller.ts'
import { services } from '../../api/core/service.ts'
import { untolerated } from '../../api/core/taints.ts'
import { controllerOf, isBeingDeleted } from '../../api/meta.ts'
import type { Node, Pod, TopologySpreadConstraint } from '../../api/schema/types.ts'
import { nothing, type Requirement, Selector, selectorOf } from '../../api/selector.ts'
import { equalJson } from '../../lib/json.ts'
import { type ClusterEvent, type Filter, type Plugin, type PluginEnv, type Refusal, scoreMax, type Scorer } from '../framework.ts'
import type { Tally } from '../tally.ts'
import type { NodeInfo, World } from '../world.ts'

export interface PodTopologySpreadArgs {
  /** For pods that have none of their own. */
  readonly defaultConstraints: readonly Readonly<TopologySpreadConstraint>[]
  /** Whether nodes without all keys are scored, too: so for the constraints that the system defaults to. */
  readonly systemDefaulted: boolean
}

export const systemConstraints: readonly Readonly<TopologySpreadConstraint>[] = [
  { topologyKey: 'kubernetes.io/hostname', whenUnsatisfiable: 'ScheduleAnyway', maxSkew: 3 },
  { topologyKey: 'topology.kubernetes.io/zone', whenUnsatisfiable: 'ScheduleAnyway', maxSkew: 5 },
]

const noLabel: Refusal = { reasons: ["node(s) didn't match pod topology spread constraints (missing required label)"], unresolvable: true }
const skewed: Refusal = { reasons: ["node(s) didn't match pod topology spread constraints"], unresolvable: false }
const hostname = 'kubernetes.io/hostname'
const hard = ['NoSchedule', 'NoExecute'] as const

interface Constraint {
  readonly key: string
  readonly maxSkew: number
  readonly minDomains: number
  readonly selector: Selector
  readonly honorsAffinity: boolean
  readonly honorsTaints: boolean
}

type Action = 'DoNotSchedule' | 'ScheduleAnyway'

export function podTopologySpread(env: PluginEnv, args: PodTopologySpreadArgs): Plugin {
  const selectorFor = args.defaultConstraints.length === 0 ? () => nothing : defaultSelectors(env)
  const constraintsOf = (pod: Readonly<Pod>, action: Action): readonly Constraint[] => {
    if ((pod.spec?.topologySpreadConstraints ?? []).length > 0) return ownOf(pod)[action]
    const given = args.defaultConstraints.filter(({ whenUnsatisfiable }) => whenUnsatisfiable === action)
    const selector = given.length === 0 ? nothing : selectorFor(pod)
    return selector === nothing || selector.empty ? [] : given.map((constraint) => ({ ...read(constraint, pod), selector }))
  }
  return {
    name: 'PodTopologySpread',
    filter: (pod, world) => filterFor(pod, world, constraintsOf(pod, 'DoNotSchedule')),
    score(pod, world, feasible) {
      const everyKey = (pod.spec?.topologySpreadConstraints ?? []).length > 0 || !args.systemDefaulted
      return scorerFor(pod, world, constraintsOf(pod, 'ScheduleAnyway'), { feasible, everyKey })
    },
    wakes: (pod, event) => wakes(pod, event, constraintsOf(pod, 'DoNotSchedule')),
  }
}

const known = new WeakMap<object, Readonly<Record<Action, readonly Constraint[]>>>()

/** The pod's own, read once: every event asks for those of every pod that waits. */
function ownOf(pod: Readonly<Pod>): Readonly<Record<Action, readonly Constraint[]>> {
  let constraints = known.get(pod)
  if (constraints === undefined) {
    const of = (action: Action): readonly Constraint[] => (pod.spec?.topologySpreadConstraints ?? []).filter(({ whenUnsatisfiable }) => whenUnsatisfiable === action).map((constraint) => read(constraint, pod))
    known.set(pod, (constraints = { DoNotSchedule: of('DoNotSchedule'), ScheduleAnyway: of('ScheduleAnyway') }))
  }
  return constraints
}

function read(constraint: Readonly<TopologySpreadConstraint>, pod: Readonly<Pod>): Constraint {
  const labels = pod.metadata.labels ?? {}
  const also = (constraint.matchLabelKeys ?? []).flatMap((key): Requirement[] => (labels[key] === undefined ? [] : [{ key, operator: '=', values: [labels[key]] }]))
  const own = constraint.labelSelector === undefined ? nothing : selectorOf(constraint.labelSelector)
  return {
    key: constraint.topologyKey,
    maxSkew: constraint.maxSkew,
    minDomains: constraint.minDomains ?? 1,
    selector: own === nothing || also.length === 0 ? own : new Selector([...also, ...own.requirements]),
    honorsAffinity: (constraint.nodeAffinityPolicy ?? 'Honor') === 'Honor',
    honorsTaints: constraint.nodeTaintsPolicy === 'Honor',
  }
}

/** What selects the pod's like: its services and its owner together. */
function defaultSelectors(env: PluginEnv): (pod: Readonly<Pod>) => Selector {
  const [allServices, controllers, sets, stateful] = [env.read(services), env.read(replicationControllers), env.read(replicaSets), env.read(statefulSets)]
  return (pod) => {
    const { namespace = '', labels } = pod.metadata
    const serving = allServices.list(namespace).map(({ spec }) => spec?.selector ?? {}).filter((selector) => Object.keys(selector).length > 0 && Object.entries(selector).every(([key, value]) => labels?.[key] === value))
    const equal: Record<string, string> = Object.assign({}, ...serving)
    const owner = controllerOf(pod)
    const key = `${namespace}/${owner?.name ?? ''}`
    const of = `${owner?.apiVersion} ${owner?.kind}`
    if (of === 'v1 ReplicationController') Object.assign(equal, controllers.at(key)?.spec?.selector)
    const requirements: Requirement[] = Object.entries(equal).map(([label, value]) => ({ key: label, operator: '=', values: [value] }))
    const selector = of === 'apps/v1 ReplicaSet' ? sets.at(key)?.spec?.selector : of === 'apps/v1 StatefulSet' ? stateful.at(key)?.spec?.selector : undefined
    return new Selector([...requirements, ...(selector === undefined ? [] : selectorOf(selector).requirements)])
  }
}

/** Placed pods that count for the constraint. */
function tallyOf(world: World, pod: Readonly<Pod>, selector: Selector): Tally {
  const { namespace } = pod.metadata
  const id = `spread ${namespace} ${selector === nothing} ${JSON.stringify(selector.requirements)}`
  return world.tally(id, (other) => !selector.empty && other.metadata.namespace === namespace && !isBeingDeleted(other) && selector.matches(other.metadata.labels))
}

function counts(constraint: Constraint, pod: Readonly<Pod>, node: Readonly<Node>): boolean {
  if (constraint.honorsAffinity && !nodeMatchesPod(pod, node)) return false
  return !constraint.honorsTaints || untolerated(node.spec?.taints, pod.spec?.tolerations, hard) === undefined
}

/** Whether every node that has the label counts, so that what the world keeps by domain is the answer. */
function countsAll(constraint: Constraint, pod: Readonly<Pod>): boolean {
  const choosy = pod.spec?.nodeSelector !== undefined || pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution !== undefined
  return !constraint.honorsTaints && !(constraint.honorsAffinity && choosy)
}

const hasKeys = (node: NodeInfo, constraints: readonly Constraint[]): boolean => constraints.every(({ key }) => node.label(key) !== undefined)

/** Whether no node has the key of one of them and lacks that of another. */
function keysGoTogether(world: World, constraints: readonly Constraint[]): boolean {
  const holders = constraints.map(({ key }) => [...world.domains(key).values()].reduce((a, b) => a + b, 0))
  return constraints.length < 2 || holders.every((count) => count === world.nodes().length)
}

/** Value of the key -> pods that count there. */
type Domains = ReadonlyMap<string, number>

function domainsOf(constraint: Constraint, world: World, pod: Readonly<Pod>, all: readonly Constraint[]): { readonly counts: Domains; readonly values: Iterable<string>; readonly size: number } {
  const tally = tallyOf(world, pod, constraint.selector)
  if (countsAll(constraint, pod) && keysGoTogether(world, all)) {
    const values = world.domains(constraint.key)
    return { counts: tally.by(constraint.key), values: values.keys(), size: values.size }
  }
  const counted = new Map<string, number>()
  for (const info of world.nodes()) {
    if (!hasKeys(info, all) || !counts(constraint, pod, info.node)) continue
    const value = info.label(constraint.key) ?? ''
    counted.set(value, (counted.get(value) ?? 0) + tally.on(info))
  }
  return { counts: counted, values: counted.keys(), size: counted.size }
}

interface Rule {
  readonly constraint: Constraint
  readonly domains: Domains
  /** Pods in the emptiest domain; 0 where there are too few domains. */
  readonly least: number
  /** 1 where the pod itself counts. */
  readonly self: number
  readonly values: ReadonlySet<string>
}

function filterFor(pod: Readonly<Pod>, world: World, constraints: readonly Constraint[]): Filter | undefined {
  if (constraints.length === 0) return undefined
  const rules = constraints.map((constraint): Rule => {
    const { counts: domains, values, size } = domainsOf(constraint, world, pod, constraints)
    const names = new Set(values)
    return { constraint, domains, values: names, least: size < constraint.minDomains ? 0 : leastOf(names, domains), self: constraint.selector.matches(pod.metadata.labels) ? 1 : 0 }
  })
  return {
    check: (node) => check(rules, node),
    supposing() {
      const supposed = rules.map((rule) => ({ ...rule, domains: new Map(rule.domains) }))
      const move = (other: Readonly<Pod>, node: NodeInfo, by: number): void => {
        if (!hasKeys(node, constraints)) return
        // Upstream takes away also pods that are going, which it did not count: their going makes room a second time.
        if (other.metadata.namespace !== pod.metadata.namespace) return
        for (const rule of supposed) if (rule.constraint.selector.matches(other.metadata.labels) && counts(rule.constraint, pod, node.node)) shift(rule, node, by)
      }
      return { check: (node) => check(supposed, node), put: (other, node) => move(other, node, 1), take: (other, node) => move(other, node, -1) }
    },
  }
}

function shift(rule: { domains: Map<string, number>; least: number; readonly values: ReadonlySet<string>; readonly constraint: Constraint }, node: NodeInfo, by: number): void {
  const value = node.label(rule.constraint.key) ?? ''
  rule.domains.set(value, (rule.domains.get(value) ?? 0) + by)
  if (rule.values.size >= rule.constraint.minDomains) rule.least = leastOf(rule.values, rule.domains)
}

/** Infinity where there is no domain: then nothing is too far ahead. */
function leastOf(values: Iterable<string>, domains: Domains): number {
  let least = Infinity
  for (const value of values) {
    const count = domains.get(value) ?? 0
    if (count < least) least = count
    if (least === 0) break
  }
  return least
}

function check(rules: readonly Rule[], node: NodeInfo): Refusal | undefined {
  for (const { constraint, domains, least, self } of rules) {
    const value = node.label(constraint.key)
    if (value === undefined) return noLabel
    if ((domains.get(value) ?? 0) + self - least > constraint.maxSkew) return skewed
  }
  return undefined
}

interface ScoreOptions {
  readonly feasible: readonly NodeInfo[]
  readonly everyKey: boolean
}

function scorerFor(pod: Readonly<Pod>, world: World, constraints: readonly Constraint[], { feasible, everyKey }: ScoreOptions): Scorer | undefined {
  if (constraints.length === 0 || feasible.length === 0) return undefined
  const ignored = new Set(everyKey ? feasible.filter((node) => !hasKeys(node, constraints)) : [])
  const parts = constraints.map((constraint) => {
    const tally = tallyOf(world, pod, constraint.selector)
    const perNode = constraint.key === hostname
    const domains = perNode ? tally.by(hostname) : softDomains(constraint, world, pod, everyKey ? constraints : [])
    const size = perNode ? feasible.length - ignored.size : new Set(feasible.filter((node) => !ignored.has(node)).map((node) => node.label(constraint.key) ?? '')).size
    return { constraint, tally, perNode, domains, weight: Math.log(size + 2) }
  })
  return {
    score(node) {
      if (ignored.has(node)) return 0
      let score = 0
      for (const { constraint, tally, perNode, domains, weight } of parts) {
        const value = node.label(constraint.key)
        if (value !== undefined) score += (perNode ? tally.on(node) : (domains.get(value) ?? 0)) * weight + (constraint.maxSkew - 1)
      }
      return Math.round(score)
    },
    normalize: (scores, nodes) => normalize(scores, nodes, ignored),
  }
}

function softDomains(constraint: Constraint, world: World, pod: Readonly<Pod>, all: readonly Constraint[]): Domains {
  const tally = tallyOf(world, pod, constraint.selector)
  if (countsAll(constraint, pod) && keysGoTogether(world, all)) return tally.by(constraint.key)
  const counted = new Map<string, number>()
  for (const [info, count] of tally.nodes()) {
    const value = info.label(constraint.key)
    if (value !== undefined && hasKeys(info, all) && counts(constraint, pod, info.node)) counted.set(value, (counted.get(value) ?? 0) + count)
  }
  return counted
}

/** Fewer pods, more points. */
function normalize(scores: number[], nodes: readonly NodeInfo[], ignored: ReadonlySet<NodeInfo>): void {
  const counted = scores.filter((_, i) => !ignored.has(nodes[i] as NodeInfo))
  const [min, max] = counted.reduce(([low, high], score) => [Math.min(low, score), Math.max(high, score)], [Infinity, 0])
  for (let i = 0; i < scores.length; i++) {
    if (ignored.has(nodes[i] as NodeInfo)) scores[i] = 0
    else scores[i] = max === 0 ? scoreMax : Math.trunc((scoreMax * (max + min - (scores[i] ?? 0))) / max)
  }
}

function wakes(pod: Readonly<Pod>, event: ClusterEvent, constraints: readonly Constraint[]): boolean {
  const counted = (other: Readonly<Pod>): boolean => other.metadata.namespace === pod.metadata.namespace && constraints.some(({ selector }) => selector.matches(other.metadata.labels))
  const labelled = (node: Readonly<Node>): boolean => constraints.every(({ key }) => node.metadata.labels?.[key] !== undefined)
  switch (event.type) {
    case 'pod changed': {
      const tolerates = !equalJson(event.pod.spec?.tolerations ?? [], event.prev.spec?.tolerations ?? [])
      return (tolerates && constraints.some(({ honorsTaints }) => honorsTaints)) || constraints.some(({ selector }) => selector.matches(event.pod.metadata.labels) !== selector.matches(event.prev.metadata.labels))
    }
    case 'pod placed':
    case 'pod gone':
      return counted(event.pod)
    case 'placed pod changed':
      return counted(event.pod) !== counted(event.prev) || isBeingDeleted(event.pod) !== isBeingDeleted(event.prev)
    case 'node added':
    case 'node gone':
      return labelled(event.node)
    case 'node changed':
      if (labelled(event.node) !== labelled(event.prev)) return true
      return labelled(event.node) && (constraints.some(({ key }) => event.node.metadata.labels?.[key] !== event.prev.metadata.labels?.[key]) || !equalJson(event.node.spec?.taints ?? [], event.prev.spec?.taints ?? []))
    default:
      return false
  }
}
