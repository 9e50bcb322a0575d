/** A StatefulSet's status from its pods and revisions. Pure. */
import { availableInMs } from '../../api/core/podstate.ts'
import { isBeingDeleted } from '../../api/meta.ts'
import type { Pod, StatefulSet, StatefulSetStatus } from '../../api/schema/types.ts'
import { ordinalOf, revisionOf, wantedOf } from './identity.ts'
import { isCreated, isRunningAndReady, type World } from './plan.ts'

/** `gone`: pods at the current revision that were just deleted for an update. */
export function statusOf(world: Omit<World, 'claim'>, collisions: number, gone: number): StatefulSetStatus {
  const { set, current, update, nowMs } = world
  const pods = world.pods.filter((pod) => ordinalOf(pod) >= 0)
  const count = (is: (pod: Readonly<Pod>) => boolean): number => pods.filter(is).length
  const at = (revision: string): number => count((pod) => isCreated(pod) && !isBeingDeleted(pod) && revisionOf(pod) === revision)
  return completed(set, {
    observedGeneration: set.metadata.generation ?? 0,
    replicas: count(isCreated),
    readyReplicas: count(isRunningAndReady),
    availableReplicas: count((pod) => isRunningAndReady(pod) && availableInMs(pod, set.spec?.minReadySeconds ?? 0, nowMs) === 0),
    currentReplicas: at(current.name) - gone,
    updatedReplicas: at(update.name),
    currentRevision: current.name,
    updateRevision: update.name,
    collisionCount: collisions,
  })
}

/** When all pods are up to date and ready, the update is the current revision. */
function completed(set: Readonly<StatefulSet>, status: StatefulSetStatus): StatefulSetStatus {
  const want = wantedOf(set)
  const done = set.spec?.updateStrategy?.type === 'RollingUpdate' && status.updatedReplicas === want && status.readyReplicas === want && status.replicas === want
  return done ? { ...status, currentReplicas: want, currentRevision: status.updateRevision ?? '' } : status
}

const counts = ['replicas', 'readyReplicas', 'availableReplicas', 'currentReplicas', 'updatedReplicas'] as const
const kept = new Set(['replicas', 'availableReplicas', 'collisionCount'])

/** Whether the set says something else now. */
export function differs(next: Readonly<StatefulSetStatus>, prev: Readonly<StatefulSetStatus> | undefined): boolean {
  return (next.observedGeneration ?? 0) > (prev?.observedGeneration ?? 0) || counts.some((name) => (next[name] ?? 0) !== (prev?.[name] ?? 0)) ||
    (next.currentRevision ?? '') !== (prev?.currentRevision ?? '') || (next.updateRevision ?? '') !== (prev?.updateRevision ?? '')
}

/** Without the zeros and empty names that Go leaves out of JSON. */
export function written(status: Readonly<StatefulSetStatus>): StatefulSetStatus {
  return Object.fromEntries(Object.entries(status).filter(([name, value]) => kept.has(name) || (value !== 0 && value !== ''))) as unknown as StatefulSetStatus
}
