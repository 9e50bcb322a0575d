/** Our scheduler over a drawn cluster: its world, its listers, its profile, and what the pure functions of core/scheduler say. */
import type { KindRef } from '../../../core/api/kind.ts'
import type { KubeObject } from '../../../core/api/meta.ts'
import type { Node, Pod, PodDisruptionBudget } from '../../../core/api/schema/types.ts'
import type { Client } from '../../../core/client/client.ts'
import { Cache } from '../../../core/client/lister.ts'
import { virtualClock } from '../../../core/lib/clock.ts'
import { seededRandom, type Random } from '../../../core/lib/random.ts'
import { readSchedulerConfiguration } from '../../../core/scheduler/configuration/configuration.ts'
import { profilesOf } from '../../../core/scheduler/configuration/profiles.ts'
import { decide, feasibleNodes, type DecideOptions } from '../../../core/scheduler/decide.ts'
import { excluded, questionsFor, verdict } from '../../../core/scheduler/evaluate.ts'
import { isRefusal, type Plugin, type PluginEnv, type Profile, type Refusal, type WeightedPlugin } from '../../../core/scheduler/framework.ts'
import { defaultProfile, type ProfileMaker } from '../../../core/scheduler/plugins.ts'
import { preempt, victimsOn } from '../../../core/scheduler/preemption.ts'
import { Remembered } from '../../../core/scheduler/remembered.ts'
import { World, type NodeInfo } from '../../../core/scheduler/world.ts'
import type { Case } from './cluster.ts'
import type { Answer, Verdict } from './golden.ts'

export type Verdicts = Record<string, Verdict>

function configured(config: NonNullable<Case['config']>): ProfileMaker {
  const [first] = profilesOf(readSchedulerConfiguration(JSON.stringify(config)))
  if (first === undefined) throw new Error('the configuration of the case has no profile')
  return first
}

export class Ours {
  readonly world = new World()
  readonly profile: Profile
  readonly #random: Random = seededRandom(1)
  readonly #caches = new Map<string, Cache<KubeObject>>()

  constructor({ objects, config }: Case) {
    for (const object of objects) this.#cache(object.kind ?? '').put(object)
    for (const node of this.#list<Node>('Node')) this.world.setNode(node)
    for (const pod of this.#list<Pod>('Pod')) {
      if ((pod.spec?.nodeName ?? '') === '') this.world.nominate(pod, pod.status?.nominatedNodeName ?? '')
      else if (pod.status?.phase !== 'Succeeded' && pod.status?.phase !== 'Failed') this.world.setPod(pod)
    }
    const env: PluginEnv = { client: noClient, clock: virtualClock(), random: this.#random, event: () => {}, read: <T extends KubeObject>(kind: KindRef<T>) => this.#cache(kind.kind) as unknown as Cache<T> }
    this.profile = config === undefined ? defaultProfile(env) : configured(config)(env)
  }

  #cache(kind: string): Cache<KubeObject> {
    let cache = this.#caches.get(kind)
    if (cache === undefined) this.#caches.set(kind, (cache = new Cache<KubeObject>({ freeze: true })))
    return cache
  }

  #list<T extends KubeObject>(kind: string): readonly Readonly<T>[] {
    return this.#cache(kind).list() as unknown as readonly Readonly<T>[]
  }

  pod(name: string): Readonly<Pod> {
    const pod = this.#cache('Pod').at(name)
    if (pod === undefined) throw new Error(`the case has no pod ${name}`)
    return pod as Readonly<Pod>
  }

  has(name: string): boolean {
    return this.profile.plugins.some(({ plugin }) => plugin.name === name)
  }

  scores(name: string): boolean {
    return this.profile.plugins.some(({ plugin, weight }) => plugin.name === name && weight > 0)
  }

  /** Whether all plugins are here that have a say in upstream's answer. */
  knowsAll({ filters = {}, refused = {}, scores = {} }: Answer): boolean {
    const say = [...Object.keys(filters), ...Object.values(refused).filter((name) => name !== ''), ...Object.keys(scores).filter((name) => scores[name]?.some((score) => score !== 0))]
    return say.every((name) => this.has(name))
  }

