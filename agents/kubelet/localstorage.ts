/**
 * Local storage: the folder of this node that volumes of Kubun's own provisioner lie in. Makes a volume's folder when
 * its first pod comes, and takes it away, with all that is in it, once nobody has the volume any more and its reclaim
 * policy says so. Touches nothing but folders that lie directly in its own; what makes and ends the volumes themselves
 * is the control plane's.
 */
import { chmod, lstat, mkdir, rm } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { persistentVolumes } from '../../core/api/core/persistentvolume.ts'
import { keyOf } from '../../core/api/meta.ts'
import type { PersistentVolume } from '../../core/api/schema/types.ts'
import { awaitsRemoval, localPathMarks, localPathNode, localPathSelector } from '../../core/api/storage/localpath.ts'
import type { Client } from '../../core/client/client.ts'
import type { Informers } from '../../core/client/informers.ts'
import type { BackoffOptions } from '../../core/lib/backoff.ts'
import type { Ctx } from '../../core/lib/ctx.ts'
import { Group } from '../../core/lib/group.ts'
import type { Random } from '../../core/lib/random.ts'
import { WorkQueue } from '../../core/lib/workqueue.ts'
import type { Mounts } from '../host/mounts.ts'
import { type EventRecorder, refOf } from './ports.ts'

/** Only the node itself gets past it: whoever has a volume sees the volume alone. */
const rootMode = 0o700
/** Any user of a container may write. */
const volumeMode = 0o777
const retry: BackoffOptions = { firstMs: 1_000, maxMs: 300_000 }

export interface LocalStorageOptions {
  readonly client: Client
  readonly informers: Informers
  readonly recorder: EventRecorder
  readonly mounts: Mounts
  readonly random: Random
  readonly nodeName: string
  /** The folder that volumes lie in. */
  readonly root: string
}

/** The folder of a volume of this node, empty when it is new. A volume that lies elsewhere has to be there already. */
export async function makeLocalVolume(root: string, volume: Readonly<PersistentVolume>, nodeName: string): Promise<void> {
  const path = volume.spec?.local?.path ?? ''
  if (localPathNode(volume) !== nodeName || !liesIn(root, path)) return
  await mkdir(root, { recursive: true, mode: rootMode })
  const isNew = await mkdir(path).then(() => true, otherwise('EEXIST', false))
  if (isNew) await chmod(path, volumeMode) // past the umask
  else if (!(await lstat(path)).isDirectory()) throw new Error(`${path} is not a folder`)
}

/** Until ctx ends: removes what is on volumes that nobody has any more. */
export async function runLocalStorage(parent: Ctx, options: LocalStorageOptions): Promise<void> {
  const { informers, nodeName, random } = options
  const labelSelector = localPathSelector(nodeName)
  if (labelSelector === undefined) return
  await using group = new Group(parent)
  const { ctx } = group
  const volumes = informers.of(persistentVolumes, { labelSelector })
  const queue = new WorkQueue({ clock: ctx.clock, random, backoff: retry })
  const look = ({ metadata }: Readonly<PersistentVolume>): void => queue.add(metadata.name ?? '')
  const stop = volumes.on({ added: look, updated: look })
  const failed = (key: string, error: unknown): void => {
    const volume = volumes.lister.at(key)
    const message = error instanceof Error ? error.message : String(error)
    ctx.log.warn('local volume not removed', { volume: key, error })
    if (volume !== undefined) options.recorder.event(refOf(volume, 'PersistentVolume'), 'Warning', 'VolumeFailedDelete', message)
  }
  try {
    await queue.run(ctx, async (turn, key) => {
      const volume = volumes.lister.at(key)
      if (volume !== undefined && localPathNode(volume) === nodeName && awaitsRemoval(volume)) await remove(turn, options, volume)
    }, { workers: 1, failed })
  } finally {
    stop()
  }
}

/** First what is on it, then the mark that it was there. */
async function remove(ctx: Ctx, { root, mounts, client }: LocalStorageOptions, volume: Readonly<PersistentVolume>): Promise<void> {
  const path = volume.spec?.local?.path ?? ''
  if (!liesIn(root, path)) throw new Error(`${path} is not removed: it does not lie in ${root}, where volumes of this node are`)
  const [mounted] = await mounts.under(ctx, path)
  if (mounted !== undefined) throw new Error(`${path} is not removed: something is mounted on ${mounted}`)
  // Links are removed, never followed.
  await rm(path, { recursive: true, force: true })
  const { resourceVersion = '', finalizers = [] } = volume.metadata
  const metadata = { resourceVersion, finalizers: finalizers.filter((each) => each !== localPathMarks.finalizer) }
  await client.patch(ctx, persistentVolumes, keyOf(volume), 'merge', { metadata })
  ctx.log.info('local volume removed', { volume: volume.metadata.name, path })
}

function liesIn(root: string, path: string): boolean {
  const name = basename(path)
  return dirname(path) === root && path.endsWith(`/${name}`) && name !== '' && name !== '.' && name !== '..'
}

function otherwise<T>(code: string, value: T): (error: unknown) => T {
  return (error) => {
    if ((error as NodeJS.ErrnoException).code === code) return value
    throw error
  }
}
