/**
 * Keeps volumes, claims and classes of volume attributes that are in use: their finalizer goes only when nobody needs
 * them any more (upstream's pkg/controller/volume/{pvc,pv,vac}protection). Three controllers, each with rights of its own.
 */
import { persistentVolumes } from '../api/core/persistentvolume.ts'
import { persistentVolumeClaims } from '../api/core/persistentvolumeclaim.ts'
import { pods } from '../api/core/pod.ts'
import { podClaimIndex, podClaimKeys, podClaims } from '../api/core/podvolumes.ts'
import type { KindRef } from '../api/kind.ts'
import { isBeingDeleted, type KubeObject } from '../api/meta.ts'
import type { PersistentVolumeClaim, Pod } from '../api/schema/types.ts'
import { volumeAttributesClasses } from '../api/storage/volumeattributesclass.ts'
import type { Client } from '../client/client.ts'
import type { Lister } from '../client/lister.ts'
import type { Ctx } from '../lib/ctx.ts'
import { cloneJson } from '../lib/json.ts'
import type { Controller, Reconcile } from './controller.ts'
import { itself } from './run.ts'

interface Protection<T extends KubeObject> {
  readonly kind: KindRef<T>
  readonly finalizer: string
  readonly lister: Lister<T>
  readonly isUsed: (ctx: Ctx, client: Client, object: Readonly<T>) => boolean | Promise<boolean>
}

/** The finalizer is there while the object lives, and goes when it is to be deleted and nobody uses it. */
function protect<T extends KubeObject>({ kind, finalizer, lister, isUsed }: Protection<T>): Reconcile {
  return async (ctx, key, client) => {
    const object = lister.at(key)
    if (object === undefined) return
    const have = object.metadata.finalizers ?? []
    const going = isBeingDeleted(object)
    if (going !== have.includes(finalizer) || (going && (await isUsed(ctx, client, object)))) return
    const next = cloneJson(object) as T
    next.metadata.finalizers = going ? have.filter((each) => each !== finalizer) : [...have, finalizer]
    await client.update(ctx, kind, next)
  }
}

export const claimProtection: Controller = {
  name: 'pvc-protection-controller',
  setUp(env) {
    const lister = env.watch(persistentVolumeClaims, itself)
    env.informers.of(pods).addIndex(podClaimIndex, podClaimKeys)
    env.watch(pods, podClaimKeys)
    const podLister = env.informers.of(pods).lister
    return protect<PersistentVolumeClaim>({
      kind: persistentVolumeClaims,
      finalizer: 'kubernetes.io/pvc-protection',
      lister,
      async isUsed(ctx, client, claim) {
        const { namespace = '', name = '' } = claim.metadata
        const needs = (pod: Readonly<Pod>): boolean => needsClaim(pod, claim)
        if (podLister.by(podClaimIndex, `${namespace}/${name}`).some(needs)) return true
        // the lister may be behind: what is taken away now is gone
        return (await client.list(ctx, pods, { namespace })).items.some(needs)
      },
    })
  },
}

/** A pod without a node does not start with a claim that goes; one that waits for collection only has no use for its own. */
export function needsClaim(pod: Readonly<Pod>, claim: Readonly<PersistentVolumeClaim>): boolean {
  if ((pod.spec?.nodeName ?? '') === '' || pod.metadata.namespace !== claim.metadata.namespace) return false
  const isShutDown = isBeingDeleted(pod) && pod.metadata.deletionGracePeriodSeconds === 0
  const isOwn = (claim.metadata.ownerReferences ?? []).some((owner) => owner.controller === true && owner.uid === pod.metadata.uid)
  return podClaims(pod).some(({ name, ephemeral }) => name === claim.metadata.name && (!ephemeral || (!isShutDown && isOwn)))
}

export const volumeProtection: Controller = {
  name: 'pv-protection-controller',
  setUp(env) {
    return protect({
      kind: persistentVolumes,
      finalizer: 'kubernetes.io/pv-protection',
      lister: env.watch(persistentVolumes, itself),
      isUsed: (_ctx, _client, volume) => volume.status?.phase === 'Bound',
    })
  },
}

export const attributesProtection: Controller = {
  name: 'volumeattributesclass-protection-controller',
  setUp(env) {
    const key = (name: string | undefined): readonly string[] => (name === undefined || name === '' ? [] : [name])
    const volumes = env.watch(persistentVolumes, (volume) => key(volume.spec?.volumeAttributesClassName))
    const claims = env.watch(persistentVolumeClaims, (claim) => [...key(claim.spec?.volumeAttributesClassName), ...key(claim.status?.currentVolumeAttributesClassName)])
    return protect({
      kind: volumeAttributesClasses,
      finalizer: 'kubernetes.io/vac-protection',
      lister: env.watch(volumeAttributesClasses, itself),
      isUsed(_ctx, _client, { metadata: { name } }) {
        if (volumes.list().some((volume) => volume.spec?.volumeAttributesClassName === name)) return true
        return claims.list().some((claim) => claim.spec?.volumeAttributesClassName === name || claim.status?.currentVolumeAttributesClassName === name || claim.status?.modifyVolumeStatus?.targetVolumeAttributesClassName === name)
      },
    })
  },
}
