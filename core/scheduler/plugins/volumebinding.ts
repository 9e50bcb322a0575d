/**
 * VolumeBinding: a pod goes where its volumes are, or can be. Bound volumes must be reachable; claims that waited for the
 * pod get free volumes there or have them made, before the pod is bound (upstream's plugins/volumebinding). Volumes of
 * former built-in plugins are not translated for their drivers.
 */
import { persistentVolumes } from '../../api/core/persistentvolume.ts'
import { persistentVolumeClaims } from '../../api/core/persistentvolumeclaim.ts'
import { podClaims } from '../../api/core/podvolumes.ts'
import { claimClass, volumeClass } from '../../api/core/volumebinding.ts'
import type { KindRef } from '../../api/kind.ts'
import type { KubeObject } from '../../api/meta.ts'
import type { Pod } from '../../api/schema/types.ts'
import { csiDrivers } from '../../api/storage/csidriver.ts'
import { csiNodes } from '../../api/storage/csinode.ts'
import { csiStorageCapacities } from '../../api/storage/csistoragecapacity.ts'
import { storageClasses } from '../../api/storage/storageclass.ts'
import { equalJson } from '../../lib/json.ts'
import type { ClusterEvent, Filter, Plugin, PluginEnv, Refusal } from '../framework.ts'
import { Assumed } from '../volumes/assumed.ts'
import { VolumeBindings } from '../volumes/binding.ts'
import { claimsByState, findVolumes, limitOf, unusable, type StorageWorld } from '../volumes/find.ts'

const refusal = (...reasons: readonly string[]): Refusal => ({ reasons, unresolvable: true })

/** The arguments of this name; scoring by capacity is behind a feature that is off. */
export interface VolumeBindingArgs {
  /** So long volumes may take to be bound; then the pod is tried anew, maybe elsewhere. */
  readonly bindTimeoutSeconds: number
}

export function volumeBinding(env: PluginEnv, { bindTimeoutSeconds }: VolumeBindingArgs): Plugin {
  const [volumes, claims] = [new Assumed(env.read(persistentVolumes)), new Assumed(env.read(persistentVolumeClaims))]
  const [classes, drivers, capacities] = [env.read(storageClasses), env.read(csiDrivers), env.read(csiStorageCapacities)]
  env.read(csiNodes) // their coming may let pods fit
  const storage: StorageWorld = {
    claim: (key) => claims.at(key),
    volume: (name) => volumes.at(name),
    volumes: (className) => volumes.list().filter((volume) => volumeClass(volume) === className),
    storageClass: (name) => classes.at(name),
    driver: (name) => drivers.at(name),
    capacities: () => capacities.list(),
  }
  const bindings = new VolumeBindings(env, { volumes, claims, bindMs: bindTimeoutSeconds * 1_000 })
  return {
    name: 'VolumeBinding',
    filter: (pod) => (podClaims(pod).length === 0 ? undefined : filterFor(pod, storage)),
    reserve(pod, { name, node }) {
      if (podClaims(pod).length === 0) return undefined
      const found = findVolumes(claimsByState(pod, storage), storage, node)
      if (found.reasons.length > 0) return refusal(...found.reasons)
      if (found.bindings.length + found.provisions.length > 0) bindings.keep(pod, name, found)
      return undefined
    },
    release: (pod) => bindings.release(pod),
    prebind: (ctx, pod, nodeName) => bindings.bind(ctx, pod, nodeName),
    wakes,
  }
}

function filterFor(pod: Readonly<Pod>, storage: StorageWorld): Filter | Refusal {
  const why = unusable(pod, storage)
  if (why !== undefined) return refusal(why)
  const mine = claimsByState(pod, storage)
  if (mine.immediate.length > 0) return refusal('pod has unbound immediate PersistentVolumeClaims')
  // Every node looks at them: they are gathered once.
  const gathered = new Map(mine.waiting.map((claim) => claimClass(claim) ?? '').map((className) => [className, storage.volumes(className)]))
  const world: StorageWorld = { ...storage, volumes: (className) => gathered.get(className) ?? [] }
  return {
    check({ node }) {
      const { reasons } = findVolumes(mine, world, node)
      return reasons.length === 0 ? undefined : refusal(...reasons)
    },
  }
}

type ObjectEvent = Extract<ClusterEvent, { readonly type: 'object' }>

function wakes(pod: Readonly<Pod>, event: ClusterEvent): boolean {
  if (event.type === 'node added') return true
  if (event.type === 'node changed') return !equalJson(event.node.metadata.labels ?? {}, event.prev.metadata.labels ?? {})
  return event.type === 'object' && event.object !== undefined && objectWakes(pod, event)
}

function objectWakes(pod: Readonly<Pod>, event: ObjectEvent): boolean {
  const is = <T extends KubeObject>(kind: KindRef<T>): { readonly now: Readonly<T>; readonly prev: Readonly<T> | undefined } | undefined =>
    event.kind.kind === kind.kind && event.kind.group === kind.group ? { now: event.object as Readonly<T>, prev: event.prev as Readonly<T> | undefined } : undefined
  if (is(persistentVolumes) !== undefined) return true
  const claim = is(persistentVolumeClaims)
  if (claim !== undefined) return claim.now.metadata.namespace === pod.metadata.namespace && podClaims(pod).some(({ name }) => name === claim.now.metadata.name)
  const storageClass = is(storageClasses)
  if (storageClass !== undefined) return storageClass.prev === undefined || !equalJson(storageClass.now.allowedTopologies ?? [], storageClass.prev.allowedTopologies ?? [])
  const node = is(csiNodes)
  if (node !== undefined) return node.prev === undefined || node.now.metadata.annotations?.[migratedPlugins] !== node.prev.metadata.annotations?.[migratedPlugins]
  const capacity = is(csiStorageCapacities)
  if (capacity !== undefined) return capacity.prev === undefined || limitOf(capacity.now) > limitOf(capacity.prev)
  const driver = is(csiDrivers)
  if (driver?.prev === undefined || driver.prev.spec.storageCapacity !== true || driver.now.spec.storageCapacity === true) return false
  return (pod.spec?.volumes ?? []).some(({ csi }) => csi?.driver === driver.now.metadata.name)
}

/** On a CSINode: built-in plugins whose work its drivers do. */
const migratedPlugins = 'storage.alpha.kubernetes.io/migrated-plugins'
