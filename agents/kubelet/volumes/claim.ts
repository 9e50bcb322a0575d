/**
 * persistentVolumeClaim and ephemeral: the volume that is bound to the pod's claim, where it is a path of this node
 * (hostPath, local). What drivers or networks would have to bring is refused, and so are block devices.
 */
import { mkdir, stat } from 'node:fs/promises'
import { foreignClaim, podClaims, type PodClaim } from '../../../core/api/core/podvolumes.ts'
import { isBeingDeleted } from '../../../core/api/meta.ts'
import type { LocalVolumeSource, PersistentVolume, PersistentVolumeClaim, Pod } from '../../../core/api/schema/types.ts'
import type { Ctx } from '../../../core/lib/ctx.ts'
import type { Ready, VolumeEnv, VolumePlugin } from '../volumes.ts'
import { hostPathVolume } from './hostpath.ts'
import { belongs, giveTo } from './owners.ts'

export const claimVolume: VolumePlugin<string> = {
  name: 'local-volume',
  source: (volume) => (volume.persistentVolumeClaim ?? volume.ephemeral) === undefined ? undefined : volume.name,
  async setUp(ctx, source, env, at) {
    const use = podClaims(env.pod).find(({ volume }) => volume.name === source)
    if (use === undefined) throw new Error(`the pod has no volume ${source}`)
    const volume = await boundVolume(env, use).catch((error: unknown) => {
      throw new Error(`error processing PVC ${env.pod.metadata.namespace}/${use.name}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
    })
    checkMode(env.pod, volume, source)
    return { ...(await ready(ctx, env, volume, at)), readOnly: use.readOnly }
  },
}

function ready(ctx: Ctx, env: VolumeEnv, { spec = {} }: Readonly<PersistentVolume>, at: { readonly name: string; readonly path: string }): Promise<Ready> | Ready {
  if (spec.hostPath !== undefined) return hostPathVolume.setUp(ctx, spec.hostPath, env, at)
  if (spec.local !== undefined) return local(ctx, spec.local, env, at.path)
  const source = Object.keys(spec).find((field) => ['csi', 'nfs', 'fc', 'iscsi'].includes(field)) ?? 'another type'
  throw new Error(`no volume plugin for a persistent volume of type ${source}: this node knows hostPath and local`)
}

async function boundVolume(env: VolumeEnv, { name, ephemeral }: PodClaim): Promise<Readonly<PersistentVolume>> {
  const claim = await env.claim(name)
  if (claim === undefined) throw new Error(`failed to fetch PVC from API server: persistentvolumeclaims "${name}" not found`)
  const foreign = ephemeral ? foreignClaim(env.pod, claim) : undefined
  if (foreign !== undefined) throw new Error(foreign)
  const volumeName = volumeNameOf(claim)
  const volume = await env.persistentVolume(volumeName)
  if (volume === undefined) throw new Error(`failed to fetch PV ${volumeName} from API server: persistentvolumes "${volumeName}" not found`)
  const ref = volume.spec?.claimRef
  if (ref === undefined) throw new Error(`found PV object ${volumeName} but it has a nil pv.Spec.ClaimRef indicating it is not yet bound to the claim`)
  if (ref.uid !== claim.metadata.uid) throw new Error(`found PV object ${volumeName} but its pv.Spec.ClaimRef.UID ${ref.uid} does not point to claim.UID ${claim.metadata.uid}`)
  return volume
}

function volumeNameOf(claim: Readonly<PersistentVolumeClaim>): string {
  const isProtected = claim.metadata.finalizers?.includes('kubernetes.io/pvc-protection') === true
  if (isBeingDeleted(claim) && !isProtected) throw new Error('PVC is being deleted')
  if (claim.status?.phase !== 'Bound') throw new Error('PVC is not bound')
  const { volumeName = '' } = claim.spec ?? {}
  if (volumeName === '') throw new Error('PVC has empty pvc.Spec.VolumeName')
  return volumeName
}

function checkMode(pod: Readonly<Pod>, volume: Readonly<PersistentVolume>, name: string): void {
  const mode = volume.spec?.volumeMode ?? 'Filesystem'
  const containers = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])]
  const isMounted = containers.some((container) => container.volumeMounts?.some((mount) => mount.name === name) === true)
  const isDevice = containers.some((container) => container.volumeDevices?.some((device) => device.name === name) === true)
  if (isMounted && mode !== 'Filesystem') throw new Error(`volume ${name} has volumeMode ${mode}, but is specified in volumeMounts`)
  if (isDevice && mode !== 'Block') throw new Error(`volume ${name} has volumeMode ${mode}, but is specified in volumeDevices`)
  if (mode === 'Block') throw new Error(`volume ${name} has volumeMode Block, which this node does not know`)
}

/** Bound into the pod's own folder: the mount says that it was set up, and owners are given once. */
async function local(ctx: Ctx, source: Readonly<LocalVolumeSource>, env: VolumeEnv, path: string): Promise<Ready> {
  if (source.path === '') throw new Error('LocalVolume volume path is empty')
  if (source.path.split('/').includes('..')) throw new Error(`invalid path: ${source.path} must not contain '..'`)
  if ((await env.mounts.under(ctx, path)).length > 0) return { hostPath: path }
  if (!(await stat(source.path)).isDirectory()) throw new Error('only directories are supported')
  await mkdir(path, { recursive: true, mode: 0o750 })
  await env.mounts.bind(ctx, source.path, path)
  await own(env.pod, path).catch(async (error: unknown) => {
    await env.mounts.unmount(ctx, path)
    throw error
  })
  return { hostPath: path }
}

async function own(pod: Readonly<Pod>, path: string): Promise<void> {
  const { fsGroup, fsGroupChangePolicy } = pod.spec?.securityContext ?? {}
  if (fsGroup !== undefined && !(fsGroupChangePolicy === 'OnRootMismatch' && belongs(await stat(path), fsGroup))) await giveTo(path, fsGroup)
}
