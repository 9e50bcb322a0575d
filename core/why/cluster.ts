/**
 * The cluster as the scheduler sees it, read once for a question: its world and its plugins, to be asked what they would
 * say. Nothing is bound, evicted or written; changes of the world are tried and taken back (trial.ts).
 */
import { nodes } from '../api/core/node.ts'
import { pods } from '../api/core/pod.ts'
import type { KindRef } from '../api/kind.ts'
import type { KubeObject } from '../api/meta.ts'
import { podDisruptionBudgets } from '../api/policy/poddisruptionbudget.ts'
import type { Pod, PodDisruptionBudget } from '../api/schema/types.ts'
import { Cache, type Lister } from '../client/lister.ts'
import { seededRandom, type Random } from '../lib/random.ts'
import type { PluginEnv, Profile } from '../scheduler/framework.ts'
import { holdsResources, World } from '../scheduler/world.ts'
import { Pace } from './pace.ts'
import type { Reader } from './reader.ts'

export interface Cluster {
  readonly world: World
  /** The one that the pod in question asks for; the first where it asks for one that there is not. */
  readonly profile: Profile
  readonly budgets: readonly Readonly<PodDisruptionBudget>[]
  /** The same for every question, so that the same question has the same answer. */
  readonly random: Random
  readonly pace: Pace
}

/** What all pods share. */
export interface ReadCluster extends Omit<Cluster, 'profile'> {
  readonly profiles: readonly Profile[]
}

/** Undefined: nodes or pods may not be read, and nothing can be said. */
export async function readCluster(reader: Reader): Promise<ReadCluster | undefined> {
  const [allNodes, allPods] = await Promise.all([reader.list(nodes), reader.list(pods)])
  if (allNodes === undefined || allPods === undefined) return undefined
  const random = seededRandom(1)
  const caches = new Map<KindRef, Cache<KubeObject>>()
  const env: PluginEnv = {
    client: reader.client,
    clock: reader.ctx.clock,
    random,
    event: () => {},
    read<T extends KubeObject>(kind: KindRef<T>): Lister<T> {
      const cache = caches.get(kind as KindRef) ?? new Cache<KubeObject>()
      caches.set(kind as KindRef, cache)
      return cache as unknown as Lister<T>
    },
  }
  const profiles = reader.profiles.map((make) => make(env))
  const [budgets] = await Promise.all([reader.list(podDisruptionBudgets), ...[...caches].map(([kind, cache]) => fill(reader, kind, cache))])
  const world = new World()
  const pace = new Pace(reader.ctx.signal)
  for (const node of allNodes) {
    world.setNode(node)
    await pace.step()
  }
  for (const pod of allPods) {
    enter(world, pod)
    await pace.step()
  }
  return { world, profiles, budgets: budgets ?? [], random, pace }
}

/** As the scheduler would look for this pod. Undefined: it has no profile at all. */
export function clusterFor({ profiles, ...shared }: ReadCluster, schedulerName: string): Cluster | undefined {
  const profile = profiles.find((candidate) => candidate.schedulerName === schedulerName) ?? profiles[0]
  return profile === undefined ? undefined : { ...shared, profile }
}

async function fill(reader: Reader, kind: KindRef, cache: Cache<KubeObject>): Promise<void> {
  for (const object of (await reader.list(kind)) ?? []) cache.put(object)
}

function enter(world: World, pod: Readonly<Pod>): void {
  if (!holdsResources(pod)) return
  if ((pod.spec?.nodeName ?? '') !== '') world.setPod(pod)
  else if ((pod.status?.nominatedNodeName ?? '') !== '') world.nominate(pod, pod.status?.nominatedNodeName ?? '')
}
