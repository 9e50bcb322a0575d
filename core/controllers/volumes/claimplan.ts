/**
 * What is to happen with a claim now: bound, given a class, left to a provisioner, told to wait, or lost. Pure; who acts
 * is binder.ts (upstream's pkg/controller/volume/persistentvolume, syncClaim).
 */
import {
  annotationOf, bindingAnnotations, claimClass, hasAccessModes, isBoundTo, matchingVolume, misfit, waitsForConsumer,
} from '../../api/core/volumebinding.ts'
import type { PersistentVolume, PersistentVolumeClaim, StorageClass } from '../../api/schema/types.ts'
import { migratedDriver } from '../../api/storage/migration.ts'
import { defaultClass } from '../../api/storage/storageclass.ts'
import { memoOf } from '../../lib/memo.ts'

export interface Told {
  readonly type: 'Normal' | 'Warning'
  readonly reason: string
  readonly message: string
}

export type ClaimPlan =
  | { readonly do: 'bind'; readonly volume: Readonly<PersistentVolume> }
  /** Nothing can be done now. */
  | { readonly do: 'wait'; readonly tell?: Told }
  | { readonly do: 'assign'; readonly className: string }
  | { readonly do: 'provision'; readonly provisioner: string }
  /** Nobody can make a volume for it. */
  | { readonly do: 'refuse'; readonly tell: Told }
  | { readonly do: 'lose'; readonly tell: Told }

export interface ClaimWorld {
  readonly volume: (name: string) => Readonly<PersistentVolume> | undefined
  readonly volumes: () => readonly Readonly<PersistentVolume>[]
  readonly storageClass: (name: string) => Readonly<StorageClass> | undefined
  readonly classes: () => readonly Readonly<StorageClass>[]
  /** Names of pods with the claim that have no node yet. */
  readonly waitingPods: () => readonly string[]
}

export function planClaim(claim: Readonly<PersistentVolumeClaim>, world: ClaimWorld): ClaimPlan {
  const named = claim.spec?.volumeName ?? ''
  if (annotationOf(claim, bindingAnnotations.bindCompleted) !== undefined) return planBound(claim, named, world)
  return named === '' ? planUnbound(claim, world) : planNamed(claim, named, world)
}

const warning = (reason: string, message: string): Told => ({ type: 'Warning', reason, message })
const normal = (reason: string, message: string): Told => ({ type: 'Normal', reason, message })

function planBound(claim: Readonly<PersistentVolumeClaim>, named: string, world: ClaimWorld): ClaimPlan {
  const lose = (reason: string, message: string): ClaimPlan => ({ do: 'lose', tell: warning(reason, message) })
  if (named === '') return lose('ClaimLost', 'Bound claim has lost reference to PersistentVolume. Data on the volume is lost!')
  const volume = world.volume(named)
  if (volume === undefined) return lose('ClaimLost', 'Bound claim has lost its PersistentVolume. Data on the volume is lost!')
  const ref = volume.spec?.claimRef
  if (ref === undefined || ref.uid === claim.metadata.uid) return { do: 'bind', volume }
  return lose('ClaimMisbound', 'Two claims are bound to the same volume, this one is bound incorrectly')
}

/** The user wants this volume and no other. */
function planNamed(claim: Readonly<PersistentVolumeClaim>, named: string, world: ClaimWorld): ClaimPlan {
  const volume = world.volume(named)
  if (volume === undefined) return { do: 'wait' }
  if (volume.spec?.claimRef === undefined) {
    const why = misfit(volume, claim)
    return why === undefined ? { do: 'bind', volume } : { do: 'wait', tell: warning('VolumeMismatch', `Cannot bind to requested volume "${named}": ${why}`) }
  }
  if (isBoundTo(volume, claim)) return { do: 'bind', volume }
  return { do: 'wait', tell: warning('FailedBinding', `volume "${named}" already bound to a different claim.`) }
}

function planUnbound(claim: Readonly<PersistentVolumeClaim>, world: ClaimWorld): ClaimPlan {
  const className = claimClass(claim)
  const storageClass = className === undefined || className === '' ? undefined : world.storageClass(className)
  const delayed = waitsForConsumer(storageClass)
  const volume = bestMatch(claim, world.volumes(), delayed)
  if (volume !== undefined) return { do: 'bind', volume }
  if (className === undefined) {
    const fallback = defaultClass(world.classes())?.metadata.name
    if (fallback !== undefined) return { do: 'assign', className: fallback }
  }
  if (delayed && annotationOf(claim, bindingAnnotations.selectedNode) === undefined) return { do: 'wait', tell: waitingFor(world.waitingPods()) }
  if (className === undefined || className === '') return { do: 'wait', tell: normal('FailedBinding', 'no persistent volumes available for this claim and no storage class is set') }
  return planProvisioning(className, storageClass)
}

/** Among volumes with the fewest access modes first, whatever their size: what offers more is kept for who needs it. */
function bestMatch(claim: Readonly<PersistentVolumeClaim>, volumes: readonly Readonly<PersistentVolume>[], preboundOnly: boolean): Readonly<PersistentVolume> | undefined {
  const free = volumes.filter((volume) => volume.spec?.claimRef === undefined || isBoundTo(volume, claim))
  const alike = Map.groupBy(free, (volume) => modesOf(volume).join())
  for (const group of [...alike.values()].toSorted(([a], [b]) => modeCount(a) - modeCount(b))) {
    if (group[0] === undefined || !hasAccessModes(group[0], claim.spec?.accessModes)) continue
    const volume = matchingVolume(claim, group, { preboundOnly })
    if (volume !== undefined) return volume
  }
  return undefined
}

/** Asked of every free volume for every claim. */
const modesOf = memoOf((volume: Readonly<PersistentVolume>) => [...new Set(volume.spec?.accessModes)].toSorted())

const modeCount = (volume: Readonly<PersistentVolume> | undefined): number => (volume === undefined ? 0 : modesOf(volume).length)

function waitingFor(pods: readonly string[]): Told {
  if (pods.length === 0) return normal('WaitForFirstConsumer', 'waiting for first consumer to be created before binding')
  return normal('WaitForPodScheduled', `waiting for pod${pods.length > 1 ? 's' : ''} ${pods.join(',')} to be scheduled`)
}

/** No provisioner is built in: what begins with kubernetes.io/ and is no driver's today is nobody's. */
function planProvisioning(className: string, storageClass: Readonly<StorageClass> | undefined): ClaimPlan {
  const refuse = (message: string): ClaimPlan => ({ do: 'refuse', tell: warning('ProvisioningFailed', message) })
  if (storageClass === undefined) return refuse(`storageclass.storage.k8s.io "${className}" not found`)
  const driver = migratedDriver(storageClass.provisioner)
  if (driver === undefined && storageClass.provisioner.startsWith('kubernetes.io/')) return refuse(`no volume plugin matched name: ${storageClass.provisioner}`)
  return { do: 'provision', provisioner: driver ?? storageClass.provisioner }
}
