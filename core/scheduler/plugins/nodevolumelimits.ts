/**
 * NodeVolumeLimits: a node gets no more volumes of a driver than the driver can attach there; disks of former built-in
 * plugins count for the drivers that took over (upstream's plugins/nodevolumelimits).
 */
import { persistentVolumes } from '../../api/core/persistentvolume.ts'
import { persistentVolumeClaims } from '../../api/core/persistentvolumeclaim.ts'
import { foreignClaim, podClaims } from '../../api/core/podvolumes.ts'
import { claimClass } from '../../api/core/volumebinding.ts'
import type { CSINode, PersistentVolume, PersistentVolumeClaim, PersistentVolumeSpec, Pod, StorageClass, Volume, VolumeAttachment } from '../../api/schema/types.ts'
import { csiNodes } from '../../api/storage/csinode.ts'
import { diskPlugins, migratedDisk, migratedDriver } from '../../api/storage/migration.ts'
import { storageClasses } from '../../api/storage/storageclass.ts'
import { volumeAttachments } from '../../api/storage/volumeattachment.ts'
import type { Lister } from '../../client/lister.ts'
import type { ClusterEvent, Filter, Plugin, PluginEnv, Refusal } from '../framework.ts'
import { missing } from '../volumes/find.ts'
import type { NodeInfo } from '../world.ts'

const tooMany: Refusal = { reasons: ['node(s) exceed max volume count'], unresolvable: false }

interface Storage {
  readonly claims: Lister<PersistentVolumeClaim>
  readonly volumes: Lister<PersistentVolume>
  readonly classes: Lister<StorageClass>
  readonly nodes: Lister<CSINode>
  readonly attachments: Lister<VolumeAttachment>
}

export function nodeVolumeLimits({ read }: PluginEnv): Plugin {
  const storage: Storage = { claims: read(persistentVolumeClaims), volumes: read(persistentVolumes), classes: read(storageClasses), nodes: read(csiNodes), attachments: read(volumeAttachments) }
  return { name: 'NodeVolumeLimits', filter: (pod) => (hasVolumes(pod) ? filterFor(pod, storage) : undefined), wakes }
}

/** Any that may be attached. */
function hasVolumes(pod: Readonly<Pod>): boolean {
  return podClaims(pod).length > 0 || (pod.spec?.volumes ?? []).some((volume) => migratedDisk(volume) !== undefined)
}

function filterFor(pod: Readonly<Pod>, storage: Storage): Filter {
  let attached: Map<string, Readonly<VolumeAttachment>[]> | undefined
  const attachedTo = (node: string): readonly Readonly<VolumeAttachment>[] => {
    attached ??= Map.groupBy(storage.attachments.list(), ({ spec }) => spec.nodeName)
    return attached.get(node) ?? []
  }
  const { namespace = '' } = pod.metadata
  const absent = podClaims(pod).find(({ name }) => storage.claims.at(`${namespace}/${name}`) === undefined)
  if (absent !== undefined) {
    const refusal: Refusal = { reasons: [`looking up PVC ${namespace}/${absent.name}: ${missing('persistentvolumeclaim', absent.name)}`], unresolvable: true }
    return { check: () => refusal }
  }
  return {
    check(node) {
      const csiNode = storage.nodes.at(node.name)
      return exceeds(pod, node, { storage, csiNode, limits: limitsOf(csiNode), attached: attachedTo }) ? tooMany : undefined
    },
  }
}

interface NodeStorage {
  readonly storage: Storage
  readonly csiNode: Readonly<CSINode> | undefined
  /** Volumes by driver; without an entry there may be any number. */
  readonly limits: ReadonlyMap<string, number>
  readonly attached: (node: string) => readonly Readonly<VolumeAttachment>[]
}

function exceeds(pod: Readonly<Pod>, node: NodeInfo, there: NodeStorage): boolean {
  const wanted = volumesOf([pod], there)
  if (wanted.size === 0 || there.limits.size === 0) return false
  const shared = volumesOf(node.pods.values(), there)
  const held = new Map(shared)
  for (const { spec } of there.attached(node.name)) {
    const handle = there.storage.volumes.at(spec.source.persistentVolumeName ?? '')?.spec?.csi?.volumeHandle
    if (handle !== undefined) held.set(uniqueName(spec.attacher, handle), spec.attacher)
  }
  // What another pod has there already takes no more room.
  const fresh = [...wanted].filter(([name]) => !shared.has(name)).map(([, driver]) => driver)
  const count = (drivers: Iterable<string>, of: string): number => [...drivers].filter((driver) => driver === of).length
  return new Set(fresh).values().some((driver) => count(held.values(), driver) + count(fresh, driver) > (there.limits.get(driver) ?? Infinity))
}

