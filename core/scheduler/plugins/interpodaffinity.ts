/**
 * InterPodAffinity: required terms of the pod, and anti-affinity of pods that are placed, refuse; preferred terms of both
 * sides add and take weights by domain. Counts come from the world, which keeps them up to date, so that a decision asks
 * for each term and not for each placed pod.
 */
import { namespaces } from '../../api/core/namespace.ts'
import type { Namespace, Pod } from '../../api/schema/types.ts'
import type { Labels } from '../../api/selector.ts'
import type { Lister } from '../../client/lister.ts'
import { equalJson } from '../../lib/json.ts'
import { type ClusterEvent, type Filter, type Plugin, type PluginEnv, type Refusal, type Scorer, scoreMax, type Supposition } from '../framework.ts'
import type { Tally } from '../tally.ts'
import { type AffinityTerm, meansPod, termsOf } from '../terms.ts'
import type { NodeInfo, World } from '../world.ts'

export interface InterPodAffinityArgs {
  /** Weight of the required affinity of placed pods, in scores. */
  readonly hardPodAffinityWeight: number
  readonly ignorePreferredTermsOfExistingPods: boolean
}

const noAffinity: Refusal = { reasons: ["node(s) didn't match pod affinity rules"], unresolvable: true }
const antiAffinity: Refusal = { reasons: ["node(s) didn't match pod anti-affinity rules"], unresolvable: false }
const unwelcome: Refusal = { reasons: ["node(s) didn't satisfy existing pods anti-affinity rules"], unresolvable: false }

export function interPodAffinity(env: PluginEnv, args: InterPodAffinityArgs): Plugin {
  const lister = env.read(namespaces)
  const labelsOf = (namespace: string): Labels => lister.at(namespace)?.metadata.labels
  return {
    name: 'InterPodAffinity',
    filter: (pod, world) => filterFor(pod, world, lister, labelsOf(pod.metadata.namespace ?? '')),
    score: (pod, world) => scorerFor(pod, world, { lister, args, namespaceLabels: labelsOf(pod.metadata.namespace ?? '') }),
    wakes: (pod, event) => wakes(pod, event, labelsOf),
  }
}

/** A term of the waiting pod with the placed pods that it means. */
interface Wanted {
  readonly key: string
  readonly weight: number
  readonly tally: Tally
}

function wantedBy(term: AffinityTerm, world: World, lister: Lister<Namespace>): Wanted {
  return { key: term.topologyKey, weight: term.weight, tally: tallyOf([term], world, lister) }
}

/** Placed pods that all of the terms mean. */
function tallyOf(terms: readonly AffinityTerm[], world: World, lister: Lister<Namespace>): Tally {
  const parts = terms.map((term) => ({ term, where: namespacesOf(term, lister) }))
  const id = `terms ${JSON.stringify(parts.map(({ term, where }) => [where === undefined ? undefined : [...where].toSorted(), term.selector.requirements]))}`
  return world.tally(id, (pod) => parts.every(({ term, where }) => (where === undefined || where.has(pod.metadata.namespace ?? '')) && term.selector.matches(pod.metadata.labels)))
}

/** Undefined: all. */
function namespacesOf(term: AffinityTerm, lister: Lister<Namespace>): ReadonlySet<string> | undefined {
  const { namespaceSelector } = term
  if (namespaceSelector.empty) return undefined
  if (namespaceSelector.requirements.length === 0) return term.namespaces
  const selected = lister.list().filter(({ metadata }) => namespaceSelector.matches(metadata.labels)).map(({ metadata }) => metadata.name ?? '')
  return new Set([...term.namespaces, ...selected])
}

/** Topology key and value -> how many more (or fewer) count there than the world says. */
type Shifts = Map<string, number>
const pair = (key: string, value: string): string => `${key}\n${value}`

interface Rules {
  readonly pod: Readonly<Pod>
  readonly namespaceLabels: Labels
  readonly terms: readonly AffinityTerm[]
  /** Pods that all required terms mean; undefined where there are none. */
  readonly friends: Tally | undefined
  readonly foes: readonly Wanted[]
  /** Anti-affinity of placed pods that means this one. */
  readonly against: readonly { readonly key: string; readonly holders: Tally }[]
}

