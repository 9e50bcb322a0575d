/**
 * VolumeRestrictions: what only one pod may have is not given to two: claims for one pod alone, anywhere, and disks that
 * pods name themselves, on one node (upstream's plugins/volumerestrictions).
 */
import { persistentVolumeClaims } from '../../api/core/persistentvolumeclaim.ts'
import type { PersistentVolumeClaim, Pod, Volume } from '../../api/schema/types.ts'
import type { Lister } from '../../client/lister.ts'
import type { ClusterEvent, Filter, Plugin, PluginEnv, Refusal } from '../framework.ts'
import { missing } from '../volumes/find.ts'
import type { NodeInfo, World } from '../world.ts'

const diskConflict: Refusal = { reasons: ['node(s) had no available disk'], unresolvable: false }
const claimConflict: Refusal = { reasons: ['node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod'], unresolvable: false }

export function volumeRestrictions({ read }: PluginEnv): Plugin {
  const claims = read(persistentVolumeClaims)
  return { name: 'VolumeRestrictions', filter: (pod, world) => filterFor(pod, world, claims), wakes }
}

function filterFor(pod: Readonly<Pod>, world: World, claims: Lister<PersistentVolumeClaim>): Filter | Refusal | undefined {
  const { namespace = '' } = pod.metadata
  const names = claimNames(pod)
  const absent = names.find((name) => claims.at(`${namespace}/${name}`) === undefined)
  if (absent !== undefined) return { reasons: [missing('persistentvolumeclaim', absent)], unresolvable: true }
  const alone = new Set(names.filter((name) => claims.at(`${namespace}/${name}`)?.spec?.accessModes?.includes('ReadWriteOncePod') === true))
  const held = [...alone].filter((name) => isHeld(world, namespace, name)).length
  const disks = (pod.spec?.volumes ?? []).filter(isDisk)
  if (disks.length === 0 && held === 0) return undefined
  const check = (node: NodeInfo, count: number): Refusal | undefined => {
    if (disks.length > 0 && [...node.pods.values()].some((other) => sharesDisk(disks, other))) return diskConflict
    return count > 0 ? claimConflict : undefined
  }
  return {
    check: (node) => check(node, held),
    supposing() {
      let count = held
      const uses = (other: Readonly<Pod>): number => (other.metadata.namespace === namespace ? claimNames(other).filter((name) => alone.has(name)).length : 0)
      return {
        check: (node) => check(node, count),
        put: (other) => void (count += uses(other)),
        take: (other) => void (count -= uses(other)),
      }
    },
  }
}

/** Those that the pod names; ephemeral ones are its own anyway. */
function claimNames(pod: Readonly<Pod>): readonly string[] {
  return (pod.spec?.volumes ?? []).flatMap(({ persistentVolumeClaim: source }) => (source === undefined ? [] : [source.claimName]))
}

function isHeld(world: World, namespace: string, name: string): boolean {
  return world.tally(`claim ${namespace}/${name}`, (pod) => pod.metadata.namespace === namespace && claimNames(pod).includes(name)).total > 0
}

function isDisk(volume: Readonly<Volume>): boolean {
  return (volume.gcePersistentDisk ?? volume.awsElasticBlockStore ?? volume.rbd ?? volume.iscsi) !== undefined
}

function sharesDisk(disks: readonly Readonly<Volume>[], other: Readonly<Pod>): boolean {
  return disks.some((disk) => (other.spec?.volumes ?? []).some((theirs) => isSameDisk(disk, theirs)))
}

/** The same one, and not only read by both. */
function isSameDisk(a: Readonly<Volume>, b: Readonly<Volume>): boolean {
  const onlyRead = (...sources: readonly ({ readonly readOnly?: boolean } | undefined)[]): boolean => sources.every((source) => source?.readOnly === true)
  const { gcePersistentDisk: gce, awsElasticBlockStore: aws, iscsi, rbd } = a
  if (gce !== undefined && gce.pdName === b.gcePersistentDisk?.pdName && !onlyRead(gce, b.gcePersistentDisk)) return true
  if (aws !== undefined && aws.volumeID === b.awsElasticBlockStore?.volumeID) return true
  if (iscsi !== undefined && iscsi.iqn === b.iscsi?.iqn && !onlyRead(iscsi, b.iscsi)) return true
  if (rbd === undefined || b.rbd === undefined || onlyRead(rbd, b.rbd)) return false
  return rbd.pool === b.rbd.pool && rbd.image === b.rbd.image && rbd.monitors.some((monitor) => b.rbd?.monitors.includes(monitor) === true)
}

function wakes(pod: Readonly<Pod>, event: ClusterEvent): boolean {
  const mine = claimNames(pod)
  switch (event.type) {
    case 'node added':
      return true
    case 'pod gone':
      if (event.pod.metadata.namespace !== pod.metadata.namespace) return false
      return sharesDisk((pod.spec?.volumes ?? []).filter(isDisk), event.pod) || claimNames(event.pod).some((name) => mine.includes(name))
    case 'object': {
      const { kind, object, prev } = event
      if (kind.kind !== persistentVolumeClaims.kind || object === undefined || prev !== undefined) return false
      return object.metadata.namespace === pod.metadata.namespace && mine.includes(object.metadata.name ?? '')
    }
    default:
      return false
  }
}
