/**
 * The scheduling framework: what a plugin is and where it is asked. A plugin is prepared once a pod (upstream's PreFilter
 * and PreScore) and answers with functions over nodes, or with nothing where it has no say about this pod. Which plugins
 * there are is plugins.ts, how they are asked is evaluate.ts.
 */
import type { KindRef } from '../api/kind.ts'
import type { KubeObject } from '../api/meta.ts'
import type { Node, Pod } from '../api/schema/types.ts'
import type { Client } from '../client/client.ts'
import type { Lister } from '../client/lister.ts'
import type { Clock } from '../lib/clock.ts'
import type { Ctx } from '../lib/ctx.ts'
import type { Random } from '../lib/random.ts'
import type { NodeInfo, World } from './world.ts'

/** Why a node does not take a pod. */
export interface Refusal {
  /** Upstream's words, counted over the nodes in the pod's condition. */
  readonly reasons: readonly string[]
  /** Evicting pods from the node would not help. */
  readonly unresolvable: boolean
}

/** Something happened that may let a waiting pod fit. */
export type ClusterEvent =
  | { readonly type: 'node added'; readonly node: Readonly<Node> }
  | { readonly type: 'node changed'; readonly node: Readonly<Node>; readonly prev: Readonly<Node> }
  | { readonly type: 'node gone'; readonly node: Readonly<Node> }
  /** A pod came to stand on a node. */
  | { readonly type: 'pod placed'; readonly pod: Readonly<Pod> }
  /** A pod that stands on a node was changed. */
  | { readonly type: 'placed pod changed'; readonly pod: Readonly<Pod>; readonly prev: Readonly<Pod> }
  /** A pod left its node. */
  | { readonly type: 'pod gone'; readonly pod: Readonly<Pod> }
  /** The waiting pod itself was changed. */
  | { readonly type: 'pod changed'; readonly pod: Readonly<Pod>; readonly prev: Readonly<Pod> }
  /** An object of another kind that a plugin reads came, changed (it has both) or went. */
  | { readonly type: 'object'; readonly kind: KindRef; readonly object: Readonly<KubeObject> | undefined; readonly prev: Readonly<KubeObject> | undefined }

/** What a plugin asks of each node. */
export interface Filter {
  readonly check: (node: NodeInfo) => Refusal | undefined
  /** Only nodes of these names can take the pod; the others are not looked at. */
  readonly only?: ReadonlySet<string>
  /** For a filter that looks beyond the node: the same question in a world where pods can be put on nodes and taken away. */
  readonly supposing?: () => Supposition
}

export interface Supposition {
  readonly check: (node: NodeInfo) => Refusal | undefined
  readonly put: (pod: Readonly<Pod>, node: NodeInfo) => void
  readonly take: (pod: Readonly<Pod>, node: NodeInfo) => void
}

export interface Scorer {
  /** Any scale; see normalize. */
  readonly score: (node: NodeInfo) => number
  /** Brings the scores of these nodes to 0..100, in place. Without it they are on that scale already. */
  readonly normalize?: (scores: number[], nodes: readonly NodeInfo[]) => void
}

export interface Rescue {
  /** For the pod's condition. */
  readonly message: string
  /** Nobody else is asked. */
  readonly last?: boolean
  /** What may let the pod fit later. */
  readonly act?: (ctx: Ctx) => Promise<void>
}

export interface Plugin {
  /** Upstream's name. */
  readonly name: string
  /** Order of the active queue: negative when a goes first. Exactly one plugin has it. */
  readonly before?: (a: QueuedPod, b: QueuedPod) => number
  /** Why the pod is not even tried (PreEnqueue); it is asked again when the pod changes, or wakes() says that it may help. */
  readonly gate?: (pod: Readonly<Pod>) => string | undefined
  /** A try of the pod begins: what was found out in its last one is void. */
  readonly begin?: (pod: Readonly<Pod>) => void
  /** A refusal where no node can take the pod. May throw: the pod is tried again later. */
  readonly filter?: (pod: Readonly<Pod>, world: World) => Filter | Refusal | undefined
  /** `feasible`: the nodes that will be scored. */
  readonly score?: (pod: Readonly<Pod>, world: World, feasible: readonly NodeInfo[]) => Scorer | undefined
  /**
   * What filter and score say of a node follows from the node and from what equal pods have in common (signature.ts) as
   * long as world.epoch stays, and from nothing else: they are asked once for all equal pods and each state of a node.
   */
  readonly local?: boolean
  /** Queueing hint: whether this event may undo a refusal by this plugin. Without it no event does. */
  readonly wakes?: (pod: Readonly<Pod>, event: ClusterEvent, world: World) => boolean
  /** The pod will go to this node: keeps what it needs beside the node's resources, until release() or the world shows it. A refusal takes the decision back. */
  readonly reserve?: (pod: Readonly<Pod>, node: NodeInfo) => Refusal | undefined
  readonly release?: (pod: Readonly<Pod>, nodeName: string) => void
  /** No node fits (PostFilter): what the plugin does about it, before evictions are thought of. */
  readonly rescue?: (pod: Readonly<Pod>) => Rescue
  /** Makes ready what the pod needs on the node, before it is bound; may take long. Rejects when that fails. Undefined: nothing is to be done. */
  readonly prebind?: (ctx: Ctx, pod: Readonly<Pod>, nodeName: string) => Promise<void> | undefined
  /** Makes the decision real. Exactly one plugin has it. Throws when the API refuses. */
  readonly bind?: (ctx: Ctx, pod: Readonly<Pod>, nodeName: string) => Promise<void>
}

/** What a plugin is made with. */
export interface PluginEnv {
  readonly client: Client
  readonly clock: Clock
  readonly random: Random
  /** Tells of the pod, in the name of its scheduler. */
  readonly event: (pod: Readonly<Pod>, type: 'Normal' | 'Warning', reason: string, message: string) => void
  /** What the scheduler's informers show of a kind. Its changes come to wakes() as events. */
  readonly read: <T extends KubeObject>(kind: KindRef<T>) => Lister<T>
}

export interface WeightedPlugin {
  readonly plugin: Plugin
  /** Of its score in the sum; 0: it does not score. */
  readonly weight: number
}

/** How DefaultPreemption searches (DefaultPreemptionArgs). */
export interface PreemptionLimits {
  readonly minCandidateNodesPercentage: number
  readonly minCandidateNodesAbsolute: number
}

/** An ordered set of plugins under the name that pods ask for in spec.schedulerName. */
export interface Profile {
  readonly schedulerName: string
  readonly plugins: readonly WeightedPlugin[]
  /** 0 or undefined: by the size of the cluster. */
  readonly percentageOfNodesToScore?: number
  /** Undefined: pods are never evicted for others. */
  readonly preemption: PreemptionLimits | undefined
  /** Evictions are thought of before plugins are asked for rescue, not after. */
  readonly preemptsFirst?: boolean
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

export function isRefusal(answer: Filter | Refusal): answer is Refusal {
  return 'reasons' in answer
}

/** Scales scores so that the largest is 100; reversed, so that the largest is 0 (upstream's DefaultNormalizeScore). */
export function normalizeByMax(scores: number[], options: { readonly reverse: boolean }): void {
  let max = 0
  for (const score of scores) if (score > max) max = score
  for (let i = 0; i < scores.length; i++) {
    const score = scores[i] ?? 0
    const scaled = max === 0 ? (options.reverse ? scoreMax : score) : Math.floor((score * scoreMax) / max)
    scores[i] = max !== 0 && options.reverse ? scoreMax - scaled : scaled
  }
}
