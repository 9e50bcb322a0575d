/**
 * The scheduling framework: what a plugin is and where it is asked. A plugin is
 * prepared once a pod (upstream's PreFilter and PreScore) and answers with
 * functions over nodes, or with nothing where it has no say about this pod. The
 * order of plugins and their weights are plugins.ts.
 */
import type { Ctx } from '../lib/ctx.ts'
import type { Node, Pod } from '../api/schema/types.ts'
import type { NodeInfo, World } from './world.ts'

/** Why a node does not take a pod. `unresolvable`: evicting pods from it would not help. */
export interface Refusal {
  /** Upstream's words, counted over the nodes in the pod's condition. */
  readonly reasons: readonly string[]
  readonly unresolvable: boolean
}

/** Something happened that may let a waiting pod fit. */
export type ClusterEvent =
  | { readonly type: 'node added'; readonly node: Readonly<Node> }
  | { readonly type: 'node changed'; readonly node: Readonly<Node>; readonly prev: Readonly<Node> }
  /** A pod left its node, or will need less of it. */
  | { readonly type: 'pod gone'; readonly pod: Readonly<Pod> }
  /** The waiting pod itself was changed. */
  | { readonly type: 'pod changed'; readonly pod: Readonly<Pod> }

export type Filter = (node: NodeInfo) => Refusal | undefined

export interface Scorer {
  /** Any scale; see normalize. */
  readonly score: (node: NodeInfo) => number
  /** Brings the scores of all feasible nodes to 0..100, in place. Without it they are on that scale already. */
  readonly normalize?: (scores: number[]) => void
}

export interface Plugin {
  /** Upstream's name. */
  readonly name: string
  /** Order of the active queue: negative when a goes first. Exactly one plugin has it. */
  readonly before?: (a: QueuedPod, b: QueuedPod) => number
  readonly filter?: (pod: Readonly<Pod>, world: World) => Filter | undefined
  readonly score?: (pod: Readonly<Pod>, world: World) => Scorer | undefined
  /** Queueing hint: whether this event may undo a refusal by this plugin. Without it no event does. */
  readonly wakes?: (pod: Readonly<Pod>, event: ClusterEvent) => boolean
  /** Makes the decision real. Exactly one plugin has it. Throws when the API refuses. */
  readonly bind?: (ctx: Ctx, pod: Readonly<Pod>, nodeName: string) => Promise<void>
}

export interface WeightedPlugin {
  readonly plugin: Plugin
  readonly weight: number
}

/** An ordered set of plugins under the name that pods ask for in spec.schedulerName. */
export interface Profile {
  readonly schedulerName: string
  readonly plugins: readonly WeightedPlugin[]
}

export interface QueuedPod {
  readonly pod: Readonly<Pod>
  /** When it first came into the queue, ms since the epoch. */
  readonly since: number
  /** When it last came into the active queue. */
  readonly queued: number
  readonly attempts: number
}

/** Scores of a plugin are between 0 and this. */
export const scoreMax = 100

/** Scales scores so that the largest is 100; reversed, so that the largest is 0 (upstream's DefaultNormalizeScore). */
export function normalizeByMax(scores: number[], options: { readonly reverse: boolean }): void {
  const max = scores.reduce((a, b) => Math.max(a, b), 0)
  for (let i = 0; i < scores.length; i++) {
    const score = scores[i] ?? 0
    const scaled = max === 0 ? (options.reverse ? scoreMax : score) : Math.floor((score * scoreMax) / max)
    scores[i] = max !== 0 && options.reverse ? scoreMax - scaled : scaled
  }
}
