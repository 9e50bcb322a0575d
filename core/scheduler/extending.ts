/** Asks extenders, each in turn, after the plugins: which of the feasible nodes they take, what points they add, which evictions they accept. */
import type { Pod } from '../api/schema/types.ts'
import type { Ctx } from '../lib/ctx.ts'
import { errorPath } from '../lib/log.ts'
import type { Feasible } from './decide.ts'
import { countReasons, sentence } from './evaluate.ts'
import type { Extender } from './extender.ts'
import type { Plugin } from './framework.ts'
import { type Candidates, noPreemption } from './preemption.ts'
import type { NodeInfo, World } from './world.ts'

/** Stands for extenders among those who refused: any event may change their mind. */
const extenderPlugin: Plugin = { name: 'Extender', wakes: () => true }

export async function askExtenders(ctx: Ctx, pod: Readonly<Pod>, world: World, own: Feasible, extenders: readonly Extender[]): Promise<Feasible> {
  let nodes = own.nodes
  const refusals = new Map(own.refusals)
  for (const extender of extenders) {
    if (nodes.length === 0) break
    if (extender.filter === undefined || !extender.isInterested(pod)) continue
    try {
      const answer = await extender.filter(ctx, pod, nodes)
      nodes = answer.nodes
      for (const [node, refusal] of answer.refusals) refusals.set(node, refusal)
    } catch (error) {
      if (!extender.ignorable) throw error
      ctx.log.warn('an extender is passed over', { extender: extender.name, error: errorPath(error) })
    }
  }
  if (nodes.length === own.nodes.length) return own
  const refusedBy = [...own.refusedBy, extenderPlugin]
  return { ...own, nodes, refusals, refusedBy, message: nodes.length > 0 ? '' : sentence(world.nodes().length, countReasons(refusals.values())) }
}

/** The sum of their points, by node name; who cannot be asked adds none. */
export async function pointsOf(ctx: Ctx, pod: Readonly<Pod>, nodes: readonly NodeInfo[], extenders: readonly Extender[]): Promise<ReadonlyMap<string, number>> {
  const sums = new Map<string, number>()
  const asked = extenders.filter((extender) => extender.prioritize !== undefined && extender.isInterested(pod))
  const answers = await Promise.allSettled(asked.map(async (extender) => await extender.prioritize?.(ctx, pod, nodes)))
  for (const [i, answer] of answers.entries()) {
    if (answer.status === 'rejected') ctx.log.debug('an extender gave no points', { extender: asked[i]?.name, error: errorPath(answer.reason) })
    else for (const [name, points] of answer.value ?? []) sums.set(name, (sums.get(name) ?? 0) + points)
  }
  return sums
}

/** Candidates for evictions that every extender accepts that wants a say. */
export async function acceptedBy(ctx: Ctx, own: Candidates, extenders: readonly Extender[], pod: Readonly<Pod>): Promise<Candidates> {
  let { candidates } = own
  for (const extender of extenders) {
    if (candidates.length === 0) break
    if (extender.preempt === undefined || !extender.isInterested(pod)) continue
    try {
      candidates = await extender.preempt(ctx, pod, candidates)
    } catch (error) {
      if (!extender.ignorable) return { candidates: [], otherwise: { ...noPreemption, message: `preemption: ${error instanceof Error ? error.message : String(error)}` } }
      ctx.log.warn('an extender is passed over', { extender: extender.name, error: errorPath(error) })
    }
  }
  const changed = candidates.length === 0 && own.candidates.length > 0
  return { candidates, otherwise: changed ? { ...noPreemption, message: 'preemption: no candidate node for preemption' } : own.otherwise }
}