function filterFor(pod: Readonly<Pod>, world: World, lister: Lister<Namespace>, namespaceLabels: Labels): Filter | undefined {
  const terms = termsOf(pod)
  const against: { key: string; holders: Tally }[] = []
  for (const { term, holders } of world.terms.of('antiAffinity')) if (meansPod(term, pod, namespaceLabels)) against.push({ key: term.topologyKey, holders })
  const rules: Rules = {
    pod, namespaceLabels, terms: terms.affinity, against,
    friends: terms.affinity.length === 0 ? undefined : tallyOf(terms.affinity, world, lister),
    foes: terms.antiAffinity.map((term) => wantedBy(term, world, lister)),
  }
  // Who is promised a node may mind the pod even where nobody that is placed does.
  if (rules.friends === undefined && rules.foes.length === 0 && against.length === 0 && !world.hasNominations()) return undefined
  return { check: (node) => check(rules, node, none), supposing: () => suppose(rules) }
}

const none: Shifted = { friends: new Map(), foes: [], against: new Map() }

interface Shifted {
  readonly friends: Shifts
  readonly foes: readonly Shifts[]
  readonly against: Shifts
}

function check(rules: Rules, node: NodeInfo, shifted: Shifted): Refusal | undefined {
  if (rules.friends !== undefined && !hasFriends(rules, rules.friends, node, shifted.friends)) return noAffinity
  for (let i = 0; i < rules.foes.length; i++) {
    const { key, tally } = rules.foes[i] as Wanted
    if (countAt(tally, key, node, shifted.foes[i]) > 0) return antiAffinity
  }
  for (const { key, holders } of rules.against) if (countAt(holders, key, node, undefined) > 0 && standsAgainst(rules, key, node, shifted.against)) return unwelcome
  if (shifted.against.size > 0 && comesAgainst(rules, node, shifted.against)) return unwelcome
  return undefined
}

function countAt(tally: Tally, key: string, node: NodeInfo, shifts: Shifts | undefined): number {
  const value = node.label(key)
  return value === undefined ? 0 : (tally.by(key).get(value) ?? 0) + (shifts?.get(pair(key, value)) ?? 0)
}

function hasFriends({ terms, pod, namespaceLabels }: Rules, friends: Tally, node: NodeInfo, shifts: Shifts): boolean {
  if (terms.some(({ topologyKey }) => node.label(topologyKey) === undefined)) return false
  if (terms.every(({ topologyKey }) => countAt(friends, topologyKey, node, shifts) > 0)) return true
  // The first of a series of pods that want to be together has none to join, and is let in.
  const anywhere = terms.some(({ topologyKey }) => areAnywhere(friends, topologyKey, shifts))
  return !anywhere && terms.every((term) => meansPod(term, pod, namespaceLabels))
}

function areAnywhere(tally: Tally, key: string, shifts: Shifts): boolean {
  const domains = tally.by(key)
  if (shifts.size === 0) return domains.size > 0
  for (const [value, count] of domains) if (count + (shifts.get(pair(key, value)) ?? 0) !== 0) return true
  for (const [at, shifted] of shifts) {
    const [of = '', value = ''] = at.split('\n')
    if (of === key && shifted !== 0 && !domains.has(value)) return true
  }
  return false
}

/** All holders with this key together, and who was put or taken away. */
function standsAgainst(rules: Rules, key: string, node: NodeInfo, shifts: Shifts): boolean {
  if (shifts.size === 0) return true
  const held = rules.against.filter((other) => other.key === key).reduce((sum, { holders }) => sum + countAt(holders, key, node, undefined), 0)
  return held + (shifts.get(pair(key, node.label(key) ?? '')) ?? 0) > 0
}

/** Whether a pod that was put somewhere minds this one, where nobody else with the key did. */
function comesAgainst(rules: Rules, node: NodeInfo, shifts: Shifts): boolean {
  for (const [at, count] of shifts) {
    const [key = '', value = ''] = at.split('\n')
    if (count > 0 && node.label(key) === value && standsAgainst(rules, key, node, shifts)) return true
  }
  return false
}

