/**
 * Volumes: the list of plugins, and what they share. A pod's volumes are set up
 * before its containers, brought up to date when their sources change, and torn
 * down after its last container. To add a plugin: a file in volumes/, a line here.
 */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Ctx } from '../../core/lib/ctx.ts'
import type { ConfigMap, PersistentVolume, PersistentVolumeClaim, Pod, Secret, Volume } from '../../core/api/schema/types.ts'
import type { Mounts } from '../host/mounts.ts'
import type { FieldEnv } from './fields.ts'
import type { TokenSource } from './tokens.ts'
import { claimVolume } from './volumes/claim.ts'
import { configMapVolume } from './volumes/configmap.ts'
import { downwardVolume } from './volumes/downward.ts'
import { emptyDirVolume } from './volumes/emptydir.ts'
import { hostPathVolume } from './volumes/hostpath.ts'
import { imageVolume } from './volumes/image.ts'
import { projectedVolume } from './volumes/projected.ts'
import { secretVolume } from './volumes/secret.ts'

export interface VolumeEnv {
  readonly pod: Readonly<Pod>
  /** Folder of the pod under the data dir. */
  readonly podDir: string
  readonly mounts: Mounts
  readonly fields: FieldEnv
  readonly tokens: TokenSource
  configMap(name: string): Promise<Readonly<ConfigMap> | undefined>
  secret(name: string): Promise<Readonly<Secret> | undefined>
  claim(name: string): Promise<Readonly<PersistentVolumeClaim> | undefined>
  persistentVolume(name: string): Promise<Readonly<PersistentVolume> | undefined>
}

export interface VolumePlugin<S = unknown> {
  /** As in upstream's folder names: kubernetes.io~configmap. */
  readonly name: string
  source(volume: Readonly<Volume>): S | undefined
  /** Makes (or brings up to date) the volume; `path` is its folder. Returns where on the host it is, and when to look again. */
  setUp(ctx: Ctx, source: S, env: VolumeEnv, volume: { readonly name: string; readonly path: string }): Promise<Ready>
}

export interface Ready {
  readonly hostPath: string
  /** No container may write to it. */
  readonly readOnly?: boolean
  readonly refreshMs?: number
}

const plugins: readonly VolumePlugin[] = [
  emptyDirVolume as VolumePlugin,
  hostPathVolume as VolumePlugin,
  configMapVolume as VolumePlugin,
  secretVolume as VolumePlugin,
  downwardVolume as VolumePlugin,
  projectedVolume as VolumePlugin,
  claimVolume as VolumePlugin,
  imageVolume as VolumePlugin,
]

export interface VolumesReady {
  readonly paths: ReadonlyMap<string, string>
  /** Names of those that no container may write to. */
  readonly readOnly: ReadonlySet<string>
  /** Earliest time at which one of them wants to be looked at again. */
  readonly refreshMs: number | undefined
}

/** Why a volume is not there; the message is upstream's FailedMount event. */
export class MountError extends Error {
  readonly volume: string

  constructor(volume: string, cause: unknown) {
    super(`MountVolume.SetUp failed for volume "${volume}" : ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
    this.name = 'MountError'
    this.volume = volume
  }
}

export async function setUpVolumes(ctx: Ctx, env: VolumeEnv): Promise<VolumesReady> {
  const paths = new Map<string, string>()
  const readOnly = new Set<string>()
  let refreshMs: number | undefined
  const volumes = env.pod.spec?.volumes ?? []
  const ready = await Promise.all(volumes.map((volume) => setUpOne(ctx, env, volume)))
  ready.forEach((one, i) => {
    const name = volumes[i]?.name ?? ''
    paths.set(name, one.hostPath)
    if (one.readOnly === true) readOnly.add(name)
    if (one.refreshMs !== undefined) refreshMs = Math.min(refreshMs ?? Infinity, one.refreshMs)
  })
  return { paths, readOnly, refreshMs }
}

async function setUpOne(ctx: Ctx, env: VolumeEnv, volume: Readonly<Volume>): Promise<Ready> {
  try {
    for (const plugin of plugins) {
      const source = plugin.source(volume)
      if (source === undefined) continue
      return await plugin.setUp(ctx, source, env, { name: volume.name, path: join(env.podDir, 'volumes', `kubernetes.io~${plugin.name}`, volume.name) })
    }
    const type = Object.keys(volume).find((field) => field !== 'name') ?? 'none'
    throw new Error(`no volume plugin for a volume of type ${type}: this node knows emptyDir, hostPath, configMap, secret, downwardAPI, projected, persistentVolumeClaim, ephemeral and image`)
  } catch (error) {
    throw new MountError(volume.name, error)
  }
}

/** Lets go of every mount below the pod's folder and removes it. */
export async function tearDownVolumes(ctx: Ctx, mounts: Mounts, podDir: string): Promise<void> {
  for (const at of await mounts.under(ctx, podDir)) await mounts.unmount(ctx, at)
  // Whatever is still mounted must not be deleted through: it is somebody's data.
  if ((await mounts.under(ctx, podDir)).length > 0) throw new Error(`volumes of ${podDir} are still mounted`)
  await rm(podDir, { recursive: true, force: true })
}
