/** A DaemonSet's status from its nodes and pods. Pure (upstream's updateDaemonSetStatus). */
import { isPodReady } from '../../api/core/podstate.ts'
import type { DaemonSetStatus } from '../../api/schema/types.ts'
import { isUpdated } from './placement.ts'
import { byAge, isAvailable, type World } from './plan.ts'

export function statusOf(world: World): DaemonSetStatus {
  const { set, hash, nodes, pods } = world
  const prev = set.status
  let [desired, current, ready, updated, available, misscheduled] = [0, 0, 0, 0, 0, 0]
  for (const node of nodes) {
    const [pod] = (pods.get(node.metadata.name ?? '') ?? []).toSorted(byAge)
    if (!world.place(node).run) {
      if (pod !== undefined) misscheduled++
      continue
    }
    desired++
    if (pod === undefined) continue
    current++
    if (isPodReady(pod)) ready++
    if (isAvailable(world, pod)) available++
    if (isUpdated(set, hash, pod)) updated++
  }
  return {
    ...(prev?.collisionCount === undefined ? {} : { collisionCount: prev.collisionCount }),
    ...(prev?.conditions === undefined ? {} : { conditions: prev.conditions }),
    currentNumberScheduled: current,
    desiredNumberScheduled: desired,
    numberMisscheduled: misscheduled,
    numberReady: ready,
    ...count('numberAvailable', available),
    ...count('numberUnavailable', desired - available),
    ...count('updatedNumberScheduled', updated),
    ...count('observedGeneration', set.metadata.generation ?? 0),
  }
}

/** Go leaves zeros out of JSON. */
function count<N extends string>(name: N, value: number): { readonly [name in N]?: number } {
  return (value === 0 ? {} : { [name]: value }) as { readonly [name in N]?: number }
}