function suppose(rules: Rules): Supposition {
  const shifted: Shifted = { friends: new Map(), foes: rules.foes.map(() => new Map()), against: new Map() }
  const shift = (shifts: Shifts | undefined, key: string, node: NodeInfo, by: number): void => {
    const value = node.label(key)
    if (value !== undefined) shifts?.set(pair(key, value), (shifts.get(pair(key, value)) ?? 0) + by)
  }
  const move = (pod: Readonly<Pod>, node: NodeInfo, by: 1 | -1): void => {
    if (rules.friends?.matches(pod) === true) for (const key of new Set(rules.terms.map(({ topologyKey }) => topologyKey))) shift(shifted.friends, key, node, by)
    rules.foes.forEach(({ key, tally }, i) => (tally.matches(pod) ? shift(shifted.foes[i], key, node, by) : undefined))
    for (const term of termsOf(pod).antiAffinity) if (meansPod(term, rules.pod, rules.namespaceLabels)) shift(shifted.against, term.topologyKey, node, by)
  }
  return { check: (node) => check(rules, node, shifted), put: (pod, node) => move(pod, node, 1), take: (pod, node) => move(pod, node, -1) }
}

interface ScoreEnv {
  readonly lister: Lister<Namespace>
  readonly args: InterPodAffinityArgs
  readonly namespaceLabels: Labels
}

function scorerFor(pod: Readonly<Pod>, world: World, { lister, args, namespaceLabels }: ScoreEnv): Scorer | undefined {
  const terms = termsOf(pod)
  const own = [
    ...terms.preferredAffinity.map((term) => ({ ...wantedBy(term, world, lister), factor: term.weight })),
    ...terms.preferredAntiAffinity.map((term) => ({ ...wantedBy(term, world, lister), factor: -term.weight })),
  ]
  if (own.length === 0 && args.ignorePreferredTermsOfExistingPods) return undefined
  const sums = own.map(({ key, tally, factor }) => ({ key, domains: tally.by(key), factor }))
  for (const sort of ['affinity', 'preferredAffinity', 'preferredAntiAffinity'] as const) {
    for (const { term, holders } of world.terms.of(sort)) {
      const factor = sort === 'affinity' ? args.hardPodAffinityWeight : sort === 'preferredAffinity' ? term.weight : -term.weight
      if (factor !== 0 && meansPod(term, pod, namespaceLabels)) sums.push({ key: term.topologyKey, domains: holders.by(term.topologyKey), factor })
    }
  }
  const counted = sums.filter(({ domains }) => domains.size > 0)
  if (counted.length === 0) return undefined
  return {
    score: (node) => counted.reduce((sum, { key, domains, factor }) => sum + factor * (domains.get(node.label(key) ?? '') ?? 0), 0),
    normalize,
  }
}

/** The lowest becomes 0, the highest 100. */
function normalize(scores: number[]): void {
  const [min, max] = scores.reduce(([low, high], score) => [Math.min(low, score), Math.max(high, score)], [Infinity, -Infinity])
  for (let i = 0; i < scores.length; i++) scores[i] = max > min ? Math.trunc(scoreMax * (((scores[i] ?? 0) - min) / (max - min))) : 0
}

/** Each of the terms against which one other pod stands refuses by itself; those that want company are met by one pod together. */
function wakes(pod: Readonly<Pod>, event: ClusterEvent, labelsOf: (namespace: string) => Labels): boolean {
  const { affinity, antiAffinity: anti } = termsOf(pod)
  const meansNow = (term: AffinityTerm, other: Readonly<Pod>): boolean => meansPod(term, other, labelsOf(other.metadata.namespace ?? ''))
  const means = (terms: readonly AffinityTerm[], other: Readonly<Pod>): boolean => terms.length > 0 && terms.every((term) => meansNow(term, other))
  const minds = (other: Readonly<Pod>): boolean => anti.some((term) => meansNow(term, other))
  switch (event.type) {
    case 'pod changed':
      return !equalJson(event.pod.metadata.labels ?? {}, event.prev.metadata.labels ?? {})
    case 'pod placed':
      return means(affinity, event.pod)
    case 'placed pod changed':
      return (!means(affinity, event.prev) && means(affinity, event.pod)) || anti.some((term) => meansNow(term, event.prev) && !meansNow(term, event.pod))
    case 'pod gone':
      return minds(event.pod) || termsOf(event.pod).antiAffinity.some((term) => meansNow(term, pod))
    case 'node added':
      return [...affinity, ...anti].some(({ topologyKey }) => event.node.metadata.labels?.[topologyKey] !== undefined) || affinity.length === 0
    case 'node changed':
      return !equalJson(event.node.metadata.labels ?? {}, event.prev.metadata.labels ?? {})
    default:
      return false
  }
}
