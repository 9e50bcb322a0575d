/**
 * VolumeZone: a volume that is labelled with zones or regions goes to nodes of those (upstream's plugins/volumezone).
 */
import { persistentVolumes } from '../../api/core/persistentvolume.ts'
import { persistentVolumeClaims } from '../../api/core/persistentvolumeclaim.ts'
import { claimClass, waitsForConsumer } from '../../api/core/volumebinding.ts'
import type { PersistentVolume, PersistentVolumeClaim, Pod, StorageClass } from '../../api/schema/types.ts'
import { storageClasses } from '../../api/storage/storageclass.ts'
import { equalJson } from '../../lib/json.ts'
import type { ClusterEvent, Filter, Plugin, PluginEnv, Refusal } from '../framework.ts'
import { missing } from '../volumes/find.ts'

/** Of old and of today; a node may have only today's. */
const today: Readonly<Record<string, string>> = {
  'failure-domain.beta.kubernetes.io/zone': 'topology.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region': 'topology.kubernetes.io/region',
  'topology.kubernetes.io/zone': 'topology.kubernetes.io/zone',
  'topology.kubernetes.io/region': 'topology.kubernetes.io/region',
}
const keys = Object.keys(today)
/** Between the zones of a volume that is in several. */
const separator = '__'

const refuse = (reason: string): Refusal => ({ reasons: [reason], unresolvable: true })
const conflict = refuse('node(s) had no available volume zone')

interface Storage {
  readonly claim: (key: string) => Readonly<PersistentVolumeClaim> | undefined
  readonly volume: (name: string) => Readonly<PersistentVolume> | undefined
  readonly storageClass: (name: string) => Readonly<StorageClass> | undefined
}

interface Place {
  readonly key: string
  readonly values: readonly string[]
}

export function volumeZone({ read }: PluginEnv): Plugin {
  const [claims, volumes, classes] = [read(persistentVolumeClaims), read(persistentVolumes), read(storageClasses)]
  const storage: Storage = { claim: (key) => claims.at(key), volume: (name) => volumes.at(name), storageClass: (name) => classes.at(name) }
  return { name: 'VolumeZone', filter: (pod) => filterFor(pod, storage), wakes }
}

function claimNames(pod: Readonly<Pod>): readonly string[] {
  return (pod.spec?.volumes ?? []).flatMap(({ persistentVolumeClaim: source }) => (source === undefined ? [] : [source.claimName]))
}

function filterFor(pod: Readonly<Pod>, storage: Storage): Filter | Refusal | undefined {
  const places: Place[] = []
  for (const name of claimNames(pod)) {
    const found = volumeOf(`${pod.metadata.namespace}/${name}`, name, storage)
    if (found === undefined) continue
    if ('reasons' in found) return found
    places.push(...placesOf(found))
  }
  if (places.length === 0) return undefined
  return {
    check(node) {
      // Nodes that say nothing of where they are, are all in one place.
      if (keys.every((key) => node.label(key) === undefined)) return undefined
      return places.every(({ key, values }) => values.includes(node.label(key) ?? node.label(today[key] ?? key) ?? '')) ? undefined : conflict
    },
  }
}

/** undefined: there is none yet, and it will be where the pod is. */
function volumeOf(key: string, name: string, storage: Storage): Readonly<PersistentVolume> | Refusal | undefined {
  const claim = storage.claim(key)
  if (claim === undefined) return refuse(missing('persistentvolumeclaim', name))
  const { volumeName = '' } = claim.spec ?? {}
  if (volumeName !== '') return storage.volume(volumeName) ?? refuse(missing('persistentvolume', volumeName))
  const className = claimClass(claim) ?? ''
  if (className === '') return refuse('PersistentVolumeClaim had no pv name and storageClass name')
  const storageClass = storage.storageClass(className)
  if (storageClass === undefined) return refuse(missing('storageclass.storage.k8s.io', className))
  return waitsForConsumer(storageClass) ? undefined : refuse('PersistentVolume had no name')
}

/** A label that cannot be read says nothing. */
function placesOf({ metadata: { labels = {} } }: Readonly<PersistentVolume>): readonly Place[] {
  return keys.flatMap((key): Place[] => {
    const values = labels[key]?.split(separator).map((value) => value.trim())
    return values === undefined || values.includes('') ? [] : [{ key, values }]
  })
}

function wakes(pod: Readonly<Pod>, event: ClusterEvent): boolean {
  if (event.type === 'node added') return true
  if (event.type === 'node changed') return !equalJson(event.node.metadata.labels ?? {}, event.prev.metadata.labels ?? {})
  if (event.type !== 'object' || event.object === undefined) return false
  const { kind, object, prev } = event
  switch (kind.kind) {
    case persistentVolumeClaims.kind:
      return object.metadata.namespace === pod.metadata.namespace && claimNames(pod).includes(object.metadata.name ?? '')
    case persistentVolumes.kind:
      return prev === undefined || !equalJson(placesOf(object), placesOf(prev))
    case storageClasses.kind:
      return prev === undefined && waitsForConsumer(object as Readonly<StorageClass>)
    default:
      return false
  }
}
