/**
 * Which volumes are to be attached to a node, which to be let go, and what the node's status says of them. Pure; who acts
 * is attach.ts (upstream's pkg/controller/volume/attachdetach). Only volumes of CSI drivers are attached from here: an
 * external attacher does it, asked by a VolumeAttachment.
 */
import { createHash } from 'node:crypto'
import { isBeingDeleted } from '../../api/meta.ts'
import type { PersistentVolume, Pod, VolumeAttachment } from '../../api/schema/types.ts'

/** A node that does not unmount a volume that nobody wants loses it after this time, where it is not well. */
const unmountMs = 360_000

/** By driver and handle: how node status names a volume. */
export function uniqueName(volume: Readonly<PersistentVolume>): string | undefined {
  const csi = volume.spec?.csi
  return csi === undefined ? undefined : `kubernetes.io/csi/${csi.driver}^${csi.volumeHandle}`
}

/** The attachment of such a volume to a node; undefined for a name that is none of CSI's. */
export function attachmentName(unique: string, node: string): string | undefined {
  const [, driver, handle] = /^kubernetes\.io\/csi\/([^^]+)\^(.+)$/.exec(unique) ?? []
  if (driver === undefined || handle === undefined) return undefined
  return `csi-${createHash('sha256').update(`${handle}${driver}${node}`).digest('hex')}`
}

/** A volume that pods of the node have. */
export interface Wanted {
  readonly name: string
  readonly volume: Readonly<PersistentVolume>
  readonly pods: readonly Readonly<Pod>[]
}

export interface Attached {
  readonly name: string
  readonly attachment: Readonly<VolumeAttachment>
}

export interface NodeWorld {
  readonly wanted: readonly Wanted[]
  /** Those of this node that are the controller's. */
  readonly attached: readonly Attached[]
  /** Attachments of the volume to other nodes. */
  readonly elsewhere: (name: string) => readonly Readonly<VolumeAttachment>[]
  /** What the node has mounted. */
  readonly inUse: ReadonlySet<string>
  readonly ready: boolean
  readonly outOfService: boolean
  /** For how long nobody has wanted it. */
  readonly unwantedMs: (name: string) => number
}

export interface NodePlan {
  readonly attach: readonly Wanted[]
  /** Held exclusively by other nodes. */
  readonly conflicts: readonly { readonly wanted: Wanted; readonly nodes: readonly string[] }[]
  readonly detach: readonly Attached[]
  /** Milliseconds until something is detached by force. */
  readonly againMs: number | undefined
  /** What the node may mount. */
  readonly report: readonly string[]
}

export function planNode(world: NodeWorld): NodePlan {
  const wanted = new Map(world.wanted.map((each) => [each.name, each]))
  const unwanted = world.attached.filter(({ name, attachment }) => !wanted.has(name) && !isBeingDeleted(attachment))
  const [detach, held] = [unwanted.filter((each) => mayDetach(world, each)), unwanted.filter((each) => !mayDetach(world, each))]
  const missing = world.wanted.filter(({ name }) => !world.attached.some((each) => each.name === name))
  const blocked = missing.map((each) => ({ wanted: each, others: isShareable(each.volume) ? [] : world.elsewhere(each.name) }))
  const left = held.map(({ name }) => unmountMs - world.unwantedMs(name)).filter((ms) => ms > 0)
  const leaving = new Set(detach.map(({ name }) => name))
  return {
    // An attachment that failed may be there or not; it does not keep the volume from others.
    attach: blocked.filter(({ others }) => others.every((other) => other.status?.attachError !== undefined)).map((each) => each.wanted),
    conflicts: blocked.map(({ wanted: each, others }) => ({ wanted: each, nodes: others.filter(isAttached).map((other) => other.spec.nodeName) })).filter(({ nodes }) => nodes.length > 0),
    detach,
    againMs: left.length === 0 ? undefined : Math.min(...left),
    report: world.attached.filter(({ name, attachment }) => isAttached(attachment) && !isBeingDeleted(attachment) && !leaving.has(name)).map(({ name }) => name).toSorted(),
  }
}

function mayDetach(world: NodeWorld, { name }: Attached): boolean {
  const force = !world.ready && world.unwantedMs(name) >= unmountMs
  return !world.inUse.has(name) || force || world.outOfService
}

function isAttached(attachment: Readonly<VolumeAttachment>): boolean {
  return attachment.status?.attached === true
}

/** By more than one node at a time. Without access modes nobody knows, and the driver decides. */
function isShareable(volume: Readonly<PersistentVolume>): boolean {
  const modes = volume.spec?.accessModes ?? []
  return modes.length === 0 || modes.includes('ReadWriteMany') || modes.includes('ReadOnlyMany')
}

/** What a pod is told whose volume other nodes have: names of pods of its own namespace only. */
export function conflictMessage(volume: string, pod: Readonly<Pod>, holders: readonly Readonly<Pod>[]): string {
  return `Multi-Attach error for volume "${volume}" ${whoHolds(pod, holders)}`
}

function whoHolds(pod: Readonly<Pod>, holders: readonly Readonly<Pod>[]): string {
  if (holders.length === 0) return "Volume is already exclusively attached to one node and can't be attached to another"
  const local = holders.filter((holder) => holder.metadata.namespace === pod.metadata.namespace)
  const foreign = holders.length - local.length
  const others = `${foreign} pod(s) in different namespaces`
  if (local.length === 0) return `Volume is already used by ${others}`
  return `Volume is already used by pod(s) ${local.map((holder) => holder.metadata.name).join(', ')}${foreign > 0 ? ` and ${others}` : ''}`
}
