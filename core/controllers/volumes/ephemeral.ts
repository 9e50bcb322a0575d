/**
 * Ephemeral volumes: makes the claim of each of a pod's own volumes, owned by the pod, so that it goes when the pod does
 * (upstream's pkg/controller/volume/ephemeral). A claim of that name that is somebody else's is left alone.
 */
import { persistentVolumeClaims } from '../../api/core/persistentvolumeclaim.ts'
import { pods } from '../../api/core/pod.ts'
import { ephemeralClaimName, foreignClaim, podClaimIndex, podClaimKeys, podClaims } from '../../api/core/podvolumes.ts'
import { controllerRef, isBeingDeleted } from '../../api/meta.ts'
import type { PersistentVolumeClaim, Pod, Volume } from '../../api/schema/types.ts'
import type { Client } from '../../client/client.ts'
import type { Ctx } from '../../lib/ctx.ts'
import { cloneJson } from '../../lib/json.ts'
import type { Controller } from '../controller.ts'
import { messageOf } from '../podcontrol.ts'
import { itself } from '../run.ts'

export const ephemeralVolumeController: Controller = {
  name: 'ephemeral-volume-controller',
  component: 'ephemeral_volume',
  setUp(env) {
    env.informers.of(pods).addIndex(podClaimIndex, podClaimKeys)
    const podLister = env.informers.of(pods).lister
    const keys = (pod: Readonly<Pod>): readonly string[] => (podClaims(pod).some(({ ephemeral }) => ephemeral) ? itself(pod) : [])
    env.watch(pods, keys)
    // Whoever takes a claim from a pod that still has it gets another one made.
    const claims = env.watch(persistentVolumeClaims, (claim) => itself(claim).flatMap((key) => podLister.by(podClaimIndex, key).flatMap(keys)))
    return async (ctx, key, client) => {
      const pod = podLister.at(key)
      if (pod === undefined || isBeingDeleted(pod)) return
      for (const volume of pod.spec?.volumes ?? []) {
        if (volume.ephemeral === undefined) continue
        const claim = claims.at(`${pod.metadata.namespace}/${ephemeralClaimName(pod, volume)}`)
        const why = claim === undefined ? await refusal(ctx, client, pod, volume) : foreignClaim(pod, claim)
        if (why === undefined) continue
        env.recorder.event(pods, pod, 'Warning', 'FailedBinding', `ephemeral volume ${volume.name}: ${why}`)
        throw new Error(`pod ${key}, ephemeral volume ${volume.name}: ${why}`)
      }
    }
  },
}

async function refusal(ctx: Ctx, client: Client, pod: Readonly<Pod>, volume: Readonly<Volume>): Promise<string | undefined> {
  try {
    await client.create(ctx, persistentVolumeClaims, claimFor(pod, volume))
    return undefined
  } catch (error) {
    return `create PVC ${ephemeralClaimName(pod, volume)}: ${messageOf(error)}`
  }
}

function claimFor(pod: Readonly<Pod>, volume: Readonly<Volume>): PersistentVolumeClaim {
  const { metadata, spec } = volume.ephemeral?.volumeClaimTemplate ?? {}
  return {
    metadata: {
      name: ephemeralClaimName(pod, volume),
      namespace: pod.metadata.namespace ?? '',
      ownerReferences: [controllerRef(pod, pods)],
      ...(metadata?.annotations === undefined ? {} : { annotations: { ...metadata.annotations } }),
      ...(metadata?.labels === undefined ? {} : { labels: { ...metadata.labels } }),
    },
    ...(spec === undefined ? {} : { spec: cloneJson(spec) }),
  }
}
