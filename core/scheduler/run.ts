/** Runs the scheduler: informers in, decisions out. Until ctx ends. */
import { nodes } from '../api/core/node.ts'
import { pods } from '../api/core/pod.ts'
import type { KindRef } from '../api/kind.ts'
import type { KubeObject } from '../api/meta.ts'
import { podDisruptionBudgets } from '../api/policy/poddisruptionbudget.ts'
import type { Client } from '../client/client.ts'
import type { Informer } from '../client/informer.ts'
import { Informers } from '../client/informers.ts'
import { EventRecorder } from '../client/recorder.ts'
import type { BackoffOptions } from '../lib/backoff.ts'
import type { Ctx } from '../lib/ctx.ts'
import { Group } from '../lib/group.ts'
import type { Random } from '../lib/random.ts'
import type { Extender } from './extender.ts'
import type { PluginEnv } from './framework.ts'
import type { ProfileMaker } from './plugins.ts'
import { Scheduler } from './scheduler.ts'
import type { RecordEvent } from './telling.ts'

export interface SchedulerRun {
  readonly client: Client
  readonly random: Random
  readonly profiles: readonly ProfileMaker[]
  readonly extenders?: readonly Extender[]
  readonly backoff?: BackoffOptions
  /** Called with the scheduler once it works. */
  readonly ready?: (scheduler: Scheduler) => void
}

export async function runScheduler(parent: Ctx, { client, random, profiles: makers, extenders = [], backoff, ready }: SchedulerRun): Promise<void> {
  await using group = new Group(parent)
  const { ctx } = group
  const informers = new Informers({ client, random })
  const [allNodes, allPods, budgets] = [informers.of(nodes), informers.of(pods), informers.of(podDisruptionBudgets)]
  const others = new Set<KindRef>()
  const recorders = new Map<string, EventRecorder>()
  const event: RecordEvent = (pod, type, reason, message, by = pod.spec?.schedulerName ?? '') => recorders.get(by)?.event(pods, pod, type, reason, message)
  const env: PluginEnv = {
    client,
    clock: ctx.clock,
    random,
    event,
    read(kind) {
      if ((kind as KindRef) !== (pods as KindRef) && (kind as KindRef) !== (nodes as KindRef)) others.add(kind as KindRef)
      return informers.of(kind).lister
    },
  }
  const profiles = makers.map((make) => make(env))
  for (const { schedulerName } of profiles) recorders.set(schedulerName, new EventRecorder(ctx, client, { component: schedulerName }, random))
  const scheduler = new Scheduler(ctx, {
    client, random, profiles, extenders, ...(backoff === undefined ? {} : { backoff }),
    budgets: () => budgets.lister.list(),
    event,
  })
  for (const [name, recorder] of recorders) group.go(`events of ${name}`, (part) => recorder.run(part))
  group.go('informers', (part) => informers.run(part))
  try {
    // With half of the cluster known pods would be refused for want of nodes, and told so.
    await informers.synced(ctx)
    allNodes.on({
      added: (node) => scheduler.handleNode(node, undefined),
      updated: (node, prev) => scheduler.handleNode(node, prev),
      deleted: (node) => scheduler.handleNodeGone(node),
    })
    allPods.on({
      added: (pod) => scheduler.handlePod(pod),
      updated: (pod, prev) => scheduler.handlePod(pod, prev),
      deleted: (pod) => scheduler.handlePodGone(pod),
    })
    for (const kind of others) follow(scheduler, kind, informers.of(kind))
    ready?.(scheduler)
    await group.wait()
  } finally {
    scheduler.stop()
  }
}

function follow(scheduler: Scheduler, kind: KindRef, informer: Informer<KubeObject>): void {
  informer.on({
    added: (object) => scheduler.handleObject(kind, object, undefined),
    updated: (object, prev) => scheduler.handleObject(kind, object, prev),
    deleted: (object) => scheduler.handleObject(kind, undefined, object),
  })
}
