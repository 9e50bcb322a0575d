/**
 * NodeVolumeLimits: a node gets no more volumes of a driver than the driver can attach there (upstream's
 * plugins/nodevolumelimits). Volumes of former built-in plugins are counted while they are to be made, and not any more
 * once they are there: they are not translated for their drivers.
 */
import { persistentVolumes } from '../../api/core/persistentvolume.ts'
import { persistentVolumeClaims } from '../../api/core/persistentvolumeclaim.ts'
import { podClaims } from '../../api/core/podvolumes.ts'
import { claimClass } from '../../api/core/volumebinding.ts'
import type { CSINode, PersistentVolume, PersistentVolumeClaim, Pod, StorageClass, VolumeAttachment } from '../../api/schema/types.ts'
import { csiNodes } from '../../api/storage/csinode.ts'
import { migratedDriver } from '../../api/storage/migration.ts'
import { storageClasses } from '../../api/storage/storageclass.ts'
import { volumeAttachments } from '../../api/storage/volumeattachment.ts'
import type { Lister } from '../../client/lister.ts'
import type { ClusterEvent, Filter, Plugin, PluginEnv, Refusal } from '../framework.ts'
import type { NodeInfo } from '../world.ts'
import { migratedPlugins } from './volumebinding.ts'

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
  return { name: 'NodeVolumeLimits', filter: (pod) => (podClaims(pod).length === 0 ? undefined : filterFor(pod, storage)), wakes }
}

function filterFor(pod: Readonly<Pod>, storage: Storage): Filter {
  let attached: Map<string, Readonly<VolumeAttachment>[]> | undefined
  const attachedTo = (node: string): readonly Readonly<VolumeAttachment>[] => {
    attached ??= Map.groupBy(storage.attachments.list(), ({ spec }) => spec.nodeName)
    return attached.get(node) ?? []
  }
  return {
    check(node) {
      const csiNode = storage.nodes.at(node.name)
      const limits = limitsOf(csiNode)
      return limits.size > 0 && exceeds(pod, node, { storage, csiNode, limits, attached: attachedTo(node.name) }) ? tooMany : undefined
    },
  }
}

interface NodeStorage {
  readonly storage: Storage
  readonly csiNode: Readonly<CSINode> | undefined
  /** Volumes by driver; without an entry there may be any number. */
  readonly limits: ReadonlyMap<string, number>
  readonly attached: readonly Readonly<VolumeAttachment>[]
}

function exceeds(pod: Readonly<Pod>, node: NodeInfo, there: NodeStorage): boolean {
  const wanted = volumesOf([pod], there)
  if (wanted.size === 0) return false
  const shared = volumesOf(node.pods.values(), there)
  const held = new Map(shared)
  for (const { spec } of there.attached) {
    const handle = there.storage.volumes.at(spec.source.persistentVolumeName ?? '')?.spec?.csi?.volumeHandle
    if (handle !== undefined) held.set(uniqueName(spec.attacher, handle), spec.attacher)
  }
  // What another pod has there already takes no more room.
  const fresh = [...wanted].filter(([name]) => !shared.has(name)).map(([, driver]) => driver)
  const count = (drivers: Iterable<string>, of: string): number => [...drivers].filter((driver) => driver === of).length
  return new Set(fresh).values().some((driver) => count(held.values(), driver) + count(fresh, driver) > (there.limits.get(driver) ?? Infinity))
}

/** Unique name -> driver. */
function volumesOf(pods: Iterable<Readonly<Pod>>, there: NodeStorage): Map<string, string> {
  const found = new Map<string, string>()
  for (const pod of pods) {
    for (const { name } of podClaims(pod)) {
      const claim = there.storage.claims.at(`${pod.metadata.namespace}/${name}`)
      const volume = claim === undefined ? undefined : driverOf(claim, there)
      if (volume !== undefined) found.set(uniqueName(...volume), volume[0])
    }
  }
  return found
}

const uniqueName = (driver: string, handle: string): string => `${driver}/${handle}`

/** Driver and handle; a volume that is to be made counts under its claim's name. */
function driverOf(claim: Readonly<PersistentVolumeClaim>, { storage, csiNode }: NodeStorage): readonly [string, string] | undefined {
  const volume = storage.volumes.at(claim.spec?.volumeName ?? '')
  if (volume !== undefined) {
    const csi = volume.spec?.csi
    return csi === undefined ? undefined : [csi.driver, csi.volumeHandle]
  }
  const provisioner = storage.classes.at(claimClass(claim) ?? '')?.provisioner
  if (provisioner === undefined) return undefined
  const handle = `to be made for ${claim.metadata.namespace}/${claim.metadata.name}`
  const driver = migratedDriver(provisioner)
  if (driver === undefined) return [provisioner, handle]
  return csiNode?.metadata.annotations?.[migratedPlugins]?.split(',').includes(provisioner) === true ? [driver, handle] : undefined
}

function limitsOf(node: Readonly<CSINode> | undefined): ReadonlyMap<string, number> {
  const limits = new Map<string, number>()
  for (const { name, allocatable } of node?.spec.drivers ?? []) if (allocatable?.count !== undefined) limits.set(name, allocatable.count)
  return limits
}

function wakes(pod: Readonly<Pod>, event: ClusterEvent): boolean {
  if (event.type === 'pod gone') return podClaims(event.pod).length > 0 && ((event.pod.spec?.nodeName ?? '') !== '' || (event.pod.status?.nominatedNodeName ?? '') !== '')
  if (event.type !== 'object') return false
  const { kind, object, prev } = event
  switch (kind.kind) {
    case csiNodes.kind:
      return object !== undefined && (prev === undefined || grew(object as Readonly<CSINode>, prev as Readonly<CSINode>))
    case persistentVolumeClaims.kind:
      return object !== undefined && prev === undefined && object.metadata.namespace === pod.metadata.namespace && podClaims(pod).some(({ name }) => name === object.metadata.name)
    case volumeAttachments.kind:
      return object === undefined && (pod.spec?.volumes ?? []).some((volume) => volume.persistentVolumeClaim !== undefined)
    default:
      return false
  }
}

function grew(now: Readonly<CSINode>, prev: Readonly<CSINode>): boolean {
  const before = limitsOf(prev)
  return limitsOf(now).entries().some(([driver, limit]) => limit > (before.get(driver) ?? 0))
}
