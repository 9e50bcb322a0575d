/**
 * Pod GC: deletes pods that nobody else will: the oldest of too many ended ones, those of nodes that no longer are, and
 * terminating ones that never got a node or whose node is declared out of service (upstream's podgc).
 */
import { nodes } from '../api/core/node.ts'
import { pods } from '../api/core/pod.ts'
import { isPodTerminal } from '../api/core/podstate.ts'
import { taintKeys } from '../api/core/taints.ts'
import { isBeingDeleted, keyOf } from '../api/meta.ts'
import type { Node, Pod } from '../api/schema/types.ts'
import type { Client } from '../client/client.ts'
import { byNode, nodeIndex } from '../client/lister.ts'
import type { Ctx } from '../lib/ctx.ts'
import { cloneJson } from '../lib/json.ts'
import type { Controller, Env } from './controller.ts'
import { disrupted } from './disruption/target.ts'
import { readyOf } from './node/health.ts'
import { itself } from './run.ts'

/** A node that is not there for so long is gone; it might be a lister that is behind. */
const quarantineMs = 40_000
const ended = '#ended'
const nodeKey = '#node/'
const endedIndex = 'ended'

export const podGc: Controller = {
  name: 'pod-garbage-collector',
  setUp(env) {
    const informer = env.informers.of(pods)
    informer.addIndex(nodeIndex, byNode)
    informer.addIndex(endedIndex, (pod) => (isPodTerminal(pod) ? ['yes'] : []))
    const nodeLister = env.read(nodes)
    const lister = informer.lister
    const look = (pod: Readonly<Pod>): void => {
      const node = pod.spec?.nodeName ?? ''
      if (isPodTerminal(pod)) env.queue.add(ended)
      if (isBeingDeleted(pod)) itself(pod).forEach((key) => env.queue.add(key))
      if (node !== '' && env.informers.of(nodes).hasSynced && nodeLister.at(node) === undefined) env.queue.after(nodeKey + node, quarantineMs)
    }
    informer.on({
      added: look,
      updated: (next, prev) => (next.spec?.nodeName !== prev.spec?.nodeName || next.status?.phase !== prev.status?.phase || isBeingDeleted(next) !== isBeingDeleted(prev) ? look(next) : undefined),
    })
    env.informers.of(nodes).on({
      deleted: (node) => env.queue.after(nodeKey + (node.metadata.name ?? ''), quarantineMs),
      updated: (node) => (isOutOfService(node) ? lister.by(nodeIndex, node.metadata.name ?? '').forEach(look) : undefined),
    })
    void env.informers.of(nodes).synced.then(() => lister.list().forEach(look)) // pods that came before the nodes did

    return async (ctx, key, client) => {
      if (key === ended) return await sweepEnded(ctx, client, lister.by(endedIndex, 'yes'), env.settings.terminatedPodsMax)
      if (key.startsWith(nodeKey)) {
        const name = key.slice(nodeKey.length)
        if (nodeLister.at(name) !== undefined || (await client.get(ctx, nodes, { namespace: '', name })) !== undefined) return
        for (const pod of lister.by(nodeIndex, name)) await end(ctx, env, client, pod, ['DeletionByPodGC', 'PodGC: node no longer exists'])
        return
      }
      const pod = lister.at(key)
      if (pod === undefined || !isBeingDeleted(pod)) return
      const node = nodeLister.at(pod.spec?.nodeName ?? '')
      if ((pod.spec?.nodeName ?? '') === '' || (node !== undefined && isOutOfService(node))) await end(ctx, env, client, pod)
    }
  },
}

function isOutOfService(node: Readonly<Node>): boolean {
  return readyOf(node) !== 'True' && (node.spec?.taints ?? []).some((t) => t.key === taintKeys.outOfService)
}

/** `max` 0: all are kept. */
async function sweepEnded(ctx: Ctx, client: Client, all: readonly Readonly<Pod>[], max: number): Promise<void> {
  const surplus = all.length - max
  if (surplus <= 0 || max === 0) return
  const oldest = all.toSorted(byUse).slice(0, surplus)
  for (const pod of oldest) await client.delete(ctx, pods, keyOf(pod), { gracePeriodSeconds: 0 })
}

/** Evicted ones first: their controllers have made others long since. Then by age, and by name. */
function byUse(a: Readonly<Pod>, b: Readonly<Pod>): number {
  const evicted = ({ status }: Readonly<Pod>): boolean => status?.phase === 'Failed' && status.reason === 'Evicted'
  const rank = (pod: Readonly<Pod>): string => `${evicted(pod) ? 0 : 1} ${pod.metadata.creationTimestamp ?? ''} ${pod.metadata.name ?? ''}`
  return rank(a) < rank(b) ? -1 : 1
}

/** A pod that goes with its node has failed, so that whoever owns it counts it so; then it goes without grace. */
async function end(ctx: Ctx, env: Env, client: Client, pod: Readonly<Pod>, why?: readonly [reason: string, message: string]): Promise<void> {
  const { uid, generation } = pod.metadata
  if (!isPodTerminal(pod)) {
    const { conditions } = (why === undefined ? undefined : disrupted(pod, ...why, env.clock.now())) ?? {}
    const status = { phase: 'Failed', ...(generation === undefined ? {} : { observedGeneration: generation }), ...(conditions === undefined ? {} : { conditions: cloneJson(conditions) }) }
    await client.patch(ctx, pods, keyOf(pod), 'strategic', { metadata: { uid }, status }, { subresource: 'status' })
  }
  await client.delete(ctx, pods, keyOf(pod), { gracePeriodSeconds: 0, ...(uid === undefined ? {} : { preconditions: { uid } }) })
}
