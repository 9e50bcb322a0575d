/**
 * What local plugins said of nodes, remembered for each sort of pod and each state of a node: a thousand equal pods cost
 * hardly more than one. Void as soon as the world's epoch changes.
 */
import type { Pod } from '../api/schema/types.ts'
import { ask, questionsFor, type Questions, type Refused } from './evaluate.ts'
import type { Plugin, Profile, Refusal, Scorer } from './framework.ts'
import { signatureOf } from './signature.ts'
import type { NodeInfo, World } from './world.ts'

/** Sorts of pods; then the one that was longest not asked for is forgotten. */
const sortsMax = 32
const isLocal = (plugin: Plugin): boolean => plugin.local === true

/** Scores that are brought to a common scale over the nodes of a decision. */
export interface ScaledScore {
  readonly scorer: Required<Scorer>
  readonly weight: number
  /** By the index of the node, as the scorer gives it. */
  readonly raw: Float64Array
}

/** Why all nodes refuse a sort of pod. */
export interface Nowhere {
  readonly refusals: ReadonlyMap<NodeInfo, Refusal>
  readonly refusedBy: readonly Plugin[]
  readonly message: string
}

/** One sort of pod. */
export class SortOfPod {
  readonly questions: Questions
  readonly scaled: readonly ScaledScore[]
  /** Weighted sum of all other scores, by the index of the node. */
  readonly plain: Float64Array
  readonly #plainScorers: readonly { readonly scorer: Scorer; readonly weight: number }[]
  readonly #generations: Int32Array
  readonly #refused: (Refused | undefined)[]
  #nowhere: { readonly version: number; readonly why: Nowhere } | undefined

  constructor(pod: Readonly<Pod>, world: World, profile: Profile) {
    const count = world.nodes().length
    this.questions = questionsFor(pod, world, profile, isLocal)
    const scorers = profile.plugins.flatMap(({ plugin, weight }) => {
      const scorer = weight === 0 || !isLocal(plugin) ? undefined : plugin.score?.(pod, world, [])
      return scorer === undefined ? [] : [{ scorer, weight }]
    })
    this.#plainScorers = scorers.filter(({ scorer }) => scorer.normalize === undefined)
    this.scaled = scorers.filter((one): one is { scorer: Required<Scorer>; weight: number } => one.scorer.normalize !== undefined).map((one) => ({ ...one, raw: new Float64Array(count) }))
    this.plain = new Float64Array(count)
    this.#generations = new Int32Array(count).fill(-1)
    this.#refused = Array.from({ length: count }, () => undefined)
  }

  /** The refusal of a local plugin; the scores of the node are known afterwards. */
  refusal(node: NodeInfo): Refused | undefined {
    const { index } = node
    if (this.#generations[index] === node.generation) return this.#refused[index]
    const refused = ask(this.questions.filters, node)
    if (refused === undefined) this.#score(node)
    this.#generations[index] = node.generation
    this.#refused[index] = refused
    return refused
  }

  /** What was said of a pod of this sort that fits nowhere, while nothing has changed since. */
  nowhere(world: World): Nowhere | undefined {
    return this.#nowhere?.version === world.version ? this.#nowhere.why : undefined
  }

  remember(why: Nowhere, { version }: World): void {
    this.#nowhere = { version, why }
  }

  #score(node: NodeInfo): void {
    let sum = 0
    for (const { scorer, weight } of this.#plainScorers) sum += scorer.score(node) * weight
    this.plain[node.index] = sum
    for (const { scorer, raw } of this.scaled) raw[node.index] = scorer.score(node)
  }
}

export class Remembered {
  readonly #sorts = new Map<string, SortOfPod>()
  #epoch = -1

  of(pod: Readonly<Pod>, world: World, profile: Profile): SortOfPod {
    world.nodes() // puts them in order, and with that numbers them
    if (this.#epoch !== world.epoch) {
      this.#sorts.clear()
      this.#epoch = world.epoch
    }
    const signature = `${profile.schedulerName} ${signatureOf(pod)}`
    let sort = this.#sorts.get(signature)
    if (sort === undefined) {
      const [oldest] = this.#sorts.keys()
      if (this.#sorts.size >= sortsMax && oldest !== undefined) this.#sorts.delete(oldest)
      sort = new SortOfPod(pod, world, profile)
    } else this.#sorts.delete(signature)
    this.#sorts.set(signature, sort)
    return sort
  }
}