  /** The part of a plugin that is asked there, where it is. */
  #plugin(name: string, at: 'filter' | 'score'): WeightedPlugin | undefined {
    return this.profile.plugins.find(({ plugin }) => plugin.name === name && plugin[at] !== undefined)
  }

  gate(pod: Readonly<Pod>): string {
    for (const { plugin } of this.profile.plugins) {
      const gate = plugin.gate?.(pod)
      if (gate !== undefined) return gate
    }
    return ''
  }

  filter(name: string, pod: Readonly<Pod>): Verdicts {
    const found = this.#plugin(name, 'filter')
    try {
      return found === undefined ? {} : this.#alone(found.plugin, pod)
    } catch (error) {
      return { '*': ['E', error instanceof Error ? (error.stack ?? error.message) : String(error)] }
    }
  }

  #alone(plugin: Plugin, pod: Readonly<Pod>): Verdicts {
    const answer = plugin.filter?.(pod, this.world)
    if (answer === undefined) return {}
    if (isRefusal(answer)) return { '*': verdictOf(answer) }
    const verdicts: Verdicts = {}
    for (const node of this.world.nodes()) {
      const refusal = answer.only?.has(node.name) === false ? excluded([plugin]) : answer.check(node)
      if (refusal !== undefined) verdicts[node.name] = verdictOf(refusal)
    }
    return verdicts
  }

  score(name: string, pod: Readonly<Pod>, on: readonly string[]): readonly number[] | undefined {
    const found = this.#plugin(name, 'score')
    if (found === undefined) return undefined
    const { plugin, weight } = found
    const nodes = on.map((each) => this.#node(each))
    const scorer = plugin.score?.(pod, this.world, nodes)
    const scores = scorer === undefined ? undefined : nodes.map(scorer.score)
    if (scores !== undefined) scorer?.normalize?.(scores, nodes)
    return scores?.map((score) => score * weight)
  }

  #node(name: string): NodeInfo {
    const node = this.world.node(name)
    if (node === undefined) throw new Error(`the world has no node ${name}`)
    return node
  }

  /** Node -> who refuses it. Empty where the pod is refused before any node is looked at. */
  refusals(pod: Readonly<Pod>): Readonly<Record<string, string>> {
    const questions = questionsFor(pod, this.world, this.profile)
    if (questions.refused !== undefined) return {}
    const refused: Record<string, string> = {}
    for (const node of this.world.nodes()) {
      if (questions.only?.names.has(node.name) === false) continue
      const by = verdict(questions, node, this.world)
      if (by !== undefined) refused[node.name] = by.plugin.name
    }
    return refused
  }

  #options(): DecideOptions {
    return { random: this.#random, start: 0, looked: () => {}, remembered: new Remembered() }
  }

  /** The node that takes it, or the message of its condition. */
  decision(pod: Readonly<Pod>): { readonly takes: string } | { readonly message: string } {
    const decision = decide(pod, this.world, this.profile, this.#options())
    if (decision.fits) return { takes: decision.nodeName }
    const said: string[] = []
    for (const { plugin } of this.profile.plugins) {
      const rescue = plugin.rescue?.(pod)
      if (rescue === undefined) continue
      said.push(rescue.message)
      if (rescue.last === true) return { message: `${decision.message} ${said.join(', ')}` }
    }
    const { nodeName, message } = preempt(decision.questions, this.world, decision.refusals, this.#preemption())
    return { message: nodeName === '' ? `${decision.message} ${[...said, message].join(', ')}` : decision.message }
  }

  #preemption(): Parameters<typeof preempt>[3] {
    return { limits: this.profile.preemption ?? { minCandidateNodesPercentage: 100, minCandidateNodesAbsolute: 100 }, budgets: this.#list<PodDisruptionBudget>('PodDisruptionBudget'), random: this.#random }
  }

  preemption(pod: Readonly<Pod>): NonNullable<Answer['preemption']> | undefined {
    const { refusals, questions } = feasibleNodes(pod, this.world, this.profile, this.#options())
    const options = this.#preemption()
    const { nodeName, victims: taken } = preempt(questions, this.world, refusals, options)
    if (nodeName === '') return undefined
    const candidates = [...refusals].filter(([, { unresolvable }]) => !unresolvable).flatMap(([node]) => {
      const found = victimsOn(questions, node, this.world, options.budgets)
      return 'reasons' in found ? [] : [{ node: node.name, victims: found.victims.map(nameOf), violations: found.violations }]
    })
    const chosen = candidates.find(({ node }) => node === nodeName)
    if (chosen?.victims.join() !== taken.map(nameOf).join()) throw new Error(`other victims than those of ${nodeName} are chosen: ${taken.map(nameOf).join()}`)
    return { candidates: candidates.toSorted((a, b) => (a.node < b.node ? -1 : 1)), chosen: [nodeName] }
  }
}

const nameOf = ({ metadata }: Readonly<Pod>): string => `${metadata.namespace}/${metadata.name}`

function verdictOf({ unresolvable, reasons }: Refusal): Verdict {
  return [unresolvable ? 'UU' : 'U', ...reasons]
}

/** Decisions ask nobody. */
const noClient = new Proxy({} as Client, {
  get: (_, name) => {
    throw new Error(`a decision calls the API: ${String(name)}`)
  },
})