/** Unique name -> driver. Throws where a pod's ephemeral volume is somebody else's claim: what it has cannot be counted. */
function volumesOf(pods: Iterable<Readonly<Pod>>, there: NodeStorage): Map<string, string> {
  const found = new Map<string, string>()
  for (const pod of pods) {
    for (const counted of [...claimed(pod, there), ...(pod.spec?.volumes ?? []).map((volume) => disk(volume, there))]) {
      if (counted !== undefined) found.set(uniqueName(...counted), counted[0])
    }
  }
  return found
}

const uniqueName = (driver: string, handle: string): string => `${driver}/${handle}`

/** Driver and handle. */
type Counted = readonly [string, string] | undefined

function claimed(pod: Readonly<Pod>, there: NodeStorage): readonly Counted[] {
  return podClaims(pod).map(({ name, ephemeral }) => {
    const claim = there.storage.claims.at(`${pod.metadata.namespace}/${name}`)
    if (claim === undefined) return undefined
    const foreign = ephemeral ? foreignClaim(pod, claim) : undefined
    if (foreign !== undefined) throw new Error(foreign)
    return ofClaim(claim, there)
  })
}

/** A node without drivers has nobody who took over. */
function disk(source: Readonly<Volume> | Readonly<PersistentVolumeSpec>, { csiNode }: NodeStorage): Counted {
  const found = csiNode === undefined ? undefined : migratedDisk(source)
  return found === undefined ? undefined : [migratedDriver(found.plugin) ?? '', found.handle]
}

/** A volume that is to be made counts under its claim's name. */
function ofClaim(claim: Readonly<PersistentVolumeClaim>, there: NodeStorage): Counted {
  const { storage, csiNode } = there
  const spec = storage.volumes.at(claim.spec?.volumeName ?? '')?.spec
  if (spec !== undefined) return spec.csi === undefined ? disk(spec, there) : [spec.csi.driver, spec.csi.volumeHandle]
  const provisioner = storage.classes.at(claimClass(claim) ?? '')?.provisioner
  if (provisioner === undefined) return undefined
  const handle = `to be made for ${claim.metadata.namespace}/${claim.metadata.name}`
  const driver = migratedDriver(provisioner)
  if (driver === undefined) return [provisioner, handle]
  return csiNode !== undefined && diskPlugins.has(provisioner) ? [driver, handle] : undefined
}

function limitsOf(node: Readonly<CSINode> | undefined): ReadonlyMap<string, number> {
  const limits = new Map<string, number>()
  for (const { name, allocatable } of node?.spec.drivers ?? []) if (allocatable?.count !== undefined) limits.set(name, allocatable.count)
  return limits
}

function wakes(pod: Readonly<Pod>, event: ClusterEvent): boolean {
  if (event.type === 'pod gone') return hasVolumes(event.pod) && ((event.pod.spec?.nodeName ?? '') !== '' || (event.pod.status?.nominatedNodeName ?? '') !== '')
  if (event.type !== 'object') return false
  const { kind, object, prev } = event
  switch (kind.kind) {
    case csiNodes.kind:
      return object !== undefined && (prev === undefined || grew(object as Readonly<CSINode>, prev as Readonly<CSINode>))
    case persistentVolumeClaims.kind:
      return object !== undefined && prev === undefined && object.metadata.namespace === pod.metadata.namespace && podClaims(pod).some(({ name }) => name === object.metadata.name)
    case volumeAttachments.kind:
      return object === undefined && (pod.spec?.volumes ?? []).some((volume) => volume.persistentVolumeClaim !== undefined || isOf(volume, (prev as Readonly<VolumeAttachment> | undefined)?.spec.attacher))
    default:
      return false
  }
}

function isOf(volume: Readonly<Volume>, driver: string | undefined): boolean {
  const found = migratedDisk(volume)
  return found !== undefined && migratedDriver(found.plugin) === driver
}

function grew(now: Readonly<CSINode>, prev: Readonly<CSINode>): boolean {
  const before = limitsOf(prev)
  return limitsOf(now).entries().some(([driver, limit]) => limit > (before.get(driver) ?? 0))
}
