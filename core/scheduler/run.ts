/** Runs the scheduler: informers in, decisions out. Until ctx ends. */
import { nodes } from '../api/core/node.ts'
import { pods } from '../api/core/pod.ts'
import type { Client } from '../client/client.ts'
import { Informers } from '../client/informers.ts'
import { EventRecorder } from '../client/recorder.ts'
import type { Ctx } from '../lib/ctx.ts'
import { Group } from '../lib/group.ts'
import type { Random } from '../lib/random.ts'
import type { Profile } from './framework.ts'
import { Scheduler } from './scheduler.ts'

export interface SchedulerRun {
  readonly client: Client
  readonly random: Random
  readonly profiles: readonly Profile[]
}

export async function runScheduler(parent: Ctx, { client, random, profiles }: SchedulerRun): Promise<void> {
  await using group = new Group(parent)
  const { ctx } = group
  const recorder = new EventRecorder(ctx, client, { component: profiles[0]?.schedulerName ?? 'default-scheduler' }, random)
  const scheduler = new Scheduler(ctx, {
    client,
    random,
    profiles,
    event: (pod, type, reason, message) => recorder.event(pods, pod, type, reason, message),
  })
  const informers = new Informers({ client, random })
  const [allNodes, allPods] = [informers.of(nodes), informers.of(pods)]
  group.go('events', (part) => recorder.run(part))
  group.go('informers', (part) => informers.run(part))
  try {
    // With half of the cluster known pods would be refused for want of nodes, and told so.
    await informers.synced(ctx)
    allNodes.on({
      added: (node) => scheduler.handleNode(node, undefined),
      updated: (node, prev) => scheduler.handleNode(node, prev),
      deleted: (node) => scheduler.handleNodeGone(node.metadata.name ?? ''),
    })
    allPods.on({
      added: (pod) => scheduler.handlePod(pod),
      updated: (pod) => scheduler.handlePod(pod),
      deleted: (pod) => scheduler.handlePodGone(pod),
    })
    await group.wait()
  } finally {
    scheduler.stop()
  }
}
