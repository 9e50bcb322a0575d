/**
 * Local storage: the folder of this node that volumes of Kubun's own provisioner lie in. Says on the node where that is,
 * makes the folder of each volume, and takes it away with all that is in it once nobody has the volume any more and its
 * reclaim policy says so. Touches nothing but folders that lie directly in its own; what makes and ends the volumes
 * themselves is the control plane's, mounting them volumes/claim.ts's.
 */
import { chmod, mkdir, rm } from 'node:fs/promises'
import { basename } from 'node:path'
import { nodes } from '../../core/api/core/node.ts'
import { persistentVolumes } from '../../core/api/core/persistentvolume.ts'
import { annotationOf } from '../../core/api/core/volumebinding.ts'
import { isBeingDeleted, keyOf } from '../../core/api/meta.ts'
import type { Node, PersistentVolume } from '../../core/api/schema/types.ts'
import { awaitsRemoval, localPathMarks, localPathNode, localPathSelector } from '../../core/api/storage/localpath.ts'
import type { Client } from '../../core/client/client.ts'
import type { Informers } from '../../core/client/informers.ts'
import type { BackoffOptions } from '../../core/lib/backoff.ts'
import type { Ctx } from '../../core/lib/ctx.ts'
import type { Random } from '../../core/lib/random.ts'
import { WorkQueue } from '../../core/lib/workqueue.ts'
import type { Mounts } from '../host/mounts.ts'
import { type EventRecorder, refOf } from './ports.ts'

/** Only the node itself gets past it: whoever has a volume sees the volume alone. */
const rootMode = 0o700
/** Any user of a container may write. */
const volumeMode = 0o777
/** The key of the node itself: no volume is called so. */
const thisNode = '#node'
const workers = 2
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

/** Until ctx ends. */
export async function runLocalStorage(ctx: Ctx, options: LocalStorageOptions): Promise<void> {
  const { informers, nodeName, random } = options
  const labelSelector = localPathSelector(nodeName)
  if (labelSelector === undefined) return
  const [volumes, own] = [informers.of(persistentVolumes, { labelSelector }), informers.of(nodes)]
  const queue = new WorkQueue({ clock: ctx.clock, random, backoff: retry })
  const look = ({ metadata }: Readonly<PersistentVolume>): void => queue.add(metadata.name ?? '')
  const lookAtNode = ({ metadata }: Readonly<Node>): void => (metadata.name === nodeName ? queue.add(thisNode) : undefined)
  const stops = [volumes.on({ added: look, updated: look }), own.on({ added: lookAtNode, updated: lookAtNode })]
  const failed = (key: string, error: unknown): void => {
    ctx.log.warn('local storage', { volume: key, error })
    const volume = volumes.lister.at(key)
    if (volume !== undefined && awaitsRemoval(volume)) options.recorder.event(refOf(volume, 'PersistentVolume'), 'Warning', 'VolumeFailedDelete', textOf(error))
  }
  try {
    await queue.run(ctx, async (turn, key) => {
      if (key === thisNode) return await announce(turn, options, own.lister.at(nodeName))
      const volume = volumes.lister.at(key)
      if (volume === undefined || localPathNode(volume) !== nodeName) return
      if (awaitsRemoval(volume)) await remove(turn, options, volume)
      else if (!isBeingDeleted(volume)) await make(options.root, volume)
    }, { workers, failed })
  } finally {
    for (const stop of stops) stop()
  }
}

/** The provisioner asks the node where its volumes are to lie. */
async function announce(ctx: Ctx, { client, root }: LocalStorageOptions, node: Readonly<Node> | undefined): Promise<void> {
  if (node === undefined || annotationOf(node, localPathMarks.root) === root) return
  await client.patch(ctx, nodes, keyOf(node), 'merge', { metadata: { annotations: { [localPathMarks.root]: root } } })
}

/** A volume that lies elsewhere, where the root was once, has its folder already. */
async function make(root: string, volume: Readonly<PersistentVolume>): Promise<void> {
  const path = volume.spec?.local?.path ?? ''
  if (!liesIn(root, path)) return
  await mkdir(root, { recursive: true, mode: rootMode })
  const isNew = await mkdir(path).then(() => true, (error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  })
  // Past the umask. Later on the mode is whatever the pods made it.
  if (isNew) await chmod(path, volumeMode)
}

/** First what is on it, then the mark that it was there. What the lister shows may be old, and must not cost anybody data. */
async function remove(ctx: Ctx, { root, mounts, client }: LocalStorageOptions, shown: Readonly<PersistentVolume>): Promise<void> {
  const volume = await client.get(ctx, persistentVolumes, keyOf(shown))
  if (volume?.metadata.uid !== shown.metadata.uid || volume === undefined || !awaitsRemoval(volume)) return
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
  return name !== '' && name !== '.' && name !== '..' && path === `${root}/${name}`
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
