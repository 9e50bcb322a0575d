/** Taking a pod down: sandboxes and network, then everything it left on the machine, then the API's object. */
import type { Ctx } from '../../core/lib/ctx.ts'
import { isApiError } from '../../core/api/errors.ts'
import { keyOf } from '../../core/api/meta.ts'
import { pods } from '../../core/api/core/pod.ts'
import type { Pod } from '../../core/api/schema/types.ts'
import type { PodDeps } from './deps.ts'
import type { ObservedPod } from './observe.ts'
import { cgroupPathsOf } from './resources.ts'
import { podDirOf } from './start.ts'
import { tearDownVolumes } from './volumes.ts'

/** The network first: a dead sandbox has no namespace to take it from. */
export async function stopSandboxes(ctx: Ctx, deps: PodDeps, podUid: string, observed: ObservedPod, options: { readonly remove: boolean }): Promise<void> {
  await deps.network.detach(ctx, { podUid })
  for (const { id } of observed.sandboxes) {
    if (options.remove) await deps.runtime.remove(ctx, id)
    else await deps.runtime.stop(ctx, id, 0)
    await deps.observer.refresh(ctx, id)
  }
}

/** Everything of the pod that is left, containers included. `gone`: the API knows it no more. */
export async function finishPod(ctx: Ctx, deps: PodDeps, pod: Readonly<Pod>, { gone }: { readonly gone: boolean }): Promise<void> {
  const uid = pod.metadata.uid ?? ''
  await deps.network.detach(ctx, { podUid: uid })
  await removeTraces(ctx, deps, uid)
  deps.restarts.forget(`${uid}_`)
  deps.objects.release(uid)
  deps.tokens.release(uid)
  if (!gone) {
    await deps.statuses.written(ctx, uid)
    await deletePod(ctx, deps, pod)
  }
  deps.statuses.forget(uid)
}

/** Containers, files and control groups of a pod, known to the API or not. */
export async function removeTraces(ctx: Ctx, deps: PodDeps, uid: string): Promise<void> {
  const observed = deps.observer.pod(uid)
  for (const { id } of [...(observed?.containers ?? []), ...(observed?.sandboxes ?? []), ...(observed?.holders ?? [])]) {
    await deps.runtime.remove(ctx, id)
    await deps.observer.refresh(ctx, id)
  }
  deps.resizes.forget(uid)
  await deps.records.settled(uid)
  await tearDownVolumes(ctx, deps.mounts, podDirOf(deps, uid))
  for (const path of cgroupPathsOf(uid, deps.cgroupRoot, deps.node.cgroupDriver)) await deps.cgroups.remove(ctx, path)
}

/** The last word: the object itself, if it is still this pod. */
async function deletePod(ctx: Ctx, deps: PodDeps, pod: Readonly<Pod>): Promise<void> {
  const { uid = '' } = pod.metadata
  try {
    await deps.client.delete(ctx, pods, keyOf(pod), { gracePeriodSeconds: 0, preconditions: { uid } })
  } catch (error) {
    // Conflict: another pod of that name is there already.
    if (!isApiError(error, 'Conflict') && !isApiError(error, 'NotFound')) throw error
  }
}
