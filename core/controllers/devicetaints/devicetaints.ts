/**
 * Device taint eviction: deletes pods that use devices with NoExecute taints which their claims do not tolerate, or not any longer
 * (pkg/controller/devicetainteviction). Taints stand in ResourceSlices, where drivers put them.
 */
import { pods } from '../../api/core/pod.ts'
import { isBeingDeleted, keyOf } from '../../api/meta.ts'
import { resourceClaims } from '../../api/resource/resourceclaim.ts'
import { resourceSlices } from '../../api/resource/resourceslice.ts'
import type { Pod, ResourceClaim } from '../../api/schema/types.ts'
import type { Client } from '../../client/client.ts'
import type { Ctx } from '../../lib/ctx.ts'
import { cloneJson } from '../../lib/json.ts'
import type { Controller, Env } from '../controller.ts'
import { disrupted } from '../disruption/target.ts'
import { itself } from '../run.ts'
import { claimDueMs, claimsInUse, deviceIn, poolKey } from './plan.ts'

const poolIndex = 'pool'

export const deviceTaintController: Controller = {
  name: 'device-taint-eviction-controller',
  workers: 10,
  setUp(env) {
    const claimInformer = env.informers.of(resourceClaims)
    claimInformer.addIndex(poolIndex, poolsOf)
    env.informers.of(resourceSlices).addIndex(poolIndex, ({ spec }) => [poolKey(spec.driver, spec.pool.name)])
    const podLister = env.watch(pods, (pod) => ((pod.spec?.resourceClaims ?? []).length === 0 ? [] : itself(pod)))
    const claims = env.watch(resourceClaims, podsOf)
    const slices = env.watch(resourceSlices, ({ spec }) => claimInformer.lister.by(poolIndex, poolKey(spec.driver, spec.pool.name)).flatMap(podsOf))
    /** Uids of pods that are to go later, so that it can be said when that is over. */
    const waiting = new Map<string, string>()
    return async (ctx, key, client) => {
      const pod = podLister.at(key)
      if (pod === undefined || isBeingDeleted(pod)) return void waiting.delete(key)
      const { uid = '' } = pod.metadata
      const used = claimsInUse(pod, (name) => claims.get({ namespace: pod.metadata.namespace ?? '', name }))
      const dueMs = Math.min(Infinity, ...used.map((claim) => claimDueMs(claim, ({ driver, pool, device }) => deviceIn(slices.by(poolIndex, poolKey(driver, pool)), device))))
      if (dueMs === Infinity) {
        const waited = waiting.get(key) === uid
        waiting.delete(key)
        if (waited) env.recorder.event(pods, pod, 'Normal', 'DeviceTaintManagerEviction', 'Cancelling deletion')
        return
      }
      const now = env.clock.now()
      waiting.set(key, uid)
      if (dueMs > now) return env.queue.after(key, dueMs - now)
      await evict(ctx, env, client, pod)
      waiting.delete(key)
    }
  },
}

function poolsOf({ status }: Readonly<ResourceClaim>): readonly string[] {
  return [...new Set((status?.allocation?.devices?.results ?? []).map(({ driver, pool }) => poolKey(driver, pool)))]
}

function podsOf({ metadata, status }: Readonly<ResourceClaim>): readonly string[] {
  return (status?.reservedFor ?? []).flatMap(({ apiGroup = '', resource, name }) => (apiGroup === '' && resource === 'pods' ? [`${metadata.namespace}/${name}`] : []))
}

async function evict(ctx: Ctx, { recorder, clock }: Env, client: Client, pod: Readonly<Pod>): Promise<void> {
  recorder.event(pods, pod, 'Normal', 'DeviceTaintManagerEviction', 'Marking for deletion')
  const status = disrupted(pod, 'DeletionByDeviceTaintManager', 'Device Taint manager: deleting due to NoExecute taint', clock.now())
  if (status !== undefined) await client.patch(ctx, pods, keyOf(pod), 'merge', { metadata: { uid: pod.metadata.uid }, status: { conditions: cloneJson(status.conditions) } }, { subresource: 'status' })
  await client.delete(ctx, pods, keyOf(pod), { preconditions: { uid: pod.metadata.uid ?? '' } })
}
