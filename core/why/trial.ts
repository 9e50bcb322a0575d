/** Asks the scheduler's plugins whether a pod fits: as things are, or with another pod, another node or one more of them. The world is afterwards as before. */
import type { Node, Pod } from '../api/schema/types.ts'
import { excluded, questionsFor, verdict, type Questions } from '../scheduler/evaluate.ts'
import type { Refusal } from '../scheduler/framework.ts'
import type { NodeInfo } from '../scheduler/world.ts'
import type { Cluster } from './cluster.ts'

export interface PluginVerdict {
  readonly plugin: string
  readonly refusal: Refusal
}

/** What each plugin says of each node, and what they say together. */
export interface Verdicts {
  readonly questions: Questions
  /** Refusals whatever the node. */
  readonly everywhere: readonly PluginVerdict[]
  readonly nodes: ReadonlyMap<NodeInfo, readonly PluginVerdict[]>
  /** Nodes that take the pod. */
  readonly fits: readonly NodeInfo[]
}

export async function verdictsOn(cluster: Cluster, pod: Readonly<Pod>): Promise<Verdicts> {
  const { world, profile, pace } = cluster
  const all = world.nodes()
  const said = new Map<NodeInfo, PluginVerdict[]>(all.map((node) => [node, []]))
  const everywhere: PluginVerdict[] = []
  for (const { plugin } of profile.plugins) {
    const alone = questionsFor(pod, world, profile, (which) => which === plugin)
    if (alone.refused !== undefined) everywhere.push({ plugin: plugin.name, refusal: alone.refused.refusal })
    for (const node of all) {
      await pace.step()
      const refusal = alone.only !== undefined && !alone.only.names.has(node.name) ? excluded([plugin]) : verdict(alone, node, world)?.refusal
      if (refusal !== undefined) said.get(node)?.push({ plugin: plugin.name, refusal })
    }
  }
  const questions = questionsFor(pod, world, profile)
  return { questions, everywhere, nodes: said, fits: all.filter((node) => said.get(node)?.length === 0 && takes(cluster, questions, node)) }
}

function takes({ world }: Cluster, questions: Questions, node: NodeInfo): boolean {
  if (questions.refused !== undefined) return false
  if (questions.only !== undefined && !questions.only.names.has(node.name)) return false
  return verdict(questions, node, world) === undefined
}

/** Whether this pod would fit on this node, were the node so. */
export function wouldFit(cluster: Cluster, pod: Readonly<Pod>, node: Readonly<Node>): boolean {
  const { world, profile } = cluster
  const name = node.metadata.name ?? ''
  const before = world.node(name)?.node
  if (before !== node) world.setNode(node)
  try {
    const info = world.node(name)
    return info !== undefined && takes(cluster, questionsFor(pod, world, profile), info)
  } finally {
    if (before === undefined) world.removeNode(name)
    else if (before !== node) world.setNode(before)
  }
}
